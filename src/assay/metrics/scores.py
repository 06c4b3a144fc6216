"""What metrics of scores take: a score for each class or one for the positive class, and the true class; log loss, top-k.

``scores float[n, k]`` are a row's scores of ``k`` classes and ``true int[n]`` its class, 0 … k - 1; or ``scores
float[n]`` are scores of the positive class (a confidence in the answer given) and ``true[n]`` says whether it is
(whether the answer is right), 0 or 1. Some metrics need no more than the order of the scores (AUROC, top-k accuracy,
AURC); others need probabilities or log-probabilities (all at most 0), and say which row holds none.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.metrics.metric import Metric, Rows, sign, weighted_mean
from assay.stats.inputs import array, floats, listed

Values = NDArray[np.float64]
Codes = NDArray[np.int64]

FLOOR = float(np.finfo(np.float64).eps)
"""The least probability that log loss knows."""

OFF_BY = 1e-2
"""How far the probabilities of a row may be from a sum of 1; single and half precision are not exact."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """Scores that were checked: ``scores[n, k]`` (``k`` is 1 where only the positive class has one) and ``true[n]``."""

    scores: Values
    true: Codes
    binary: bool
    _known: list[Values] = field(default_factory=list, repr=False)

    def __len__(self) -> int:
        return len(self.true)

    @property
    def probabilities(self) -> Values:
        """The scores as probabilities ``[n, k]``. Raises `ValueError` where they are none, naming the row."""
        if not self._known:
            self._known.append(_probabilities(self.scores, self.binary))
        return self._known[0]

    @property
    def hits(self) -> Values:
        """Whether each class is the true one ``[n, k]``, 0 or 1."""
        if self.binary:
            return np.asarray(self.true[:, None], dtype=np.float64)
        return np.asarray(self.true[:, None] == np.arange(self.scores.shape[1]), dtype=np.float64)

    def top(self, scores: Values) -> tuple[Values, Values]:
        """The highest score of each row and whether it is right; among equal ones as expected under random order."""
        if self.binary:
            return scores[:, 0], self.true.astype(np.float64)
        best = scores.max(axis=1)
        tied = scores == best[:, None]
        return best, np.take_along_axis(tied, self.true[:, None], axis=1)[:, 0] / tied.sum(axis=1)


def weighed(scores: ArrayLike, true: Sequence[Any] | NDArray[Any]) -> Weighed:
    """Scores and true classes, checked. Raises `ValueError` for shapes that do not fit, a class out of range, NaN.

    >>> weighed([0.9, 0.2], [True, False]).scores.shape, weighed([[0.1, 0.9]], [1]).binary
    ((2, 1), False)
    """
    table = floats(scores, "scores")
    listed(true, "true")
    n = len(true)
    if table.size == 0 and n == 0:
        return Weighed(
            table.reshape(0, table.shape[1] if table.ndim == 2 else 1), np.zeros(0, np.int64), table.ndim < 2
        )
    if table.ndim not in (1, 2) or len(table) != n or table.shape[-1] == 0:
        raise ValueError(f"scores [n, classes] or [n] and n true classes were expected, not {table.shape} and ({n},)")
    binary = table.ndim == 1
    broken = np.flatnonzero(np.isnan(table if binary else table.sum(axis=1)))
    for row in broken:  # a sum may be NaN for infinities of both signs
        if np.isnan(table[row]).any():
            raise ValueError(f"row {row}: a score is NaN or missing")
    return Weighed(table[:, None] if binary else table, _classes(true, 2 if binary else table.shape[1], binary), binary)


def _is_place(label: Any) -> bool:
    """Whether it is a whole number of 64 bits."""
    return -(1 << 63) <= label < 1 << 63 and float(label).is_integer()


def _classes(true: Sequence[Any] | NDArray[Any], classes: int, binary: bool) -> Codes:
    """True classes as integers."""
    given = array(true)
    if given.dtype.kind not in "bui":
        for row, label in enumerate(true):
            whole = isinstance(label, bool | np.bool_ | int | np.integer | float | np.floating) and _is_place(label)
            if not whole:
                wanted = "0 or 1" if binary else f"a class of 0 to {classes - 1}"
                raise ValueError(f"row {row}: {wanted} was expected, not {label!r:.60}")
    codes = given.astype(np.int64)
    if codes.ndim != 1:
        raise ValueError(f"one true class a row was expected, not an array of shape {codes.shape}")
    outside = np.flatnonzero((codes < 0) | (codes >= classes))
    if len(outside):
        what = "is neither 0 nor 1" if binary else f"is no class of {classes}"
        raise ValueError(f"row {outside[0]}: {codes[outside[0]]} {what}")
    return codes


def _probabilities(scores: Values, binary: bool) -> Values:
    if not len(scores):
        return scores
    if binary:
        outside = np.flatnonzero(~((scores[:, 0] >= 0) & (scores[:, 0] <= 1)))
        if len(outside):
            raise ValueError(
                f"row {outside[0]}: a probability from 0 to 1 was expected, not {scores[outside[0], 0]:.6g}"
            )
        return scores
    logs = not bool((scores > OFF_BY).any())
    with np.errstate(over="ignore"):
        shares = np.exp(scores) if logs else scores
    mass = shares.sum(axis=1)
    broken = np.flatnonzero(~(np.abs(mass - 1) < OFF_BY) | (shares < 0).any(axis=1))
    if len(broken):
        kind = "log-probabilities" if logs else "probabilities (or log-probabilities)"
        raise ValueError(f"row {broken[0]}: {kind} were expected, but they sum to {mass[broken[0]]:.4g}")
    return shares


def measure_nll(given: Weighed) -> Rows:
    """The column ``nll``: -ln of the true class's probability, which counts as `FLOOR` where it is less."""
    shares = given.probabilities
    if given.binary:
        right = np.where(given.true == 1, shares[:, 0], 1 - shares[:, 0])
    else:
        right = np.take_along_axis(shares, given.true[:, None], axis=1)[:, 0]
    return {"nll": -np.log(np.clip(right, FLOOR, 1))}


def measure_top(given: Weighed, k: int = 1) -> Rows:
    """The column ``top_k_accuracy``: whether the true class is among the ``k`` with the highest scores.

    Equal scores count as expected under random order.
    """
    if given.binary:
        raise ValueError("top-k accuracy needs a score for each class: [n, classes] were expected, not [n]")
    right = np.take_along_axis(given.scores, given.true[:, None], axis=1)
    above, tied = (given.scores > right).sum(axis=1), (given.scores == right).sum(axis=1)
    return {f"top_{k}_accuracy": np.clip((k - above) / np.maximum(tied, 1), 0, 1)}


def named(name: str) -> Metric:
    """The metric of scores of this name. Raises `ValueError` for another name.

    >>> named("nll").better, named("top_5_accuracy").item
    ('lower', 'top_5_accuracy')
    """
    if name == "nll":
        return NLL
    at = re.fullmatch(r"top_([1-9]\d*)_accuracy", name)
    if at is None:
        raise ValueError(f"{name!r} is no metric of scores")
    return Metric(
        name,
        functools.partial(measure_top, k=int(at[1])),
        weighted_mean(name),
        interval="wilson",
        item=name,
        signature=sign(name, "ties:expected"),
        source="Krizhevsky, Sutskever & Hinton 2012; scikit-learn's top_k_accuracy_score",
        family="scores",
        prepare=weighed,
        definition=f"The share of rows whose true class is among the {at[1]} with the highest scores.",
        edge="Equal scores count as expected under random order. NaN without rows.",
    )


NLL = Metric(
    "nll",
    measure_nll,
    weighted_mean("nll"),
    better="lower",
    bounds=(0.0, float("inf")),
    item="nll",
    signature=sign("nll", "log:e", "floor:2.2e-16"),
    source="scikit-learn's log_loss; Good 1952",
    family="scores",
    prepare=weighed,
    definition="The mean of -ln p(true class), in nats. A probability below 2.2e-16 counts as that much.",
    edge="36.04 is the most that one row can cost: its true class had the probability 0. NaN without rows.",
)
