"""``assay report RUN [RUN …] [--out FILE]``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from assay.cli.options import Command, arg


@dataclass(frozen=True)
class Report:
    """One HTML file about one run or several: scorecard, verdicts, plots, slices, the samples behind the figures."""

    runs: tuple[str, ...] = arg("the folders of runs")
    out: str | None = arg(
        "the file to write (default: report.html in the first run's folder)", default=None, metavar="FILE"
    )
    title: str = arg("the page's title", default="", metavar="TEXT")


def report(options: Report) -> int:
    """Writes the file and says where it is."""
    from assay import verbs

    out = Path(options.out) if options.out else Path(options.runs[0]) / "report.html"
    print(verbs.report(options.runs, out, title=options.title))
    return 0


REPORT = Command("report", Report, report, "assay report runs/a runs/b --out report.html")
