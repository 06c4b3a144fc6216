"""The number that is explained: how much a model is for the answer that it gave, as parts of the sample are taken away.

Of a model that weighs choices: the log-odds of one of them (within ± `FURTHEST`), and its probability. Of one that answers in words: how
like its answer is to the one for the whole sample (1 - normalised indel distance), for both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz
from scipy.special import logsumexp

from assay.evaluation.answers import answering
from assay.types import Answers, Classifies, Failure, Generates, Model, Sample, Scores

FURTHEST = 30.0
BATCH = 64

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Outcome:
    """What is explained: ``answer`` is a choice (``place`` among ``choices``), or what was written (``place`` -1)."""

    model: Model
    answer: str
    choices: tuple[str, ...] = ()
    place: int = -1

    @property
    def unit(self) -> str:
        """What the values of `of` are."""
        return "log-odds" if self.place >= 0 else "likeness of the answer"

    def of(self, samples: Sequence[Sample]) -> tuple[Values, Values]:
        """For each sample how much speaks for the answer, additively ``[n]``, and as a share of 1 ``[n]``."""
        if self.place < 0:
            like = np.array([fuzz.ratio(self.answer, one) / 100 for one in written(self.model, samples, self.choices)])
            return like, like
        logs = weighed(self.model, samples, self.choices)
        others = logsumexp(np.delete(logs, self.place, axis=1), axis=1)
        with np.errstate(invalid="ignore"):
            odds = logs[:, self.place] - others
        return np.clip(odds, -FURTHEST, FURTHEST), np.exp(np.minimum(logs[:, self.place], 0))


def outcome(
    model: Model, sample: Sample, choices: Sequence[str] = (), target: str | None = None, *, words: bool = False
) -> Outcome:
    """What a model's answer to a sample is: of ``choices`` (or its own classes) the best, or ``target``; else, or with ``words``, what
    it writes.

    `ValueError` for a single choice, a target that is none of them, or a model that neither weighs choices nor writes.
    """
    if not choices and not words and isinstance(model, Classifies):
        choices = model.classes
    if choices and not words and isinstance(model, Scores):
        named = tuple(choices)
        if len(named) < 2:
            raise ValueError(f"at least two choices were expected, not {list(named)}.")
        if target is not None and target not in named:
            raise ValueError(f"the target {target!r} is none of the choices {', '.join(named[:20])}.")
        place = named.index(target) if target is not None else int(weighed(model, [sample], named)[0].argmax())
        return Outcome(model, named[place], named, place)
    if target is not None:
        raise ValueError("a target is one of the choices that a model weighs; this one answers in words.")
    if isinstance(model, Generates | Answers):
        return Outcome(model, written(model, [sample], choices)[0], tuple(choices))
    raise ValueError(f"{model.name} has no answer to explain: give it choices, as in --choices cat,dog.")


def weighed(model: Model, samples: Sequence[Sample], choices: Sequence[str]) -> Values:
    """The model's log-probabilities ``[n, k]``. `ValueError` for what is none."""
    assert isinstance(model, Scores)
    rows: list[Any] = []
    with answering():
        for first in range(0, len(samples), BATCH):
            rows += list(model.score(samples[first : first + BATCH], list(choices)))
    for row, sample in zip(rows, samples, strict=True):
        refused(model, row, sample)
    logs = np.asarray(rows, dtype=np.float64)
    if logs.shape != (len(samples), len(choices)):
        wanted = f"{len(samples)} rows of {len(choices)} log-probabilities"
        raise ValueError(f"{model.name}: {wanted} were expected, got shape {logs.shape}.")
    if np.isnan(logs).any():
        row = int(np.flatnonzero(np.isnan(logs).any(axis=1))[0])
        raise ValueError(f"{model.name}: log-probabilities were expected for {samples[row].id!r}, got NaN.")
    return logs


def written(model: Model, samples: Sequence[Sample], choices: Sequence[str]) -> list[str]:
    """What the model answers in words. `ValueError` for what is no text."""
    texts: list[Any] = []
    with answering():
        for first in range(0, len(samples), BATCH):
            some = samples[first : first + BATCH]
            if isinstance(model, Answers):
                texts += model.answer(some, list(choices))
            else:
                assert isinstance(model, Generates)
                texts += model.generate(some)
    for text, sample in zip(texts, samples, strict=True):
        refused(model, text, sample)
        if not isinstance(text, str):
            raise ValueError(f"{model.name}: a text was expected for {sample.id!r}, got {type(text).__name__}")
    return texts


def refused(model: Model, came: object, sample: Sample) -> None:
    """`ValueError` where a model gave a failure in the place of an answer."""
    if isinstance(came, Failure):
        raise ValueError(f"{model.name} did not answer for {sample.id!r} ({came.kind}): {came.message}")
