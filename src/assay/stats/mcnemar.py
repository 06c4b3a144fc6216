"""McNemar's test of two classifiers on the same unclustered samples. Source: McNemar 1947; Fagerland et al. 2013."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def mcnemar(only_a: int, only_b: int, *, mid: bool = False) -> float:
    """The two-sided p-value from the discordant counts: exact binomial, or the less cautious mid-p; 1 without any.

    >>> round(mcnemar(5, 15), 6), round(mcnemar(5, 15, mid=True), 6)
    (0.041389, 0.026604)
    """
    from scipy.special import bdtr

    n, least = only_a + only_b, min(only_a, only_b)
    if n == 0:
        return 1.0
    p = min(1.0, 2.0 * float(bdtr(least, n, 0.5)))
    if not mid:
        return p
    at = math.exp(math.lgamma(n + 1) - math.lgamma(least + 1) - math.lgamma(n - least + 1) - n * math.log(2))
    return 1.0 - at if only_a == only_b else p - at


def discordant(right_a: NDArray[np.bool_], right_b: NDArray[np.bool_]) -> tuple[int, int]:
    """How many samples only A had right, and only B.

    >>> discordant(np.array([True, True, False]), np.array([False, True, False]))
    (1, 0)
    """
    return int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
