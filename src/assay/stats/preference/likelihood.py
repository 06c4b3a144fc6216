"""The most likely ratings of battles by Newton's method, and what their uncertainty rests on.

Parameters are the ratings θ[M] (summing to 0), coefficients of columns Z[n, k] (a position term first, then style) and,
for models of ties, one more; d = θ_a - θ_b + Zβ. All of the log-likelihoods are concave. Rows are never made into a
matrix of n × M: sums over pairs are enough.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.stats.preference.battles import Battles
from assay.stats.preference.links import Link, Slopes

STEPS = 100
CLOSE = 1e-10

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is maximised: ``columns[n, k]`` of Z, ``ridge[k]`` on their coefficients, ``prior`` on θ; ``tie``: a tie parameter."""

    battles: Battles
    link: Link
    columns: Values
    ridge: Values
    prior: float
    tie: bool

    @property
    def models(self) -> int:
        """M."""
        return len(self.battles.names)


@dataclass(frozen=True, slots=True)
class Fit:
    """θ, β and t at the maximum, the log-likelihood there, and the Newton matrix (with penalties, and 11ᵀ/M for θ)."""

    theta: Values
    beta: Values
    tie: float
    log_likelihood: float
    matrix: Values


def fit(problem: Problem, start: Fit | None = None, weights: Values | None = None) -> Fit:
    """The maximum; ``weights`` (how often each row counts) are the battles' own unless given."""
    given = problem.battles
    w = given.counts * given.weights if weights is None else weights
    m, k = problem.models, problem.columns.shape[1]
    at = np.zeros(m + k + problem.tie) if start is None else _packed(start, problem)
    if problem.tie and start is None:
        at[-1] = 0.5
    value, slopes = _value(problem, at, w)
    for _ in range(STEPS):
        matrix = _matrix(problem, w, slopes)
        step = np.linalg.solve(matrix, _gradient(problem, at, w, slopes))
        size = 1.0
        while True:
            there, new = _value(problem, at + size * step, w)
            if there >= value - 1e-12 * abs(value) or size < 1e-8:
                break
            size /= 2
        at, value, slopes = at + size * step, there, new
        if float(np.abs(size * step).max()) < CLOSE:
            break
    at[:m] -= at[:m].mean()
    tie = float(at[-1]) if problem.tie else math.nan
    plain = float(w @ slopes.value)
    return Fit(at[:m], at[m : m + k], tie, plain, _matrix(problem, w, slopes))


def covariance(problem: Problem, found: Fit) -> Values:
    """The covariance of all parameters: the sandwich H⁻¹BH⁻¹ with B by battle, or by unit where battles move together.

    With a prior on θ it is H⁻¹, and where nothing is left to make a sandwich of (nothing but ties).
    """
    m = problem.models
    inverse = np.linalg.inv(found.matrix)
    centre = np.zeros_like(inverse)
    centre[:m, :m] = 1 / m
    if problem.prior > 0:
        return np.asarray(inverse)
    inverse = inverse - centre  # 11ᵀ/M is its own inverse on the ratings' mean
    meat = _meat(problem, found)
    if np.abs(meat).max() <= 1e-12 * np.abs(found.matrix).max():
        return np.asarray(inverse)
    return np.asarray(inverse @ meat @ inverse)


def _packed(start: Fit, problem: Problem) -> Values:
    return np.concatenate([start.theta, start.beta, [start.tie] if problem.tie else []])


def _value(problem: Problem, at: Values, w: Values) -> tuple[float, Slopes]:
    given, m, k = problem.battles, problem.models, problem.columns.shape[1]
    theta, beta = at[:m], at[m : m + k]
    d = theta[given.a] - theta[given.b] + problem.columns @ beta
    slopes = problem.link(d, float(at[-1]) if problem.tie else 0.0, given.outcome)
    penalty = 0.5 * float(problem.ridge @ beta**2) + 0.5 * problem.prior * float(theta @ theta)
    centred = 0.5 * float(theta.sum()) ** 2 / m
    value = float(w @ slopes.value) - penalty - centred
    return (value if math.isfinite(value) else -math.inf), slopes


def _gradient(problem: Problem, at: Values, w: Values, slopes: Slopes) -> Values:
    m, k = problem.models, problem.columns.shape[1]
    theta, beta = at[:m], at[m : m + k]
    pull = w * slopes.d
    parts = [
        _by_model(problem, pull) - problem.prior * theta - theta.sum() / m,
        problem.columns.T @ pull - problem.ridge * beta,
    ]
    if problem.tie:
        parts.append(np.array([float(w @ slopes.t)]))
    return np.concatenate(parts)


def _matrix(problem: Problem, w: Values, slopes: Slopes) -> Values:
    """The negative second derivatives, ``[M + k + t, M + k + t]``."""
    out = _outer(problem, w * slopes.dd, w * slopes.dt, w * slopes.tt)
    m, k = problem.models, problem.columns.shape[1]
    out[:m, :m] += problem.prior * np.eye(m) + 1 / m
    out[m : m + k, m : m + k] += np.diag(problem.ridge)
    return out


def _outer(problem: Problem, dd: Values, dt: Values, tt: Values) -> Values:
    """Σ over rows of the outer products that (d, t) make of (e_a - e_b, Z) and 1, with these weights."""
    given, m, z = problem.battles, problem.models, problem.columns
    k = z.shape[1]
    out = np.zeros((m + k + problem.tie, m + k + problem.tie))
    pairs = np.bincount(given.a * m + given.b, dd, minlength=m * m).reshape(m, m)
    out[:m, :m] = np.diag(pairs.sum(axis=0) + pairs.sum(axis=1)) - pairs - pairs.T
    for place in range(k):
        out[:m, m + place] = out[m + place, :m] = _by_model(problem, dd * z[:, place])
    out[m : m + k, m : m + k] = z.T @ (dd[:, None] * z)
    if problem.tie:
        out[:m, -1] = out[-1, :m] = _by_model(problem, dt)
        out[m : m + k, -1] = out[-1, m : m + k] = z.T @ dt
        out[-1, -1] = tt.sum() + 1e-12  # where a resample has no tie left
    return out


def _by_model(problem: Problem, values: Values) -> Values:
    m = problem.models
    a, b = problem.battles.a, problem.battles.b
    return np.asarray(np.bincount(a, values, minlength=m) - np.bincount(b, values, minlength=m), dtype=np.float64)


def _meat(problem: Problem, found: Fit) -> Values:
    """B: the sum of squares of each battle's (or unit's, × G/(G-1)) derivative."""
    given, m = problem.battles, problem.models
    d = found.theta[given.a] - found.theta[given.b] + problem.columns @ found.beta
    slopes = problem.link(d, found.tie if problem.tie else 0.0, given.outcome)
    if given.unit is None:
        squared = given.counts * given.weights**2
        return _outer(problem, squared * slopes.d**2, squared * slopes.d * slopes.t, squared * slopes.t**2)
    from scipy.sparse import coo_matrix

    w = given.counts * given.weights
    units = int(given.unit.max()) + 1
    pull = w * slopes.d
    rows, columns = np.concatenate([given.unit, given.unit]), np.concatenate([given.a, given.b])
    score = coo_matrix((np.concatenate([pull, -pull]), (rows, columns)), shape=(units, m)).toarray()
    rest = np.column_stack([problem.columns * pull[:, None], *([w * slopes.t] if problem.tie else [])])
    sums = [np.bincount(given.unit, column, minlength=units) for column in rest.T]
    score = np.column_stack([score, *sums])
    return np.asarray(score.T @ score * (units / max(units - 1, 1)))
