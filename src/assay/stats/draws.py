"""How often each unit is drawn when as many as there are are drawn with replacement: blocks of multinomial counts.

Drawing n units one by one costs a random number and a scattered write each. The counts can be had for a quarter of that:
if every unit's count is Poisson with a rate a little below 1, then *given* their sum S the counts are those of S units
drawn with replacement, and n - S further units drawn one by one complete them exactly (where S > n, which is rare, the
resample is drawn anew). A Poisson count is read off one random byte by comparing it with the cumulative distribution; the
few bytes that lie across a step are settled by a second random number, so that nothing is rounded.

Source: Efron & Tibshirani 1993 (the bootstrap); Kingman 1993, section 2.4 (a Poisson process given its number of points).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.floating[Any]]

BLOCK = 1 << 18
"""Numbers in a block of weights (1 MB): no array of resamples × units is ever made."""

LEAST_ROWS = 16
"""Resamples in a block at the least, so that what is read once a block is read seldom."""

BINOMIAL = 12
"""What a binomial draw costs, in draws of one unit."""

FEW = 32
"""Below so many units they are drawn one by one."""

LAG = 2.5
"""How many standard deviations the Poisson counts stay below n: one resample in a hundred and sixty is drawn anew."""

EXACT = 1 << 24
"""Counts up to this are whole in single precision."""


def draws(
    counts: NDArray[np.int64], resamples: int, rng: np.random.Generator, strata: Sequence[int] = ()
) -> Iterator[Counts]:
    """Blocks ``[b, k]`` of bootstrap weights of ``k`` kinds of units, ``resamples`` in all.

    ``counts[k]`` says how many units there are of each kind: each weight vector says how often one of the kind was drawn.
    ``strata`` are the lengths of the runs of kinds within which the draws stay (none: all are one): each stratum keeps
    its size. Single precision where every unit is a kind of its own, else double; whole numbers always.
    """
    ends = np.cumsum(strata if len(strata) else [len(counts)])
    runs = [counts[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]
    step = max(LEAST_ROWS, BLOCK // max(len(counts), 1))
    for start in range(0, resamples, step):
        b = min(step, resamples - start)
        parts = [_run(run, b, rng) for run in runs]
        yield parts[0] if len(parts) == 1 else np.hstack(parts)


def _run(counts: NDArray[np.int64], b: int, rng: np.random.Generator) -> Counts:
    """Draws within one stratum."""
    k, n = len(counts), int(counts.sum())
    if n == k and n < EXACT:
        return unit_counts(b, n, rng)
    if k * BINOMIAL > n and n < EXACT:
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
        return np.add.reduceat(unit_counts(b, n, rng), starts, axis=1, dtype=np.float64)
    return rng.multinomial(n, counts / n, size=b).astype(np.float64)


def unit_counts(b: int, n: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """``b`` vectors of how often each of ``n`` units was drawn, ``float32[b, n]``; each sums to ``n``.

    >>> unit_counts(3, 50, np.random.default_rng(0)).sum(axis=1).tolist()
    [50.0, 50.0, 50.0]
    """
    if n < FEW:
        return _one_by_one(b, n, rng)
    drawn = _poisson(b * n, n, rng).reshape(b, n).astype(np.float32)
    lack = n - drawn.sum(axis=1).astype(np.int64)
    over = lack < 0
    if over.any():
        drawn[over] = _one_by_one(int(over.sum()), n, rng)
        lack[over] = 0
    at = rng.integers(0, n, size=int(lack.sum()), dtype=np.int64) + np.repeat(np.arange(b) * n, lack)
    np.add.at(drawn.ravel(), at, np.float32(1))
    return drawn


def _one_by_one(b: int, n: int, rng: np.random.Generator) -> NDArray[np.float32]:
    drawn = rng.integers(0, n, size=(b, n), dtype=np.int64) + np.arange(b)[:, None] * n
    return np.bincount(drawn.ravel(), minlength=b * n).reshape(b, n).astype(np.float32)


def _poisson(size: int, n: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Poisson counts with rate 1 - `LAG`/√n, from one random byte each."""
    edges, rest = _steps(n)
    raw: NDArray[np.uint64] = rng.bit_generator.random_raw((size + 7) // 8)
    byte = raw.astype("<u8", copy=False).view(np.uint8)[:size]
    count: NDArray[np.uint8] = (byte >= edges[0]).view(np.uint8)
    for edge in edges[1:-1]:
        count += (byte >= edge).view(np.uint8)
    unsettled = np.flatnonzero(byte >= edges[-1])
    count[unsettled] = np.searchsorted(rest, rng.random(len(unsettled)), side="right")
    return count


@functools.lru_cache(maxsize=64)
def _steps(n: int) -> tuple[tuple[np.uint8, ...], NDArray[np.float64]]:
    """Which bytes mean 0, 1, 2 …: the first byte above each count; and the cumulative distribution of the rest.

    Of 256 equally likely bytes ⌊256 p⌋ mean a count of probability p; the bytes from the last edge on mean none of
    them, but what the flooring left over.
    """
    rate = 1 - LAG / math.sqrt(n)
    p = [math.exp(-rate)]
    while len(p) < 30:
        p.append(p[-1] * rate / len(p))
    whole = np.floor(256 * np.array(p))
    left = 256 * np.array(p) - whole
    edges = np.cumsum(whole[whole > 0]).astype(np.uint8)
    return tuple(edges), np.cumsum(left) / left.sum()
