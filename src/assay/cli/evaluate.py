"""``assay evaluate MODEL DATA --task T [--out DIR] [--json]``."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.catalog import PROBES
from assay.cli import DONE, INCOMPLETE
from assay.cli.api import Api
from assay.cli.noting import STORE, note
from assay.cli.options import Command, arg
from assay.cli.output import print_json
from assay.cli.progress import Bar

if TYPE_CHECKING:
    from assay.evaluation.run import Run


@dataclass(frozen=True)
class Evaluate:
    """Measures a model on data: every figure with its interval, its n and what is missing. The same command goes on where it was cut."""

    model: str = arg(
        "assay:NAME, baseline:NAME, a trained model's folder, hf:NAME_OR_FOLDER, openai:MODEL@URL, py:module:function,"
        " py:file.py:function, keras:FILE, pretrained:NAME, predictions:FILE"
    )
    data: str = arg(
        "NAME[:SPLIT], a folder, a CSV, JSONL or Parquet file, vqa:QUESTIONS,ANNOTATIONS,IMAGES, coco:ANNOTATIONS,IMAGES, karpathy:…,"
        " flickr30k:…, webdataset:SHARDS, hf:FOLDER, activitynet:…"
    )
    task: str | None = arg(
        "retrieval, classification, zeroshot, vqa, captioning, naming, transcription (default: what model and data can do)",
        default=None,
    )
    out: str | None = arg("the run's folder (default: runs/TASK/MODEL-HASH)", default=None, metavar="DIR")
    limit: int | None = arg("take only the first so many samples", default=None)
    sample: int | None = arg("take so many samples by chance (by --seed)", default=None)
    repeats: int = arg("ask each sample so often", default=1)
    conditions: tuple[str, ...] = arg(
        "ask under these only: clean, only:image, drop:audio ...", default=(), metavar="CONDITION"
    )
    probe: str | None = arg(
        f"what the model is made of: {', '.join(PROBES)}, or all", default=None, metavar="NAME[,NAME]"
    )
    composite: str | None = arg(
        "one number of the run's figures by these weights, printed with its scales: accuracy=.5,robustness=.3,latency=.2",
        default=None,
        metavar="NAME=W,...",
    )
    map: str | None = arg("which column is what: image=path,label=species", default=None, metavar="ROLE=COLUMN,...")
    seed: int = arg("of the resampling and of random conditions", default=0)
    shard: str | None = arg(
        "answer one part of several: 1/4; `assay merge` puts them together", default=None, metavar="I/N"
    )
    fork: bool = arg(
        "where --out holds a run of another configuration: go on in a new folder beside it, with its answers that still hold",
        default=False,
    )
    retry_failed: bool = arg("ask again what failed in an earlier session of this run", default=False)
    batch: int = arg("how many samples the model is asked about at once", default=64)
    timeout: float | None = arg(
        "seconds that one call of the model may take; then the sample is an error", default=None
    )
    attempts: int = arg("how often a sample that fails is asked (an endpoint: 5 times, unless more is said)", default=1)
    workers: int = arg("processes that load the model and answer (0: this one)", default=0)
    engine: str = arg("local, or ray: actors of the cluster at RAY_ADDRESS or of one here", default="local")
    track: str | None = arg(
        "tell tensorboard, wandb, mlflow of the figures; they write into the run's folder",
        default=None,
        metavar="NAME[,NAME]",
    )
    store: str = arg(STORE, default="", metavar="URL")
    json: bool = arg("print one JSON document", default=False)
    api: Api = field(default_factory=Api, metadata={"help": "for openai:MODEL@URL"})


def evaluate(options: Evaluate) -> int:
    """Prints the scorecard. Exit code 3 when some of what was planned failed."""
    from assay import kept, verbs
    from assay.evaluation.how import How, Shard
    from assay.reporting import composite

    weights = None if options.composite is None else composite.weights(options.composite)
    settings = options.api.settings(options.model, attempts=options.attempts)
    how = How(
        seed=options.seed,
        sample=options.sample,
        repeats=options.repeats,
        shard=None if options.shard is None else Shard.read(options.shard),
        fork=options.fork,
        retry_failed=options.retry_failed,
        batch=options.batch,
        timeout_s=options.timeout,
        attempts=1 if settings is not None else options.attempts,
        workers=options.workers,
        engine=options.engine,
    )
    prepared = verbs.prepare(
        options.model if settings is None else verbs.load_model(options.model, endpoint=settings),
        options.data,
        task=options.task,
        limit=options.limit,
        conditions=options.conditions or None,
        columns=None if options.map is None else columns_named(options.map),
        probes=() if options.probe is None else [name.strip() for name in options.probe.split(",")],
        how=how,
    )
    with Bar(f"{prepared.model.name} on {options.data}") as bar:
        out = options.out or prepared.folder
        run = verbs.evaluate_prepared(prepared, out=out, on_progress=bar)
    note(run, options.store)
    if options.track and not run.manifest.shard:
        kept.track(run, *[name.strip() for name in options.track.split(",")])
    told = card(run, weights)
    if options.json:
        print_json({**as_json(run), **told})
    elif run.manifest.shard:
        print(
            f"shard {run.manifest.shard}: {run.planned - run.missing:,} of {run.planned:,} answers, kept in {run.folder}\n"
            "when all shards are there: assay merge SHARD SHARD ... --out DIR"
        )
    else:
        show(run, told)
    return DONE if run.complete else INCOMPLETE


def card(run: Run, weights: Mapping[str, float] | None) -> dict[str, Any]:
    """Writes the page of a run that was probed or weighed; where it is, and the composite."""
    from assay import verbs
    from assay.reporting import composite, html

    if run.manifest.shard or not (run.manifest.probes or run.manifest.skipped or weights):
        return {}
    found = None if weights is None else composite.composite(run, weights)
    content = replace(verbs.report_content([run]), composite=found)
    told: dict[str, Any] = {"report": str(html.write(content, Path(str(run.folder)) / "report.html"))}
    told["listed"] = [asdict(one) for chapter in content.chapters for one in chapter.listed]
    return told if found is None else {**told, "composite": found.as_json()}


def show(run: Run, told: Mapping[str, Any]) -> None:
    """The scorecard, what probes found, where all of it is."""
    from assay import verbs
    from assay.reporting import chapters, terminal

    terminal.show(verbs.report_content([run]), sys.stdout)
    for line in chapters.told(run):
        print(line)
    if "composite" in told:
        print(f"\ncomposite: {told['composite']['value']:.3f}")
        for term in told["composite"]["terms"]:
            print(
                f"  {term['weight']:.2f} x {term['scaled']:.3f}  {term['name']} ({term['value']:.4g}; scale: {term['scale']})"
            )
    if "spent" in run.timings:
        print(f"\n{spending(run.timings['spent'])}")
    print(f"\nkept in {run.folder}\na page to read: {told.get('report') or f'assay report {run.folder}'}")


def spending(spent: Mapping[str, float]) -> str:
    """What asking an endpoint has cost, in a line; what is nothing is not told.

    >>> spending({"requests": 1200, "repeated": 0, "input_tokens": 52000, "cost": 0.13})
    'asked: 1,200 requests, 52,000 input tokens, cost 0.13'
    """
    told = [f"{value:,.0f} {name.replace('_', ' ')}" for name, value in spent.items() if value and name != "cost"]
    return ", ".join(["asked: " + ", ".join(told), *([f"cost {spent['cost']:,.4g}"] if "cost" in spent else [])])


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
    return {**with_bounds(run), "folder": str(run.folder), "errors": run.errors(), "timings": dict(run.timings)}


def with_bounds(run: Run) -> dict[str, object]:
    """The run's figures; of an incomplete one also between what they lie, whatever the missing answers would have been."""
    from assay.evaluation.unknown import extremes

    return run.as_json() if run.complete else {**run.as_json(), "bounds": [one.as_json() for one in extremes(run)]}


EVALUATE = Command(
    "evaluate", Evaluate, evaluate, "assay evaluate assay:aligned emoji --task retrieval --out runs/aligned --json"
)
