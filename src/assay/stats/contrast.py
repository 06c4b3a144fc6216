"""The difference of a metric between two runs as a metric of its own, over rows that hold both runs' columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.stats.measured import Aggregate, Measured, OfSums, Rows, Weights

SIDES = ("a", "b")
ITEM = "a-b"


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
            return self._of_items
        return self._between

    @property
    def _of_items(self) -> OfSums:
        assert self.item is not None
        return OfSums(_mean, (self.item,))

    def _between(self, rows: Rows, weights: Weights) -> NDArray[np.float64]:
        a, b = ({name: rows[f"{side}:{name}"] for name in self.of.columns} for side in SIDES)
        return self.of.aggregate(a, weights) - self.of.aggregate(b, weights)


def paired_rows(rows_a: Rows, rows_b: Rows) -> Rows:
    """The columns of both runs side by side, and the difference of each that holds floats."""
    out = {
        f"{side}:{name}": column
        for side, rows in zip(SIDES, (rows_a, rows_b), strict=True)
        for name, column in rows.items()
    }
    out.update((f"{ITEM}:{name}", rows_a[name] - rows_b[name]) for name in rows_a if rows_a[name].dtype.kind == "f")
    return out


def _mean(total: NDArray[np.float64], summed: NDArray[np.float64]) -> NDArray[np.float64]:
    out = np.full(total.shape, np.nan)
    np.divide(summed, total, out=out, where=total != 0)
    return out
