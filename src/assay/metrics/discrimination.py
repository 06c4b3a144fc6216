"""How well scores order the rows: area under the ROC curve, average precision; of one class or the mean over classes.

Equal scores are one threshold. Sources: Fawcett 2006 (ROC); Hand & Till 2001 (one against one); scikit-learn's
``roc_auc_score`` and ``average_precision_score`` give the same values. Rows: ``scores[n, k]`` and the true ``class[n]``;
with ``k`` of 1 the class is 1 for positives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.metrics.metric import Metric, Rows, Weights, ratio, sign
from assay.metrics.scores import Weighed, weighed
from assay.stats.measured import OfPrepared

Values = NDArray[np.float64]
Index = NDArray[np.intp]

MOST_PAIRS = 20_000
"""Pairs of classes that are compared one against one."""


@dataclass(frozen=True, slots=True)
class Sorted:
    """Some rows by descending score: which are ``positive``, and where each set of equal scores starts (None: no two are)."""

    positive: Values
    starts: Index | None

    def grouped(self, weights: Weights) -> tuple[Values, Values]:
        """The weights ``[b, g]`` of the positives and of all rows at each threshold."""
        if self.starts is None:
            return weights * self.positive, weights
        positive, every = (np.add.reduceat(part, self.starts, axis=1) for part in (weights * self.positive, weights))
        return positive, every


Curve = Callable[[Sorted, Weights], Values]


def roc_area(rows: Sorted, weights: Weights) -> Values:
    """The probability ``[b]`` that a positive scores higher than a negative; half of it where they score the same."""
    positive, every = rows.grouped(weights)
    negative = every - positive
    reached = np.cumsum(positive, axis=1)
    won = np.einsum("ij,ij->i", negative, reached)
    if rows.starts is not None:
        won -= np.einsum("ij,ij->i", negative, positive) / 2
    total = reached[:, -1]
    return ratio(won, total * negative.sum(axis=1))


def precision_sum(rows: Sorted, weights: Weights) -> Values:
    """The mean ``[b]`` over the positives of the precision at their thresholds: Σ (R_t - R_{t-1}) P_t."""
    positive, every = rows.grouped(weights)
    reached, seen = np.cumsum(positive, axis=1), np.cumsum(every, axis=1)
    precision = np.divide(reached, seen, out=np.zeros_like(seen), where=seen > 0)
    return ratio(np.einsum("ij,ij->i", positive, precision), reached[:, -1])


def one_against_rest(curve: Curve) -> OfPrepared:
    """``curve`` of each class against all others, the mean over the classes for which it is defined."""

    def prepare(rows: Rows) -> tuple[Index, list[Sorted]]:
        scores, true = rows["scores"], rows["class"]
        orders, parts = [], []
        for column in range(scores.shape[1]):
            order, part = _sorted(scores[:, column], true == (column if scores.shape[1] > 1 else 1))
            orders.append(order)
            parts.append(part)
        return np.concatenate(orders), parts

    def evaluate(parts: list[Sorted], weights: Weights) -> Values:
        n = weights.shape[1] // len(parts)
        return _mean(curve(part, weights[:, at * n : (at + 1) * n]) for at, part in enumerate(parts))

    return OfPrepared(prepare, evaluate, ("scores", "class"))


def one_against_one(curve: Curve) -> OfPrepared:
    """``curve`` of each class against each other by its own scores, the mean of both ways, then over the pairs."""

    def prepare(rows: Rows) -> tuple[Index, list[tuple[slice, Sorted]]]:
        scores, true = rows["scores"], rows["class"]
        present = np.unique(true)
        if len(present) ** 2 > MOST_PAIRS:
            raise ValueError(f"auroc_ovo compares each class with each: {len(present)} are too many; use auroc")
        orders: list[Index] = []
        parts, end = [], 0
        for one in present:
            for other in present[present != one]:
                among = np.flatnonzero((true == one) | (true == other))
                column, target = (one, one) if scores.shape[1] > 1 else (0, 1)
                order, part = _sorted(scores[among, column], true[among] == target)
                orders.append(among[order])
                parts.append((slice(end, end + len(order)), part))
                end += len(order)
        return np.concatenate(orders) if orders else np.zeros(0, dtype=np.intp), parts

    def evaluate(parts: list[tuple[slice, Sorted]], weights: Weights) -> Values:
        found = [curve(part, weights[:, place]) for place, part in parts]
        return _mean(iter(found)) if found else np.full(len(weights), np.nan)

    return OfPrepared(prepare, evaluate, ("scores", "class"))


def _sorted(scores: Values, positive: NDArray[np.bool_]) -> tuple[Index, Sorted]:
    order = np.argsort(-scores)
    new = np.empty(len(order), dtype=np.bool_)
    new[:1], ranked = True, scores[order]
    np.not_equal(ranked[1:], ranked[:-1], out=new[1:])
    starts = None if new.all() else np.flatnonzero(new)
    return order, Sorted(positive[order].astype(np.float64), starts)


def _mean(values: Iterator[Values]) -> Values:
    """The mean of those that are defined."""
    table = np.stack(list(values))
    there = ~np.isnan(table)
    return ratio(np.where(there, table, 0.0).sum(axis=0), there.sum(axis=0).astype(np.float64))


def measure(given: Weighed) -> Rows:
    """The columns ``scores[n, k]`` and ``class[n]``."""
    return {"scores": given.scores, "class": given.true}


def named(name: str) -> Metric:
    """The metric of this name. Raises `ValueError` for another name.

    >>> from assay import metrics
    >>> metrics.auroc([0.9, 0.8, 0.3], [1, 0, 1]).value
    0.5
    """
    if name not in METRICS:
        raise ValueError(f"{name!r} is no area under a curve")
    return METRICS[name]


def _metric(name: str, aggregate: OfPrepared, parts: tuple[str, ...], definition: str, source: str) -> Metric:
    return Metric(
        name,
        measure,
        aggregate,
        signature=sign(name, *parts, "ties:half" if "auroc" in name else "ties:one-threshold"),
        source=source,
        family="scores",
        columns=("scores", "class"),
        prepare=weighed,
        definition=definition,
        edge="A class without positives or without negatives has no curve and is left out of the mean; NaN where none has one.",
    )


_PAIR = "the probability that a positive scores higher than a negative (half of it where they score the same)"
METRICS: dict[str, Metric] = {
    "auroc": _metric(
        "auroc",
        one_against_rest(roc_area),
        ("average:macro-ovr",),
        f"Area under the ROC curve: {_PAIR}; with several classes the mean over each class against all others.",
        "Fawcett 2006; scikit-learn's roc_auc_score(multi_class='ovr', average='macro')",
    ),
    "auroc_ovo": _metric(
        "auroc_ovo",
        one_against_one(roc_area),
        ("average:macro-ovo",),
        f"Area under the ROC curve: {_PAIR}; the mean over all ordered pairs of classes, by the first one's scores.",
        "Hand & Till 2001; scikit-learn's roc_auc_score(multi_class='ovo', average='macro')",
    ),
    "average_precision": _metric(
        "average_precision",
        one_against_rest(precision_sum),
        ("average:macro-ovr",),
        "The sum over thresholds of (recall gained) × precision, not interpolated; with several classes the mean over them.",
        "scikit-learn's average_precision_score; Manning, Raghavan & Schütze 2008",
    ),
}
