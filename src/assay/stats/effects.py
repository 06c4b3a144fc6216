"""How large a difference is, in units that do not depend on n.

Source: Cohen 1988 (h, d); Hedges 1981 (small samples); Agresti 2013, chapter 11 (matched pairs); Vargha & Delaney 2000.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from assay.stats.inputs import numbers, pairs
from assay.stats.proportions import clopper_pearson


def cohens_h(p_a: float, p_b: float) -> float:
    """2 arcsin √p_a - 2 arcsin √p_b: .2 is small, .5 medium, .8 large. Raises `ValueError` outside 0 to 1.

    >>> round(cohens_h(0.8, 0.6), 4)
    0.4421
    """
    for p in (p_a, p_b):
        if not 0 <= p <= 1:
            raise ValueError(f"proportions between 0 and 1 were expected, not {p_a} and {p_b}")
    return 2 * math.asin(math.sqrt(p_a)) - 2 * math.asin(math.sqrt(p_b))


def cohens_d(a: ArrayLike, b: ArrayLike, *, paired: bool = False, hedges: bool = False) -> float:
    """The difference of means over the pooled standard deviation; ``paired``: over that of the differences (d_z).

    ``hedges`` corrects for small samples, × (1 - 3/(4 f - 1)) with f degrees of freedom. NaN where nothing varies.
    Raises `ValueError` for fewer than two scores on a side, and as `assay.stats.inputs.pairs` where paired.

    >>> round(cohens_d([3, 4, 5, 6], [1, 2, 3, 4]), 4), round(cohens_d([3, 4, 5, 6], [1, 2, 4, 4], paired=True), 4)
    (1.5492, 3.5)
    """
    if paired:
        apart = np.subtract(*pairs(a, b, least=2))
        mean, spread, freedom = float(apart.mean()), float(apart.std(ddof=1)), len(apart) - 1
    else:
        first, second = numbers(a, "A", least=2), numbers(b, "B", least=2)
        freedom = len(first) + len(second) - 2
        squares = ((first - first.mean()) ** 2).sum() + ((second - second.mean()) ** 2).sum()
        mean, spread = float(first.mean() - second.mean()), math.sqrt(float(squares) / freedom)
    if spread == 0:
        return math.nan
    return mean / spread * (1 - 3 / (4 * freedom - 1) if hedges else 1.0)


def matched_odds_ratio(only_a: int, only_b: int, *, level: float = 0.95) -> tuple[float, float, float]:
    """b/c of the discordant counts with its exact interval (from Clopper and Pearson's of b/(b + c)); NaN without any.

    >>> tuple(round(x, 3) for x in matched_odds_ratio(15, 5))
    (3.0, 1.036, 10.551)
    """
    n = only_a + only_b
    low, high = clopper_pearson(only_a, n, level=level)
    if n == 0:
        return math.nan, math.nan, math.nan
    odds = [math.inf if p == 1 else p / (1 - p) for p in (only_a / n, low, high)]
    return odds[0], odds[1], odds[2]


def superiority(a: ArrayLike, b: ArrayLike, *, paired: bool = False) -> float:
    """P(A > B) + ½ P(A = B): of the same sample where ``paired``, else of any sample of A and any of B.

    Raises `ValueError` for no scores, and as `assay.stats.inputs.pairs` where paired.

    >>> round(superiority([3, 2, 2], [1, 2, 3]), 4), superiority([3, 2, 2], [1, 2, 3], paired=True)
    (0.6111, 0.5)
    """
    if paired:
        first, second = pairs(a, b)
        return float(((first > second) + 0.5 * (first == second)).mean())
    first, second = numbers(a, "A", least=1), np.sort(numbers(b, "B", least=1))
    below, upto = (np.searchsorted(second, first, side=side) for side in ("left", "right"))
    return float((below + upto).mean()) / (2 * len(second))
