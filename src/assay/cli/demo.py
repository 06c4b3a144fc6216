"""``assay demo``: three real models, their answers and their scorecard, on real data, in half a minute."""

from __future__ import annotations

import shlex
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.cli import DONE, INCOMPLETE
from assay.cli.options import Command, arg
from assay.cli.output import print_json
from assay.cli.progress import Bar

if TYPE_CHECKING:
    from assay.cli.workers import Job
    from assay.data.dataset import Dataset
    from assay.evaluation.run import Run
    from assay.types import Model

MODELS = ("assay:joint", "assay:aligned", "assay:fused")
BASELINES = ("baseline:chance", "baseline:pixels", "baseline:words")
RETRIEVING = ("assay:aligned", "baseline:pixels", "baseline:chance")
DATA = "emoji[::3]"  # every third concept: half a minute instead of one and a half
ALONE_AND_TOGETHER = ("clean", "only:image", "only:audio", "only:text")
SHOWN = ("red apple", "dog face", "rocket", "umbrella", "elephant", "guitar")
WANTED = "a red fruit"
FOUND = 5


@dataclass(frozen=True)
class Demo:
    """Three models (joint, aligned, fused) answer for pictures and are measured: figures with intervals, a verdict, a page."""

    out: str = arg("the folder for the runs and report.html", default="assay-demo", metavar="DIR")
    json: bool = arg("print one JSON document", default=False)


def demo(options: Demo) -> int:
    """Shows answers, prints the scorecard with the paired verdicts, writes ``DIR/report.html``."""
    import torch  # noqa: F401  (the three nets need it: without it, say so before anything else is done)

    from assay import verbs
    from assay.cli.workers import compare_all, finish, start, workers
    from assay.reporting import html, terminal

    started = time.monotonic()
    out = Path(options.out)
    jobs = evaluations(out)
    with workers() as pool:
        running = start(pool, jobs)
        models = {name: verbs.load_model(name) for name in MODELS}
        if not options.json:
            show_answers(models, verbs.load_dataset("emoji"))
        with Bar("evaluations") as bar:
            finish(running, len(jobs), bar)
        runs = [timed(job, models) if job.model in models else verbs.load_run(job.out) for job in jobs]
        compared = compare_all(pool, runs)
    content = verbs.report_content(
        runs, compared=compared, title="assay demo", commands=(f"assay demo --out {shlex.quote(options.out)}",)
    )
    page = html.write(content, out / "report.html")
    if options.json:
        print_json({"report": str(page), "runs": [{**r.as_json(), "timings": dict(r.timings)} for r in runs]})
    else:
        terminal.show(content, sys.stdout)
        print(f"\n{page}  (open it in a browser)\n{time.monotonic() - started:.0f} s")
    return DONE if all(run.complete for run in runs) else INCOMPLETE


def evaluations(out: Path) -> list[Job]:
    """The category of an emoji by every model and baseline, and retrieval by those whose modalities share a space."""
    from assay.cli.workers import Job

    asked: list[tuple[str, str, tuple[str, ...] | None]] = []
    asked += [("classification", name, ALONE_AND_TOGETHER) for name in MODELS]
    asked += [("retrieval", name, None) for name in RETRIEVING]
    asked += [("classification", name, ("clean",)) for name in BASELINES]
    return [Job(task, name, DATA, folder(out, task, name), conditions) for task, name, conditions in asked]


def timed(job: Job, models: dict[str, Model]) -> Run:
    """The run of a finished job, with the speed of its model: measured only now, when nothing else works."""
    from assay import verbs

    prepared = verbs.prepare(models[job.model], verbs.load_dataset(DATA), task=job.task, conditions=job.conditions)
    return verbs.evaluate_prepared(prepared, out=job.out)


def folder(out: Path, task: str, model: str) -> Path:
    """Where a run of the demo lies."""
    return out / task / model.partition(":")[2]


def show_answers(models: dict[str, Any], data: Dataset) -> None:
    """What each model says of a few pictures in a style that none has seen, and what words find."""
    from assay import verbs
    from assay.serving.answer import answer
    from assay.types import Sample

    names = verbs.vocabulary(data)
    pictures = {s.groups["name"]: s for s in data.samples if s.groups["style"] == "twemoji"}
    print("Pictures in an art style that no model was trained on (* of a thing that none was trained on either):")
    for name in SHOWN:
        picture = pictures[name]
        shown = Sample(name, {"image": picture.inputs["image"]})
        says = [f"{m.partition(':')[2]}: {answer(models[m], shown, names=names, k=1).sentence}" for m in MODELS]
        mark = "*" if picture.groups["split"] == "test-concepts" else " "
        print(f" {mark}{name:<10} {' | '.join(says)}")
    found = verbs.search(models["assay:aligned"], data, WANTED, k=FOUND)
    print(f'Found by the words "{WANTED}": {", ".join(h.sample.groups["name"] for h in found.hits)}\n')


DEMO = Command("demo", Demo, demo, "assay demo --out assay-demo")
