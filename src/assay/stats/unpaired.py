"""Two groups of different samples: shuffled labels within strata, and Brunner and Munzel's test of ordinal scores.

Source: Fisher 1935; Pitman 1937; Brunner & Munzel 2000.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.stats.draws import BLOCK
from assay.stats.finding import Finding
from assay.stats.inputs import numbers, share
from assay.stats.resample import affordable
from assay.stats.streams import stream
from assay.stats.units import Labels, codes

Values = NDArray[np.float64]


def two_sample_permutation(
    a: ArrayLike,
    b: ArrayLike,
    stratum_a: Labels | None = None,
    stratum_b: Labels | None = None,
    *,
    resamples: int = 9_999,
    seed: int = 0,
) -> Finding:
    """Do two groups of different samples have one mean? Who is of which group is shuffled, within strata if given.

    The statistic is the difference of means A - B; with strata the mean of their differences, each weighted by
    n_a n_b/(n_a + n_b). p = (1 + #)/(1 + B). A stratum that lacks a group says nothing; where all do, the statistic is
    NaN and p is 1. Raises `ValueError` for an empty group, a score that is not finite, strata of one group only.

    >>> found = two_sample_permutation([3, 4, 5, 6, 5, 4, 5], [1, 2, 2, 3, 1, 2, 3])
    >>> round(found.statistic, 3), found.p < 0.01
    (2.571, True)
    """
    first, second = numbers(a, "A", least=1), numbers(b, "B", least=1)
    if (stratum_a is None) != (stratum_b is None):
        raise ValueError("strata of both groups were expected, or of none")
    labels = None if stratum_a is None or stratum_b is None else [*stratum_a, *stratum_b]
    values, is_a = np.concatenate([first, second]), np.arange(len(first) + len(second)) < len(first)
    stratum = np.zeros(len(values), dtype=np.intp) if labels is None else codes(labels, len(values), "stratum")
    parts = [(values[stratum == h], int(is_a[stratum == h].sum())) for h in range(int(stratum.max()) + 1)]
    method = "label permutation" if labels is None else "label permutation in strata"
    # The weighted difference is proportional to the sum over A of what lies above the stratum's mean.
    weight = sum(n_a * (len(x) - n_a) / len(x) for x, n_a in parts)
    if not weight:
        return Finding(math.nan, 1.0, len(values), method)
    observed = sum(float((x[:n_a] - x.mean()).sum()) for x, n_a in parts)
    slack = 1e-11 * max(float(np.abs(values).sum()), 1e-300)
    rng, drawn, extreme = stream(seed, "labels"), affordable(resamples, len(values)), 0
    step = max(1, BLOCK // len(values))
    for start in range(0, drawn, step):
        shuffled = np.zeros(min(step, drawn - start))
        for x, n_a in parts:
            shuffled += _sums_of_some(x - x.mean(), n_a, len(shuffled), rng)
        extreme += int((np.abs(shuffled) >= abs(observed) - slack).sum())
    return Finding(observed / weight, (1 + extreme) / (1 + drawn), len(values), method)


def _sums_of_some(x: Values, some: int, b: int, rng: np.random.Generator) -> Values:
    """The sums ``[b]`` of ``some`` of the values, drawn without replacement."""
    if some in (0, len(x)):
        return np.full(b, x.sum() if some else 0.0)
    return np.asarray(rng.permuted(np.tile(x, (b, 1)), axis=1)[:, :some].sum(axis=1))


@dataclass(frozen=True, slots=True)
class Superiority:
    """P(A > B) + ½ P(A = B) of a random sample of each group, with its interval, and p of its being ½."""

    value: float
    low: float
    high: float
    p: float
    statistic: float
    n_a: int
    n_b: int


def brunner_munzel(a: ArrayLike, b: ArrayLike, *, level: float = 0.95) -> Superiority:
    """Brunner and Munzel's test of two groups of different samples with ordinal scores, of whatever spread each.

    Where the groups do not overlap at all, the estimate has no variance: the interval is that point, p is 0 and the
    statistic ±∞ (a permutation test is then the one to ask). Raises `ValueError` for fewer than two scores in a group.

    >>> found = brunner_munzel([1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 2, 4, 1, 1], [3, 3, 4, 3, 1, 2, 3, 1, 1, 5, 4])
    >>> round(found.value, 4), round(found.p, 4)
    (0.211, 0.0058)
    """
    from scipy.special import stdtr, stdtrit
    from scipy.stats import rankdata

    first, second = numbers(a, "A", least=2), numbers(b, "B", least=2)
    n, m = len(first), len(second)
    ranks = rankdata(np.concatenate([first, second]))
    over_b, over_a = ranks[:n] - rankdata(first), ranks[n:] - rankdata(second)  # how many of the other group each beats
    value = float(over_b.mean()) / m
    variances = over_b.var(ddof=1) / n / m**2, over_a.var(ddof=1) / m / n**2
    se = math.sqrt(sum(variances))
    if se == 0:
        return Superiority(value, value, value, float(value == 0.5), math.copysign(math.inf, value - 0.5), n, m)
    freedom = se**4 / (variances[0] ** 2 / (n - 1) + variances[1] ** 2 / (m - 1))
    statistic = (value - 0.5) / se
    half = float(stdtrit(freedom, 0.5 + share(level, "a level") / 2)) * se
    p = 2 * float(stdtr(freedom, -abs(statistic)))
    return Superiority(value, max(0.0, value - half), min(1.0, value + half), p, statistic, n, m)
