"""Item response theory, the formulas: how likely a right answer is at an ability, and what an item says about it.

The four-parameter logistic P(θ) = c + (d - c) / (1 + exp(-a (θ - b))), without the factor 1.7: ``a`` discrimination, ``b``
difficulty, ``c`` chance (known here, never estimated), ``d`` the upper asymptote. c = 0, d = 1 is the two-parameter model, a = 1
besides the Rasch model. Arrays broadcast.

Source: Birnbaum 1968; Magis 2013 (information with four parameters).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.stats.inputs import floats

Values = NDArray[np.float64]


def response(theta: ArrayLike, a: ArrayLike, b: ArrayLike, c: ArrayLike = 0.0, d: ArrayLike = 1.0) -> Values:
    """The probability of a right answer at the ability ``theta``.

    Raises `ValueError` for what is no number, and asymptotes that are not 0 ≤ c < d ≤ 1.

    >>> round(float(response(0.5, 1.2, 0.3, 0.2)), 8)
    0.64777092
    """
    at, slope, place, low, high = _checked(theta, a, b, c, d)
    return np.asarray(low + (high - low) * _logistic(slope * (at - place)))


def information(theta: ArrayLike, a: ArrayLike, b: ArrayLike, c: ArrayLike = 0.0, d: ArrayLike = 1.0) -> Values:
    """Fisher's information of an item about ``theta``; arguments and errors as of `response`.

    >>> round(float(information(0.5, 1.2, 0.3, 0.2)), 8)
    0.24530028
    """
    at, slope, place, low, high = _checked(theta, a, b, c, d)
    logistic = _logistic(slope * (at - place))
    p = low + (high - low) * logistic
    gradient = slope * (high - low) * logistic * (1 - logistic)
    below = p * (1 - p)
    out = np.zeros(np.broadcast_shapes(gradient.shape, below.shape))
    np.divide(gradient**2, below, out=out, where=below > 0)  # far out both vanish, and the information with them
    return out


def most_informative(a: ArrayLike, b: ArrayLike, c: ArrayLike = 0.0) -> Values:
    """The ability about which an item of three parameters says most: b + ln((1 + √(1 + 8c)) / 2) / a.

    Raises `ValueError` as `response`, and for a discrimination of 0.

    >>> round(float(most_informative(1.2, 0.3, 0.2)), 8)
    0.52261824
    """
    _, slope, place, low, _ = _checked(0.0, a, b, c, 1.0)
    if (slope == 0).any():
        raise ValueError("a discrimination other than 0 was expected: an item of 0 says as much everywhere")
    return np.asarray(place + np.log((1 + np.sqrt(1 + 8 * low)) / 2) / slope)


def standard_error(theta: float, a: ArrayLike, b: ArrayLike, c: ArrayLike = 0.0, d: ArrayLike = 1.0) -> float:
    """The standard error of an ability of ``theta`` after items ``[n]``: 1 / √(their information); NaN where it is 0.

    >>> round(standard_error(0.0, [1, 1.2, 0.8], [0, 0.3, -0.5], [0, 0.2, 0.25]), 8)
    1.32978167
    """
    total = float(information(theta, a, b, c, d).sum())
    return total**-0.5 if total > 0 else float("nan")


def _logistic(x: Values) -> Values:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * x)))  # without overflow


def _checked(*given: ArrayLike) -> list[Values]:
    names = ("theta", "a", "b", "c", "d")
    out = [floats(one, name) for one, name in zip(given, names, strict=True)]
    for one, name in zip(out, names, strict=True):
        if not np.isfinite(one).all():
            raise ValueError(f"{name}: finite numbers were expected, not {one!r:.60}")
    if not ((out[3] >= 0) & (out[3] < out[4]) & (out[4] <= 1)).all():
        raise ValueError("asymptotes 0 <= c < d <= 1 were expected")
    return out
