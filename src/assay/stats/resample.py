"""Bootstrap weights per unit, in blocks, and the values of metrics under them. Source: Efron & Tibshirani 1993."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from assay.stats.folded import BLOCK, Folded

WORK = 200_000_000
"""Draws (resamples × units) spent on one set of rows at most; beyond it there are fewer resamples."""

BINOMIAL = 12
"""What a binomial draw costs, in draws of one unit."""

LEAST = 999
"""Resamples that are always drawn."""


def affordable(resamples: int, units: int) -> int:
    """``resamples``, or as many as `WORK` pays for, but not below `LEAST`.

    >>> affordable(9_999, 2_000), affordable(9_999, 1_000_000)
    (9999, 999)
    """
    return min(resamples, max(LEAST, WORK // max(units, 1)))


def draws(counts: NDArray[np.int64], resamples: int, rng: np.random.Generator) -> Iterator[NDArray[np.float64]]:
    """Blocks ``[b, k]`` of bootstrap weights of ``k`` folded units, ``resamples`` in all.

    Each weight vector says how often each was drawn when as many units as there are were drawn with replacement.
    """
    k, n = len(counts), int(counts.sum())
    kind = np.repeat(np.arange(k, dtype=np.int32), counts)
    step = max(64, BLOCK // n) if k * BINOMIAL > n else max(64, BLOCK // k)
    for start in range(0, resamples, step):
        b = min(step, resamples - start)
        if k * BINOMIAL > n:
            drawn = rng.integers(0, n, size=(b, n), dtype=np.int32)
            drawn = drawn if n == k else kind[drawn]
            drawn += np.arange(0, b * k, k, dtype=np.int32)[:, None]
            yield np.bincount(drawn.ravel(), minlength=b * k).reshape(b, k).astype(np.float64)
        else:
            yield rng.multinomial(n, counts / n, size=b).astype(np.float64)


def replicates(folded: Sequence[Folded], resamples: int, rng: np.random.Generator) -> list[NDArray[np.float64]]:
    """The bootstrap values ``[resamples]`` of metrics that were folded to the same units, under the same draws."""
    counts = folded[0].counts
    assert all(np.array_equal(one.counts, counts) for one in folded), "folded to different units"
    values: list[list[NDArray[np.float64]]] = [[] for _ in folded]
    for weights in draws(counts, affordable(resamples, len(counts)), rng):
        for one, kept in zip(folded, values, strict=True):
            kept.append(one.evaluate(weights))
    return [np.concatenate(kept) for kept in values]
