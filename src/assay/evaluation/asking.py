"""Who answers: work goes in batch by batch, and comes back with answers. Here it is this process; see also `workers` and `cluster`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import NamedTuple

from assay.evaluation.answers import Answer, Ask, Question, answers, asker
from assay.evaluation.deadline import Caller
from assay.evaluation.plan import Batch
from assay.types import Failure, Model, Sample


@dataclass(frozen=True)
class Limits:
    """``timeout_s``: the longest that one call may take; ``attempts``: how often a sample that fails is asked; ``fits``: the most
    samples that memory held, once it ran out (None: it never did)."""

    timeout_s: float | None = None
    attempts: int = 1
    fits: int | None = None


@dataclass(frozen=True)
class Work:
    """A batch to be answered: ``shown`` are the samples that are to be asked, ``known`` (by their index in the data) what needs no
    asking. ``width`` is how long an answer must be, as far as that is known."""

    batch: Batch
    shown: Sequence[Sample] = field(repr=False)
    known: dict[int, Answer] = field(repr=False)
    question: Question
    width: int | None


class Came(NamedTuple):
    """What came back: an answer for each sample shown, the seconds that the model took, the sizes at which memory ran out."""

    found: list[Answer]
    seconds: float
    splits: list[int]


Answerer = Callable[[Iterable[Work]], Iterator[tuple[Work, Came]]]
"""Answers all work, in any order."""


def here(model: Model, limits: Limits) -> Answerer:
    """Answers in this process, batch by batch."""

    def answer(works: Iterable[Work]) -> Iterator[tuple[Work, Came]]:
        fits = limits.fits
        with_deadline = None if limits.timeout_s is None else Caller(limits.timeout_s)
        for work in works:
            came = ask_model(model, work, Limits(limits.timeout_s, limits.attempts, fits), with_deadline)
            if came.splits:
                fits = largest(came.splits)
            yield work, came
        if with_deadline is not None:
            with_deadline.close()

    return answer


def ask_model(model: Model, work: Work, limits: Limits, caller: Caller | None = None) -> Came:
    """One batch's answers, from a model that is here."""
    if not work.shown:
        return Came([], 0.0, [])
    plain = asker(model, work.question, work.width)
    ask: Ask = plain if caller is None else lambda samples: caller(lambda: plain(samples))
    splits: list[int] = []
    start = perf_counter()
    step = len(work.shown) if limits.fits is None else limits.fits
    found: list[Answer] = []
    for first in range(0, len(work.shown), step):
        found += answers(ask, work.shown[first : first + step], splits, attempts=limits.attempts)
    return Came(found, perf_counter() - start, splits)


def largest(splits: Sequence[int]) -> int:
    """How many samples to ask at once after memory ran out at these sizes.

    >>> largest([64, 32]), largest([1])
    (16, 1)
    """
    return max((min(splits) + 1) // 2, 1)


def nobody(failure: Failure, work: Work) -> Came:
    """The same failure for every sample of a batch."""
    return Came([failure] * len(work.shown), 0.0, [])
