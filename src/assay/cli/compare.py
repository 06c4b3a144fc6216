"""``assay compare A B [C …]``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.cli.options import Command, arg
from assay.cli.output import print_json

if TYPE_CHECKING:
    from assay.evaluation.compare import Comparison

SHOWN = 20


@dataclass(frozen=True)
class Compare:
    """Is run A better than run B? Paired sample by sample, corrected for the number of comparisons, with a verdict and the samples
    that changed.

    With more runs than two, of any models and tasks: who stands where on each task, with the ranks that the data leave open, every
    pair's verdict, and how much worse models are on data that they were not trained on.
    """

    runs: tuple[str, ...] = arg("the folders of two runs or more")
    metrics: str | None = arg("go by these (default: all that both have)", default=None, metavar="A,B")
    slices: tuple[str, ...] = arg("over these parts (default: all, and each split)", default=(), metavar="SLICE")
    margin: float | None = arg("the difference that would not matter", default=None)
    flips: int = arg("show so many of the samples that changed", default=0, metavar="N")
    json: bool = arg("print one JSON document", default=False)


def compare(options: Compare) -> int:
    """Prints the verdict for each metric. The verdict is the output: the exit code is 0 whatever it is."""
    from assay import kept
    from assay.reporting import sides, terminal

    if len(options.runs) < 2:
        raise ValueError("name two runs or more: `assay compare runs/a runs/b`.")
    names = None if options.metrics is None else [name.strip() for name in options.metrics.split(",") if name.strip()]
    found = kept.compare_runs(options.runs, metrics=names, slices=options.slices or None, margin=options.margin)
    if options.json:
        print_json(found.as_json())
        return 0
    if len(options.runs) > 2:
        print(sides.matrix(found))
        pairs = found.comparisons
    else:
        print(terminal.comparison(found))
        pairs = (found,)
    if options.flips:
        for one in pairs:
            show_flips(one, options.flips)
    return 0


def show_flips(found: Comparison, count: int) -> None:
    """The samples that changed between two runs."""
    from assay.reporting import sides

    if found.flips is not None:
        print()
        print(sides.flips(found, count))


COMPARE = Command("compare", Compare, compare, "assay compare runs/a runs/b --margin 0.01 --flips 10")
