"""What each ranking metric is expected to be when ties are broken at random: one value a query, in closed form.

Notation: a tie has ``a`` candidates above it, ``t`` tied, ``r`` of them positive, ``c`` positives before it; a query
has ``R`` positives. At each of its ``t`` places stands a positive with probability r/t, and given that, each place
before it within the tie holds one with probability (r-1)/(t-1). Sources: Manning et al. 2008 (AP, MRR, R-precision);
Järvelin & Kekäläinen 2002 (nDCG); Musgrave et al. 2020 (MAP@R); McSherry & Najork 2008 (ties).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.metrics.metric import ratio
from assay.metrics.ranking import Ranking

Values = NDArray[np.float64]


def hit(ranking: Ranking, k: int) -> Values:
    """The probability ``[n]`` that at least one positive is among the first ``k``."""
    first = ranking.before == 0
    t, r = ranking.tied[first], ranking.inside[first]
    places = np.clip(k - ranking.above[first], 0, t)
    miss = np.ones(len(t))
    for i in range(int(places.max(initial=0))):  # none of r positives on `places` of t places, drawn one by one
        miss = np.where(i < places, miss * np.maximum(t - r - i, 0) / np.maximum(t - i, 1), miss)
    out = np.full(len(ranking), np.nan)
    out[ranking.query[first]] = 1 - miss
    return out


def recall(ranking: Ranking, k: int) -> Values:
    """The expected share ``[n]`` of the positives that are among the first ``k``."""
    return _over_positives(ranking, ranking.inside * np.clip((k - ranking.above) / ranking.tied, 0, 1))


def r_precision(ranking: Ranking) -> Values:
    """The expected share ``[n]`` of positives among the first R."""
    room = (_of_tie(ranking) - ranking.above) / ranking.tied
    return _over_positives(ranking, ranking.inside * np.clip(room, 0, 1))


def reciprocal_rank(ranking: Ranking) -> Values:
    """The expected 1/rank ``[n]`` of the best positive."""
    first = ranking.before == 0
    ties = np.stack([ranking.above[first], ranking.tied[first], ranking.inside[first]], axis=1)
    out = np.full(len(ranking), np.nan)
    if len(ties):
        kinds, which = np.unique(ties, axis=0, return_inverse=True)
        out[ranking.query[first]] = np.array([_first_reciprocal(*map(int, kind)) for kind in kinds])[which.ravel()]
    return out


def average_precision(ranking: Ranking) -> Values:
    """The expected average precision ``[n]`` over the whole list."""
    return _over_positives(ranking, _precision_sum(ranking, ranking.tied))


def average_precision_at_r(ranking: Ranking) -> Values:
    """The expected average precision ``[n]`` of the first R places, the divisor R."""
    return _over_positives(ranking, _precision_sum(ranking, np.clip(_of_tie(ranking) - ranking.above, 0, ranking.tied)))


def average_precision_of(ranking: Ranking, k: int) -> Values:
    """The expected sum ``[n]`` of the precisions at the positives among the first ``k``; the divisor is the caller's."""
    depth = np.clip(k - ranking.above, 0, ranking.tied)
    return np.where(ranking.positives > 0, _summed(ranking, _precision_sum(ranking, depth)), np.nan)


def precision(ranking: Ranking, k: int) -> Values:
    """The expected share ``[n]`` of the first ``k`` that are positives; fewer than ``k`` candidates leave places empty."""
    inside = _summed(ranking, ranking.inside * np.clip((k - ranking.above) / ranking.tied, 0, 1))
    return np.where(ranking.positives > 0, inside / k, np.nan)


def ndcg(ranking: Ranking, k: int | None = None) -> Values:
    """The expected nDCG ``[n]`` of the first ``k`` places or of all; the gain of a positive is its grade."""
    longest = int(ranking.candidates.max(initial=0))
    discount = 1 / np.log2(np.arange(2, longest + 2))
    summed = np.concatenate([[0.0], np.cumsum(discount)])
    depth = longest if k is None else min(k, longest)
    a, end = np.minimum(ranking.above, depth), np.minimum(ranking.above + ranking.tied, depth)
    dcg = _summed(ranking, ranking.gain / ranking.tied * (summed[end] - summed[a]))
    query = np.repeat(np.arange(len(ranking)), ranking.positives)
    place = np.arange(len(query)) - np.repeat(np.cumsum(ranking.positives) - ranking.positives, ranking.positives)
    best = np.where(place < depth, ranking.ideal * discount[np.minimum(place, longest - 1)], 0.0)
    return ratio(dcg, np.bincount(query, weights=best, minlength=len(ranking)).astype(np.float64))


def _precision_sum(ranking: Ranking, depth: NDArray[np.int64]) -> Values:
    """The expected sum of precisions at the positives on the first ``depth`` places of each tie.

    (r/t) Σᵢ (c + 1 + (i-1)(r-1)/(t-1)) / (a + i), and Σᵢ (i-1)/(a+i) = depth - (a+1) Σᵢ 1/(a+i).
    """
    a, t, r = ranking.above, ranking.tied, ranking.inside
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, int(ranking.candidates.max(initial=0)) + 1))])
    inverse = np.where(depth == 1, 1 / (a + 1), harmonic[a + depth] - harmonic[a])
    others = (r - 1) / np.maximum(t - 1, 1)
    return r / t * ((ranking.before + 1) * inverse + others * (depth - (a + 1) * inverse))


def _first_reciprocal(a: int, t: int, r: int) -> float:
    """E[1/(a + i)] for i the place of the first of r positives among t places in random order."""
    if t == r:
        return 1 / (a + 1)
    i = np.arange(1, t - r + 2)
    # P(first at i) = r/(t-i+1) Π_{j<i} (t-r-j+1)/(t-j+1)
    miss = np.concatenate([[1.0], np.cumprod((t - r - i[:-1] + 1) / (t - i[:-1] + 1))])
    return float((miss * r / (t - i + 1) / (a + i)).sum())


def _of_tie(ranking: Ranking) -> NDArray[np.int64]:
    return ranking.positives[ranking.query]


def _summed(ranking: Ranking, values: NDArray[Any]) -> Values:
    return np.bincount(ranking.query, weights=values, minlength=len(ranking)).astype(np.float64)


def _over_positives(ranking: Ranking, values: NDArray[Any]) -> Values:
    return ratio(_summed(ranking, values), ranking.positives.astype(np.float64))
