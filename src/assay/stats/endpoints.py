"""Intervals from bootstrap values: percentile, basic, bias-corrected and accelerated; what a jackknife says of skewness.

Sources: Efron 1987; DiCiccio & Efron 1996; Hesterberg 2015.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from assay.stats.quantiles import normal, student
from assay.stats.units import LeftOut

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
    slack = max(tolerance(value), 1e-6 * float(known.std()))  # ties of replicates made in single precision too
    below = np.searchsorted(known, value - slack)
    share = (below + 0.5 * (np.searchsorted(known, value + slack, side="right") - below)) / len(known)
    low, high = np.quantile(
        known, bca_shares(float(np.clip(share, 0.5 / len(known), 1 - 0.5 / len(known))), acceleration, level)
    )
    return float(low), float(high)


def bca_shares(share: float, acceleration: float, level: float) -> tuple[float, float]:
    """At which shares of a bootstrap distribution BCa reads its ends, of which ``share`` lies below the value.

    >>> [round(p, 4) for p in bca_shares(0.5, 0.0, 0.95)], [round(p, 4) for p in bca_shares(0.55, 0.02, 0.95)]
    ([0.025, 0.975], [0.0501, 0.9893])
    """
    bias = normal(share)
    low, high = (_shifted(bias, bias + normal(p), acceleration) for p in ((1 - level) / 2, (1 + level) / 2))
    return low, high


def widened(level: float, units: int) -> float:
    """The level at which a bootstrap over ``units`` is read so that it covers ``level`` (Hesterberg 2015).

    Resampling n units shrinks the spread by √((n-1)/n) and takes it for known, as a normal quantile does for Student's.

    >>> round(widened(0.95, 30), 3), round(widened(0.95, 2000), 3)
    (0.962, 0.95)
    """
    from scipy.special import ndtr

    return 2 * float(ndtr(math.sqrt(units / (units - 1)) * student(0.5 + level / 2, units - 1))) - 1


def percentile(replicates: Values, *, level: float = 0.95) -> tuple[float, float]:
    """The middle ``level`` of the bootstrap ``replicates``; NaN do not count, NaN when there are none else.

    >>> percentile(np.arange(101.0), level=0.5)
    (25.0, 75.0)
    """
    known = replicates[~np.isnan(replicates)]
    if not len(known):
        return math.nan, math.nan
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def basic(value: float, replicates: Values, *, level: float = 0.95) -> tuple[float, float]:
    """The percentile interval mirrored at ``value``: what the replicates say of the error, taken off the value.

    >>> basic(40.0, np.arange(101.0), level=0.5)
    (5.0, 55.0)
    """
    low, high = percentile(replicates, level=level)
    return 2 * value - high, 2 * value - low


def acceleration(left_out: LeftOut) -> float:
    """The skewness that BCa corrects for: from the jackknife's distances to their stratum's mean; 0 when flat."""
    pull, weights, _ = _pulls(left_out)
    spread = float(weights @ pull**2)
    return float(weights @ pull**3) / (6 * spread**1.5) if spread > 1e-300 else 0.0


def jackknife_se(left_out: LeftOut) -> float:
    """The jackknife's standard error √(Σ (G-1)/G Σ(θ₍ᵢ₎ - θ̄)²), summed over strata of G units; NaN for fewer than two units.

    A stratum of one unit adds nothing: it says nothing of its spread.
    """
    pull, weights, sizes = _pulls(left_out)
    if not (sizes > 1).any():
        return math.nan
    return math.sqrt(float((weights * (sizes - 1) / np.maximum(sizes, 1)) @ pull**2))


def _pulls(left_out: LeftOut) -> tuple[Values, Values, Values]:
    """The mean of each stratum's jackknife values less each value, how many units it stands for, and the stratum's units.

    Values that are NaN (undefined without the unit) do not count.
    """
    known = ~np.isnan(left_out.values)
    stratum = np.repeat(np.arange(len(left_out.strata)), left_out.strata)[known]
    values, weights = left_out.values[known], left_out.counts[known].astype(np.float64)
    sizes = np.bincount(stratum, weights, minlength=len(left_out.strata)).astype(np.float64)
    means = np.bincount(stratum, weights * values, minlength=len(left_out.strata)) / np.maximum(sizes, 1)
    return means[stratum] - values, weights, sizes[stratum]


def _shifted(bias: float, z: float, acceleration: float) -> float:
    """The share at which BCa reads the quantile: Φ(z₀ + z/(1 - a z)), 0 or 1 beyond the pole."""
    from scipy.special import ndtr

    rest = 1 - acceleration * z
    if rest <= 0:
        return 1.0 if z > 0 else 0.0
    return float(ndtr(bias + z / rest))
