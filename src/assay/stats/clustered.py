"""Standard errors of a mean whose rows come in clusters. Source: Miller 2024 (arXiv 2411.00640); Liang & Zeger 1986."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

CONVENTIONS = ("finite", "sandwich", "miller", "unclustered")


def mean_se(
    values: NDArray[np.float64], unit: Sequence[Any] | NDArray[Any] | None = None, *, convention: str = "finite"
) -> float:
    """The standard error of the mean of ``values[n]`` when rows of one ``unit`` move together; NaN for one unit.

    ``sandwich``: √Σ_c(Σ_i e)²/n. ``finite``: that × √(G/(G-1)), the default (statsmodels', inspect's).
    ``miller``: the literal formula, n-1 in the first term. ``unclustered``: s/√n. Units of None are the rows.

    >>> round(mean_se(np.array([1., 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 0]), np.repeat(range(4), 3)), 6)
    0.215166
    """
    if convention not in CONVENTIONS:
        raise ValueError(f"a convention of {', '.join(CONVENTIONS)} was expected, not {convention!r}")
    n = len(values)
    if n < 2:
        return math.nan
    residual = values - values.mean()
    if convention == "unclustered" or (unit is None and convention == "miller"):
        return float(math.sqrt(residual @ residual / (n - 1) / n))
    index = np.arange(n) if unit is None else np.unique(np.asarray(unit), return_inverse=True)[1]
    sums = np.bincount(index, weights=residual)
    squares = float(sums @ sums)
    if convention == "sandwich":
        return math.sqrt(squares) / n
    if convention == "miller":
        inner = float(residual @ residual)
        return math.sqrt(max(inner / (n - 1) / n + (squares - inner) / n**2, 0.0))
    if len(sums) < 2:
        return math.nan
    return math.sqrt(squares * len(sums) / (len(sums) - 1)) / n
