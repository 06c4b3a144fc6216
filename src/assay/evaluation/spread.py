"""Several workers answer at once, each in a place of its own (a process, a Ray actor) with a model of its own; only the driver commits.

A thread here speaks for each worker: it sends samples and waits. A worker that dies is replaced and asked again, so that whoever
kills workers changes no answer; what kills its worker `DEATHS` times is asked sample by sample, and a sample that does it alone
becomes an error. A worker that is not back in time is killed. Batches come back in any order and are stored under their numbers.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from queue import Empty, Queue
from time import perf_counter
from typing import Any, Protocol

from assay.evaluation.answers import Answer, Elsewhere, Question, answers
from assay.evaluation.asking import Answerer, Came, Limits, Work
from assay.types import Sample

DEATHS = 3
BEAT_S = 0.2


class WorkerDied(Elsewhere):
    """A worker ended while it was asked."""

    def __init__(self, message: str) -> None:
        super().__init__("worker_died", message)


class Worker(Protocol):
    """One model somewhere else. It is started when it is first asked, and again after it died."""

    def ask(self, samples: Sequence[Sample], question: Question, width: int | None) -> list[Answer]:
        """The checked answers. Raises what `assay.evaluation.answers.answers` understands, `WorkerDied` when the worker ended."""

    def end(self) -> None:
        """Ends the worker at once and for good: what asks it now or later gets `ModelStoppedError`. Safe to call from another thread."""


@dataclass
class Desk:
    """Where work is handed out and comes back; ``None`` in the inbox ends a thread."""

    limits: Limits
    inbox: Queue[Work | None] = field(default_factory=Queue)
    outbox: Queue[tuple[Work, Came | BaseException]] = field(default_factory=Queue)

    def serve(self, worker: Worker) -> None:
        """In a thread: has a worker answer one batch after another."""
        while (work := self.inbox.get()) is not None:
            try:
                self.outbox.put((work, ask_worker(worker, work, self.limits)))
            except BaseException as error:
                self.outbox.put((work, error))


def spread(hire: Callable[[], Worker], count: int, limits: Limits) -> Answerer:
    """Answers by ``count`` workers."""

    def answer(works: Iterable[Work]) -> Iterator[tuple[Work, Came]]:
        desk = Desk(limits)
        workers = [hire() for _ in range(count)]
        threads = [threading.Thread(target=desk.serve, args=(worker,), daemon=True) for worker in workers]
        for thread in threads:
            thread.start()
        try:
            yield from handed_out(desk, iter(works), ahead=count + 1)
        finally:
            for _ in workers:
                desk.inbox.put(None)
            for worker in workers:
                worker.end()
            for thread in threads:
                thread.join(timeout=10)

    return answer


def handed_out(desk: Desk, works: Iterator[Work], *, ahead: int) -> Iterator[tuple[Work, Came]]:
    """Keeps ``ahead`` batches handed out, and gives each back when it is answered."""
    out = 0
    while True:
        while out < ahead and (work := next(works, None)) is not None:
            desk.inbox.put(work)
            out += 1
        if out == 0:
            return
        done, came = next_back(desk)
        out -= 1
        if isinstance(came, BaseException):
            raise came
        yield done, came


def next_back(desk: Desk) -> tuple[Work, Came | BaseException]:
    """What comes back next. It waits in beats: a thread that waits without end may never be woken to see Ctrl-C."""
    while True:
        with contextlib.suppress(Empty):
            return desk.outbox.get(timeout=BEAT_S)


def ask_worker(worker: Worker, work: Work, limits: Limits) -> Came:
    """One batch's answers from a worker that may die."""

    def ask(samples: Sequence[Sample]) -> list[Answer]:
        for _ in range(DEATHS - 1):
            with contextlib.suppress(WorkerDied):
                return worker.ask(samples, work.question, work.width)
        return worker.ask(samples, work.question, work.width)

    splits: list[int] = []
    start = perf_counter()
    found: list[Answer] = []
    step = len(work.shown) if limits.fits is None else limits.fits
    for first in range(0, len(work.shown), max(step, 1)):
        found += answers(ask, work.shown[first : first + step], splits, attempts=limits.attempts)
    return Came(found, perf_counter() - start, splits)


def raise_as_told(told: tuple[str, Any, str]) -> list[Answer]:
    """What a worker sent back: ``("found", answers, "")``, or ``("raised", kind, message)``, which is raised here."""
    what, value, message = told
    if what == "found":
        found: list[Answer] = value
        return found
    if value == "out_of_memory":
        raise MemoryError(message)
    raise Elsewhere(value, message)
