"""``assay merge SHARD SHARD … --out DIR``."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from assay.cli import DONE, INCOMPLETE
from assay.cli.noting import STORE, note
from assay.cli.options import Command, arg
from assay.cli.output import print_json


@dataclass(frozen=True)
class Merge:
    """Makes one run of all its shards, with the figures of the run that was never cut. The data are read, the model is not.

    The same command goes on where it was cut. Shards that overlap, are missing, unfinished or of different runs are refused.
    """

    runs: tuple[str, ...] = arg("the folders of all shards, made by `assay evaluate ... --shard 1/4`")
    out: str = arg("the folder of the merged run (required)", default="", metavar="DIR")
    store: str = arg(STORE, default="", metavar="URL")
    json: bool = arg("print one JSON document", default=False)


def merge(options: Merge) -> int:
    """Prints the scorecard. Exit code 3 when some of what was planned failed."""
    from assay import kept, verbs
    from assay.cli.evaluate import as_json
    from assay.reporting import terminal

    if not options.out:
        raise ValueError("nowhere to put the merged run: give a folder with --out.")
    run = kept.merge(*options.runs, out=options.out)
    note(run, options.store)
    if options.json:
        print_json(as_json(run))
    else:
        terminal.show(verbs.report_content([run]), sys.stdout)
        print(f"\nkept in {run.folder}\na page to read: assay report {run.folder}")
    return DONE if run.complete else INCOMPLETE


MERGE = Command("merge", Merge, merge, "assay merge runs/part-1 runs/part-2 --out runs/whole")
