"""What statistics need to know of a metric: rows, an aggregate under weights, bounds, a direction.

``rows`` is a dict of numpy arrays whose first axis is the row; ``weights`` is ``float64[b, n]``; an aggregate gives
``float64[b]``. An aggregate that is a formula of weighted sums is an `OfSums`: its rows can be folded to one row a
unit before anything is resampled, which is what makes intervals cheap.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Rows = Mapping[str, NDArray[Any]]
Weights = NDArray[np.float64]
Aggregate = Callable[[Rows, Weights], NDArray[np.float64]]


class Measured(Protocol):
    """The part of a metric that statistics see; `assay.metrics.metric.Metric` is one."""

    @property
    def name(self) -> str:
        """Its name, for answers and messages."""

    @property
    def aggregate(self) -> Aggregate:
        """Rows and weights to values."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the aggregate reads; a row with NaN in one of them is undefined."""

    @property
    def item(self) -> str | None:
        """The column whose mean is the value, if there is one."""

    @property
    def interval(self) -> str:
        """``wilson``, ``bca``, ``bias_corrected``, ``t`` or ``none``."""

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the greatest value that it can take."""

    @property
    def better(self) -> str:
        """``higher`` or ``lower``."""


@dataclass(frozen=True, slots=True)
class Statistic:
    """A statistic of one's own for `assay.stats.intervals` and `assay.stats.compare`: a name, an aggregate, its columns.

    >>> from assay.stats import intervals
    >>> share = Statistic("share", OfSums(lambda n, x, y: x / (x + y), ("x", "y")), ("x", "y"))
    >>> rows = {"x": np.arange(50.0), "y": np.ones(50)}
    >>> round(intervals([share], rows)[0].value, 3)
    0.961
    """

    name: str
    aggregate: Aggregate
    columns: tuple[str, ...]
    item: str | None = None
    interval: str = "bca"
    bounds: tuple[float, float] = (-math.inf, math.inf)
    better: str = "higher"


@dataclass(frozen=True, slots=True)
class OfSums:
    """An aggregate that is a formula of weighted sums of columns.

    ``formula`` takes the sum of the weights ``[b]`` and then the weighted sum of each column (``[b]`` for a plain
    column, ``[b, c]`` for one of ``c`` numbers a row) and returns ``[b]``. Rows that hold NaN are left out.

    >>> share = OfSums(lambda total, right: right / total, ("right",))
    >>> share({"right": np.array([1.0, 0.0, np.nan])}, np.array([[1.0, 1.0, 1.0], [3.0, 1.0, 0.0]]))
    array([0.5 , 0.75])
    """

    formula: Callable[..., NDArray[np.float64]]
    columns: tuple[str, ...]

    def __call__(self, rows: Rows, weights: Weights) -> NDArray[np.float64]:
        """The value under each of the weight vectors ``[b, n]``."""
        there = defined(rows, self.columns)
        if not there.all():
            rows, weights = {name: rows[name][there] for name in self.columns}, weights[:, there]
        sums = (weights @ np.asarray(rows[name], dtype=np.float64) for name in self.columns)
        return self.formula(weights.sum(axis=1), *sums)

    def of_table(self, rows: Rows) -> tuple[Callable[[NDArray[np.float64]], NDArray[np.float64]], NDArray[np.float64]]:
        """The formula as one of totals ``[b, 1 + c]``, and the table ``[n, 1 + c]`` that is totalled: ones, then the columns."""
        arrays = [np.asarray(rows[name], dtype=np.float64) for name in self.columns]
        flat = [array.reshape(len(array), -1) for array in arrays]
        places = np.cumsum([1, *(part.shape[1] for part in flat)])[:-1]

        def of(totals: NDArray[np.float64]) -> NDArray[np.float64]:
            first, *rest = np.split(totals, places, axis=1)
            shaped = (part.reshape(len(part), *array.shape[1:]) for part, array in zip(rest, arrays, strict=True))
            return self.formula(first[:, 0], *shaped)

        return of, np.column_stack([np.ones(len(arrays[0])), *flat])


@dataclass(frozen=True, slots=True)
class OfSpread:
    """An aggregate that becomes a formula of weighted sums once its rows are spread over many columns.

    ``spread`` makes those columns ``float64[n, c]`` from the rows, or None where they would be too many; ``formula``
    takes their weighted sums ``[b, c]``. ``direct`` gives the same values without spreading. Confusion counts, one
    column a class, are of this kind.
    """

    direct: Aggregate
    spread: Callable[[Rows], NDArray[np.float64] | None]
    formula: Callable[[NDArray[np.float64]], NDArray[np.float64]]

    def __call__(self, rows: Rows, weights: Weights) -> NDArray[np.float64]:
        """The value under each of the weight vectors ``[b, n]``."""
        return self.direct(rows, weights)


@dataclass(frozen=True, slots=True)
class OfPrepared:
    """An aggregate that works something out of its rows once (an order, ties, matches) before many weight vectors.

    ``prepare`` takes the rows and returns the order in which it wants them weighted (`intp[m]`; rows that it does not
    name have no say) and anything that ``evaluate`` needs; ``evaluate`` takes that and weights ``[b, m]`` in that order.
    ``columns`` are those it reads; rows that hold NaN in them are left out. ``cost`` says of what was prepared how many
    numbers a weight vector touches, where that is more than one a row: the dearer, the fewer resamples. Metrics that
    have ``prepare`` in common prepare once. Areas under curves are of this kind.

    >>> def by_size(rows):
    ...     order = np.argsort(rows["x"])
    ...     return order, rows["x"][order]
    >>> def median(x, weights):
    ...     reached = weights.cumsum(axis=1) >= weights.sum(axis=1, keepdims=True) / 2
    ...     return x[reached.argmax(axis=1)]
    >>> OfPrepared(by_size, median, ("x",))({"x": np.array([3.0, 1.0, 2.0])}, np.array([[1.0, 1, 1], [3, 1, 1]]))
    array([2., 3.])
    """

    prepare: Callable[[Rows], tuple[NDArray[np.intp], Any]]
    evaluate: Callable[[Any, Weights], NDArray[np.float64]]
    columns: tuple[str, ...]
    cost: Callable[[Any], int] | None = None

    def __call__(self, rows: Rows, weights: Weights) -> NDArray[np.float64]:
        """The value under each of the weight vectors ``[b, n]``; NaN where there are no rows."""
        there = defined(rows, self.columns)
        if not there.any():
            return np.full(len(weights), np.nan)
        order, state = self.prepare({name: rows[name][there] for name in self.columns})
        return self.evaluate(state, weights[:, np.flatnonzero(there)[order]])


def columns_of(metrics: Sequence[Measured], rows: Rows) -> tuple[Rows, int]:
    """The columns that ``metrics`` read, as arrays, and how many rows they have.

    Raises `ValueError` for a column that is not there, and for columns that differ in length.
    """
    out: dict[str, NDArray[Any]] = {}
    for metric in metrics:
        for name in metric.columns:
            if name not in rows:
                raise ValueError(f"{metric.name} reads the column {name!r}; the rows have {', '.join(rows) or 'none'}")
            out[name] = np.asarray(rows[name])
    lengths = {name: len(column) for name, column in out.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"columns of one length were expected, not {lengths}")
    return out, next(iter(lengths.values()))


def defined(rows: Rows, columns: tuple[str, ...]) -> NDArray[np.bool_]:
    """``bool[n]``: the rows that hold NaN in none of the columns.

    >>> defined({"a": np.array([1.0, np.nan]), "b": np.array([1, 2])}, ("a", "b")).tolist()
    [True, False]
    """
    there = np.ones(len(rows[columns[0]]), dtype=np.bool_)
    for name in columns:
        column = rows[name]
        if column.dtype.kind == "f":
            missing = np.isnan(column)
            there &= ~missing.any(axis=tuple(range(1, missing.ndim)))
    return there
