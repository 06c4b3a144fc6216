"""What is given, checked once at the public edge: numbers without NaN, pairs of one length, labels of two or more."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Values = NDArray[np.float64]


def numbers(given: ArrayLike, name: str = "values", *, least: int = 0) -> Values:
    """``float64[n]``. Raises `ValueError` for another shape, fewer than ``least``, or one that is not finite, naming its row."""
    values = np.asarray(given, dtype=np.float64)
    if values.ndim != 1:
        raise ValueError(f"{name}: one number a row was expected, not an array of shape {values.shape}")
    if len(values) < least:
        raise ValueError(f"{name}: at least {least} were expected, not {len(values)}")
    broken = np.flatnonzero(~np.isfinite(values))
    if len(broken):
        raise ValueError(
            f"{name}: row {broken[0]} is {values[broken[0]]}; leave out what is undefined, from both sides of a pair"
        )
    return values


def pairs(a: ArrayLike, b: ArrayLike, *, least: int = 1) -> tuple[Values, Values]:
    """Two columns of numbers, row i of both about one sample. Raises `ValueError` as `numbers`, and for unequal lengths."""
    first, second = numbers(a, "A", least=least), numbers(b, "B", least=least)
    if len(first) != len(second):
        raise ValueError(
            f"pairs were expected (row i of both is one sample), not {len(first)} of A and {len(second)} of B"
        )
    return first, second


def table(given: ArrayLike, name: str = "scores", *, columns: int = 2) -> Values:
    """``float64[n, m]``, a row a sample and a column a model. Raises `ValueError` for fewer columns, or one not finite."""
    values = np.asarray(given, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] < columns or not len(values):
        raise ValueError(
            f"{name}: a table of samples by at least {columns} models was expected, not shape {values.shape}"
        )
    broken = np.argwhere(~np.isfinite(values))
    if len(broken):
        row, column = broken[0]
        raise ValueError(
            f"{name}: row {row}, model {column} is {values[row, column]}; leave the sample out for all models"
        )
    return values


def share(value: float, name: str) -> float:
    """A number strictly between 0 and 1, else a `ValueError`."""
    if not 0 < value < 1:
        raise ValueError(f"{name} between 0 and 1 was expected, not {value}")
    return float(value)
