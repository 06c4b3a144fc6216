"""How many units a paired comparison needs. Source: Miller 2024 (arXiv 2411.00640), equation for the paired design."""

from __future__ import annotations

import math

from assay.stats.quantiles import normal


def sample_size(effect: float, variance: float, *, alpha: float = 0.05, power: float = 0.8) -> float:
    """The units at which a two-sided test at ``alpha`` sees a mean difference ``effect`` with probability ``power``.

    ``variance`` is that of one unit's difference: ω² + σ²_A/K_A + σ²_B/K_B for K answers a unit. NaN for no effect.

    >>> round(sample_size(0.03, 1 / 9 + 1 / 6 + 1 / 6), 2)
    3875.99
    """
    if not effect or math.isnan(effect) or math.isnan(variance):
        return math.nan
    return (normal(1 - alpha / 2) + normal(power)) ** 2 * variance / effect**2


def detectable(n: int, variance: float, *, alpha: float = 0.05, power: float = 0.8) -> float:
    """The least mean difference that ``n`` units show with probability ``power``: `sample_size` the other way round.

    >>> round(detectable(3876, 1 / 9 + 1 / 6 + 1 / 6), 4)
    0.03
    """
    return (normal(1 - alpha / 2) + normal(power)) * math.sqrt(variance / n) if n > 0 else math.nan
