"""Several answers a sample: what repeating the question does to the uncertainty of a mean, and what it cannot do.

Var(mean) = (Var(x) + E[σ²]/K)/n for K answers to each of n samples: repeats reduce only the second term.
Source: Miller 2024 (arXiv 2411.00640), on resampling answers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from assay.stats.clustered import mean_se
from assay.stats.inputs import table
from assay.stats.units import Labels, codes


@dataclass(frozen=True, slots=True)
class Replicated:
    """The mean over ``n`` samples of their means over ``repeats`` answers, with its (clustered) standard error.

    ``between`` is the variance of the samples' true means, ``within`` the mean variance of one sample's answers (NaN for
    one answer each). ``between`` is estimated as what is left of the means' variance, not below 0.
    """

    value: float
    se: float
    between: float
    within: float
    n: int
    repeats: int

    def se_at(self, repeats: int) -> float:
        """The standard error that so many answers a sample would give, by the two variances of independent samples."""
        return math.sqrt((self.between + self.within / repeats) / self.n)


def replicated_mean(scores: ArrayLike, unit: Labels | None = None) -> Replicated:
    """From ``scores[n, K]``, K answers to each of n samples, the samples in clusters by ``unit`` (None: each its own).

    Raises `ValueError` for another shape and for scores that are not finite.

    >>> found = replicated_mean([[1, 1], [0, 1], [0, 0], [1, 1]])
    >>> found.value, found.within, round(found.se, 4), round(found.se_at(10), 4)
    (0.625, 0.125, 0.2394, 0.2116)
    """
    given = table(scores, columns=1)
    n, repeats = given.shape
    means = given.mean(axis=1)
    within = float(given.var(axis=1, ddof=1).mean()) if repeats > 1 else math.nan
    total = float(means.var(ddof=1)) if n > 1 else math.nan
    between = max(total - within / repeats, 0.0) if repeats > 1 else total
    return Replicated(float(means.mean()), mean_se(np.asarray(means), codes(unit, n)), between, within, n, repeats)
