"""Intervals of one proportion, and what can be said when nothing varied.

Source: Wilson 1927; Clopper & Pearson 1934; Newcombe 1998; Brown, Cai & DasGupta 2001.
"""

from __future__ import annotations

import math

from assay.stats.quantiles import normal


def wilson(share: float, n: float, *, level: float = 0.95, z: float | None = None) -> tuple[float, float]:
    """Wilson's score interval of a proportion ``share`` of ``n`` (``n`` may be an effective, fractional size).

    ``z`` replaces the normal quantile of ``level`` (a Student quantile for few clusters). NaN for ``n`` of 0. Raises
    `ValueError` for a share outside 0 to 1.

    >>> tuple(round(x, 6) for x in wilson(0.8, 10))
    (0.490162, 0.943318)
    """
    if n <= 0 or math.isnan(share):
        return math.nan, math.nan
    if not -1e-9 <= share <= 1 + 1e-9:
        raise ValueError(f"a proportion between 0 and 1 was expected, not {share}")
    z = normal(0.5 + level / 2) if z is None else z
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(max(share * (1 - share), 0.0) / n + z * z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def clopper_pearson(right: int, n: int, *, level: float = 0.95) -> tuple[float, float]:
    """The exact interval of ``right`` of ``n``: it never covers less than ``level``, and mostly more. NaN for ``n`` of 0.

    >>> tuple(round(x, 6) for x in clopper_pearson(8, 10))
    (0.443905, 0.974789)
    """
    _check(right, n)
    if not n:
        return math.nan, math.nan
    from scipy.special import betaincinv

    tail = (1 - level) / 2
    low = float(betaincinv(right, n - right + 1, tail)) if right else 0.0
    high = float(betaincinv(right + 1, n - right, 1 - tail)) if right < n else 1.0
    return low, high


def jeffreys(right: int, n: int, *, level: float = 0.95) -> tuple[float, float]:
    """The equal-tailed interval of the posterior Beta(right + ½, wrong + ½); it reaches 0 and 1 where all is wrong or right.

    >>> tuple(round(x, 6) for x in jeffreys(8, 10))
    (0.497226, 0.955941)
    """
    _check(right, n)
    if not n:
        return math.nan, math.nan
    from scipy.special import betaincinv

    tail = (1 - level) / 2
    low, high = (float(betaincinv(right + 0.5, n - right + 0.5, p)) for p in (tail, 1 - tail))
    return 0.0 if not right else low, 1.0 if right == n else high


def wald(right: int, n: int, *, level: float = 0.95) -> tuple[float, float]:
    """The textbook interval p ± z √(p(1-p)/n), cut at 0 and 1: for comparison with old figures only.

    It covers too little for fewer than a hundred, and near 0 and 1 with any number: use `wilson`.

    >>> tuple(round(x, 6) for x in wald(8, 10))
    (0.552082, 1.0)
    """
    _check(right, n)
    if not n:
        return math.nan, math.nan
    share = right / n
    half = normal(0.5 + level / 2) * math.sqrt(share * (1 - share) / n)
    return max(0.0, share - half), min(1.0, share + half)


def _check(right: int, n: int) -> None:
    if not 0 <= right <= n or right != int(right) or n != int(n):
        raise ValueError(f"a whole number of right answers from 0 to n was expected, not {right} of {n}")


def unvaried(value: float, n: int, bounds: tuple[float, float], *, level: float = 0.95) -> tuple[float, float]:
    """The interval of a value that was the same in all ``n`` units, so that no resampling can move it.

    Towards a finite bound: as far as Wilson's interval of 0 out of ``n`` reaches into the distance to the bound.
    Towards an infinite one: the value itself once six equal units speak (2 · 2⁻⁶ < 0.05), before that no limit.

    >>> round(unvaried(1.0, 10, (0.0, 1.0))[0], 6), round(wilson(1.0, 10)[0], 6)
    (0.722467, 0.722467)
    """
    z = normal(0.5 + level / 2)
    reach = z * z / (n + z * z)
    told = n * math.log(2) >= -math.log((1 - level) / 2)
    low, high = (
        value + (bound - value) * reach if math.isfinite(bound) else (value if told else bound) for bound in bounds
    )
    return low, high
