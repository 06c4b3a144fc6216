"""How outcomes depend on the difference d of two ratings, and on a tie parameter: log-likelihoods and their derivatives.

Source: Bradley & Terry 1952; Davidson 1970; Rao & Kupper 1967.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


class Slopes(NamedTuple):
    """Of each row's log-likelihood ``value``: the first derivatives by d and by the tie parameter t, and the negative
    second ones.
    """

    value: Values
    d: Values
    t: Values
    dd: Values
    dt: Values
    tt: Values


Link = Callable[[Values, float, Values], Slopes]


def bradley_terry(d: Values, t: float, outcome: Values) -> Slopes:
    """P(A wins) = σ(d); a tie is half a win for each. The tie parameter has no say."""
    p, none = _sigma(d), np.zeros_like(d)
    value = outcome * _log_sigma(d) + (1 - outcome) * _log_sigma(-d)
    return Slopes(value, outcome - p, none, p * (1 - p), none, none)


def davidson(d: Values, t: float, outcome: Values) -> Slopes:
    """Win, tie and loss are as e^{d/2}, e^t and e^{-d/2}; ν = e^t."""
    scores = np.stack([d / 2, np.full_like(d, t), -d / 2])
    largest = scores.max(axis=0)
    total = largest + np.log(np.exp(scores - largest).sum(axis=0))
    win, tie, loss = np.exp(scores - total)
    is_tie = outcome == 0.5
    value = np.where(is_tie, t, (outcome - 0.5) * d) - total
    gap = win - loss
    return Slopes(
        value,
        (outcome - 0.5) - gap / 2,
        is_tie - tie,
        (win + loss - gap**2) / 4,
        -tie * gap / 2,
        tie * (1 - tie),
    )


def rao_kupper(d: Values, t: float, outcome: Values) -> Slopes:
    """P(A wins) = σ(d - t), P(B wins) = σ(-d - t), else a tie; t > 0 is the difference that a judge does not see."""
    up, down = _sigma(d - t), _sigma(-d - t)
    is_tie = outcome == 0.5
    above, below = (outcome >= 0.5) * 1.0, (outcome <= 0.5) * 1.0
    rest = 1 / np.expm1(2 * t) if t > 0 else np.inf
    tied = np.log(np.expm1(2 * t)) if t > 0 else -np.inf
    value = above * _log_sigma(d - t) + below * _log_sigma(-d - t) + np.where(is_tie, tied, 0.0)
    curve_up, curve_down = above * up * (1 - up), below * down * (1 - down)
    return Slopes(
        value,
        above * (1 - up) - below * (1 - down),
        -above * (1 - up) - below * (1 - down) + np.where(is_tie, 2 * (1 + rest), 0.0),
        curve_up + curve_down,
        curve_down - curve_up,
        curve_up + curve_down + np.where(is_tie, 4 * rest * (1 + rest), 0.0),
    )


def _sigma(x: Values) -> Values:
    from scipy.special import expit

    return np.asarray(expit(x))


def _log_sigma(x: Values) -> Values:
    return np.asarray(-np.logaddexp(0.0, -x))
