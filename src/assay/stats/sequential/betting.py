"""Betting against the mean of scores in [0, 1]: evidence and confidence sequences that hold for any n.

A gambler stakes on the next score being above m, another on its being below; what half a coin with each has become,
K_t(m) = ½ Π(1 + λ⁺(x - m)) + ½ Π(1 - λ⁻(x - m)), is on average at most 1 if m is the mean. Stakes are the predictable
plug-in λ_t = √(2 ln(2/α)/(σ̂²_{t-1} t ln(1 + t))), at most ½/m above and ½/(1-m) below, with
μ̂_t = (½ + Σx)/(t + 1) and σ̂²_t = (¼ + Σ(x_i - μ̂_i)²)/(t + 1).

Source: Waudby-Smith & Ramdas 2024 (arXiv 2010.09686).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.stats.inputs import numbers, pairs, share
from assay.stats.sequential.monitored import Monitored, least_p

CAP = 0.5
"""The largest share of what could be lost that is staked."""

POINTS = 1_000
"""Means that a confidence sequence tries; its bounds are rounded outwards to them."""

BLOCK = 1 << 21
"""Numbers in a block of samples × means."""

LARGEST = 700.0
"""Beyond e^700 a fortune is that."""

Values = NDArray[np.float64]


def betting(scores: ArrayLike, mean: float = 0.5, *, alpha: float = 0.05, points: int = POINTS) -> Monitored:
    """The evidence after each of ``scores[n]`` in [0, 1], in the order in which they came, that their mean is not ``mean``.

    With the confidence sequence at 1 - ``alpha``, whose last place is exact and whose others are rounded outwards to one of
    ``points`` means. Raises `ValueError` for a score outside [0, 1], naming its row, or a mean not between 0 and 1.

    >>> x = (np.random.default_rng(0).random(500) < 0.7) * 1.0
    >>> found = betting(x)
    >>> found.stopped, round(float(found.low[-1]), 2), round(float(found.high[-1]), 2)
    (63, 0.58, 0.73)
    """
    share(mean, "a mean")
    x = _bounded(scores)
    low, high = confidence_sequence(x, alpha=alpha, points=points)
    e = np.exp(np.minimum(_log_capital(x, _stakes(x, alpha), np.array([mean]))[:, 0], LARGEST))
    return Monitored(np.cumsum(x) / np.arange(1, len(x) + 1), e, least_p(e), low, high, alpha)


def betting_paired(a: ArrayLike, b: ArrayLike, *, alpha: float = 0.05, points: int = POINTS) -> Monitored:
    """The same of the difference A - B of two models' scores in [0, 1] of the same samples: is its mean another than 0?

    Differences d are bet on as (d + 1)/2 against ½; estimate and bounds are differences.

    >>> rng = np.random.default_rng(0)
    >>> a, b = ((rng.random(2000) < p) * 1.0 for p in (0.8, 0.7))
    >>> found = betting_paired(a, b)
    >>> bool(found.low[-1] > 0), round(float(found.estimate[-1]), 3)
    (True, 0.087)
    """
    first, second = pairs(a, b)
    for side, values in (("A", first), ("B", second)):
        _bounded(values, side)
    found = betting((first - second + 1) / 2, 0.5, alpha=alpha, points=points)
    estimate, low, high = (2 * values - 1 for values in (found.estimate, found.low, found.high))
    return Monitored(estimate, found.e, found.p, low, high, alpha)


def confidence_sequence(scores: ArrayLike, *, alpha: float = 0.05, points: int = POINTS) -> tuple[Values, Values]:
    """``low[n]`` and ``high[n]`` after each score: the means whose bets have not reached 1/``alpha`` yet, nor ever before.

    >>> low, high = confidence_sequence(np.tile([0.2, 0.8], 200))
    >>> round(float(low[-1]), 2), round(float(high[-1]), 2)
    (0.45, 0.55)
    """
    share(alpha, "alpha")
    x = _bounded(scores)
    if points < 10:
        raise ValueError(f"at least 10 points were expected, not {points}")
    grid = np.linspace(0.0, 1.0, points + 1)
    stakes, goal = _stakes(x, alpha), -math.log(alpha)
    first, last = np.full(len(x), points + 1), np.full(len(x), -1)
    step = max(1, BLOCK // len(x))
    for start in range(0, points + 1, step):
        kept = _log_capital(x, stakes, grid[start : start + step]) < goal
        some = kept.any(axis=1)
        first = np.where(some, np.minimum(first, start + kept.argmax(axis=1)), first)
        last = np.where(some, np.maximum(last, start + kept.shape[1] - 1 - kept[:, ::-1].argmax(axis=1)), last)
    # Where all points are beaten, the sequence lies between the two about the mean.
    middle = np.clip(np.cumsum(x) / np.arange(1, len(x) + 1) * points, 0, points)
    none = last < 0
    first, last = np.where(none, np.ceil(middle), first), np.where(none, np.floor(middle), last)
    low = np.maximum.accumulate(grid[np.maximum(first.astype(int) - 1, 0)])
    high = np.minimum.accumulate(grid[np.minimum(last.astype(int) + 1, points)])
    below, above = int(first.max()), int(last.min())
    if below <= above:
        low[-1] = _boundary(x, stakes, low[-1], grid[below], goal)
        high[-1] = _boundary(x, stakes, high[-1], grid[above], goal)
    return low, np.maximum(high, low)


def _boundary(x: Values, stakes: Values, beaten: float, kept: float, goal: float) -> float:
    """The mean between a ``beaten`` one and one that is ``kept``, at which the bets have just once reached the ``goal``."""
    for _ in range(30):
        middle = (beaten + kept) / 2
        reached = _log_capital(x, stakes, np.array([middle])).max() >= goal
        beaten, kept = (middle, kept) if reached else (beaten, middle)
    return beaten


def _bounded(scores: ArrayLike, name: str = "scores") -> Values:
    x = numbers(scores, name, least=1)
    outside = np.flatnonzero((x < 0) | (x > 1))
    if len(outside):
        raise ValueError(
            f"{name}: scores between 0 and 1 were expected, row {outside[0]} is {x[outside[0]]}; rescale them"
        )
    return x


def _stakes(x: Values, alpha: float) -> Values:
    """λ_t, of which each depends on the scores before it alone."""
    t = np.arange(1, len(x) + 1)
    mean = (0.5 + np.cumsum(x)) / (t + 1)
    spread = (0.25 + np.cumsum((x - mean) ** 2)) / (t + 1)
    before = np.concatenate([[0.25], spread[:-1]])
    return np.asarray(np.sqrt(2 * math.log(2 / alpha) / (before * t * np.log1p(t))))


def _log_capital(x: Values, stakes: Values, means: Values) -> Values:
    """ln K_t(m), ``[n, m]``."""
    with np.errstate(divide="ignore"):
        up = np.minimum(stakes[:, None], CAP / means)
        down = np.minimum(stakes[:, None], CAP / (1 - means))
    away = x[:, None] - means
    above, below = (np.cumsum(np.log1p(bet), axis=0) for bet in (up * away, -down * away))
    return np.asarray(np.logaddexp(above, below) - math.log(2))
