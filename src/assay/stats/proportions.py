"""Intervals of one proportion, and what can be said when nothing varied. Source: Wilson 1927; Newcombe 1998."""

from __future__ import annotations

import math

from assay.stats.quantiles import normal


def wilson(share: float, n: float, *, level: float = 0.95, z: float | None = None) -> tuple[float, float]:
    """Wilson's score interval of a proportion ``share`` of ``n`` (``n`` may be an effective, fractional size).

    ``z`` replaces the normal quantile of ``level`` (a Student quantile for few clusters). NaN for ``n`` of 0.

    >>> tuple(round(x, 6) for x in wilson(0.8, 10))
    (0.490162, 0.943318)
    """
    if n <= 0 or math.isnan(share):
        return math.nan, math.nan
    z = normal(0.5 + level / 2) if z is None else z
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(max(share * (1 - share), 0.0) / n + z * z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


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
