"""``assay compare A B``."""

from __future__ import annotations

from dataclasses import dataclass

from assay.cli.options import Command, arg
from assay.cli.output import print_json


@dataclass(frozen=True)
class Compare:
    """Is run B better than run A? Paired sample by sample, corrected for the number of comparisons, with a verdict."""

    a: str = arg("the folder of a run")
    b: str = arg("the folder of the run to compare with it")
    margin: float | None = arg("the difference that would not matter", default=None)
    json: bool = arg("print one JSON document", default=False)


def compare(options: Compare) -> int:
    """Prints the verdict for each metric. The verdict is the output: the exit code is 0 whatever it is."""
    from assay import verbs
    from assay.reporting import terminal

    comparison = verbs.compare(options.a, options.b, margin=options.margin)
    if options.json:
        print_json(comparison.as_json())
    else:
        print(terminal.comparison(comparison))
    return 0


COMPARE = Command("compare", Compare, compare, "assay compare runs/a runs/b --margin 0.01")
