"""A metric's rows folded to the units that are resampled, so that a resample costs as little as it can.

Sums are added up per unit beforehand; units that are equal are kept once, with their number. A bootstrap of a
confusion matrix then draws one multinomial over its cells, however many rows there were. Where units stay distinct, the
weighted sums are matrix products in single precision of columns that were centred and scaled first: what rounding is
left is about 1e-7 of the standard error, and `assay.stats.resample` checks it against double precision.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.stats.draws import BLOCK, Counts
from assay.stats.measured import Measured, OfPrepared, OfSpread, OfSums, Rows, Weights
from assay.stats.units import Index, LeftOut, are_records, codes, distinct, unit_sums

__all__ = ["Folded", "codes", "fold", "unit_sums"]

Values = NDArray[np.float64]

MERGE_SUMS = 150
"""Units with equal sums are merged when at most one in so many is distinct: beyond, metrics had better share draws of all."""

FEW_SUMS = 8, 30
"""So few distinct sums are merged in any case, when at most one unit in so many is distinct."""

MERGE_ROWS = 2
"""The same for rows of an aggregate that is more than sums, where each row costs more than its draw."""

SINGLY = 1_000
"""With more units than this, a general aggregate's jackknife leaves out groups of them, not single ones."""

GROUPS = 400
"""At most so many groups."""


NARROW = 4
"""Up to so many columns are multiplied one by one, which is faster, and each as if it were alone."""


@dataclass(frozen=True, slots=True)
class Coarse:
    """A formula of totals in two steps, so that it need not be worked out block by block.

    ``moved`` gives, for single-precision weights of a bootstrap, how far ``width`` totals are from those of all units, in
    parts of a scale; ``values`` what the formula makes of that.
    """

    width: int
    moved: Callable[[Counts], NDArray[np.float32]]
    values: Callable[[NDArray[np.float32]], Values]

    def __call__(self, weights: Counts) -> Values:
        """The values under weights ``[b, k]``."""
        return self.values(self.moved(weights))


@dataclass(frozen=True, slots=True)
class Folded:
    """Rows as ``k`` folded units: how many equal units each stands for, and the metric as a function of them.

    ``evaluate`` gives the value under weights ``[b, k]`` of the folded units, ``coarse`` the same from single-precision
    weights of a bootstrap, where there is such a way; ``strata`` are the numbers of folded units in each stratum, in order;
    ``cost`` is how many numbers a weight vector touches.
    """

    counts: NDArray[np.int64]
    evaluate: Callable[[Weights], Values]
    jackknife: Callable[[], LeftOut]
    coarse: Coarse | None = None
    strata: tuple[int, ...] = ()
    cost: int = 0

    @property
    def merged(self) -> bool:
        """Whether a folded unit stands for several."""
        return bool(self.counts.max(initial=1) > 1)


Prepared = dict[Any, tuple[Index, Any]]
"""What aggregates have prepared of some rows, by the function that did and the columns that it read."""


def fold(
    metric: Measured, rows: Rows, index: Index, strata: Index | None = None, prepared: Prepared | None = None
) -> Folded:
    """Fold ``rows`` (all of them defined) by ``index``, whose numbers 0 … U - 1 all occur.

    ``strata[U]`` numbers the units' strata and does not decrease (None: there is one). ``prepared`` is kept by a caller who
    folds the same rows for several metrics.
    """
    if strata is None:
        strata = np.zeros(int(index.max()) + 1, dtype=np.intp)
    aggregate = metric.aggregate
    if isinstance(aggregate, OfSums):
        of, table = aggregate.of_table(rows)
        return _fold_table(of, unit_sums(table, index), strata)
    return _fold_rows(metric, rows, index, strata, {} if prepared is None else prepared)


def _fold_table(of: Callable[[Values], Values], sums: Values, strata: Index) -> Folded:
    """A formula ``of`` the weighted totals of the units' sums ``[U, c]``; equal units are merged where that pays."""
    few = min(FEW_SUMS[0], len(sums) // FEW_SUMS[1])
    same = distinct([strata, sums], max(few, len(sums) // MERGE_SUMS))
    if same is None:
        return _of_totals(of, sums, np.ones(len(sums), dtype=np.int64), strata)
    return _of_totals(of, sums[same[0]], same[1], strata[same[0]])


def _of_totals(of: Callable[[Values], Values], sums: Values, counts: NDArray[np.int64], strata: Index) -> Folded:
    runs = tuple(np.bincount(strata).tolist())
    return Folded(
        counts,
        lambda weights: of(weights @ sums),
        lambda: LeftOut(of(_totals_without(sums, counts, strata)), counts, runs),
        _single(of, sums) if counts.max(initial=1) == 1 else None,
        runs,
    )


def _totals_without(sums: Values, counts: NDArray[np.int64], strata: Index) -> Values:
    """The totals ``[k, c]`` without one unit; with strata its stratum's other units weigh more, so that it keeps its size."""
    total = counts @ sums
    if not strata.any():
        return np.asarray(total - sums)
    starts = np.flatnonzero(np.diff(strata, prepend=-1))
    of = np.add.reduceat(counts[:, None] * sums, starts, axis=0)[strata]
    size = np.bincount(strata, counts)[strata][:, None]
    return np.asarray(total - of + np.where(size > 1, (of - sums) * size / np.maximum(size - 1, 1), of))


def _single(of: Callable[[Values], Values], sums: Values) -> Coarse | None:
    """``of(weights @ sums)`` for weights that sum to the number of units, in single precision of centred, scaled columns."""
    with np.errstate(over="ignore", invalid="ignore"):
        centre = sums.mean(axis=0)
        rest = sums - centre
    if not np.isfinite(rest).all():
        return None
    scale = np.abs(rest).max(axis=0)
    varying = np.flatnonzero(scale > 0)
    scale, total = scale[varying], len(sums) * centre
    small = (rest[:, varying] / scale).astype(np.float32)
    columns = np.ascontiguousarray(small.T) if len(varying) <= NARROW else None

    def moved(weights: Counts) -> NDArray[np.float32]:
        found = weights @ small if columns is None else np.column_stack([weights @ column for column in columns])
        return np.asarray(found, dtype=np.float32)

    def values(found: NDArray[np.float32]) -> Values:
        totals = np.tile(total, (len(found), 1))
        totals[:, varying] += found * scale
        return of(totals)

    return Coarse(len(varying), moved, values) if len(varying) else None


def _fold_rows(metric: Measured, rows: Rows, index: Index, strata: Index, prepared: Prepared) -> Folded:
    """An aggregate that is more than sums; equal rows that are units of their own are merged where that pays."""
    n, units = len(index), len(strata)
    rows = {name: rows[name] for name in metric.columns}
    counts = np.ones(units, dtype=np.int64)
    if units == n and not any(are_records(column) for column in rows.values()):
        rows = {name: column[np.argsort(index)] for name, column in rows.items()}
        same = distinct([strata, *rows.values()], n // MERGE_ROWS)
        if same is not None:
            rows = {name: column[same[0]] for name, column in rows.items()}
            counts, strata = same[1], strata[same[0]]
        index = np.arange(len(counts))
    if isinstance(metric.aggregate, OfSpread):
        table = metric.aggregate.spread(rows)
        if table is not None and units < n:
            return _fold_table(metric.aggregate.formula, unit_sums(table, index), strata)
        if table is not None:
            return _of_totals(metric.aggregate.formula, table, counts, strata)
    if isinstance(metric.aggregate, OfPrepared):
        return _fold_prepared(metric.aggregate, rows, index, counts, strata, prepared)
    aggregate, alone = metric.aggregate, len(index) == len(counts)
    evaluate = _in_blocks(lambda w: aggregate(rows, w if alone else w.take(index, axis=1)), len(index))
    return _of_evaluated(evaluate, counts, strata)


def _of_evaluated(
    evaluate: Callable[[Weights], Values], counts: NDArray[np.int64], strata: Index, cost: int = 0
) -> Folded:
    runs = tuple(np.bincount(strata).tolist())
    return Folded(counts, evaluate, lambda: _leave_out(evaluate, counts, strata), strata=runs, cost=cost)


def _fold_prepared(
    aggregate: OfPrepared, rows: Rows, index: Index, counts: NDArray[np.int64], strata: Index, prepared: Prepared
) -> Folded:
    """An aggregate that prepares something of the rows, which is done once.

    Where rows are units of one stratum they are numbered in the order that it wants: then no weight need be looked up.
    """
    key = aggregate.prepare, tuple(rows)
    if key not in prepared:
        prepared[key] = aggregate.prepare(rows)
    order, state = prepared[key]
    formula, cost = aggregate.evaluate, 0 if aggregate.cost is None else aggregate.cost(state)
    place = index[order]
    once = len(order) == len(counts) and bool((np.bincount(place, minlength=len(counts)) == 1).all())
    if once and len(index) == len(counts) and not strata.any():
        return _of_evaluated(_in_blocks(lambda w: formula(state, w), len(order)), counts[place], strata, cost)
    return _of_evaluated(_in_blocks(lambda w: formula(state, w.take(place, axis=1)), len(order)), counts, strata, cost)


def _in_blocks(evaluate: Callable[[Weights], Values], rows: int) -> Callable[[Weights], Values]:
    """The same a few weight vectors at a time, so that what an aggregate makes of them stays in the processor's cache."""
    step = max(1, BLOCK // max(rows, 1))

    def of(weights: Weights) -> Values:
        parts = [evaluate(weights[start : start + step]) for start in range(0, len(weights), step)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    return of


def _leave_out(evaluate: Callable[[Weights], Values], counts: NDArray[np.int64], strata: Index) -> LeftOut:
    """The values with one unit, or with many units one interleaved group of a stratum's, left out.

    A stratum of one unit is not left out: its value is that of all.
    """
    k = len(counts)
    group, runs = np.arange(k), np.bincount(strata)
    stands = counts
    if k > SINGLY and counts.max() == 1:
        groups = -(-runs // -(-k // GROUPS))  # of one size, but for a stratum's last
        first = np.cumsum(groups) - groups
        group = np.concatenate(
            [start + np.arange(run) % of for start, run, of in zip(first, runs, groups, strict=True)]
        )
        runs, stands = groups, np.ones(int(groups.sum()), dtype=np.int64)
    of = np.repeat(np.arange(len(runs)), runs)
    step = max(1, BLOCK // k)
    values = []
    for start in range(0, len(stands), step):
        place = np.arange(start, min(start + step, len(stands)))
        left = counts - (group == place[:, None]).astype(np.float64)
        values.append(evaluate(left if len(runs) == 1 else _at_full_size(left, counts, strata, of[place])))
    return LeftOut(np.concatenate(values), stands, tuple(runs.tolist()))


def _at_full_size(left: Weights, counts: NDArray[np.int64], strata: Index, of: Index) -> Weights:
    """Weights ``[b, k]`` that lack units of the stratum ``of[b]``, whose others weigh more, so that it keeps its size."""
    inside = strata == of[:, None]
    rest = (left * inside).sum(axis=1)
    size = np.bincount(strata, counts)[of]
    more = np.where(rest > 0, size / np.maximum(rest, 1), 1.0)
    left = np.where(inside, left * more[:, None], left)
    return np.where(inside & (rest == 0)[:, None], counts, left)
