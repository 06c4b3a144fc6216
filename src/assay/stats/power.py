"""How many units a comparison needs, and what a given number can show.

Source: Miller 2024 (arXiv 2411.00640), equation for the paired design; Kish 1965 (design effect).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from assay.stats.clustered import mean_se
from assay.stats.inputs import numbers, pairs, share
from assay.stats.quantiles import normal
from assay.stats.units import Labels, codes

MOST = 10**12
"""More units than this are not named: no data set will decide it."""


def sample_size(effect: float, variance: float, *, alpha: float = 0.05, power: float = 0.8) -> float:
    """The units at which a two-sided test at ``alpha`` sees a mean difference ``effect`` with probability ``power``.

    ``variance`` is that of one unit's difference: ω² + σ²_A/K_A + σ²_B/K_B for K answers a unit. NaN for no effect.
    Raises `ValueError` for a variance below 0, and for an ``alpha`` or ``power`` not between 0 and 1; so do the others.

    >>> round(sample_size(0.03, 1 / 9 + 1 / 6 + 1 / 6), 2)
    3875.99
    """
    _check(variance, alpha, power)
    if not effect or math.isnan(effect) or math.isnan(variance):
        return math.nan
    return (normal(1 - alpha / 2) + normal(power)) ** 2 * variance / effect**2


def detectable(n: float, variance: float, *, alpha: float = 0.05, power: float = 0.8) -> float:
    """The least mean difference that ``n`` units show with probability ``power``: `sample_size` the other way round.

    >>> round(detectable(3876, 1 / 9 + 1 / 6 + 1 / 6), 4)
    0.03
    """
    _check(variance, alpha, power)
    return (normal(1 - alpha / 2) + normal(power)) * math.sqrt(variance / n) if n > 0 else math.nan


def power(n: float, effect: float, variance: float, *, alpha: float = 0.05) -> float:
    """The probability that ``n`` units show a mean difference ``effect`` in a two-sided test at ``alpha``; NaN for none.

    >>> round(power(3876, 0.03, 1 / 9 + 1 / 6 + 1 / 6), 3), power(100, 0.0, 1.0)
    (0.8, 0.05)
    """
    from scipy.special import ndtr

    _check(variance, alpha)
    if not n > 0 or math.isnan(effect) or math.isnan(variance):
        return math.nan
    if variance == 0:
        return 1.0 if effect else alpha
    away, z = abs(effect) / math.sqrt(variance / n), normal(1 - alpha / 2)
    return round(float(ndtr(away - z) + ndtr(-away - z)), 15)


def paired_variance(a: ArrayLike, b: ArrayLike, unit: Labels | None = None) -> float:
    """The variance of one unit's mean difference from a pilot, for `sample_size`; NaN for one unit.

    Between units whose sizes differ it is G SE², so that `sample_size` speaks of units (clusters). Raises `ValueError` as
    `assay.stats.inputs.pairs`.

    >>> round(paired_variance([1, 0, 1, 1], [0, 0, 1, 0]), 4)
    0.3333
    """
    first, second = pairs(a, b)
    index = codes(unit, len(first))
    return (int(index.max()) + 1) * mean_se(first - second, index) ** 2


def design_effect(size: float, correlation: float) -> float:
    """1 + (m - 1) ρ: how many times more rows clusters of ``size`` rows with intraclass ``correlation`` need.

    >>> design_effect(10, 0.2)
    2.8
    """
    if size < 1 or not -1 <= correlation <= 1:
        raise ValueError(
            f"a size of at least 1 and a correlation within ± 1 were expected, not {size} and {correlation}"
        )
    return 1 + (size - 1) * correlation


def intraclass_correlation(values: ArrayLike, unit: Labels) -> float:
    """ρ of ``values[n]`` in clusters, by one-way analysis of variance; NaN where it cannot be told.

    Source: Donner 1986 (the mean size corrected for sizes that differ).

    >>> round(intraclass_correlation([1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 0], list("aaabbbcccddd")), 4)
    0.4375
    """
    x = numbers(values, least=1)
    index = codes(unit, len(x))
    sizes = np.bincount(index).astype(np.float64)
    n, clusters = len(x), len(sizes)
    if clusters < 2 or n == clusters:
        return math.nan
    means = np.bincount(index, x) / sizes
    between = float(sizes @ (means - x.mean()) ** 2) / (clusters - 1)
    within = float(((x - means[index]) ** 2).sum()) / (n - clusters)
    size = (n - float((sizes**2).sum()) / n) / (clusters - 1)
    total = between + (size - 1) * within
    return (between - within) / total if total > 0 else math.nan


def _check(variance: float, alpha: float, power: float = 0.5) -> None:
    if variance < 0:
        raise ValueError(f"a variance of 0 or more was expected, not {variance}")
    share(alpha, "alpha")
    share(power, "a power")


def units_to_decide(
    difference: float,
    low: float,
    high: float,
    n: int,
    *,
    margin: float | None = None,
    alpha: float = 0.05,
    tests: int = 1,
    power: float = 0.8,
) -> int | None:
    """About how many units would decide a comparison that ``n`` of them left open, with probability ``power``.

    ``low`` to ``high`` is the interval of the ``difference`` at 1 - ``alpha``; one unit's variance is n SE², with SE from
    its width. What is to be seen is the ``margin``, or without one a difference as large as this; where ``n`` would do
    for the margin, the difference lies too near to 0 or to it: then what lies farther off. ``tests`` share the level, as
    in Holm's first step. Always more than ``n``; None where no number can be given: an interval without width or
    without end, no difference, no units, more than `MOST`.

    >>> units_to_decide(0.01, -0.02, 0.04, 500), units_to_decide(0.0, 0.0, 0.0, 500)
    (9195, None)
    >>> units_to_decide(0.01, -0.02, 0.04, 500, margin=0.03), units_to_decide(0.028, -0.002, 0.058, 5000, margin=0.03)
    (1022, 10217)
    """
    width = high - low
    if not 0 < width < math.inf or n < 1:
        return None
    variance = (width / (2 * normal(1 - alpha / 2))) ** 2 * n
    effects = [abs(difference)] if margin is None else [margin, max(abs(difference), margin - abs(difference))]
    for effect in effects:
        needed = sample_size(effect, variance, alpha=alpha / tests, power=power)
        if needed > n:
            return math.ceil(needed) if needed < MOST else None
    return None
