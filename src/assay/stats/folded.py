"""A metric's rows folded to the units that are resampled, so that a resample costs as little as it can.

Sums are added up per unit beforehand; units that are equal are kept once, with their number. A bootstrap of a
confusion matrix then draws one multinomial over its cells, however many rows there were.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.stats.measured import Measured, OfSpread, OfSums, Rows, Weights

Index = NDArray[np.intp]

MERGE_SUMS = 30
"""Units with equal sums are merged when at most one in so many is distinct; else metrics had better share draws."""

MERGE_ROWS = 2
"""The same for rows of an aggregate that is more than sums, where each row costs more than its draw."""

GROUPS = 1_000
"""With more units than this, a general aggregate's jackknife leaves out groups of them, not single ones."""

BLOCK = 1 << 18
"""Numbers in a block of weights (2 MB): no array of resamples × units is ever made."""


@dataclass(frozen=True, slots=True)
class Folded:
    """Rows as ``k`` folded units: how many equal units each stands for, and the metric as a function of them.

    ``evaluate`` gives the value under weights ``[b, k]`` of the folded units; ``jackknife`` the values with one unit
    (or one group of units) left out, ``[g]``, and how many times each of them counts, ``[g]``.
    """

    counts: NDArray[np.int64]
    evaluate: Callable[[Weights], NDArray[np.float64]]
    jackknife: Callable[[], tuple[NDArray[np.float64], NDArray[np.int64]]]

    @property
    def merged(self) -> bool:
        """Whether a folded unit stands for several."""
        return bool(self.counts.max(initial=1) > 1)


def codes(unit: Sequence[Any] | NDArray[Any] | None, n: int) -> Index:
    """For each of ``n`` rows the number of its unit, 0 … ; every row is its own unit when ``unit`` is None."""
    if unit is None:
        return np.arange(n)
    if len(unit) != n:
        raise ValueError(f"one unit a row was expected: {n} rows, {len(unit)} units")
    return np.unique(np.asarray(unit), return_inverse=True)[1]


def fold(metric: Measured, rows: Rows, index: Index) -> Folded:
    """Fold ``rows`` (all of them defined) by ``index``, whose numbers 0 … U - 1 all occur."""
    if isinstance(metric.aggregate, OfSums):
        return _fold_sums(metric.aggregate, rows, index)
    if isinstance(metric.aggregate, OfSpread) and index.max() + 1 < len(index):
        table = metric.aggregate.spread({name: rows[name] for name in metric.columns})
        if table is not None:
            return _fold_table(metric.aggregate.formula, unit_sums(table, index))
    return _fold_rows(metric, rows, index)


def unit_sums(matrix: NDArray[np.float64], index: Index) -> NDArray[np.float64]:
    """The sum ``[U, k]`` over each unit of the rows of ``matrix[n, k]``."""
    if len(matrix) and index.max() + 1 == len(matrix) and bool((index == np.arange(len(matrix))).all()):
        return matrix
    order = np.argsort(index, kind="stable")
    starts = np.searchsorted(index[order], np.arange(index.max() + 1))
    return np.asarray(np.add.reduceat(matrix[order], starts, axis=0))


def distinct(columns: Sequence[NDArray[Any]], limit: int) -> tuple[Index, NDArray[np.int64]] | None:
    """The first row of each set of equal rows and the size of the set; None when there are more than ``limit``."""
    code = np.zeros(len(columns[0]), dtype=np.intp)
    for column in columns:
        for part in column.reshape(len(column), -1).T:
            values, inverse = np.unique(part, return_inverse=True)
            if len(values) > limit:
                return None
            code = np.unique(code * len(values) + inverse, return_inverse=True)[1]
            if code.max(initial=0) >= limit:
                return None
    _, first, counts = np.unique(code, return_index=True, return_counts=True)
    return first, counts.astype(np.int64)


def _fold_sums(aggregate: OfSums, rows: Rows, index: Index) -> Folded:
    arrays = [np.asarray(rows[name], dtype=np.float64) for name in aggregate.columns]
    tails = [array.shape[1:] for array in arrays]
    widths = np.cumsum([1, *(int(np.prod(tail)) for tail in tails)])[:-1]
    table = np.column_stack([np.ones(len(index)), *(array.reshape(len(array), -1) for array in arrays)])

    def of(totals: NDArray[np.float64]) -> NDArray[np.float64]:
        parts = np.split(totals, widths, axis=1)
        shaped = (part.reshape(len(part), *tail) for part, tail in zip(parts[1:], tails, strict=True))
        return aggregate.formula(parts[0][:, 0], *shaped)

    return _fold_table(of, unit_sums(table, index))


def _fold_table(of: Callable[[NDArray[np.float64]], NDArray[np.float64]], sums: NDArray[np.float64]) -> Folded:
    """A formula ``of`` the weighted totals of the units' sums ``[U, c]``; equal units are merged where that pays."""
    counts = np.ones(len(sums), dtype=np.int64)
    same = distinct([sums], len(sums) // MERGE_SUMS)
    if same is not None:
        sums, counts = sums[same[0]], same[1]
    return Folded(counts, lambda weights: of(weights @ sums), lambda: (of(counts @ sums - sums), counts))


def _fold_rows(metric: Measured, rows: Rows, index: Index) -> Folded:
    n, units = len(index), int(index.max()) + 1
    if units == n:
        ordered = {name: rows[name][np.argsort(index)] for name in metric.columns}
        same = distinct(list(ordered.values()), n // MERGE_ROWS)
        if same is not None:
            ordered = {name: column[same[0]] for name, column in ordered.items()}
        counts = np.ones(n, dtype=np.int64) if same is None else same[1]

        def evaluate(weights: Weights) -> NDArray[np.float64]:
            return metric.aggregate(ordered, weights)
    else:
        counts = np.ones(units, dtype=np.int64)

        def evaluate(weights: Weights) -> NDArray[np.float64]:
            return metric.aggregate(rows, weights[:, index])

    return Folded(counts, evaluate, lambda: _leave_out(evaluate, counts))


def _leave_out(
    evaluate: Callable[[Weights], NDArray[np.float64]], counts: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The values with one unit, or one of `GROUPS` interleaved groups of units, left out."""
    k = len(counts)
    grouped = k > GROUPS and counts.max() == 1
    group = np.arange(k) % GROUPS if grouped else np.arange(k)
    rows = GROUPS if grouped else k
    step = max(1, BLOCK // k)
    values = [
        evaluate(counts - (group == np.arange(start, min(start + step, rows))[:, None]).astype(np.float64))
        for start in range(0, rows, step)
    ]
    return np.concatenate(values), np.ones(rows, dtype=np.int64) if grouped else counts
