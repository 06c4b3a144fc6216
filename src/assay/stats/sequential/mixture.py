"""The mixture sequential probability ratio test of a mean difference.

Λ_n = √(σ²/(σ² + n τ²)) exp(n² τ² (d̄ - θ₀)²/(2 σ² (σ² + n τ²))): the likelihood ratio mixed over effects N(θ₀, τ²).
Source: Robbins 1970; Johari, Koomen, Pekelis & Walsh 2022 (arXiv 1512.04922).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.stats.inputs import numbers, share
from assay.stats.sequential.monitored import Monitored, least_p

START = 50
"""With an estimated variance nothing is said before so many samples: until then it may be far off."""

LARGEST = 700.0
"""Beyond e^700 a ratio is that."""

Values = NDArray[np.float64]


def mixture_ratio(mean: float, n: int, variance: float, tau2: float, *, null: float = 0.0) -> float:
    """Λ of ``n`` differences with ``mean`` and known ``variance``, mixed over effects of variance ``tau2``.

    >>> round(mixture_ratio(0.05, 1000, 0.5, 1e-3), 6)
    3.056775
    """
    _check(variance, tau2)
    return float(np.exp(_log_ratio(np.array([mean - null]), np.array([float(n)]), np.array([variance]), tau2))[0])


def msprt(
    differences: ArrayLike,
    *,
    tau2: float,
    variance: float | None = None,
    null: float = 0.0,
    alpha: float = 0.05,
    start: int = START,
) -> Monitored:
    """The test after each of ``differences[n]``, in the order in which they came, that their mean is ``null``.

    ``tau2`` is the square of the smallest effect of interest. ``variance`` is that of one difference; where it is None, the
    samples' own so far stands for it, and nothing is said before ``start`` samples (the validity is then asymptotic).
    For two arms of different samples, the i-th of each is a pair, and the variance is the sum of both. Raises
    `ValueError` for no differences, one that is not finite, a variance or ``tau2`` not above 0.

    >>> d = np.random.default_rng(0).normal(0.2, 1, 2000)
    >>> found = msprt(d, tau2=0.04)
    >>> found.stopped, bool(found.low[-1] < 0.2 < found.high[-1])
    (92, True)
    """
    share(alpha, "alpha")
    d = numbers(differences, "differences", least=1)
    _check(1.0 if variance is None else variance, tau2)
    n = np.arange(1, len(d) + 1, dtype=np.float64)
    mean = np.cumsum(d) / n
    silent = np.zeros(len(d), dtype=np.bool_)
    if variance is None:
        spread = _running_variance(d, n)
        silent = (n < max(start, 2)) | (spread <= 0)
        spread = np.where(silent, 1.0, spread)
    else:
        spread = np.full(len(d), float(variance))
    with np.errstate(over="ignore"):
        ratio = np.exp(np.minimum(_log_ratio(mean - null, n, spread, tau2), LARGEST))
    e = np.where(silent, 1.0, ratio)
    total = spread + n * tau2
    half = np.sqrt(2 * spread * total / (n**2 * tau2) * (0.5 * np.log(total / spread) - math.log(alpha)))
    half = np.where(silent, math.inf, half)
    return Monitored(mean, e, least_p(e), mean - half, mean + half, alpha)


def _log_ratio(away: Values, n: Values, variance: Values, tau2: float) -> Values:
    total = variance + n * tau2
    return np.asarray(0.5 * np.log(variance / total) + (n * away) ** 2 * tau2 / (2 * variance * total))


def _running_variance(d: Values, n: Values) -> Values:
    """The variance of the first 1, 2, … n, about a value that keeps the squares small."""
    centred = d - d[0]
    sums, squares = np.cumsum(centred), np.cumsum(centred**2)
    return np.asarray(np.maximum(squares - sums**2 / n, 0.0) / np.maximum(n - 1, 1))


def _check(variance: float, tau2: float) -> None:
    if not 0 < variance < math.inf or not 0 < tau2 < math.inf:
        raise ValueError(f"a variance and a tau2 above 0 were expected, not {variance} and {tau2}")
