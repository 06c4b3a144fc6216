"""Means whose rows come in clusters: standard errors in every convention, Student's interval, the wild cluster bootstrap.

Source: Miller 2024 (arXiv 2411.00640); Liang & Zeger 1986; Cameron, Gelbach & Miller 2008 (wild clusters); Webb 2023
(six-point weights); Kish 1965 (design effect).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.stats.inputs import numbers, share
from assay.stats.quantiles import student
from assay.stats.streams import stream
from assay.stats.units import Labels, codes

CONVENTIONS = ("finite", "sandwich", "miller", "unclustered")

FEW = 30
"""Below so many clusters a standard error is itself uncertain."""

RADEMACHER = 12
"""From so many clusters on, signs alone make enough different resamples."""

SIX = np.sqrt(np.array([0.5, 1.0, 1.5]))
"""Webb's weights: ± √½, ± 1, ± √1½, for fewer clusters."""

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean with its clustered standard error and Student's interval with ``n_clusters`` - 1 degrees of freedom.

    ``design_effect``: how many times the variance is that of as many independent rows; ``few``: fewer than thirty
    clusters, where a skewed mean is covered too seldom (see `wild_cluster`).
    """

    value: float
    se: float
    low: float
    high: float
    n_rows: int
    n_clusters: int
    design_effect: float
    few: bool


def mean_se(values: ArrayLike, unit: Labels | None = None, *, convention: str = "finite") -> float:
    """The standard error of the mean of ``values[n]`` when rows of one ``unit`` move together; NaN for one unit.

    ``sandwich``: √Σ_c(Σ_i e)²/n. ``finite``: that × √(G/(G-1)), the default (statsmodels', inspect's).
    ``miller``: the literal formula, n-1 in the first term. ``unclustered``: s/√n. Units of None are the rows.

    >>> round(mean_se([1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 0], list("aaabbbcccddd")), 6)
    0.215166
    """
    if convention not in CONVENTIONS:
        raise ValueError(f"a convention of {', '.join(CONVENTIONS)} was expected, not {convention!r}")
    x = np.asarray(values, dtype=np.float64)
    n = len(x)
    if n < 2:
        return math.nan
    residual = x - x.mean()
    if convention == "unclustered" or (unit is None and convention == "miller"):
        return float(math.sqrt(residual @ residual / (n - 1) / n))
    sums = np.bincount(codes(unit, n), weights=residual)
    squares = float(sums @ sums)
    if convention == "sandwich":
        return math.sqrt(squares) / n
    if convention == "miller":
        inner = float(residual @ residual)
        return math.sqrt(max(inner / (n - 1) / n + (squares - inner) / n**2, 0.0))
    if len(sums) < 2:
        return math.nan
    return math.sqrt(squares * len(sums) / (len(sums) - 1)) / n


def clustered_mean(values: ArrayLike, unit: Labels | None = None, *, level: float = 0.95) -> Mean:
    """The mean of ``values[n]`` with its interval; NaN around the value where there is one cluster only.

    Raises `ValueError` for no values, or one that is not finite, naming its row.

    >>> found = clustered_mean([1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 0], list("aaabbbcccddd"))
    >>> round(found.se, 4), round(found.low, 3), found.few
    (0.2152, -0.185, True)
    """
    x = numbers(values, least=1)
    index = codes(unit, len(x))
    clusters = int(index.max()) + 1
    se, plain = mean_se(x, index), mean_se(x, convention="unclustered")
    half = student(0.5 + share(level, "a level") / 2, clusters - 1) * se if clusters > 1 else math.nan
    value = float(x.mean())
    effect = (se / plain) ** 2 if plain > 0 else math.nan
    return Mean(value, se, value - half, value + half, len(x), clusters, effect, clusters < FEW)


@dataclass(frozen=True, slots=True)
class Wild:
    """The wild cluster bootstrap of a mean: ``p`` of the null value, and the null values that are not rejected."""

    value: float
    p: float
    low: float
    high: float
    n_clusters: int


def wild_cluster(
    values: ArrayLike,
    unit: Labels | None = None,
    *,
    null: float = 0.0,
    level: float = 0.95,
    resamples: int = 9_999,
    seed: int = 0,
) -> Wild:
    """Is the mean of clustered ``values`` another than ``null``? For some five to thirty clusters, where t covers too little.

    Under a null value the clusters' residual sums change sign (below twelve clusters they are weighted by Webb's six
    points), and the mean over its clustered standard error is compared with what that gives; the interval holds the null
    values that are not rejected at 1 - ``level``. Needs two clusters, else NaN; clusters that agree give their value.

    >>> found = wild_cluster([3.0, 2.5, 2.0, 3.5, 2.2, 3.1, 2.8, 2.4], null=2.0)
    >>> found.low < found.value < found.high, found.p < 0.05
    (True, True)
    """
    x = numbers(values, least=1)
    index = codes(unit, len(x))
    sums, sizes = np.bincount(index, x), np.bincount(index).astype(np.float64)
    value, clusters = float(x.mean()), len(sums)
    if clusters < 2:
        return Wild(value, math.nan, math.nan, math.nan, clusters)
    se = mean_se(x, index)
    if se <= 1e-12 * max(1.0, abs(value)):
        return Wild(value, float(abs(value - null) <= 1e-12), value, value, clusters)
    signs = _signs(resamples, clusters, stream(seed, "wild"))

    def p_of(at: float) -> float:
        return _wild_p(sums - sizes * at, sizes, signs)

    alpha = 1 - share(level, "a level")
    low, high = (_boundary(p_of, value, direction * se, alpha) for direction in (-1.0, 1.0))
    return Wild(value, p_of(null), low, high, clusters)


def _signs(resamples: int, clusters: int, rng: np.random.Generator) -> Values:
    """Weights ``[b, G]`` of mean 0 and variance 1."""
    sign = rng.integers(0, 2, size=(resamples, clusters)) * 2.0 - 1.0
    return np.asarray(sign if clusters >= RADEMACHER else sign * SIX[rng.integers(0, 3, size=sign.shape)])


def _wild_p(residual: Values, sizes: Values, signs: Values) -> float:
    """How often the studentised mean of weighted residual sums ``[G]`` is as far from 0 as theirs, (1 + #)/(1 + B)."""

    def t(sums: Values) -> Values:
        mean = sums.sum(axis=-1, keepdims=True) / sizes.sum()
        spread = np.sqrt(((sums - sizes * mean) ** 2).sum(axis=-1))
        total = np.abs(mean[..., 0]) * sizes.sum()
        return np.asarray(total / np.maximum(spread, 1e-12 * np.maximum(total, 1e-300)))

    observed = float(t(residual[None, :])[0])
    tossed = t(signs * residual)
    return float((1 + (tossed >= observed * (1 - 1e-11)).sum()) / (1 + len(signs)))


def _boundary(p_of: Callable[[float], float], value: float, step: float, alpha: float) -> float:
    """Where p falls to ``alpha`` from ``value`` in steps of a standard error, by bisection; ±∞ if it never does."""
    inside, outside = value, value + 2 * step
    for _ in range(20):
        if p_of(outside) < alpha:
            break
        inside, outside = outside, value + 2 * (outside - value)
    else:
        return math.copysign(math.inf, step)
    for _ in range(40):
        middle = (inside + outside) / 2
        inside, outside = (inside, middle) if p_of(middle) < alpha else (middle, outside)
    return (inside + outside) / 2
