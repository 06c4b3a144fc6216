"""Intervals from bootstrap values: bias-corrected and accelerated.

Sources: Efron 1987; DiCiccio & Efron 1996; Hesterberg 2015.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from assay.stats.quantiles import normal, student

Values = NDArray[np.float64]


def tolerance(value: float) -> float:
    """How far two values may differ by rounding alone, so that ties among resamples are seen as such."""
    return 1e-11 * max(1.0, abs(value))


def bca(value: float, replicates: Values, acceleration: float = 0.0, *, level: float = 0.95) -> tuple[float, float]:
    """The BCa interval of ``value`` from its bootstrap ``replicates``; without acceleration the bias-corrected one.

    Replicates that are NaN (undefined resamples) do not count; NaN when there are none else.
    """
    known = np.sort(replicates[~np.isnan(replicates)])
    if not len(known):
        return math.nan, math.nan
    slack = tolerance(value)
    below = np.searchsorted(known, value - slack)
    share = (below + 0.5 * (np.searchsorted(known, value + slack, side="right") - below)) / len(known)
    bias = normal(float(np.clip(share, 0.5 / len(known), 1 - 0.5 / len(known))))
    at = [_shifted(bias, bias + normal(p), acceleration) for p in ((1 - level) / 2, (1 + level) / 2)]
    low, high = np.quantile(known, at)
    return float(low), float(high)


def widened(level: float, units: int) -> float:
    """The level at which a bootstrap over ``units`` is read so that it covers ``level`` (Hesterberg 2015).

    Resampling n units shrinks the spread by √((n-1)/n) and takes it for known, as a normal quantile does for Student's.

    >>> round(widened(0.95, 30), 3), round(widened(0.95, 2000), 3)
    (0.962, 0.95)
    """
    from scipy.special import ndtr

    return 2 * float(ndtr(math.sqrt(units / (units - 1)) * student(0.5 + level / 2, units - 1))) - 1


def acceleration(left_out: Values, counts: NDArray[np.int64]) -> float:
    """The skewness that BCa corrects for, from jackknife values and how many units each stands for; 0 when flat."""
    known = ~np.isnan(left_out)
    values, weights = left_out[known], counts[known]
    if not len(values):
        return 0.0
    pull = np.average(values, weights=weights) - values
    spread = float(weights @ pull**2)
    return float(weights @ pull**3) / (6 * spread**1.5) if spread > 1e-300 else 0.0


def jackknife_se(left_out: Values, counts: NDArray[np.int64]) -> float:
    """The jackknife's standard error √((G-1)/G Σ(θ₍ᵢ₎ - θ̄)²); NaN for fewer than two units."""
    known = ~np.isnan(left_out)
    values, weights = left_out[known], counts[known]
    units = int(weights.sum())
    if units < 2:
        return math.nan
    pull = values - np.average(values, weights=weights)
    return math.sqrt((units - 1) / units * float(weights @ pull**2))


def _shifted(bias: float, z: float, acceleration: float) -> float:
    """The share at which BCa reads the quantile: Φ(z₀ + z/(1 - a z)), 0 or 1 beyond the pole."""
    from scipy.special import ndtr

    rest = 1 - acceleration * z
    if rest <= 0:
        return 1.0 if z > 0 else 0.0
    return float(ndtr(bias + z / rest))
