"""``assay gate RUN --baseline RUN``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from assay.cli.options import Command, arg
from assay.cli.output import print_json


@dataclass(frozen=True)
class Gate:
    """May this run pass? It fails if it is worse than the baseline by more than a margin, as far as the paired interval tells.

    Exit code: 0 passed, 1 failed, 4 the data cannot decide.
    """

    run: str = arg("the folder of the run that is to pass")
    baseline: str = arg("the folder of the run to hold it to (required)", default="", metavar="RUN")
    metric: str | None = arg("the metric to go by (default: the first that both have)", default=None)
    margin: float = arg("the loss that would not matter", default=0.0)
    slice: str = arg("the part of the data to go by", default="all")
    json: bool = arg("print one JSON document", default=False)
    junit: str | None = arg("also write JUnit XML to this file", default=None, metavar="FILE")
    markdown: str | None = arg("also write a Markdown summary to this file", default=None, metavar="FILE")


def gate(options: Gate) -> int:
    """Prints the outcome, writes the files that were asked for, and returns the outcome's exit code."""
    from assay import verbs
    from assay.reporting import gated

    if not options.baseline:
        raise ValueError("nothing to hold the run to: give the folder of another run with --baseline.")
    found = verbs.gate(options.run, options.baseline, metric=options.metric, margin=options.margin, slice=options.slice)
    for path, write in ((options.junit, gated.junit), (options.markdown, gated.markdown)):
        if path is not None:
            Path(path).write_text(write(found), encoding="utf-8")
    if options.json:
        print_json(found.as_json())
    else:
        from assay.reporting.text import one_line

        print(one_line(found.sentence, 1000))
        for note in found.notes:
            print(one_line(note, 300))
    return found.exit_code


GATE = Command("gate", Gate, gate, "assay gate runs/new --baseline runs/released --metric accuracy --margin 0.01")
