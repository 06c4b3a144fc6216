"""Evaluates a model: plan, ask, commit, measure, estimate, export. The same call again goes on where it was cut."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from assay.evaluation import timing
from assay.evaluation.answers import require
from assay.evaluation.asking import Answerer, Limits, here, largest
from assay.evaluation.engine import Engine
from assay.evaluation.fork import forked, known_answers
from assay.evaluation.grouping import LINGER_S
from assay.evaluation.how import BATCH, How, OnProgress, Shard
from assay.evaluation.keeping import agreed, finished, journal, kept, note_request, timed
from assay.evaluation.manifest import Manifest, make_manifest
from assay.evaluation.plan import Pass, Plan, make_plan
from assay.evaluation.predictions import by_pass, failures_after, predictions
from assay.evaluation.prepare import Request
from assay.evaluation.probing import Figure, Probing, estimate_of, table_of
from assay.evaluation.reading import JournalReading
from assay.evaluation.run import Run, load_run
from assay.evaluation.scoring import estimates
from assay.evaluation.spread import spread
from assay.evaluation.store import Store
from assay.evaluation.streaming import streamed
from assay.evaluation.task import Task
from assay.evaluation.tasks import FAMILIES
from assay.evaluation.tasks.family import joined
from assay.evaluation.workers import Process
from assay.table import KEY, Table
from assay.types import Estimate, Facts, HasFacts, Model, Streams

WORKERS = 2  # Ray actors where nobody says how many


@dataclass(frozen=True)
class Session:
    """How a run is asked this time: ``how``; ``load`` makes the model anew in another process; ``load_s``, the seconds that loading it
    took, goes into the timings; ``request`` says how data and task were named, so that the run can be scored again; answers wait at
    most ``linger_s`` to be committed with others."""

    how: How = field(default_factory=How)
    load: Callable[[], Model] | None = None
    load_s: float | None = None
    request: Request | None = None
    linger_s: float = LINGER_S


def evaluate(
    model: Model,
    task: Task,
    *,
    out: str | Path | None = None,
    seed: int = 0,
    batch: int = BATCH,
    on_progress: OnProgress | None = None,
    speed: bool = True,
    session: Session | None = None,
) -> Run:
    """The run of a model on a task, kept in the folder ``out`` (``None``: only in memory).

    A run that was cut goes on; a finished one is not asked again. ``speed`` measures the latency of single samples, about a second,
    once a run has all its answers. ``session`` says the rest, and then ``batch`` too.
    A shard's run holds answers and no figures; `assay.evaluation.merge` makes one run of all.

    Raises `ValueError` when the model cannot do the task, when nothing can be asked, or when ``out`` holds a run of another
    configuration (with the difference); `RunBusyError` when another process writes there; `StoreError` when the disk fails. Samples
    that fail are rows of the run with their reason, and the run is then incomplete.
    """
    session = Session(How(batch=batch)) if session is None else session
    how = session.how
    check_own_crowd(model, how)
    plan, choices = prepared(model, task, batch=how.batch, shard=how.shard)
    made = make_manifest(model, task, plan, choices, seed)
    out, origin = forked(out, made) if how.fork else (out, None)
    restarted = timing.restart_peak_memory()
    with journal(out) as (store, folder), known_answers(origin, made) as known:
        manifest = agreed(store, made, folder, known)
        note_request(store, session.request)
        if how.retry_failed:
            store.forget([(one.number, one.first, len(one.samples)) for one in plan.batches()])
        engine = Engine(model, task, plan, store, choices, seed, known, session.linger_s)
        if isinstance(model, Streams):
            asked = streamed(engine, model, on_progress)
        else:
            asked = engine.run(answerer(model, session, store), on_progress)
        if plan.shard is not None:
            return part(store, folder, manifest, task, timing.timings(plan, store, facts_of(model)))
        whole = folder is not None and not asked and finished(store, folder, task)
        if folder is not None and whole and (not speed or store.fact("latency") is not None):
            return load_run(folder, measures=task.metrics)
        own = own_passes(task, plan, model.modalities)
        answers = predictions(store, task.verb, count=sum(map(len, own)))
        if asked or store.fact("session") is None:
            store.note("session", {**timing.peak_memory(restarted), "load_s": session.load_s})
        if speed and store.fact("latency") is None:
            store.note("latency", timing.latency(model, task, plan, answers, choices, seed=seed))
        timings = timing.timings(plan, store, facts_of(model))
        if folder is not None and whole:
            return timed(store, folder, task, timings)
        run = scored(task, own, manifest, answers, timings)
        if task.probing.names:
            run = probed(run, JournalReading(task, plan, store, model, seed), first=len(answers))
        return run if folder is None else kept(run, store, folder, task)


def answerer(model: Model, session: Session, store: Store) -> Answerer:
    """Who answers: this process, others on this machine, or a cluster."""
    how = session.how
    splits = [size for _, _, sizes in store.batches() for size in sizes]
    limits = Limits(how.timeout_s, how.attempts, largest(splits) if splits else None)
    if how.engine == "local" and not how.workers:
        return here(model, limits)
    load = session.load or (lambda: model)
    if how.engine == "ray":
        from assay.evaluation.cluster import on_cluster

        return on_cluster(load, model.fingerprint, how.workers or WORKERS, limits)
    return spread(lambda: Process(load, model.fingerprint, how.timeout_s), how.workers, limits)


def check_own_crowd(model: Model, how: How) -> None:
    """`ValueError` for means that a model does not need which answers many at once by itself."""
    given = [
        name
        for name, value in (
            ("timeout", how.timeout_s),
            ("attempts", how.attempts > 1),
            ("workers", how.workers),
            ("engine", how.engine != "local"),
        )
        if value
    ]
    if given and isinstance(model, Streams):
        raise ValueError(
            f"{', '.join(given)}: {model.name} answers many at once and repeats what fails by itself; see --concurrency, --deadline."
        )


def facts_of(model: Model) -> Facts | None:
    """What a model knows of its own size."""
    return model.facts() if isinstance(model, HasFacts) else None


def prepared(model: Model, task: Task, *, batch: int, shard: Shard | None = None) -> tuple[Plan, tuple[str, ...]]:
    """What is to be asked, and among which choices. `ValueError` when the model cannot, or when there is nothing to ask."""
    require(model, task.verb)
    family = FAMILIES[task.verb]
    if shard is not None and task.probing.names:
        raise ValueError(
            "probes read all answers, a shard has a part: merge the shards, then evaluate with --probe and --fork in the merged folder."
        )
    # Who answers each sample for itself is asked sample by sample: what was answered is then kept, whatever it stood beside.
    size = 1 if isinstance(model, Streams) else batch
    plan = make_plan(task.dataset.samples, family.passes(task, model.modalities), size=size, shard=shard)
    if not any(map(len, plan.passes)):
        raise ValueError(
            f"there is nothing to ask {model.name!r} about {task.dataset.name!r} under"
            f" {', '.join(one.name for one in task.conditions)}: the model takes {', '.join(sorted(model.modalities))},"
            f" the data has {', '.join(task.dataset.modalities) or 'no samples'}."
        )
    return plan, family.choices(task, model)


def own_passes(task: Task, plan: Plan, modalities: frozenset[str]) -> list[Pass]:
    """The passes of the task's own conditions, which come first in the plan; those that follow only probes read."""
    own = {asked.name for asked in FAMILIES[task.verb].passes(replace(task, probing=Probing()), modalities)}
    return [asked for asked in plan.passes if asked.name in own]


def probed(run: Run, reading: JournalReading, *, first: int) -> Run:
    """The run with what its probes read, and with the failures among what only they asked (the rows from place ``first`` on)."""
    task = reading.task
    read = () if task.probing.read is None else task.probing.read(reading)
    figures = [one for one in read if isinstance(one, Figure)]
    found = [
        one if isinstance(one, Estimate) else estimate_of(one, reading.units, seed=reading.seed, unit=task.unit)
        for one in read
    ]
    lost = failures_after(reading.store, task.verb, first)
    return replace(
        run,
        estimates=(*run.estimates, *found),
        predictions=joined([run.predictions, lost]) if len(lost) else run.predictions,
        figures=table_of(figures, reading.samples, reading.units),
    )


def part(store: Store, folder: Path | None, manifest: Manifest, task: Task, timings: dict[str, Any]) -> Run:
    """The run of a shard: its answers, without figures."""
    answers = predictions(store, task.verb)
    return Run(manifest, (), answers, Table({name: answers[name][:0] for name in KEY}), timings, folder=folder)


def scored(task: Task, passes: Sequence[Pass], manifest: Manifest, answers: Table, timings: dict[str, Any]) -> Run:
    """The run, measured and estimated from its answers."""
    family = FAMILIES[task.verb]
    measurements = family.measure(task, by_pass(passes, answers))
    found = estimates(task.metrics, measurements, unit=task.unit, crossed=family.crossed, seed=manifest.seed)
    return Run(manifest, tuple(found), answers, measurements, timings)


def config_hash(model: Model, task: Task, *, seed: int = 0, batch: int = BATCH, shard: Shard | None = None) -> str:
    """The hash of all that decides a run's answers, in hexadecimal."""
    plan, choices = prepared(model, task, batch=batch, shard=shard)
    return make_manifest(model, task, plan, choices, seed).configuration.hash


def default_folder(
    model: Model,
    task: Task,
    *,
    root: str | Path = "runs",
    seed: int = 0,
    batch: int = BATCH,
    shard: Shard | None = None,
) -> Path:
    """Where such a run is kept unless somebody says otherwise: ``runs/TASK/MODEL-HASH``."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", model.name).strip("-.") or "model"
    configuration = config_hash(model, task, seed=seed, batch=batch, shard=shard)
    return Path(root) / task.name / f"{name[:80]}-{configuration[:12]}"
