"""The difference of a metric between two runs as a metric of its own, over rows that hold both runs' columns.

A difference of formulas of sums is a formula of sums, and so on: a contrast folds to units as its metric does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.stats.measured import Aggregate, Measured, OfPrepared, OfSpread, OfSums, Rows, Weights

SIDES = ("a", "b")
ITEM = "a-b"

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Contrast:
    """A - B of ``of``, over the rows that `paired_rows` makes. It is `assay.stats.measured.Measured`."""

    of: Measured

    @property
    def name(self) -> str:
        """The metric's own name."""
        return self.of.name

    @property
    def better(self) -> str:
        """The metric's own direction."""
        return self.of.better

    @property
    def item(self) -> str | None:
        """The difference of the items, where the metric is their mean."""
        return None if self.of.item is None else f"{ITEM}:{self.of.item}"

    @property
    def columns(self) -> tuple[str, ...]:
        """The difference of the items, or the columns of both runs."""
        if self.item is not None:
            return (self.item,)
        return tuple(f"{side}:{name}" for side in SIDES for name in self.of.columns)

    @property
    def interval(self) -> str:
        """A difference of proportions is no proportion: it is resampled."""
        return "bca" if self.of.interval == "wilson" else self.of.interval

    @property
    def bounds(self) -> tuple[float, float]:
        """From as far below as above."""
        low, high = self.of.bounds
        return low - high, high - low

    @property
    def aggregate(self) -> Aggregate:
        """The metric's aggregate of A's columns less that of B's."""
        if self.item is not None:
            return OfSums(_mean, (self.item,))
        of = self.of.aggregate
        if isinstance(of, OfSums):
            return _of_sums(of)
        if isinstance(of, OfSpread):
            return OfSpread(self._between, self._spread, _halves(of))
        if isinstance(of, OfPrepared):
            return OfPrepared(self._prepare, self._evaluate, self.columns, None if of.cost is None else self._cost)
        return self._between

    def _side(self, rows: Rows, side: str) -> Rows:
        return {name: rows[f"{side}:{name}"] for name in self.of.columns}

    def _between(self, rows: Rows, weights: Weights) -> Values:
        a, b = (self.of.aggregate(self._side(rows, side), weights) for side in SIDES)
        return a - b

    def _spread(self, rows: Rows) -> Values | None:
        """Both sides are spread as one, so that they have the same columns (the classes of either)."""
        both = stacked(self._side(rows, "a"), self._side(rows, "b"))
        assert isinstance(self.of.aggregate, OfSpread)
        table = self.of.aggregate.spread(both)
        return None if table is None else np.hstack(np.split(table, 2))

    def _prepare(self, rows: Rows) -> tuple[NDArray[np.intp], Any]:
        assert isinstance(self.of.aggregate, OfPrepared)
        (first, a), (second, b) = (self.of.aggregate.prepare(self._side(rows, side)) for side in SIDES)
        return np.arange(len(rows[self.columns[0]])), ((first, a), (second, b))

    def _cost(self, state: Any) -> int:
        assert isinstance(self.of.aggregate, OfPrepared)
        cost = self.of.aggregate.cost
        return 0 if cost is None else sum(cost(prepared) for _, prepared in state)

    def _evaluate(self, state: Any, weights: Weights) -> Values:
        assert isinstance(self.of.aggregate, OfPrepared)
        a, b = (self.of.aggregate.evaluate(prepared, weights[:, order]) for order, prepared in state)
        return a - b


def paired_rows(rows_a: Rows, rows_b: Rows) -> Rows:
    """The columns of both runs side by side, and the difference of each that holds numbers."""
    out = {
        f"{side}:{name}": column
        for side, rows in zip(SIDES, (rows_a, rows_b), strict=True)
        for name, column in rows.items()
    }
    with np.errstate(invalid="ignore"):  # infinity less infinity is undefined
        for name in rows_a:
            if rows_a[name].dtype.kind in "fiub":
                out[f"{ITEM}:{name}"] = np.asarray(rows_a[name], np.float64) - np.asarray(rows_b[name], np.float64)
    return out


def stacked(rows_a: Rows, rows_b: Rows) -> Rows:
    """A's rows and then B's, as one."""
    return {name: np.concatenate([rows_a[name], rows_b[name]]) for name in rows_a}


def _of_sums(of: OfSums) -> OfSums:
    columns = len(of.columns)

    def between(total: Values, *sums: Values) -> Values:
        return of.formula(total, *sums[:columns]) - of.formula(total, *sums[columns:])

    return OfSums(between, tuple(f"{side}:{name}" for side in SIDES for name in of.columns))


def _halves(of: OfSpread) -> Any:
    def between(sums: Values) -> Values:
        a, b = np.split(sums, 2, axis=1)
        return of.formula(a) - of.formula(b)

    return between


def _mean(total: Values, summed: Values) -> Values:
    out = np.full(total.shape, np.nan)
    np.divide(summed, total, out=out, where=total != 0)
    return out
