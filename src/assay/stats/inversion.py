"""The bootstrap distribution of a mean without drawing: what endless resamples would give.

A resample's mean is that of n independent draws from the values, so that its characteristic function is the values' own
to the power of n, and the distribution is had back by a Fourier series. Some thirty frequencies are enough where the sum
is near normal; where it is not (one value that outweighs the rest, few values), they do not fade and resamples are drawn
instead. Steps that are small beside the standard error (values on a grid) are smoothed over.

Source: Feller 1971, chapter XV (inversion); Davison & Hinkley 1997, section 9.5 (the bootstrap of a mean in closed form).
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

REACH = 12.0
"""Standard errors to either side beyond which nothing lies: the series has a period of twice as many."""

MOST = 256
"""Frequencies after which it is given up."""

FADED = 1e-6
"""A characteristic function below this in so many frequencies as `LAST` has faded."""

LAST = 8

STEP = 0.1
"""How far apart, in standard errors, the places of the grid lie from which a quantile is sought."""

NEWTON = 3
"""Steps that take it from there to rounding."""


@dataclass(frozen=True, slots=True)
class MeanDistribution:
    """The distribution of a resample's mean: ``value`` + ``se`` S, with S from its Fourier coefficients ``series[k]``."""

    value: float
    se: float
    series: NDArray[np.complex128]

    def share(self, at: Values) -> Values:
        """The share of resamples with a mean below each of ``at``."""
        return self._shares(np.clip((at - self.value) / self.se, -REACH, REACH))[0]

    def quantiles(self, shares: Values) -> Values:
        """The means below which these shares of resamples lie: looked up on a grid, then by Newton's method."""
        grid, waves = _grid()
        k = len(self.series)
        on_grid = (grid + REACH) / (2 * REACH) + (waves[:, :k] @ self.series).real / REACH
        found = start = np.interp(shares, np.maximum.accumulate(on_grid), grid)
        for _ in range(NEWTON):
            below, density = self._shares(found)
            step = (shares - below) / np.maximum(density, 1e-12)
            found = np.clip(found + step, np.maximum(start - STEP, -REACH), np.minimum(start + STEP, REACH))
        return np.asarray(self.value + self.se * found)

    def _shares(self, s: Values) -> tuple[Values, Values]:
        """The distribution function and the density of S."""
        frequency = np.arange(1, len(self.series) + 1) * math.pi / REACH
        turning = np.exp(-1j * np.outer(s, frequency))
        total = ((turning - _signs(len(self.series))) * (self.series / (-1j * frequency))).real.sum(axis=1)
        density = 0.5 / REACH + (turning * self.series).real.sum(axis=1) / REACH
        return np.clip((s + REACH) / (2 * REACH) + total / REACH, 0.0, 1.0), density


@functools.lru_cache(maxsize=1)
def _grid() -> tuple[Values, NDArray[np.complex128]]:
    """Places from -`REACH` to `REACH`, and what each frequency adds to the distribution function there."""
    grid = np.linspace(-REACH, REACH, round(2 * REACH / STEP) + 1)
    frequency = np.arange(1, MOST + 1) * math.pi / REACH
    return grid, (np.exp(-1j * np.outer(grid, frequency)) - _signs(MOST)) / (-1j * frequency)


def _signs(count: int) -> Values:
    """e^{i π k} for k = 1 …: -1, 1, -1 …"""
    return np.asarray(1.0 - 2 * (np.arange(1, count + 1) % 2), dtype=np.float64)


def mean_distribution(values: Values) -> MeanDistribution | None:
    """That of the mean of ``values[n]`` drawn n at a time; None where it cannot be had in this way.

    >>> x = np.random.default_rng(0).random(400)
    >>> found = mean_distribution(x)
    >>> found.quantiles(np.array([0.025, 0.975])).round(3).tolist(), (x.mean() - 1.96 * x.std() / 20).round(3).item()
    ([0.502, 0.56], 0.502)
    """
    n = len(values)
    with np.errstate(invalid="ignore", over="ignore"):
        value, spread = float(values.mean()), float(values.std())
    if not math.isfinite(spread) or spread <= 1e-12 * max(abs(value), 1e-300):
        return None
    turn = np.exp(1j * math.pi / REACH / math.sqrt(n) * ((values - value) / spread))
    wave, series = turn.copy(), []
    for _ in range(MOST):
        series.append(complex(wave.mean()) ** n)
        if len(series) >= LAST and max(map(abs, series[-LAST:])) < FADED:
            return MeanDistribution(value, spread / math.sqrt(n), np.array(series))
        wave *= turn
    return None
