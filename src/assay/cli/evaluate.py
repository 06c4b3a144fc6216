"""``assay evaluate MODEL DATA --task T [--out DIR] [--json]``."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.catalog import PROBES
from assay.cli import DONE, INCOMPLETE
from assay.cli.options import Command, arg
from assay.cli.output import print_json
from assay.cli.progress import Bar

if TYPE_CHECKING:
    from assay.evaluation.run import Run


@dataclass(frozen=True)
class Evaluate:
    """Measures a model on data: every figure with its interval, its n and what is missing. The same command goes on where it was cut."""

    model: str = arg("assay:NAME, baseline:NAME, a trained model's folder, py:module:function, py:file.py:function")
    data: str = arg(
        "NAME[:SPLIT], a folder, a CSV, JSONL or Parquet file, vqa:QUESTIONS,ANNOTATIONS,IMAGES, coco:CAPTIONS,IMAGES"
    )
    task: str | None = arg(
        "retrieval, classification, zeroshot, vqa, captioning, naming (default: what model and data can do)",
        default=None,
    )
    out: str | None = arg("the run's folder (default: runs/TASK/MODEL-HASH)", default=None, metavar="DIR")
    limit: int | None = arg("take only the first so many samples", default=None)
    conditions: tuple[str, ...] = arg(
        "ask under these only: clean, only:image, drop:audio ...", default=(), metavar="CONDITION"
    )
    probe: str | None = arg(
        f"what the model is made of: {', '.join(PROBES)}, or all", default=None, metavar="NAME[,NAME]"
    )
    map: str | None = arg("which column is what: image=path,label=species", default=None, metavar="ROLE=COLUMN,...")
    seed: int = arg("of the resampling and of random conditions", default=0)
    json: bool = arg("print one JSON document", default=False)


def evaluate(options: Evaluate) -> int:
    """Prints the scorecard. Exit code 3 when some of what was planned failed."""
    from assay import verbs
    from assay.reporting import terminal

    prepared = verbs.prepare(
        options.model,
        options.data,
        task=options.task,
        limit=options.limit,
        conditions=options.conditions or None,
        columns=None if options.map is None else columns_named(options.map),
        probes=() if options.probe is None else [name.strip() for name in options.probe.split(",")],
        seed=options.seed,
    )
    with Bar(f"{options.model} on {options.data}") as bar:
        out = options.out or prepared.folder
        run = verbs.evaluate_prepared(prepared, out=out, seed=options.seed, on_progress=bar)
    if options.json:
        print_json(as_json(run))
    else:
        terminal.show(verbs.report_content([run]), sys.stdout)
        print(f"\nkept in {run.folder}\na page to read: assay report {run.folder}")
    return DONE if run.complete else INCOMPLETE


def columns_named(given: str) -> dict[str, str]:
    """``image=path,label=species`` as a mapping; `ValueError` for anything else.

    >>> columns_named("image=path, label=species")
    {'image': 'path', 'label': 'species'}
    """
    pairs = [part.partition("=") for part in given.split(",")]
    for role, sign, column in pairs:
        if not (sign and role.strip() and column.strip()):
            raise ValueError(f"cannot read --map {given!r}: expected ROLE=COLUMN,ROLE=COLUMN")
    return {role.strip(): column.strip() for role, _, column in pairs}


def as_json(run: Run) -> dict[str, object]:
    """The run's figures, what failed and what the clock gave, as one document."""
    return {**run.as_json(), "folder": str(run.folder), "errors": run.errors(), "timings": dict(run.timings)}


EVALUATE = Command(
    "evaluate", Evaluate, evaluate, "assay evaluate assay:aligned emoji --task retrieval --out runs/aligned --json"
)
