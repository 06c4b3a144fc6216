"""McNemar's test of two classifiers on the same samples: exact, mid-p, χ², and for samples in clusters.

Source: McNemar 1947; Edwards 1948 (correction); Fagerland, Lydersen & Laake 2013 (mid-p); Obuchowski 1998 (clusters).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.stats.finding import Finding
from assay.stats.inputs import pairs
from assay.stats.units import Labels, codes


def mcnemar(only_a: int, only_b: int, *, mid: bool = False) -> float:
    """The two-sided p-value from the discordant counts: exact binomial, or the less cautious mid-p; 1 without any.

    >>> round(mcnemar(5, 15), 6), round(mcnemar(5, 15, mid=True), 6)
    (0.041389, 0.026604)
    """
    from scipy.special import bdtr

    _check(only_a, only_b)
    n, least = only_a + only_b, min(only_a, only_b)
    if n == 0:
        return 1.0
    p = min(1.0, 2.0 * float(bdtr(least, n, 0.5)))
    if not mid:
        return p
    at = math.exp(math.lgamma(n + 1) - math.lgamma(least + 1) - math.lgamma(n - least + 1) - n * math.log(2))
    return 1.0 - at if only_a == only_b else p - at


def mcnemar_chi2(only_a: int, only_b: int, *, corrected: bool = True) -> Finding:
    """McNemar's χ² (b - c)²/(b + c) with one degree of freedom, by default with Edwards's correction for continuity.

    For comparison with old figures: `mcnemar` is exact. NaN and p of 1 without discordant samples.

    >>> found = mcnemar_chi2(5, 15)
    >>> found.statistic, round(found.p, 6), round(mcnemar_chi2(5, 15, corrected=False).p, 6)
    (4.05, 0.044171, 0.025347)
    """
    _check(only_a, only_b)
    n = only_a + only_b
    method = "chi2 corrected" if corrected else "chi2"
    if n == 0:
        return Finding(math.nan, 1.0, 0, method)
    apart = max(abs(only_a - only_b) - (1.0 if corrected else 0.0), 0.0)
    return _chi2(apart**2 / n, n, method)


def mcnemar_clustered(right_a: ArrayLike, right_b: ArrayLike, unit: Labels) -> Finding:
    """Obuchowski's test: are A and B right equally often, where samples of one ``unit`` move together?

    χ² = (G-1)/G (Σ d_c)² / Σ d_c² over the G clusters' differences d_c = b_c - c_c, one degree of freedom; every cluster a
    single sample, it is the uncorrected McNemar × (G-1)/G. With fewer than about thirty clusters prefer
    `paired_permutation`. NaN and p of 1 where no sample is discordant. Raises `ValueError` for what is not 0 or 1.

    >>> a, b = [1, 1, 0, 1, 1, 1, 1, 0], [0, 0, 0, 1, 0, 1, 0, 1]
    >>> round(mcnemar_clustered(a, b, list("uuvvwwxx")).statistic, 3)
    1.35
    """
    first, second = pairs(right_a, right_b)
    for side, values in (("A", first), ("B", second)):
        other = np.flatnonzero((values != 0) & (values != 1))
        if len(other):
            raise ValueError(f"{side}: right (1) or wrong (0) was expected, row {other[0]} is {values[other[0]]}")
    apart = np.bincount(codes(unit, len(first)), first - second)
    clusters, squares = len(apart), float(apart @ apart)
    if squares == 0:
        return Finding(math.nan, 1.0, clusters, "obuchowski")
    return _chi2((clusters - 1) / clusters * float(apart.sum()) ** 2 / squares, clusters, "obuchowski")


def discordant(right_a: NDArray[np.bool_], right_b: NDArray[np.bool_]) -> tuple[int, int]:
    """How many samples only A had right, and only B.

    >>> discordant(np.array([True, True, False]), np.array([False, True, False]))
    (1, 0)
    """
    return int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())


def _chi2(statistic: float, n: int, method: str) -> Finding:
    from scipy.special import chdtrc

    return Finding(statistic, float(chdtrc(1, statistic)), n, method)


def _check(only_a: int, only_b: int) -> None:
    if only_a < 0 or only_b < 0 or only_a != int(only_a) or only_b != int(only_b):
        raise ValueError(f"counts of discordant samples were expected, not {only_a} and {only_b}")
