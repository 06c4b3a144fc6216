"""Several evaluations at once, each in a process of one thread: two small nets on two cores go faster side by side than in turn."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from assay import verbs
from assay.data.dataset import Dataset
from assay.types import Model

WORKERS = 2


@dataclass(frozen=True)
class Job:
    """One evaluation, by names, so that it can be sent to a process."""

    task: str
    model: str
    data: str
    out: Path
    conditions: tuple[str, ...] | None = None


def evaluate_all(jobs: Sequence[Job], on_done: Callable[[int, int], None]) -> None:
    """Evaluates all jobs into their folders; ``on_done`` is told how many of them are. The longest should come first.

    A job that fails ends the rest; what was answered stays in the folders, and the same call goes on from there.
    """
    workers = min(WORKERS, os.cpu_count() or 1)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=one_thread) as pool:
        running = [pool.submit(work, job) for job in jobs]
        try:
            for done, finished in enumerate(as_completed(running), 1):
                finished.result()
                on_done(done, len(jobs))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def one_thread() -> None:
    """In a worker: the cores belong to the other workers too."""
    import torch

    torch.set_num_threads(1)


def work(job: Job) -> None:
    """In a worker: one evaluation. Speed is not measured here, where another process takes part of the machine."""
    prepared = verbs.prepare(model(job.model), data(job.data), task=job.task, conditions=job.conditions)
    verbs.evaluate_prepared(prepared, out=job.out, speed=False)


@functools.cache
def model(name: str) -> Model:
    """A worker's models, loaded once."""
    return verbs.load_model(name)


@functools.cache
def data(name: str) -> Dataset:
    """A worker's data, decoded once."""
    return verbs.load_dataset(name)
