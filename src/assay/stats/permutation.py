"""Paired permutation tests: whose answer is whose is tossed anew for every unit. Source: Fisher 1935; Noreen 1989.

A p-value by chance draws is (1 + as extreme) / (1 + draws), so never 0; where all 2^G tosses of G units can be gone
through, it is exact. Scores that are right or wrong make many tosses exactly as extreme as what was observed: counted
whole, a test at 5 % errs in 3 to 4 %, so a *mid-p* counts half of them (Lancaster 1961); exact tests are left whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.stats.contrast import stacked
from assay.stats.draws import BLOCK, EXACT
from assay.stats.endpoints import tolerance
from assay.stats.measured import Measured, OfPrepared, OfSpread, OfSums, Rows
from assay.stats.resample import affordable
from assay.stats.units import Index, distinct, unit_sums

EXACT_UNITS = 20
"""Up to so many units all sign patterns are gone through (about a million)."""

MERGE_PAIRS = 10
"""Equal pairs of rows are merged when at most one in so many is distinct: a binomial draw is dearer than a coin."""

SINGLE = 1e-5
"""What single precision may be off, in standard deviations of a tossed sum."""

Values = NDArray[np.float64]
Counts = NDArray[np.int64]


def sign_flip(
    differences: Values, *, resamples: int, rng: np.random.Generator, mid: bool = False
) -> tuple[Values, str]:
    """Two-sided p-values ``[m]`` that sums of ``differences[U, m]`` over units are no larger than chance makes them.

    ``mid`` counts half of the chance tosses that equal what was observed, unless that is 0. A column that holds infinity
    has no p-value: NaN.

    >>> p, how = sign_flip(np.ones((4, 1)), resamples=99, rng=np.random.default_rng(0))
    >>> p.tolist(), how
    ([0.125], 'sign-flip exact')
    """
    sound = np.isfinite(differences).all(axis=0)
    if not sound.all():
        p, how = sign_flip(np.where(sound, differences, 0.0), resamples=resamples, rng=rng, mid=mid)
        return np.where(sound, p, np.nan), how
    units = len(differences)
    observed = np.abs(differences.sum(axis=0))
    if units <= EXACT_UNITS:
        # Rounding must not turn a toss that equals the observed sum into a lesser one.
        at_least = observed - 1e-11 * np.maximum(np.abs(differences).sum(axis=0), 1e-300)
        half = units // 2
        first, second = (_all_signs(part) @ part for part in (differences[:half], differences[half:]))
        extreme = np.array(
            [(np.abs(a[:, None] + b) >= t).mean() for a, b, t in zip(first.T, second.T, at_least, strict=True)]
        )
        return extreme, "sign-flip exact"
    drawn = affordable(resamples, units)
    spread = np.sqrt((differences**2).sum(axis=0))  # of the sum under the tosses
    scale = np.where(spread > 0, spread, 1.0)
    small = (2 * differences / scale).astype(np.float32)
    total, goal = differences.sum(axis=0) / scale, observed / scale
    above, equal = np.zeros(differences.shape[1]), np.zeros(differences.shape[1])
    for heads in tosses(np.ones(units, dtype=np.int64), drawn, rng):
        tossed = np.abs(heads.astype(np.float32) @ small - total) - goal
        above += (tossed > SINGLE).sum(axis=0)
        equal += (np.abs(tossed) <= SINGLE).sum(axis=0)
    counted = np.where(mid & (goal > SINGLE), 0.5, 1.0)
    return (1 + above + counted * equal) / (1 + drawn), "sign-flip mid-p" if mid else "sign-flip"


def swap(
    metric: Measured,
    rows_a: Rows,
    rows_b: Rows,
    index: Index,
    *,
    resamples: int,
    rng: np.random.Generator,
    mid: bool = False,
) -> float:
    """The two-sided p-value of the difference of any aggregate when the two runs' rows change sides unit by unit.

    ``index`` numbers the units 0 … U - 1 of the aligned rows. Tosses that leave a side undefined do not count. All tosses
    are gone through where they are no more than ``resamples``; where the metric is one of sums, up to `EXACT_UNITS` units.
    ``mid`` as in `sign_flip`. NaN where the difference is undefined or infinite.
    """
    a, b, index, counts = _merged(metric, rows_a, rows_b, index)
    table = _table(metric, a, b)
    with np.errstate(invalid="ignore"):  # sums of infinity
        way = _of_rows(metric, a, b, index, counts) if table is None else _of_totals(*table, index, counts)
        observed = abs(float(way.difference(way.moved(np.zeros((1, len(counts)))))[0]))
    if not np.isfinite(observed):
        return np.nan
    units, slack = int(counts.sum()), tolerance(observed)
    if counts.max() == 1 and (1 << (units - 1) <= resamples if table is None else units <= EXACT_UNITS):
        tossed = np.abs(np.concatenate([way.difference(way.moved(block)) for block in _every_toss(units)]))
        tossed = tossed[~np.isnan(tossed)]
        return float((tossed >= observed - slack).mean()) if len(tossed) else 1.0
    drawn = tosses(counts, affordable(resamples, max(way.cost, 2 * len(index))), rng)
    tossed = np.abs(way.difference(np.concatenate([way.moved(heads) for heads in drawn]))) - observed
    above, equal, known = ((tossed > slack).sum(), (np.abs(tossed) <= slack).sum(), (~np.isnan(tossed)).sum())
    return float((1 + above + (0.5 if mid and observed > slack else 1.0) * equal) / (1 + known))


@dataclass(frozen=True, slots=True)
class _Way:
    """How a difference A - B follows from how many ``[b, k]`` of each kind of unit have changed sides: in two steps, of
    which the first makes little of a block and the second is done for all at once. ``cost``: numbers that a toss touches.
    """

    moved: Callable[[NDArray[Any]], Values]
    difference: Callable[[Values], Values]
    cost: int = 0


def tosses(counts: Counts, resamples: int, rng: np.random.Generator) -> Iterator[NDArray[Any]]:
    """Blocks ``[b, k]`` of how many of each kind of unit change sides, when each does with probability ½; whole numbers."""
    step = max(1, BLOCK // len(counts))
    for start in range(0, resamples, step):
        b = min(step, resamples - start)
        if counts.max() == 1:
            bits = np.frombuffer(rng.bytes(b * ((len(counts) + 7) // 8)), dtype=np.uint8).reshape(b, -1)
            yield np.unpackbits(bits, axis=1, count=len(counts))
        else:
            yield rng.binomial(counts, 0.5, size=(b, len(counts)))


def _of_totals(formula: Callable[[Values], Values], sums: Values, index: Index, counts: Counts) -> _Way:
    """From A's and B's sums: what has moved, and the formula of either side's totals."""
    first, second = (unit_sums(half, index) for half in np.split(sums, 2))
    total_a, total_b, gain = counts @ first, counts @ second, second - first
    whole = bool((gain == np.rint(gain)).all()) and (counts @ np.abs(gain)).max() < EXACT
    exact = gain.astype(np.float32 if whole else np.float64)  # whole numbers lose nothing in single precision

    def moved(swapped: NDArray[Any]) -> Values:
        return np.asarray(swapped.astype(exact.dtype, copy=False) @ exact, dtype=np.float64)

    return _Way(moved, lambda found: formula(total_a + found) - formula(total_b - found))


def _table(metric: Measured, a: Rows, b: Rows) -> tuple[Callable[[Values], Values], Values] | None:
    """A formula of totals and what is totalled, of A's rows and then of B's, where the metric is one of sums."""
    both = stacked({name: a[name] for name in metric.columns}, {name: b[name] for name in metric.columns})
    if isinstance(metric.aggregate, OfSums):
        return metric.aggregate.of_table(both)
    if isinstance(metric.aggregate, OfSpread):
        table = metric.aggregate.spread(both)
        return None if table is None else (metric.aggregate.formula, table)
    return None


def _of_rows(metric: Measured, a: Rows, b: Rows, index: Index, counts: Counts) -> _Way:
    """The same of any aggregate, which sees the rows of both sides and weighs each side's."""
    both, evaluate, cost = stacked(a, b), metric.aggregate, 0
    if isinstance(evaluate, OfPrepared):
        order, state = evaluate.prepare(both)
        formula, cost = evaluate.evaluate, 0 if evaluate.cost is None else evaluate.cost(state)

        def prepared(_: Rows, weights: Values) -> Values:
            return formula(state, weights[:, order])

        evaluate = prepared

    def difference(swapped: NDArray[Any]) -> Values:
        go = swapped.astype(np.float64, copy=False)
        stay, go = (counts - go)[:, index], go[:, index]
        return evaluate(both, np.hstack([stay, go])) - evaluate(both, np.hstack([go, stay]))

    return _Way(difference, lambda found: found, 2 * cost)


def _merged(metric: Measured, rows_a: Rows, rows_b: Rows, index: Index) -> tuple[Rows, Rows, Index, Counts]:
    """Equal pairs of rows that are units of their own, kept once with their number; other rows as they are."""
    units = int(index.max()) + 1
    a, b = ({name: rows[name] for name in metric.columns} for rows in (rows_a, rows_b))
    if units == len(index):
        same = distinct([*a.values(), *b.values()], units // MERGE_PAIRS)
        if same is not None:
            a, b = ({name: column[same[0]] for name, column in rows.items()} for rows in (a, b))
            return a, b, np.arange(len(same[0])), same[1]
    return a, b, index, np.ones(units, dtype=np.int64)


def _all_signs(part: Values) -> Values:
    """Every pattern of signs ``[2^u, u]`` of ``u`` units."""
    u = len(part)
    return np.where((np.arange(1 << u)[:, None] >> np.arange(u)) & 1, -1.0, 1.0)


def _every_toss(units: int) -> Iterator[Values]:
    """All tosses of the units in which the last stays (the others only exchange A and B), in blocks."""
    step = max(1, BLOCK // units)
    for start in range(0, 1 << (units - 1), step):
        pattern = np.arange(start, min(start + step, 1 << (units - 1)))
        yield ((pattern[:, None] >> np.arange(units)) & 1).astype(np.float64)
