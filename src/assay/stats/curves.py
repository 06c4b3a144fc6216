"""Areas under curves of performance against severity, by the trapezoid rule.

Source: Liang et al. 2021 (MultiBench's relative robustness).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Values = NDArray[np.float64]


def area(performance: ArrayLike, step: float = 1.0) -> float:
    """The area under ``performance[k]`` at points ``step`` apart. `ValueError` for fewer than two points.

    >>> round(area([.8, .75, .7, .6, .5], .1), 6)
    0.27
    """
    values = np.asarray(performance, dtype=np.float64)
    if values.ndim != 1 or len(values) < 2:
        raise ValueError(f"a curve of at least two points was expected, got shape {values.shape}")
    return float(step * mean_weights(len(values)) @ values * (len(values) - 1))


def mean_weights(points: int) -> Values:
    """The weights by which the mean height of a curve of evenly spaced points is taken: they sum to 1, the ends count half.

    >>> mean_weights(3).tolist()
    [0.25, 0.5, 0.25]
    """
    weights = np.full(points, 1.0 / (points - 1))
    weights[[0, -1]] /= 2
    return weights
