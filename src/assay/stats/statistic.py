"""The bootstrap of any statistic that is a function of arrays: drawn by row, unit or within strata.

For statistics that can be written as a formula of weighted sums, `assay.stats.interval` is hundreds of times faster.
Source: Efron & Tibshirani 1993; Davison & Hinkley 1997, chapter 3 (strata).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.stats.draws import draws
from assay.stats.endpoints import acceleration, basic, bca, percentile, tolerance
from assay.stats.inputs import share
from assay.stats.streams import stream
from assay.stats.units import Index, Labels, LeftOut, by_stratum, codes

METHODS = ("bca", "percentile", "basic", "bias_corrected")

Values = NDArray[np.float64]
Statistic = Callable[..., float]


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """A statistic's value with its interval and standard error over ``n`` units.

    ``degenerate``: no resample moved the value, so that the interval is a point and says nothing of uncertainty.
    ``n_undefined`` resamples gave NaN and were left out; many of them make the interval doubtful. ``replicates`` are the
    values of all resamples.
    """

    value: float
    low: float
    high: float
    se: float
    n: int
    method: str
    degenerate: bool
    n_undefined: int
    replicates: Values = field(repr=False, compare=False)


def bootstrap(
    data: ArrayLike | tuple[ArrayLike, ...],
    statistic: Statistic,
    unit: Labels | None = None,
    *,
    stratum: Labels | None = None,
    method: str = "bca",
    seed: int = 0,
    resamples: int = 9_999,
    level: float = 0.95,
) -> Bootstrap:
    """The bootstrap interval of ``statistic(*columns) -> float``, where ``data`` is one column or a tuple of paired columns.

    A column is an array whose first axis is the row. ``unit`` labels the rows that are drawn together, ``stratum`` the
    strata that keep their number of units. ``method``: ``bca`` (with the jackknife over units), ``percentile``,
    ``basic``, ``bias_corrected``. A statistic may give NaN where it is undefined. Raises `ValueError` for columns of
    unequal length, no rows, another method, and as `assay.stats.intervals`.

    >>> x = np.array([.1, .4, .35, .9, .6, .2, .75, .55, .05, .8])
    >>> found = bootstrap(x, np.mean)
    >>> round(found.low, 1), round(found.high, 1)
    (0.3, 0.6)
    """
    how = _How(method, seed, resamples, level)
    columns = _columns(data)
    index, strata = by_stratum(codes(unit, len(columns[0])), stratum)
    rows = _Rows.of(index)
    if strata is None:
        strata = np.zeros(len(rows.sizes), dtype=np.intp)
    return _bootstrapped(columns, statistic, rows, strata, how)


def two_stage_bootstrap(
    data: ArrayLike | tuple[ArrayLike, ...],
    statistic: Statistic,
    unit: Labels,
    *,
    method: str = "percentile",
    seed: int = 0,
    resamples: int = 9_999,
    level: float = 0.95,
) -> Bootstrap:
    """The bootstrap in two stages: units are drawn, and of every unit drawn as many of its rows as it has, with replacement.

    For rows that are themselves a sample of what the unit could have given (answers at a temperature). It errs on the wide
    side: a unit's mean varies with its rows already, and drawing them adds that again; `bootstrap` by unit is
    nearer to its level (Davison & Hinkley 1997, section 3.8). Arguments and errors are those of `bootstrap`.

    >>> x, unit = np.repeat([0.0, 1.0, 2.0, 3.0], 3) + np.tile([-1.0, 0.0, 1.0], 4), np.repeat(range(4), 3)
    >>> two_stage_bootstrap(x, np.mean, unit).se > bootstrap(x, np.mean, unit).se
    True
    """
    how = _How(method, seed, resamples, level)
    columns = _columns(data)
    rows = _Rows.of(codes(unit, len(columns[0])))
    rng = stream(seed, "bootstrap", "within")

    def taken(counts: Index) -> Index:
        units = np.repeat(np.arange(len(counts)), counts)
        sizes = np.repeat(rows.sizes[units], rows.sizes[units])
        return np.asarray(rows.order[np.repeat(rows.starts[units], rows.sizes[units]) + rng.integers(0, sizes)])

    return _bootstrapped(columns, statistic, rows, np.zeros(len(rows.sizes), dtype=np.intp), how, taken)


@dataclass(frozen=True, slots=True)
class _How:
    """How the interval is made; raises `ValueError` for what cannot be."""

    method: str
    seed: int
    resamples: int
    level: float

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f"a bootstrap method of {', '.join(METHODS)} was expected, not {self.method!r}")
        if self.resamples < 1:
            raise ValueError(f"at least one resample was expected, not {self.resamples}")
        share(self.level, "a level")


def _bootstrapped(
    columns: Sequence[NDArray[np.float64]],
    statistic: Statistic,
    rows: _Rows,
    strata: Index,
    how: _How,
    drawn: Callable[[Index], Index] | None = None,
) -> Bootstrap:
    """The interval; ``drawn`` gives the rows of a resample that drew each unit so often (None: all rows of these units)."""

    def value_of(at: Index) -> float:
        return float(statistic(*(column[at] for column in columns)))

    value = float(statistic(*columns))
    runs = tuple(np.bincount(strata).tolist())
    ones, rng = np.ones(len(strata), dtype=np.int64), stream(how.seed, "bootstrap", "statistic")
    resampled = (one for block in draws(ones, how.resamples, rng, runs) for one in block.astype(np.intp))
    found = np.array([value_of((drawn or rows.taken)(one)) for one in resampled])
    known = found[~np.isnan(found)]
    flat = bool((np.abs(known - value) <= tolerance(value)).all())

    def skew() -> float:
        others = (ones - (np.arange(len(ones)) == place) for place in range(len(ones)))
        left_out = np.array([value_of(rows.taken(one)) for one in others])
        return acceleration(LeftOut(left_out, ones, runs))

    low, high = _ends(value, found, how, skew if len(ones) > 1 and not flat else None)
    se = float(known.std(ddof=1)) if len(known) > 1 else math.nan
    return Bootstrap(value, low, high, se, len(ones), how.method, flat, len(found) - len(known), found)


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows sorted by unit, and where each unit's begin."""

    order: Index
    starts: Index
    sizes: Index
    alone: bool

    @classmethod
    def of(cls, index: Index) -> _Rows:
        sizes = np.bincount(index)
        return cls(np.argsort(index, kind="stable"), np.cumsum(sizes) - sizes, sizes, bool((sizes == 1).all()))

    def taken(self, counts: Index) -> Index:
        """The rows of a resample that drew each unit so often."""
        units = np.repeat(np.arange(len(counts)), counts)
        if self.alone:
            return np.asarray(self.order[units])
        sizes = self.sizes[units]
        within = np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        return np.asarray(self.order[np.repeat(self.starts[units], sizes) + within])


def _columns(data: ArrayLike | tuple[ArrayLike, ...]) -> Sequence[NDArray[np.float64]]:
    columns = [np.asarray(column) for column in (data if isinstance(data, tuple) else (data,))]
    if not columns or any(column.ndim == 0 for column in columns):
        raise ValueError("data: one array of rows, or a tuple of arrays of as many rows, was expected")
    lengths = {len(column) for column in columns}
    if len(lengths) != 1 or lengths == {0}:
        raise ValueError(f"data: columns of one length, at least one row, were expected, not lengths {sorted(lengths)}")
    return columns


def _ends(value: float, found: Values, how: _How, skew: Callable[[], float] | None) -> tuple[float, float]:
    if math.isnan(value):
        return math.nan, math.nan
    if how.method == "percentile":
        return percentile(found, level=how.level)
    if how.method == "basic":
        return basic(value, found, level=how.level)
    return bca(value, found, skew() if how.method == "bca" and skew is not None else 0.0, level=how.level)
