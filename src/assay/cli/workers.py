"""Work spread over processes of one thread each: two small nets on two cores go faster side by side than in turn."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from assay import verbs
from assay.data.dataset import Dataset

if TYPE_CHECKING:
    from assay.evaluation.compare import Comparison
    from assay.evaluation.run import Run

WORKERS = 2


@dataclass(frozen=True)
class Job:
    """One evaluation, by names, so that it can be sent to a process."""

    task: str
    model: str
    data: str
    out: Path
    conditions: tuple[str, ...] | None = None


@contextlib.contextmanager
def workers() -> Iterator[ProcessPoolExecutor]:
    """A pool of processes; they are started when there is something to do, and what waits is dropped on an error."""
    count = min(WORKERS, os.cpu_count() or 1)
    pool = ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=one_thread)
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


def start(pool: ProcessPoolExecutor, jobs: Sequence[Job]) -> list[Future[int]]:
    """Sends the jobs out, all of one model to one process, which then reads the model once. The longest should come first."""
    models = dict.fromkeys(job.model for job in jobs)
    return [pool.submit(work, [job for job in jobs if job.model == name]) for name in models]


def finish(running: Sequence[Future[int]], planned: int, on_done: Callable[[int, int], None]) -> None:
    """Waits for jobs that were started; ``on_done`` is told how many of the ``planned`` are done.

    A job that fails ends the rest; what was answered stays in the folders, and the same call goes on from there.
    """
    done = 0
    for finished in as_completed(running):
        done += finished.result()
        on_done(done, planned)


def compare_all(pool: ProcessPoolExecutor, runs: Sequence[Run]) -> list[Comparison]:
    """What `assay.verbs.comparisons` gives for kept runs, each comparison by a process."""
    from assay.evaluation.pairs import pairs

    found = pairs(runs)
    return list(pool.map(verbs.compare, [a.folder for a, _ in found], [b.folder for _, b in found]))


def one_thread() -> None:
    """In a worker: the cores belong to the other workers too."""
    import torch

    torch.set_num_threads(1)


def work(jobs: Sequence[Job]) -> int:
    """In a worker: evaluations of one model, and their number. Speed is not measured beside another process that works."""
    model = verbs.load_model(jobs[0].model)
    for job in jobs:
        prepared = verbs.prepare(model, data(job.data), task=job.task, conditions=job.conditions)
        verbs.evaluate_prepared(prepared, out=job.out, speed=False)
    return len(jobs)


@functools.cache
def data(name: str) -> Dataset:
    """A worker's data, decoded once."""
    return verbs.load_dataset(name)
