"""Representational similarity analysis (RSA): whether two modalities find the same things alike.

Each side's dissimilarities of all pairs of items (1 - Pearson's correlation of their embeddings, or the squared Euclidean
distance) are correlated over the pairs, by Spearman's ρ or Kendall's τ_a. The n(n-1)/2 pairs are not independent: the
p-value shuffles items, rows and columns together (Mantel 1967), the interval resamples items, an item's zero distance to its
own copy being left out. Linear CKA is the same comparison of centred similarities in another normalisation: look at both.

Source: Kriegeskorte, Mur & Bandettini 2008; Nili et al. 2014.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.metrics.embeddings import figure, pairs
from assay.metrics.regression import ranked, spearman_under
from assay.stats.streams import stream
from assay.types import Estimate

Values = NDArray[np.float64]

MOST_ITEMS = 10_000
"""Items of which all pairs are made (50 million)."""

RESAMPLES, LEAST = 999, 199
CHEAP = 1e8
"""Ranks that resampling and shuffling may touch without being asked: some seconds each."""

DISTANCES = ("correlation", "sqeuclidean")
COMPARISONS = ("spearman", "kendall")


def rsa(
    x: ArrayLike,
    y: ArrayLike,
    *,
    distance: str = "correlation",
    compare: str = "spearman",
    permutations: int | None = None,
    resamples: int | None = None,
    seed: int = 0,
) -> dict[str, Estimate]:
    """How alike the dissimilarities within ``x[n, p]`` and within ``y[n, q]`` are, the items row by row.

    ``rsa`` is the correlation, ``rsa_p`` the share of shuffles (``permutations``) that are no less, counting the data themselves.
    ``permutations`` and ``resamples`` of None are 999 or as many as take some seconds, and none below 199; Kendall's τ_a has
    no interval. Raises `ValueError` for pairs that do not fit, fewer than 4 items or more than all pairs are made of, another
    distance or comparison, and items whose embedding is constant where correlations are asked for.

    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((200, 6))
    >>> y = x @ rng.standard_normal((6, 4)) + 0.5 * rng.standard_normal((200, 4))
    >>> round(rsa(x, y, permutations=0, resamples=0)["rsa"].value, 8)
    0.48958895
    """
    if distance not in DISTANCES:
        raise ValueError(f"a distance of {', '.join(DISTANCES)} was expected, not {distance!r}")
    if compare not in COMPARISONS:
        raise ValueError(f"a comparison by {' or '.join(COMPARISONS)} was expected, not {compare!r}")
    a, b = pairs(x, y, least=4)
    if len(a) > MOST_ITEMS:
        raise ValueError(f"{len(a)} items have too many pairs (at most {MOST_ITEMS} items); take a sample")
    first, second = dissimilarities("x", a, distance), dissimilarities("y", b, distance)
    one, two = np.triu_indices(len(a), 1)
    value = _correlation(first[one, two], second[one, two], compare)
    n_shuffles = _affordable(permutations, len(one) * (1 if compare == "spearman" else 30))
    n_draws = 0 if compare == "kendall" else _affordable(resamples, 12 * len(one))
    recipe = (f"distance:{distance}", compare, f"n:{len(a)}")
    low, high = _interval(first, second, n_draws, seed) if n_draws else (math.nan, math.nan)
    interval = (min(low, value), max(high, value))
    out = {"rsa": figure("rsa", value, interval, n=len(a), recipe=(*recipe, f"resamples:{n_draws}"), unit="item")}
    if n_shuffles:
        drawn = _shuffled(first, second, compare, n_shuffles, seed)
        p = (1 + int((drawn >= value - 1e-12).sum())) / (1 + n_shuffles) if math.isfinite(value) else math.nan
        out["rsa_p"] = figure("rsa_p", p, n=n_shuffles, recipe=(*recipe, "mantel"), items=drawn, unit="permutation")
    return out


def dissimilarities(name: str, x: Values, distance: str = "correlation") -> Values:
    """The dissimilarities ``[n, n]`` of all items of ``x[n, d]``.

    Raises `ValueError` for a constant embedding where correlations are asked for, naming the row.
    """
    if distance == "sqeuclidean":
        centred = x - x.mean(axis=0)
        squares = (centred**2).sum(axis=1)
        out = np.maximum(squares[:, None] + squares - 2 * centred @ centred.T, 0)
    else:
        centred = x - x.mean(axis=1, keepdims=True)
        length = np.linalg.norm(centred, axis=1)
        flat = np.flatnonzero(length <= 1e-12 * np.maximum(np.abs(x).max(axis=1, initial=0), 1e-300))
        if len(flat):
            raise ValueError(f"{name}: row {flat[0]} is constant and correlates with nothing; take sqeuclidean")
        centred /= length[:, None]
        out = 1 - centred @ centred.T
    np.fill_diagonal(out, 0.0)
    return np.asarray(out)


def _affordable(asked: int | None, touched: int) -> int:
    if asked is not None:
        return asked
    count = min(RESAMPLES, int(CHEAP / touched))
    return count if count >= LEAST else 0


def _correlation(first: Values, second: Values, compare: str) -> float:
    if compare == "spearman":
        state = ranked({"predicted": first, "true": second})[1]
        return float(spearman_under(state, np.ones((1, len(first))))[0])
    return _kendall(first, second)


def _kendall(first: Values, second: Values) -> float:
    """τ_a: concordant less discordant over all, ties counting neither way; from scipy's τ_b, which leaves ties out."""
    from scipy.stats import kendalltau

    tied = [np.unique(side, return_counts=True)[1].astype(np.float64) for side in (first, second)]
    whole = len(first) * (len(first) - 1) / 2
    free = [whole - float((count * (count - 1) / 2).sum()) for count in tied]
    if min(free) == 0:
        return math.nan
    return float(kendalltau(first, second, variant="b").statistic) * math.sqrt(free[0] * free[1]) / whole


def _shuffled(first: Values, second: Values, compare: str, count: int, seed: int) -> Values:
    """The correlations when the items of one side are shuffled ``[count]``."""
    rng, n = stream(seed, "rsa", "mantel"), len(first)
    one, two = np.triu_indices(n, 1)
    out = np.empty(count)
    if compare == "kendall":
        for draw in range(count):
            order = rng.permutation(n)
            out[draw] = _kendall(first[one, two], second[order[one], order[two]])
        return out
    ranks = [_rank_matrix(side, one, two) for side in (first, second)]
    line = ranks[0][one, two]
    for draw in range(count):
        order = rng.permutation(n)
        out[draw] = line @ ranks[1][order[one], order[two]]
    return out


def _rank_matrix(side: Values, one: NDArray[Any], two: NDArray[Any]) -> Values:
    """Mid-ranks of the pairs, centred and of length 1, put back into a symmetric matrix."""
    from scipy.stats import rankdata

    ranks = rankdata(side[one, two])
    ranks -= ranks.mean()
    length = float(np.linalg.norm(ranks))
    out = np.zeros_like(side)
    out[one, two] = out[two, one] = ranks / length if length > 0 else np.nan
    return out


def _interval(first: Values, second: Values, draws: int, seed: int) -> tuple[float, float]:
    """The central 95 % of the correlations when items are resampled; a pair counts as often as both its items together."""
    rng, n = stream(seed, "rsa", "bootstrap"), len(first)
    one, two = np.triu_indices(n, 1)
    state = ranked({"predicted": first[one, two], "true": second[one, two]})[1]
    step = max(1, (1 << 22) // len(one))
    found = []
    for start in range(0, draws, step):
        counts = rng.multinomial(n, np.full(n, 1 / n), size=min(step, draws - start)).astype(np.float64)
        found.append(spearman_under(state, counts[:, one] * counts[:, two]))
    values = np.concatenate(found)
    known = values[~np.isnan(values)]
    if not len(known):
        return math.nan, math.nan
    low, high = np.quantile(known, [0.025, 0.975])
    return float(low), float(high)
