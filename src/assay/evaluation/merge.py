"""Runs that are there already: scored again without their model, and the shards of one put together.

Both need the data (for what is expected of an answer), never the model. The answers are taken as they are, so a merged run's
``estimates.json`` is that of the run that was never cut into shards, to the byte.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from assay.evaluation import exports, timing
from assay.evaluation.evaluate import scored
from assay.evaluation.grouping import Group
from assay.evaluation.how import Shard
from assay.evaluation.keeping import agreed, finished, journal, kept, note_request
from assay.evaluation.manifest import Manifest, differences, read_manifest
from assay.evaluation.plan import Plan, make_plan
from assay.evaluation.predictions import predictions
from assay.evaluation.prepare import Request
from assay.evaluation.run import Run, load_run
from assay.evaluation.store import NAME, SPENT, Store, reading
from assay.evaluation.task import Task
from assay.evaluation.tasks import FAMILIES


def request_of(folder: str | Path) -> tuple[Request, Manifest]:
    """How the data and the task of a run were named, and its manifest. `ValueError` for a run whose data were not named."""
    where = Path(folder)
    with reading(where / NAME) as store:
        noted, request = store.fact("manifest"), store.fact("request")
    if noted is None:
        raise ValueError(f"the run in {where} has not begun: there is nothing in it to score.")
    if request is None:
        raise ValueError(
            f"the run in {where} was made of data that were given as an object, so they cannot be found again:"
            " give its task to assay.evaluation.merge.rescore."
        )
    return Request.read(request), read_manifest(noted)


def rescore(folder: str | Path, task: Task) -> Run:
    """The run in a folder, measured by the task's metrics; its answers stay as they are. ``task`` is on the same data.

    `ValueError` for data or conditions other than the run's, and for a run that is not finished.
    """
    with journal(folder) as (store, where):
        assert where is not None
        noted = store.fact("manifest")
        if noted is None:
            raise ValueError(f"{where} holds no run.")
        manifest = read_manifest(noted)
        if manifest.shard:
            raise ValueError(
                f"the run in {where} is shard {manifest.shard}: score what `assay merge` makes of all of them."
            )
        if manifest.probes:
            raise ValueError(
                f"the run in {where} was probed ({', '.join(manifest.probes)}), which needs its model: the command that made it scores"
                " it again and asks nothing twice."
            )
        plan = same_plan(manifest, task, where)
        if store.count() < plan.rows:
            raise ValueError(
                f"the run in {where} is unfinished, {store.count()} of {plan.rows} answers are there: finish it first."
            )
        if finished(store, where, task):
            return load_run(where, measures=task.metrics)
        return measured_again(store, where, task, plan, manifest)


def measured_again(store: Store, folder: Path, task: Task, plan: Plan, manifest: Manifest) -> Run:
    """The run of a journal that holds all answers, scored by the task's metrics and kept."""
    named = replace(manifest, unit=task.unit, metrics=tuple(metric.name for metric in task.metrics))
    agreed(store, named, folder)
    before = folder / exports.TIMINGS
    times = exports.read_json(before) if before.is_file() else timing.timings(plan, store, None)
    return kept(scored(task, plan.passes, named, predictions(store, task.verb), times), store, folder, task)


def same_plan(manifest: Manifest, task: Task, folder: Path) -> Plan:
    """The whole plan of a run, made anew from its data. `ValueError` unless it is the one that was answered."""
    passes = FAMILIES[task.verb].passes(task, frozenset(manifest.modalities))
    plan = make_plan(task.dataset.samples, passes, size=manifest.batch)
    if plan.digest != manifest.plan or task.dataset.fingerprint != manifest.data_fingerprint:
        raise ValueError(
            f"the data {task.dataset.name!r} are not those that the run in {folder} was asked about"
            f" ({manifest.data!r}): they have changed, or another part of them was meant."
        )
    return plan


def merge(folders: Sequence[str | Path], out: str | Path, task: Task) -> Run:
    """One run of all its shards, in the folder ``out``.

    `ValueError` for shards that are missing, given twice, unfinished, or of different runs (with the difference).
    """
    with shards(folders) as stores:
        manifests = [read_manifest(store.fact("manifest")) for store in stores]
        check_together(folders, manifests)
        plan = same_plan(manifests[0], task, Path(folders[0]))
        for folder, manifest, store in zip(folders, manifests, stores, strict=True):
            if store.count() < manifest.rows:
                raise ValueError(
                    f"{folder} is unfinished, {store.count()} of {manifest.rows} answers are there: finish it first."
                )
        whole = replace(manifests[0], shard="", rows=plan.rows, notes=notes(manifests))
        with journal(out) as (store, where):
            assert where is not None
            agreed(store, whole, where)
            request = stores[0].fact("request")
            note_request(store, None if request is None else Request.read(request))
            copy(stores, store, plan)
            note_spent(stores, store)
            if finished(store, where, task):
                return load_run(where, measures=task.metrics)
            return measured_again(store, where, task, plan, whole)


@contextmanager
def shards(folders: Sequence[str | Path]) -> Iterator[list[Store]]:
    """The journals of some folders, to read."""
    if not folders:
        raise ValueError("nothing to merge: name the folders of all shards of a run.")
    with ExitStack() as stack:
        stores = [stack.enter_context(reading(Path(folder) / NAME)) for folder in folders]
        for folder, store in zip(folders, stores, strict=True):
            noted = store.fact("manifest")
            if noted is None or not noted.get("shard"):
                raise ValueError(f"{folder} is no shard of a run: shards are made by `assay evaluate … --shard 1/4`.")
        yield stores


def check_together(folders: Sequence[str | Path], manifests: Sequence[Manifest]) -> None:
    """`ValueError` unless these are all shards of one run, each once."""
    first = common(manifests[0])
    for folder, manifest in zip(folders, manifests, strict=True):
        lines = differences(first.configuration, common(manifest).configuration)
        if lines:
            difference = "\n  ".join(lines).replace(" there,", f" in {folders[0]},").replace(" here", f" in {folder}")
            raise ValueError(f"these are shards of different runs:\n  {difference}")
    given = [Shard.read(manifest.shard) for manifest in manifests]
    of = {shard.of for shard in given}
    if len(of) > 1:
        raise ValueError(f"these shards were cut differently: {', '.join(map(str, given))}.")
    numbers = [shard.number for shard in given]
    twice = sorted({number for number in numbers if numbers.count(number) > 1})
    if twice:
        named = [str(f) for f, number in zip(folders, numbers, strict=True) if number == twice[0]]
        raise ValueError(f"shard {twice[0]}/{given[0].of} is given twice: {' and '.join(named)}.")
    missing = sorted(set(range(1, given[0].of + 1)) - set(numbers))
    if missing:
        raise ValueError(f"shards are missing: {', '.join(f'{number}/{given[0].of}' for number in missing)}.")


def common(manifest: Manifest) -> Manifest:
    """What all shards of a run share."""
    return replace(manifest, shard="", rows=0)


def notes(manifests: Sequence[Manifest]) -> tuple[str, ...]:
    """What is to be told of the shards: their own notes, and packages that were not the same everywhere."""
    found = [note for manifest in manifests for note in manifest.notes]
    for name in sorted({name for manifest in manifests for name in manifest.packages}):
        versions = dict.fromkeys(manifest.packages.get(name, "absent") for manifest in manifests)
        if len(versions) > 1:
            found.append(f"{name} was {' and '.join(versions)} in different shards")
    return tuple(dict.fromkeys(found))


def note_spent(sources: Sequence[Store], target: Store) -> None:
    """What all shards together have cost, where that is known."""
    spent: Counter[str] = Counter()
    for source in sources:
        spent.update(source.fact(SPENT) or {})
    if spent and target.fact(SPENT) != dict(spent):
        target.note(SPENT, dict(spent))


def copy(sources: Sequence[Store], target: Store, plan: Plan) -> None:
    """Every batch of the sources into the target, in the plan's order, many in one transaction."""
    there, group = target.committed(), Group(target, linger_s=1.0)
    clocks = [store.clocks() for store in sources]
    for batch in plan.whole():
        if batch.number in there:
            continue
        place = next(at for at, clock in enumerate(clocks) if batch.number in clock)
        seconds, splits = clocks[place][batch.number]
        rows = list(sources[place].rows(batch.first, len(batch.samples)))
        group.add(batch.number, rows, seconds=seconds, splits=splits)
        if group.due:
            group.commit()
    group.commit()
