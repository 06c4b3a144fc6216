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
    """``n`` rows by descending score, as their ``positives[p]`` see them: places in that order.

    A positive's threshold, all rows of its score, goes from ``start`` up to ``end``; among the positives alone from
    ``first`` up to ``last``. ``tied`` says whether a threshold holds several rows anywhere.
    """

    n: int
    positives: Index
    start: Index
    end: Index
    first: Index
    last: Index
    tied: bool

    def masses(self, weights: Weights) -> tuple[Values, Values, Values]:
        """The positives' weights ``[b, p]``, and the weights of all rows and of the positives before each place."""
        mine = weights[:, self.positives]
        return mine, _before(weights), _before(mine)


Curve = Callable[[Sorted, Weights], Values]


def _before(weights: Weights) -> Values:
    """The weights before each place, and at the end all of them ``[b, n + 1]``."""
    out = np.zeros((len(weights), weights.shape[1] + 1))
    np.cumsum(weights, axis=1, out=out[:, 1:])
    return out


def roc_area(rows: Sorted, weights: Weights) -> Values:
    """The probability ``[b]`` that a positive scores higher than a negative; half of it where they score the same."""
    mine, every, positive = rows.masses(weights)
    negatives = every[:, -1:] - positive[:, -1:]
    reached = every[:, rows.end] - positive[:, rows.last]
    lower = negatives - reached
    if rows.tied:
        lower += (reached - every[:, rows.start] + positive[:, rows.first]) / 2
    return ratio(np.einsum("ij,ij->i", mine, lower), positive[:, -1] * negatives[:, 0])


def precision_sum(rows: Sorted, weights: Weights) -> Values:
    """The mean ``[b]`` over the positives of the precision at their thresholds: Σ (R_t - R_{t-1}) P_t."""
    mine, every, positive = rows.masses(weights)
    seen = every[:, rows.end]
    precision = np.divide(positive[:, rows.last], seen, out=np.zeros_like(seen), where=seen > 0)
    return ratio(np.einsum("ij,ij->i", mine, precision), positive[:, -1])


def prepare(rows: Rows) -> tuple[Index, list[Sorted]]:
    """Each class's rows by descending score, class after class."""
    scores, true = rows["scores"], rows["class"]
    found = [
        _sorted(scores[:, column], true == (column if scores.shape[1] > 1 else 1)) for column in range(scores.shape[1])
    ]
    return np.concatenate([order for order, _ in found]), [part for _, part in found]


def one_against_rest(curve: Curve) -> OfPrepared:
    """``curve`` of each class against all others, the mean over the classes for which it is defined."""

    def evaluate(parts: list[Sorted], weights: Weights) -> Values:
        n = parts[0].n
        return _mean(curve(part, weights[:, at * n : (at + 1) * n]) for at, part in enumerate(parts))

    return OfPrepared(prepare, evaluate, ("scores", "class"), lambda parts: len(parts) * parts[0].n)


def one_against_one(curve: Curve) -> OfPrepared:
    """``curve`` of each class against each other by its own scores, the mean of both ways, then over the pairs."""

    def by_pairs(rows: Rows) -> tuple[Index, list[tuple[slice, Sorted]]]:
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

    def cost(parts: list[tuple[slice, Sorted]]) -> int:
        return parts[-1][0].stop if parts else 0

    return OfPrepared(by_pairs, evaluate, ("scores", "class"), cost)


def _sorted(scores: Values, positive: NDArray[np.bool_]) -> tuple[Index, Sorted]:
    order = np.argsort(-scores)
    ranked, positives = scores[order], np.flatnonzero(positive[order])
    if not (ranked[1:] == ranked[:-1]).any():
        count = np.arange(len(positives) + 1)
        return order, Sorted(len(order), positives, positives, positives + 1, count[:-1], count[1:], False)
    new = np.ones(len(order), dtype=np.bool_)
    np.not_equal(ranked[1:], ranked[:-1], out=new[1:])
    starts = np.flatnonzero(new)
    group = (np.cumsum(new) - 1)[positives]
    ends = np.append(starts[1:], len(order))
    first, last = (np.searchsorted(group, group, side=side) for side in ("left", "right"))
    return order, Sorted(len(order), positives, starts[group], ends[group], first, last, True)


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
