"""Ratings with their uncertainty: differences on the scale of log-odds, shown as Elo, ranked by simultaneous tests."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from assay.stats.inputs import share
from assay.stats.multiplicity import holm
from assay.stats.quantiles import normal
from assay.stats.several import RankSet, sets_of_ranks

ELO = 400 / math.log(10)
"""Elo points in one unit of log-odds."""

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Coefficient:
    """A coefficient beside the ratings, with its standard error and two-sided p of being 0."""

    value: float
    se: float
    p: float


@dataclass(frozen=True, slots=True)
class Ratings:
    """Models' ratings θ, which sum to 0: P(A over B) is σ(θ_A - θ_B) where nothing else has a say.

    ``low`` and ``high`` bound each at ``level``; ``covariance[M, M]`` is theirs. ``n`` battles (or rankings). ``beside``
    holds what was fitted along: ``position`` (what the first place is worth), ``style:0`` …, ``tie``. ``separated``
    names groups between which one side won everything: more than one, and ratings are held finite by ``prior``.
    """

    names: tuple[str, ...]
    theta: Values
    covariance: Values = field(repr=False)
    low: Values
    high: Values
    level: float
    n: int
    log_likelihood: float
    beside: Mapping[str, Coefficient]
    separated: tuple[tuple[str, ...], ...]
    prior: float
    signature: str

    @property
    def se(self) -> Values:
        """Each rating's standard error."""
        return np.sqrt(np.maximum(np.diag(self.covariance), 0.0))

    def elo(self, base: float = 1000.0) -> dict[str, tuple[float, ...]]:
        """Rating, low and high by name, best first, as ``base`` + 400/ln 10 θ."""
        order = np.argsort(-self.theta, kind="stable")
        shown = base + ELO * np.column_stack([self.theta, self.low, self.high])
        return {self.names[place]: tuple(shown[place].tolist()) for place in order.tolist()}

    def anchored(self, name: str) -> Ratings:
        """The same with ``name`` at 0 and every other's uncertainty that of its difference to it."""
        if name not in self.names:
            raise ValueError(f"{name!r} was not rated; {', '.join(self.names)} were")
        at = self.names.index(name)
        move = np.eye(len(self.names))
        move[:, at] -= 1
        covariance = move @ self.covariance @ move.T
        theta = self.theta - self.theta[at]
        half = normal(0.5 + self.level / 2) * np.sqrt(np.maximum(np.diag(covariance), 0.0))
        signature = f"{self.signature}|anchor:{name}"
        return replace(
            self, theta=theta, covariance=covariance, low=theta - half, high=theta + half, signature=signature
        )

    def difference(self, a: str, b: str) -> Coefficient:
        """θ_a - θ_b with its standard error and p of being 0."""
        i, j = (self.names.index(name) for name in (a, b))
        variance = self.covariance[i, i] + self.covariance[j, j] - 2 * self.covariance[i, j]
        return coefficient(float(self.theta[i] - self.theta[j]), float(variance))

    def ranks(self, alpha: float = 0.05) -> list[RankSet]:
        """Sets of ranks that hold for all models at once, from all pairs' differences, corrected by Holm; best first."""
        share(alpha, "alpha")
        pairs = list(combinations(range(len(self.names)), 2))
        apart = [self.difference(self.names[i], self.names[j]) for i, j in pairs]
        adjusted = holm([one.p for one in apart])
        return sets_of_ranks(self.names, self.theta, pairs, np.array([one.value for one in apart]), adjusted < alpha)


def coefficient(value: float, variance: float) -> Coefficient:
    """A value with its standard error; p is NaN where there is none."""
    from scipy.special import ndtr

    se = math.sqrt(max(variance, 0.0))
    return Coefficient(value, se, 2 * float(ndtr(-abs(value) / se)) if se > 0 else math.nan)
