"""The ranking metrics: hit@k, recall@k, MRR, mAP, mAP@R, R-precision, nDCG, median and mean rank.

``hit@k`` is what cross-modal retrieval calls recall@K (is some positive among the first k); ``recall@k`` is the
share of the positives found. A query without positives is NaN in every column: left out and counted, never 0. Ties
count as expected under random order (`assay.metrics.expected`), so a model that scores all alike gets chance, not
the diagonal.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from assay.metrics import expected
from assay.metrics.metric import Aggregate, Metric, Rows, Weights, sign, weighted_mean
from assay.metrics.ranking import Ranking

Values = NDArray[np.float64]
OfRanking = Callable[[Ranking], Values]

AT_K: dict[str, tuple[Callable[[Ranking, int], Values], str, str]] = {
    "hit": (expected.hit, "wilson", "some positive is among the first k (recall@K of cross-modal retrieval)"),
    "recall": (expected.recall, "bca", "share of the positives among the first k (Manning et al. 2008)"),
    "ndcg": (expected.ndcg, "bca", "nDCG of the first k, gains 0 and 1 (Järvelin & Kekäläinen 2002)"),
}

MEANS: dict[str, tuple[OfRanking, str]] = {
    "mrr": (expected.reciprocal_rank, "1 / rank of the best positive (Manning et al. 2008)"),
    "map": (expected.average_precision, "average precision over the whole list (Manning et al. 2008)"),
    "map@r": (expected.average_precision_at_r, "average precision of the first R, divided by R (Musgrave et al. 2020)"),
    "r_precision": (expected.r_precision, "share of positives among the first R (Manning et al. 2008)"),
    "ndcg": (expected.ndcg, "nDCG over the whole list, gains 0 and 1 (Järvelin & Kekäläinen 2002)"),
}


def named(name: str) -> Metric:
    """The ranking metric of this name; any k ≥ 1 may follow the @. Raises `ValueError` for another name.

    >>> named("hit@3").item, named("median_rank").better
    ('hit@3', 'lower')
    """
    if name == "median_rank":
        return _of_rank(name, weighted_median("rank"), "bias_corrected", None, "median of the best positive's rank")
    if name == "mean_rank":
        return _of_rank(name, weighted_mean("rank"), "bca", "rank", "mean of the best positive's rank")
    if name in MEANS:
        values, source = MEANS[name]
        return _mean(name, values, "bca", source)
    at = re.fullmatch(r"(hit|recall|ndcg)@([1-9]\d*)", name)
    if at is None:
        raise ValueError(f"{name!r} is no ranking metric")
    at_k, interval, source = AT_K[at[1]]
    return _mean(name, functools.partial(_at, at_k, int(at[2])), interval, source)


def weighted_median(column: str) -> Aggregate:
    """The median of a column when each row stands for as many rows as its weight; between two, their mean.

    Rows where it is NaN do not count; no weight at all gives NaN.

    >>> weighted_median("x")({"x": np.array([3.0, 1.0, 2.0])}, np.array([[1.0, 1, 1], [1, 1, 0], [0, 2, 1], [0, 0, 0]]))
    array([ 2.,  2.,  1., nan])
    """

    def aggregate(rows: Rows, weights: Weights) -> Values:
        values = np.asarray(rows[column], dtype=np.float64)
        order = np.argsort(values, kind="stable")[: len(values) - int(np.isnan(values).sum())]
        if not len(order):
            return np.full(len(weights), np.nan)
        reached = np.cumsum(weights[:, order], axis=1)
        half, slack = reached[:, -1:] / 2, 1e-12 * reached[:, -1:]
        low, high = (reached < half - slack).sum(axis=1), (reached <= half + slack).sum(axis=1)
        middle = (values[order[low]] + values[order[np.minimum(high, len(order) - 1)]]) / 2
        return np.where(reached[:, -1] > 0, middle, np.nan)

    return aggregate


def _at(values: Callable[[Ranking, int], Values], k: int, ranking: Ranking) -> Values:
    return values(ranking, k)


def _column(name: str, values: OfRanking, ranking: Ranking) -> Rows:
    return {name: values(ranking)}


def _ranks(ranking: Ranking) -> Rows:
    return {"rank": ranking.best}


def _mean(name: str, values: OfRanking, interval: str, source: str) -> Metric:
    return Metric(
        name,
        functools.partial(_column, name, values),
        weighted_mean(name),
        interval=interval,
        item=name,
        signature=sign(name, "ties:expected"),
        source=source,
        family="ranking",
    )


def _of_rank(name: str, aggregate: Aggregate, interval: str, item: str | None, source: str) -> Metric:
    return Metric(
        name,
        _ranks,
        aggregate,
        interval=interval,
        better="lower",
        bounds=(1.0, float("inf")),
        item=item,
        signature=sign(name, "ties:expected"),
        source=source,
        family="ranking",
        columns=("rank",),
    )
