"""The ways in which load comes: one query after another, all at once, or as strangers send them.

Times are seconds of a clock that is passed in. Source: the scenarios of MLPerf Inference (SingleStream, Offline, Server): in the first the
next query is sent when the last is answered; in the second as many as fit are sent together; in the third queries arrive by a Poisson
process whatever the model does, and a latency counts from when its query was due, not from when the model was free for it.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle, islice

import numpy as np
from numpy.typing import NDArray

from assay.evaluation.answers import Ask, Question, asker, describe, kind_of
from assay.types import Failure, Model, ModelStoppedError, Sample

Seconds = NDArray[np.float64]
Meter = Callable[[], float]
"""What was spent up to now: joules, or money."""

WARM_UP, WARM_UP_MOST, SETTLED = 10, 60, 0.05
PATIENCE = 3.0
"""A server that lags behind is given up after so many times the scenario's seconds."""


@dataclass(frozen=True)
class Query:
    """A sample and what is asked about it."""

    question: Question
    sample: Sample


Put = Callable[[Sequence[Query]], list[Failure]]
"""Asks queries of one question together; what failed."""


@dataclass(frozen=True)
class Clock:
    """A monotonic clock in seconds, and a way to wait."""

    now: Callable[[], float] = time.perf_counter
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class Timed:
    """One row a call that was answered in full: its seconds, samples and what the meter counted (NaN without one)."""

    seconds: Seconds
    sizes: Seconds
    spent: Seconds
    failed: Counter[str] = field(default_factory=Counter)

    @property
    def missing(self) -> int:
        """How many samples got no answer."""
        return sum(self.failed.values())


def putter(model: Model) -> Put:
    """The way to ask a model. A sample that fails is told; `ModelStoppedError` where nothing more will come."""
    askers: dict[Question, Ask] = {}

    def put(queries: Sequence[Query]) -> list[Failure]:
        question = queries[0].question
        if question not in askers:
            askers[question] = asker(model, question, None)
        try:
            found = askers[question]([query.sample for query in queries])
        except ModelStoppedError:
            raise
        except Exception as error:
            return [Failure(kind_of(error), describe(error))] * len(queries)
        return [one for one in found if isinstance(one, Failure)]

    return put


def warm(put: Put, queries: Sequence[Query], clock: Clock, *, most_s: float) -> int:
    """Asks until the running median has settled within 5 % over five queries, ten at least unless time runs out; how many it took."""
    begun, times, medians = clock.now(), [], []
    for query in islice(cycle(queries), WARM_UP_MOST):
        start = clock.now()
        put([query])
        times.append(clock.now() - start)
        medians.append(statistics.median(times))
        last = medians[-5:]
        if len(times) >= WARM_UP and max(last) - min(last) <= SETTLED * max(last):
            break
        if clock.now() - begun > most_s:
            break
    return len(times)


def single_stream(
    put: Put, queries: Sequence[Query], clock: Clock, *, seconds: float, most: int, meter: Meter | None = None
) -> Timed:
    """One query after another, for so many seconds or until ``most`` were asked; one at least."""
    return timed(put, ([query] for query in islice(cycle(queries), most)), clock, seconds=seconds, meter=meter)


def offline(
    put: Put, batches: Sequence[Sequence[Query]], clock: Clock, *, seconds: float, most: int, meter: Meter | None = None
) -> Timed:
    """Batch after batch, over and over, for so many seconds or until ``most`` batches were asked; one at least."""
    return timed(put, islice(cycle(batches), most), clock, seconds=seconds, meter=meter)


def timed(put: Put, calls: Iterator[Sequence[Query]], clock: Clock, *, seconds: float, meter: Meter | None) -> Timed:
    """The calls that were answered in full, until the time has run out."""
    rows: list[tuple[float, float, float]] = []
    failed: Counter[str] = Counter()
    with undisturbed():
        begun = clock.now()  # After the collection, which may take longer than the scenario.
        for call in calls:
            before = meter() if meter else np.nan
            start = clock.now()
            lost = put(call)
            taken = clock.now() - start
            if lost:
                failed.update(f"{one.kind}: {one.message}" for one in lost)
            else:
                rows.append((taken, len(call), meter() - before if meter else np.nan))
            if clock.now() - begun >= seconds:
                break
    table = np.array(rows, dtype=np.float64).reshape(-1, 3)
    return Timed(table[:, 0], table[:, 1], table[:, 2], failed)


def arrivals(rng: np.random.Generator, rate: float, *, seconds: float, most: int) -> Seconds:
    """When queries are due, from 0, by a Poisson process of ``rate`` a second; one at least.

    >>> due = arrivals(np.random.default_rng(0), 100.0, seconds=1.0, most=1000)
    >>> bool((np.diff(due) > 0).all()), 60 < len(due) < 140
    (True, True)
    """
    due = np.cumsum(rng.exponential(1 / rate, size=min(most, int(rate * seconds * 2) + 20)))
    return due[: max(int((due <= seconds).sum()), 1)]


def server(put: Put, queries: Sequence[Query], due: Seconds, clock: Clock, *, seconds: float) -> Timed:
    """Queries asked one at a time, each when it is due or as soon after as the model is free; seconds count from when it was due.

    Those that are still waiting when a model has lagged hopelessly behind have waited for ever (infinity).
    """
    times: list[float] = []
    failed: Counter[str] = Counter()
    with undisturbed():
        begun = clock.now()  # After the collection, which may take longer than the scenario.
        for at, query in zip(due.tolist(), cycle(queries), strict=False):
            early = begun + at - clock.now()
            if early > 0:
                clock.sleep(early)
            elif clock.now() - begun > PATIENCE * seconds:
                break
            lost = put([query])
            if lost:
                failed.update(f"{one.kind}: {one.message}" for one in lost)
            else:
                times.append(clock.now() - begun - at)
    times += [np.inf] * (len(due) - len(times) - sum(failed.values()))
    found = np.array(times, dtype=np.float64)
    return Timed(found, np.ones(len(found)), np.full(len(found), np.nan), failed)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Inside, nothing is collected: a pause of the collector is not the model's."""
    was = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
