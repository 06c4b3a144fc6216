"""The additive part of a function of several inputs: EMAP, the empirical multimodally-additive projection.

A function of ``m`` inputs, asked at combinations of ``n`` contents of each, is projected by least squares on the functions
that are a sum of one function of each input: with two inputs and all ``n * n`` combinations F[i, j] it becomes
mean_j F[i, j] + mean_i F[i, j] - mean F. With more inputs the combinations are those of mutually orthogonal Latin squares
(``n`` prime): any two contents of different inputs meet once.
Source: Hessel & Lee 2020.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Values = NDArray[np.float64]


def emap(values: ArrayLike) -> Values:
    """The projection of ``values[n, n]`` (or ``[n, n, k]`` for k outputs) at the ``n`` true pairs, the diagonal: ``[n]`` or ``[n, k]``.

    Raises `ValueError` for anything that is not square.

    >>> emap(np.arange(9.).reshape(3, 3) ** 1.5).round(6).tolist()
    [-1.431664, 7.96008, 21.488096]
    """
    grid = np.asarray(values, dtype=np.float64)
    if grid.ndim < 2 or grid.shape[0] != grid.shape[1] or not len(grid):
        raise ValueError(f"values of all n x n combinations were expected, got shape {grid.shape}")
    return np.asarray(grid.mean(axis=1) + grid.mean(axis=0) - grid.mean(axis=(0, 1)))


def donors(n: int, m: int, shift: int) -> NDArray[np.intp]:
    """``intp[m, n]``: whose content each input takes at the ``n`` places of one shift; shift 0 leaves all as they are.

    >>> donors(5, 3, 1).tolist()
    [[0, 1, 2, 3, 4], [1, 2, 3, 4, 0], [2, 3, 4, 0, 1]]
    """
    return np.array([(np.arange(n) + number * shift) % n for number in range(m)], dtype=np.intp)


class Additive:
    """The projection of a function of ``m`` inputs at ``n`` samples, added up shift by shift (`donors`)."""

    def __init__(self, n: int, m: int, outputs: int) -> None:
        self.given = np.zeros((m, n, outputs))
        self.shifts = 0

    def add(self, shift: int, values: Values) -> None:
        """Takes the function's values ``[n, k]`` at the combinations of one shift."""
        m, n, _ = self.given.shape
        for number, places in enumerate(donors(n, m, shift)):
            self.given[number, places] += values
        self.shifts += 1

    def values(self) -> Values:
        """The projection ``[n, k]``, once every shift 0 … n - 1 was added."""
        m, n, _ = self.given.shape
        assert self.shifts == n, f"{self.shifts} of {n} shifts were added"
        alone = self.given / n
        return np.asarray(alone.sum(axis=0) - (m - 1) * alone[0].mean(axis=0))


def prime_below(limit: int) -> int:
    """The largest prime that is at most ``limit``; 0 below 2.

    >>> prime_below(100), prime_below(1)
    (97, 0)
    """
    for number in range(limit, 1, -1):
        if all(number % d for d in range(2, int(number**0.5) + 1)):
            return number
    return 0
