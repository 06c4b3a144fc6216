"""Paired permutation tests: whose answer is whose is tossed anew for every unit. Source: Fisher 1935; Noreen 1989.

A p-value by chance draws is (1 + as extreme) / (1 + draws), so never 0; where all 2^G tosses of G units can be gone
through, it is exact.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assay.stats.bootstrap import tolerance
from assay.stats.folded import BLOCK, Index, distinct
from assay.stats.measured import Measured, Rows
from assay.stats.resample import affordable

EXACT_UNITS = 20
"""Up to so many units all sign patterns are gone through (about a million)."""

MERGE_PAIRS = 10
"""Equal pairs of rows are merged when at most one in so many is distinct: a binomial draw is dearer than a coin."""

Values = NDArray[np.float64]


def sign_flip(differences: Values, *, resamples: int, rng: np.random.Generator) -> tuple[Values, str]:
    """Two-sided p-values ``[m]`` that sums of ``differences[U, m]`` over units are no larger than chance makes them.

    >>> p, how = sign_flip(np.ones((4, 1)), resamples=99, rng=np.random.default_rng(0))
    >>> p.tolist(), how
    ([0.125], 'sign-flip exact')
    """
    units = len(differences)
    observed = np.abs(differences.sum(axis=0))
    # Rounding must not turn a toss that equals the observed sum into a lesser one.
    at_least = observed - 1e-11 * np.maximum(np.abs(differences).sum(axis=0), 1e-300)
    if units <= EXACT_UNITS:
        half = units // 2
        first, second = (_all_signs(part) @ part for part in (differences[:half], differences[half:]))
        extreme = np.array(
            [(np.abs(a[:, None] + b) >= t).mean() for a, b, t in zip(first.T, second.T, at_least, strict=True)]
        )
        return extreme, "sign-flip exact"
    drawn = affordable(resamples, units)
    total = differences.sum(axis=0)
    count = np.zeros(differences.shape[1])
    step = max(64, BLOCK // units)
    for start in range(0, drawn, step):
        heads = _tosses(min(step, drawn - start), units, rng)
        count += (np.abs(2 * (heads @ differences) - total) >= at_least).sum(axis=0)
    return (1 + count) / (1 + drawn), "sign-flip"


def swap(
    metric: Measured, rows_a: Rows, rows_b: Rows, index: Index, *, resamples: int, rng: np.random.Generator
) -> float:
    """The two-sided p-value of the difference of any aggregate when the two runs' rows change sides unit by unit.

    ``index`` numbers the units 0 … U - 1 of the aligned rows. Tosses that leave a side undefined do not count.
    """
    a, b, index, counts = _merged(metric, rows_a, rows_b, index)
    both = {name: np.concatenate([a[name], b[name]]) for name in metric.columns}

    def difference(swapped: Values) -> Values:
        stay, go = (counts - swapped)[:, index], swapped[:, index]
        return metric.aggregate(both, np.hstack([stay, go])) - metric.aggregate(both, np.hstack([go, stay]))

    observed = abs(float(difference(np.zeros((1, len(counts))))[0]))
    drawn = affordable(resamples, 2 * len(index))
    extreme = known = 0
    step = max(1, BLOCK // len(index))
    for start in range(0, drawn, step):
        tossed = np.abs(difference(_swapped(counts, min(step, drawn - start), rng)))
        extreme += int((tossed >= observed - tolerance(observed)).sum())
        known += int((~np.isnan(tossed)).sum())
    return (1 + extreme) / (1 + known)


def _merged(metric: Measured, rows_a: Rows, rows_b: Rows, index: Index) -> tuple[Rows, Rows, Index, NDArray[np.int64]]:
    """Equal pairs of rows that are units of their own, kept once with their number; other rows as they are."""
    units = int(index.max()) + 1
    if units == len(index):
        columns = [rows[name] for rows in (rows_a, rows_b) for name in metric.columns]
        same = distinct(columns, units // MERGE_PAIRS)
        if same is not None:
            a, b = ({name: rows[name][same[0]] for name in metric.columns} for rows in (rows_a, rows_b))
            return a, b, np.arange(len(same[0])), same[1]
    return rows_a, rows_b, index, np.ones(units, dtype=np.int64)


def _swapped(counts: NDArray[np.int64], b: int, rng: np.random.Generator) -> Values:
    """How many ``[b, k]`` of each kind of unit change sides when each does with probability ½."""
    if counts.max() == 1:
        return _tosses(b, len(counts), rng)
    return rng.binomial(counts, 0.5, size=(b, len(counts))).astype(np.float64)


def _all_signs(part: Values) -> Values:
    """Every pattern of signs ``[2^u, u]`` of ``u`` units."""
    u = len(part)
    return np.where((np.arange(1 << u)[:, None] >> np.arange(u)) & 1, -1.0, 1.0)


def _tosses(b: int, units: int, rng: np.random.Generator) -> Values:
    """Fair coins ``[b, units]``, 0 or 1."""
    bits = np.frombuffer(rng.bytes(b * ((units + 7) // 8)), dtype=np.uint8).reshape(b, -1)
    return np.unpackbits(bits, axis=1, count=units).astype(np.float64)
