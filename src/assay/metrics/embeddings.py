"""Embeddings as the analyses of two modalities take them: ``float64[n, d]``, checked once, pairs row by row."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.metrics.metric import sign
from assay.stats.inputs import floats
from assay.stats.quantiles import student
from assay.types import Estimate

Values = NDArray[np.float64]


def matrix(name: str, values: ArrayLike) -> Values:
    """``values`` as ``float64[n, d]``; an empty list is ``[0, 0]``.

    Raises `ValueError` for another shape and for values that are not finite, naming the row.
    """
    array = floats(values, name)
    array = array.reshape(0, 0) if array.size == 0 and array.ndim < 2 else array
    if array.ndim != 2:
        raise ValueError(f"{name}: embeddings [n, d] were expected, not of shape {array.shape}")
    if len(array) and not array.shape[1]:
        raise ValueError(f"{name}: embeddings [n, d] were expected, not of width 0")
    broken = np.flatnonzero(~np.isfinite(array).all(axis=1))
    if len(broken):
        raise ValueError(f"{name}: row {broken[0]} holds a value that is not finite ({len(broken)} such rows)")
    return array


def pairs(x: ArrayLike, y: ArrayLike, *, least: int, one_space: bool = False) -> tuple[Values, Values]:
    """Two sets of embeddings, row by row of the same things; ``one_space`` wants them as wide as each other.

    Raises `ValueError` for fewer than ``least`` rows, different numbers of rows, different widths in one space, and as `matrix`.
    """
    a, b = matrix("x", x), matrix("y", y)
    if len(a) != len(b):
        raise ValueError(f"pairs were expected, a row of x for a row of y: {len(a)} and {len(b)} rows")
    if len(a) < least:
        raise ValueError(f"at least {least} pairs were expected, not {len(a)}")
    if one_space and a.shape[1] != b.shape[1]:
        raise ValueError(f"embeddings of one space were expected, not of widths {a.shape[1]} and {b.shape[1]}")
    return a, b


def unit_vectors(name: str, values: Values) -> Values:
    """Rows of length 1. Raises `ValueError` for a row of length 0."""
    length = np.linalg.norm(values, axis=1)
    empty = np.flatnonzero(length == 0)
    if len(empty):
        raise ValueError(f"{name}: row {empty[0]} has length 0 and points nowhere ({len(empty)} such rows)")
    return np.asarray(values / length[:, None])


def parts(n: int, most: int = 30) -> NDArray[np.intp]:
    """For each of ``n`` rows one of at most ``most`` parts of about one size, row i in part i mod ``most``."""
    return np.arange(n) % min(n, most)


def around(value: float, left_out: Values, *, low: float = -math.inf, high: float = math.inf) -> tuple[float, float]:
    """Student's t interval of ``value`` from the values with each of g equal parts left out ``[g]``: the grouped jackknife.

    Cut to ``low`` and ``high``; NaN for fewer than two parts or where a value is NaN.

    >>> x = np.array([1.0, 2.0, 3.0, 4.0])
    >>> low, high = around(x.mean(), (x.sum() - x) / 3)
    >>> round(low, 4), round(high, 4)
    (0.4457, 4.5543)
    """
    g = len(left_out)
    if g < 2:
        return math.nan, math.nan
    reach = student(0.975, g - 1) * math.sqrt((g - 1) / g * float(((left_out - left_out.mean()) ** 2).sum()))
    return max(float(value) - reach, low), min(float(value) + reach, high)


def figure(
    name: str,
    value: float,
    interval: tuple[float, float] = (math.nan, math.nan),
    *,
    n: int,
    recipe: tuple[str, ...] = (),
    items: Values | None = None,
    unit: str = "pair",
) -> Estimate:
    """An `Estimate` of an analysis, its recipe in the signature."""
    low, high = (float(end) for end in interval)
    return Estimate(name, float(value), low, high, n, unit=unit, signature=sign(name, *recipe), items=items)
