"""Showing that a difference is too small to matter: two one-sided tests, and non-inferiority.

The margin is declared before the data are seen. Source: Schuirmann 1987; Lakens 2017.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from assay.stats.clustered import mean_se
from assay.stats.inputs import pairs, share
from assay.stats.quantiles import student
from assay.stats.units import Labels, codes


@dataclass(frozen=True, slots=True)
class Equivalence:
    """A mean difference A - B against a margin.

    ``shown``: whether ``p`` is below the level; ``low`` and ``high`` bound the interval at 1 - 2 α, which lies within the
    margin (for non-inferiority: above -margin) exactly when ``shown``.
    """

    difference: float
    low: float
    high: float
    p: float
    shown: bool
    margin: float
    n_units: int


def tost(a: ArrayLike, b: ArrayLike, margin: float, unit: Labels | None = None, *, alpha: float = 0.05) -> Equivalence:
    """Are the means of paired scores equivalent within ± ``margin``? The larger p of two one-sided t tests.

    Student's t over the units, G - 1 degrees of freedom. With one unit p is NaN and nothing is shown. Raises `ValueError`
    for a margin not above 0, and as `assay.stats.inputs.pairs`.

    >>> rng = np.random.default_rng(0)
    >>> a, b = rng.normal(0.70, 0.1, 400), rng.normal(0.70, 0.1, 400)
    >>> tost(a, b, 0.02).shown, tost(a, b, 0.001).shown
    (True, False)
    """
    return _against(a, b, margin, unit, alpha=alpha, both=True)


def non_inferiority(
    a: ArrayLike, b: ArrayLike, margin: float, unit: Labels | None = None, *, alpha: float = 0.05
) -> Equivalence:
    """Is A worse than B by no more than ``margin`` (higher scores are better)? One one-sided t test; as `tost`.

    >>> non_inferiority([0.7, 0.8, 0.75, 0.9, 0.6], [0.7, 0.75, 0.75, 0.85, 0.6], 0.05).shown
    True
    """
    return _against(a, b, margin, unit, alpha=alpha, both=False)


def _against(
    a: ArrayLike, b: ArrayLike, margin: float, unit: Labels | None, *, alpha: float, both: bool
) -> Equivalence:
    if not margin > 0 or math.isinf(margin):
        raise ValueError(f"a margin above 0 was expected (the difference that does not matter), not {margin}")
    first, second = pairs(a, b)
    index = codes(unit, len(first))
    apart, units = first - second, int(index.max()) + 1
    value, se = float(apart.mean()), mean_se(apart, index)
    half = student(1 - share(alpha, "alpha"), units - 1) * se if units > 1 else math.nan
    above = _tail(value + margin, se, units)
    p = max(above, _tail(margin - value, se, units)) if both else above
    return Equivalence(value, value - half, value + half, p, p < alpha, margin, units)


def _tail(distance: float, se: float, units: int) -> float:
    """The one-sided p of a mean that lies ``distance`` on the right side of a margin."""
    from scipy.special import stdtr

    if units < 2:
        return math.nan
    if se <= 1e-12 * np.abs(distance):
        return 0.0 if distance > 0 else 1.0
    return float(stdtr(units - 1, -distance / se)) if se > 0 else 0.5
