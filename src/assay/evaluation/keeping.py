"""A run's folder: locked for one writer, agreed on what it is a run of, its files written whole and their hashes noted."""

from __future__ import annotations

import contextlib
import errno
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from assay.evaluation import exports
from assay.evaluation.errors import StoreError
from assay.evaluation.fork import Reused
from assay.evaluation.lock import locked
from assay.evaluation.manifest import Manifest, asdict_json, differences, read_manifest, resumed
from assay.evaluation.prepare import Request
from assay.evaluation.run import Run, load_run
from assay.evaluation.store import NAME, Store, opened
from assay.evaluation.task import Task
from assay.version import __version__


@contextlib.contextmanager
def journal(out: str | Path | None) -> Iterator[tuple[Store, Path | None]]:
    """The store of a run: in memory, or in a folder that is made, locked and freed of half-written files."""
    if out is None:
        with opened(None) as store:
            yield store, None
        return
    folder = Path(out).absolute()
    make(folder)
    # A finished run that is only looked at stays untouched, the lock's file included.
    unfinished = not (folder / exports.ESTIMATES).exists()
    with locked(folder, announced=unfinished), opened(folder / NAME) as store:
        if unfinished:
            exports.sweep(folder)
        yield store, folder


def make(folder: Path) -> None:
    """Makes a run's folder. `ValueError` where there can be none, `StoreError` for a disk that is full or fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
            raise StoreError(f"{folder} cannot be made: {error.strerror}. Nothing was begun.") from error
        raise ValueError(f"{folder} cannot be a run's folder: {error.strerror}. Choose another.") from error


def agreed(store: Store, manifest: Manifest, folder: Path | None, known: Reused | None = None) -> Manifest:
    """The run's manifest, noted if it is new. `ValueError` with the difference if the folder holds another run."""
    noted = store.fact("manifest")
    if noted is not None:
        there = read_manifest(noted)
        lines = differences(there.configuration, manifest.configuration)
        if lines:
            difference = "\n  ".join(lines)
            raise ValueError(
                f"{folder} holds a run of another configuration; choose another folder, or go on from it in a new one with --fork."
                f" The difference:\n  {difference}"
            )
        manifest = resumed(there, manifest, going_on=store.count() < manifest.rows)
    elif known is not None:
        manifest = replace(manifest, notes=(known.note,))
    if asdict_json(manifest) != noted:
        store.note("manifest", asdict_json(manifest))
    if folder is not None:
        exports.write_json(folder / exports.MANIFEST, asdict_json(manifest))
    return manifest


def note_request(store: Store, request: Request | None) -> None:
    """Keeps how data and task were named."""
    if request is not None and store.fact("request") != json.loads(json.dumps(request.as_json())):
        store.note("request", request.as_json())


def finished(store: Store, folder: Path, task: Task) -> bool:
    """Whether the folder holds all figures that this evaluation would make; the latency may still be missing."""
    return bool(store.fact("scoring") == scoring(task) and store.fact("exports") == written(folder))


def scoring(task: Task) -> list[str]:
    """What decides the figures besides the answers: the metrics with their versions, and the unit."""
    probes = [f"probe:{name}|assay:{__version__}" for name in task.probing.names]
    return [f"unit:{task.unit}", *(metric.signature for metric in task.metrics), *probes]


def written(folder: Path) -> dict[str, str | None]:
    """The hashes of the files that a run keeps."""
    return {name: exports.digest(folder / name) for name in (*exports.ALL, exports.FIGURES)}


def kept(run: Run, store: Store, folder: Path, task: Task) -> Run:
    """The run with its files written, ``estimates.json`` last, and their hashes noted."""
    exports.write_table(folder / exports.PREDICTIONS, run.predictions)
    exports.write_table(folder / exports.MEASUREMENTS, run.measurements)
    if run.figures is not None:
        exports.write_table(folder / exports.FIGURES, run.figures)
    exports.write_json(folder / exports.TIMINGS, run.timings)
    exports.write_json(folder / exports.ESTIMATES, run.as_json())
    store.note("scoring", scoring(task))
    store.note("exports", written(folder))
    return replace(run, folder=folder)


def timed(store: Store, folder: Path, task: Task, timings: dict[str, Any]) -> Run:
    """The run of a folder that lacked nothing but timings: these are written, all else is left as it is."""
    run = load_run(folder, measures=task.metrics)
    exports.write_json(folder / exports.TIMINGS, timings)
    store.note("exports", written(folder))
    return replace(run, timings=timings)
