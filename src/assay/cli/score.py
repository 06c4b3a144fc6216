"""``assay score FILE [ANNOTATIONS] --metrics a,b [--out DIR] [--baseline OTHER] [--explain METRIC]``, ``assay score RUN``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.cli import DONE, INCOMPLETE
from assay.cli.noting import STORE, note
from assay.cli.options import Command, arg
from assay.cli.output import print_json

if TYPE_CHECKING:
    from assay.evaluation.scored import Scored


@dataclass(frozen=True)
class Score:
    """Measures answers that are written in a file: every figure with its interval, its n and what is missing.

    FILE is JSONL, a row a line: {"id": "7", "prediction": "a cat", "reference": "one cat"} (or "references": [...], "label",
    "answers"; a prediction of null is missing and never wrong), or COCO captions, COCO detections or VQA answers as their
    tools take them, with their annotations. A run's folder in its place is measured again, without its model.
    """

    files: tuple[str, ...] = arg(
        "FILE, then the file of the references where these stand elsewhere (for VQA then the questions)",
        default=(),
        metavar="FILE",
        positional=True,
    )
    metrics: str | None = arg(
        "names with commas between them (default: the usual ones for the file)", default=None, metavar="A,B"
    )
    by: str | None = arg("break figures down by these fields of the rows", default=None, metavar="FIELD,FIELD")
    unit: str | None = arg(
        "the field whose rows are resampled together (default: image, image_id or unit, if there is one)",
        default=None,
        metavar="FIELD",
    )
    baseline: str | None = arg(
        "another file of answers, or a run's folder, to compare with, row by row", default=None, metavar="OTHER"
    )
    margin: float | None = arg("the difference that would not matter, for --baseline", default=None)
    out: str | None = arg(
        "keep it as a run in this folder, for `assay compare` and `assay report`", default=None, metavar="DIR"
    )
    explain: str | None = arg(
        "say how a metric is computed and, with FILE, why it is what it is", default=None, metavar="METRIC"
    )
    seed: int = arg("of the resampling", default=0)
    store: str = arg(STORE, default="", metavar="URL")
    json: bool = arg("print one JSON document", default=False)


def score(options: Score) -> int:
    """Prints the figures. Exit code 3 when rows have no prediction."""
    from assay import metrics, verbs
    from assay.metrics import explaining

    if options.explain and not options.files:
        metric = metrics.get(options.explain)
        if options.json:
            print_json(explaining.explained(metric))
        else:
            print(explaining.explain(metric))
        return DONE
    if not options.files:
        raise ValueError(
            "name a file of predictions: `assay score FILE --metrics accuracy`; `assay score --help` says what it holds."
        )
    names = split(options.metrics)
    if options.metrics is not None and not names:
        raise ValueError(
            "--metrics needs a name, or several with commas between them; leave it out for the usual ones."
        )
    if len(options.files) == 1 and Path(options.files[0]).is_dir():
        return again(options, names)
    scored = verbs.score(
        *options.files,
        metrics=(*names, options.explain) if options.explain and options.explain not in names else names,
        by=split(options.by),
        unit=options.unit,
        out=options.out,
        baseline=options.baseline,
        margin=options.margin,
        seed=options.seed,
    )
    if scored.run.folder is not None:
        note(scored.run, options.store)
    if options.json:
        print_json(as_json(scored))
    elif options.explain:
        print(explaining.explain(scored.metric(options.explain), scored.facts(options.explain)))
    else:
        show(scored)
    return DONE if scored.run.complete else INCOMPLETE


def again(options: Score, names: tuple[str, ...]) -> int:
    """Measures a kept run again, without its model."""
    import sys

    from assay import kept, verbs
    from assay.cli.evaluate import as_json as run_as_json
    from assay.reporting import terminal

    if options.by or options.unit or options.out or options.explain or options.baseline:
        raise ValueError(
            "a run is scored again in its own folder: --metrics goes with it; for --baseline use `assay compare`."
        )
    run = kept.rescore(options.files[0], metrics=names)
    note(run, options.store)
    if options.json:
        print_json(run_as_json(run))
    else:
        terminal.show(verbs.report_content([run]), sys.stdout)
    return DONE if run.complete else INCOMPLETE


def split(names: str | None) -> tuple[str, ...]:
    """Names with commas between them."""
    return tuple(name.strip() for name in (names or "").split(",") if name.strip())


def as_json(scored: Scored) -> dict[str, Any]:
    """Figures, what failed, what is to be said of them, and the comparison, as one document."""
    comparison = None if scored.comparison is None else scored.comparison.as_json()
    folder = None if scored.run.folder is None else str(scored.run.folder)
    notes = {name: scored.facts(name) for name in scored.run.manifest.metrics}
    from assay.cli.evaluate import with_bounds

    return {
        **with_bounds(scored.run),
        "folder": folder,
        "errors": scored.run.errors(),
        "facts": notes,
        "comparison": comparison,
    }


def show(scored: Scored) -> None:
    """The figures for people."""
    import sys

    from assay.evaluation.unknown import extremes
    from assay.reporting import notation, terminal
    from assay.reporting.text import one_line

    run = scored.run
    text = terminal.estimates(run.estimates)
    lines = [
        f"{one_line(run.manifest.model, 60)}: {len(run.predictions):,} rows of {one_line(run.manifest.data, 60)}",
        "",
        text.rstrip("\n"),
    ]
    lines += [f"\n{name}: {one_line(fact, 300)}" for name, told in scored.unasked().items() for fact in told]
    if not run.complete:
        lost, found = run.errors(), extremes(run)
        lines.append(
            f"\nINCOMPLETE: {len(lost):,} of {run.planned:,} rows have no prediction; they are left out, never wrong."
        )
        lines += [f"  {one_line(notation.whatever([(e.metric, e.low, e.high) for e in found]), 400)}"] if found else []
        lines += [f"  {one_line(one['sample'], 60)}: {one_line(one['error'], 200)}" for one in lost[:3]]
    if run.folder is not None:
        lines.append(f"\nkept in {run.folder}\na page to read: assay report {run.folder}")
    sys.stdout.write(terminal.encodable("\n".join(lines) + "\n", sys.stdout.encoding or "utf-8"))
    if scored.comparison is not None:
        print()
        print(terminal.comparison(scored.comparison))


SCORE = Command(
    "score", Score, score, "assay score answers.jsonl --metrics exact_match,token_f1 --baseline before.jsonl"
)
