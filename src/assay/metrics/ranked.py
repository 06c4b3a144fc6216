"""The ranking metrics: hit@k, recall@k, precision@k, MRR, mAP, mAP@k, mAP@R, R-precision, nDCG, ranks, RSum.

``hit@k`` is what cross-modal retrieval calls recall@K (is some positive among the first k); ``recall@k`` is the
share of the positives found. A query without positives is NaN in every column: left out and counted, never 0. Ties
count as expected under random order (`assay.metrics.expected`), so a model that scores all alike gets chance, not
the diagonal.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from assay.metrics import expected
from assay.metrics.metric import Aggregate, Metric, Rows, Weights, of_sums, ratio, sign, weighted_mean
from assay.metrics.ranking import Ranking
from assay.stats.measured import OfPrepared

Values = NDArray[np.float64]
OfRanking = Callable[[Ranking], Values]

EDGE = "NaN for a query without positives, which is left out and counted; 0 is a result like any other."
MANNING = "Manning, Raghavan & Schütze 2008, Introduction to Information Retrieval, ch. 8"
JARVELIN = "Järvelin & Kekäläinen 2002, Cumulated gain-based evaluation of IR techniques"


def _ap_least(ranking: Ranking, k: int) -> Values:
    return ratio(expected.average_precision_of(ranking, k), np.minimum(ranking.positives, k).astype(np.float64))


def _ap_all(ranking: Ranking, k: int) -> Values:
    return ratio(expected.average_precision_of(ranking, k), ranking.positives.astype(np.float64))


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one ranking metric is made of a ranking, and what is to be said of it."""

    values: Callable[..., Values]
    definition: str
    source: str
    interval: str = "bca"
    parts: tuple[str, ...] = ()


AT_K: dict[str, Recipe] = {
    "hit": Recipe(
        expected.hit,
        "1 if some positive is among the first k, else 0; mean over queries. Cross-modal retrieval calls it Recall@K.",
        "recall@K of Hodosh, Young & Hockenmaier 2013; success@k of TREC",
        "wilson",
    ),
    "recall": Recipe(
        expected.recall, "The positives among the first k, divided by all positives; mean over queries.", MANNING
    ),
    "precision": Recipe(
        expected.precision, "The positives among the first k, divided by k; mean over queries.", MANNING
    ),
    "ndcg": Recipe(
        expected.ndcg,
        "Sum of gain / log2(place + 1) over the first k places, divided by the same sum of the best order. The gain is the grade (linear).",
        JARVELIN,
    ),
    "map": Recipe(
        _ap_least,
        "Sum of the precisions at the positives among the first k, divided by the lesser of k and the number of positives.",
        f"{MANNING}; divisor as in the COCO and Kaggle habit, trec_eval's is map_cut@k",
        parts=("apden:min(R,k)",),
    ),
    "map_cut": Recipe(
        _ap_all,
        "Sum of the precisions at the positives among the first k, divided by the number of positives.",
        "map_cut_k of trec_eval, map@k of ranx",
        parts=("apden:R",),
    ),
}

MEANS: dict[str, Recipe] = {
    "mrr": Recipe(expected.reciprocal_rank, "1 / rank of the best positive; mean over queries.", MANNING),
    "map": Recipe(
        expected.average_precision,
        "Average precision: the mean over a query's positives of the precision at their places in the whole list.",
        MANNING,
        parts=("apden:R",),
    ),
    "map@r": Recipe(
        expected.average_precision_at_r,
        "Sum of the precisions at the positives among the first R, divided by R, the query's number of positives.",
        "Musgrave, Belongie & Lim 2020, A metric learning reality check; ECCV Caption (Chun et al. 2022)",
    ),
    "r_precision": Recipe(
        expected.r_precision, "The positives among the first R, divided by R, the query's number of positives.", MANNING
    ),
    "ndcg": Recipe(
        expected.ndcg,
        "Sum of gain / log2(place + 1) over the whole list, divided by the same sum of the best order. The gain is the grade (linear).",
        JARVELIN,
    ),
}


CHUNK = 128
"""Weights that are summed at once on the way to a median."""


def named(name: str) -> Metric:
    """The ranking metric of this name; any k ≥ 1 may follow the @. Raises `ValueError` for another name.

    >>> named("hit@3").item, named("median_rank").better
    ('hit@3', 'lower')
    """
    if name == "median_rank":
        return _of_rank(name, weighted_median("rank"), "bias_corrected", None)
    if name == "mean_rank":
        return _of_rank(name, weighted_mean("rank"), "bca", "rank")
    if name == "rsum":
        return RSUM
    if name in MEANS:
        return _mean(name, MEANS[name], MEANS[name].values)
    at = re.fullmatch(r"(hit|recall|precision|ndcg|map|map_cut)@([1-9]\d*)", name)
    if at is None:
        raise ValueError(f"{name!r} is no ranking metric")
    return _mean(name, AT_K[at[1]], functools.partial(_at, AT_K[at[1]].values, int(at[2])))


def weighted_median(column: str) -> OfPrepared:
    """The median of a column when each row stands for as many rows as its weight; between two, their mean.

    Rows where it is NaN do not count; no weight at all gives NaN.

    >>> weighted_median("x")({"x": np.array([3.0, 1.0, 2.0])}, np.array([[1.0, 1, 1], [1, 1, 0], [0, 2, 1], [0, 0, 0]]))
    array([ 2.,  2.,  1., nan])
    """
    return OfPrepared(functools.partial(_ascending, column), _middle, (column,))


def _ascending(column: str, rows: Rows) -> tuple[NDArray[np.intp], Values]:
    values = np.asarray(rows[column], dtype=np.float64)
    order = np.argsort(values, kind="stable")
    return order, values[order]


def _middle(values: Values, weights: Weights) -> Values:
    """The value at half of the weight, of ascending ``values``: found among the sums of chunks, then within one chunk."""
    starts = np.arange(0, len(values), CHUNK)
    summed = np.cumsum(np.add.reduceat(weights, starts, axis=1), axis=1)
    out = np.full(len(weights), np.nan)
    for row, reached in enumerate(summed):
        half, slack = reached[-1] / 2, 1e-12 * reached[-1]
        if half > 0:
            low = _place(weights[row], reached, half - slack, "left")
            high = _place(weights[row], reached, half + slack, "right")
            out[row] = (values[low] + values[high]) / 2
    return out


def _place(weights: Values, reached: Values, goal: float, side: Literal["left", "right"]) -> int:
    """Where the running sum of ``weights`` comes to ``goal`` (or beyond it), given what it has ``reached`` after each chunk."""
    chunk = min(int(np.searchsorted(reached, goal, side=side)), len(reached) - 1)
    before = reached[chunk - 1] if chunk else 0.0
    inside = before + np.cumsum(weights[chunk * CHUNK : (chunk + 1) * CHUNK])
    return min(chunk * CHUNK + int(np.searchsorted(inside, goal, side=side)), len(weights) - 1)


def _at(values: Callable[[Ranking, int], Values], k: int, ranking: Ranking) -> Values:
    return values(ranking, k)


def _column(name: str, values: OfRanking, ranking: Ranking) -> Rows:
    return {name: values(ranking)}


def _ranks(ranking: Ranking) -> Rows:
    return {"rank": ranking.best}


def _mean(name: str, recipe: Recipe, values: OfRanking) -> Metric:
    return Metric(
        name,
        functools.partial(_column, name, values),
        weighted_mean(name),
        interval=recipe.interval,
        item=name,
        signature=sign(name, *recipe.parts, "ties:expected"),
        source=recipe.source,
        family="ranking",
        definition=recipe.definition,
        edge=EDGE,
    )


def _of_rank(name: str, aggregate: Aggregate, interval: str, item: str | None) -> Metric:
    return Metric(
        name,
        _ranks,
        aggregate,
        interval=interval,
        better="lower",
        bounds=(1.0, float("inf")),
        item=item,
        signature=sign(name, "ties:expected"),
        source=MANNING,
        family="ranking",
        columns=("rank",),
        definition=f"The {name.partition('_')[0]} over queries of the best positive's rank, 1 for the first place.",
        edge=EDGE,
    )


SUMMED = (1, 5, 10)


def _both_hits(there: Ranking, back: Ranking) -> Rows:
    """A row a query of either direction: a one and its hit@1, 5, 10 in the four columns of its direction, else 0."""
    out = []
    for direction, ranking in enumerate((there, back)):
        table = np.zeros((len(ranking), 2 * (1 + len(SUMMED))))
        first = direction * (1 + len(SUMMED))
        table[:, first] = 1.0
        for place, k in enumerate(SUMMED, 1):
            table[:, first + place] = expected.hit(ranking, k)
        out.append(table)
    return {"rsum": np.concatenate(out)}


def _rsum(total: Values, sums: Values) -> Values:
    halves = np.split(sums, 2, axis=1)
    there, back = (ratio(half[:, 1:], half[:, :1]) for half in halves)
    return np.asarray(there.sum(axis=1) + back.sum(axis=1))


RSUM = Metric(
    "rsum",
    _both_hits,
    of_sums(_rsum, "rsum"),
    bounds=(0.0, 6.0),
    columns=("rsum",),
    signature=sign("rsum", "k:1,5,10", "ties:expected"),
    source="the sum of recalls of cross-modal retrieval (Lee et al. 2018 and others), in percent at most 600",
    family="directions",
    definition="The sum of hit@1, hit@5 and hit@10 in both directions: at most 6, which tables in percent write as 600.",
    edge="NaN where one direction has no query with a positive.",
)
