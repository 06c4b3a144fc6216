"""Calls that may not take longer than so many seconds, and word of what is being waited for.

A call runs in a thread of its own. One that is not back in time is given up: its thread cannot be stopped, so it is left behind (it ends
with the program) and what it says later is not heard; the next call gets another thread. Where that will not do, because a model
holds a lock or the interpreter, `assay.evaluation.workers` runs models in processes, which are killed.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any

SILENCE_S = 30.0


class OutOfTime(Exception):
    """A call that took longer than it may."""


@dataclass
class Caller:
    """Runs calls one after another in a thread, which is replaced when one of them is not back in time."""

    timeout_s: float
    jobs: SimpleQueue[Callable[[], None] | None] | None = None

    def __call__(self, work: Callable[[], Any]) -> Any:
        """What ``work`` gives or raises. Raises `OutOfTime` after ``timeout_s`` seconds."""
        answer: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()

        def job() -> None:
            try:
                answer.put((work(), None))
            except BaseException as error:
                answer.put((None, error))

        if self.jobs is None:
            self.jobs = SimpleQueue()
            threading.Thread(target=serve, args=(self.jobs,), daemon=True, name="assay model call").start()
        output = sys.stdout
        self.jobs.put(job)
        try:
            came, error = answer.get(timeout=self.timeout_s)
        except Empty:
            self.close()
            # A call that is left behind does not undo what it did to standard output (`assay.evaluation.answers.asker`).
            sys.stdout = output
            raise OutOfTime(f"no answer within {self.timeout_s:g} s") from None
        if error is not None:
            raise error
        return came

    def close(self) -> None:
        """Lets the thread end when it is done with what it has."""
        if self.jobs is not None:
            self.jobs.put(None)
            self.jobs = None


def serve(jobs: SimpleQueue[Callable[[], None] | None]) -> None:
    """In the thread: works off the jobs until told to stop."""
    while (job := jobs.get()) is not None:
        job()


@dataclass
class Waiting:
    """What is being waited for, and since when; a thread says so on standard error when nothing happens for half a minute."""

    tell: Callable[[str], None]
    every_s: float = SILENCE_S
    what: str = ""
    since: float = 0.0
    over: threading.Event = field(default_factory=threading.Event)

    def now(self, what: str) -> None:
        """Something else is being waited for."""
        self.what, self.since = what, monotonic()

    def watch(self) -> None:
        """Tells, until it is over."""
        while not self.over.wait(self.every_s):
            what, seconds = self.what, monotonic() - self.since
            if what and seconds >= self.every_s:
                self.tell(f"waiting for {what}, {seconds:.0f} s so far")


def say(text: str) -> None:
    """A line on standard error."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def told(tell: Callable[[str], None] = say, every_s: float = SILENCE_S) -> Iterator[Waiting]:
    """Somebody to tell what is waited for; it speaks up after each ``every_s`` seconds of silence."""
    waiting = Waiting(tell, every_s)
    thread = threading.Thread(target=waiting.watch, daemon=True, name="assay watchdog")
    thread.start()
    try:
        yield waiting
    finally:
        waiting.over.set()
        thread.join()
