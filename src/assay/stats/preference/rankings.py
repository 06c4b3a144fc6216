"""Ratings from whole rankings: Plackett and Luce's model.

The first of a ranking is chosen from all that it holds with probability e^θ/Σe^θ, the second from the rest, and so on; a
ranking may hold any two or more of the models. Source: Plackett 1975; Luce 1959; Hunter 2004.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.stats.inputs import share
from assay.stats.preference.battles import battles, components, separated
from assay.stats.preference.paired import HELD
from assay.stats.preference.ratings import Ratings
from assay.stats.quantiles import normal
from assay.stats.units import Labels, codes
from assay.version import __version__

STEPS = 100
CLOSE = 1e-10

Values = NDArray[np.float64]


def plackett_luce(
    rankings: Sequence[Sequence[Any]],
    unit: Labels | None = None,
    *,
    prior: float | None = None,
    level: float = 0.95,
) -> Ratings:
    """The models' ratings from rankings, best first; of two models each, they are Bradley and Terry's.

    Intervals rest on the sandwich by ranking, or by ``unit`` where one rater's rankings move together. ``prior``: λ of a
    ridge on the ratings; None: none, or `assay.stats.preference.paired.HELD` where one side won everything. Raises
    `ValueError`, naming the ranking, for fewer than two models in it, or one twice; for models that were not all
    compared.

    >>> found = plackett_luce([["a", "b", "c"], ["b", "a", "c"], ["a", "c", "b"], ["c", "a", "b"]])
    >>> found.names[int(found.theta.argmax())], found.n
    ('a', 4)
    """
    share(level, "a level")
    names, padded = _numbered(rankings)
    m = len(names)
    graph = battles(*_wins(rankings))
    if len(parts := components(graph)) > 1:
        apart = "; ".join(", ".join(part) for part in parts)
        raise ValueError(f"these models were never ranked with each other, rate them apart: {apart}")
    groups = separated(graph)
    held = (HELD if len(groups) > 1 else 0.0) if prior is None else prior
    theta = np.zeros(m)
    value, score, matrix = _likelihood(padded, theta, held)
    for _ in range(STEPS):
        step = np.linalg.solve(matrix, score.sum(axis=0) - held * theta - theta.sum() / m)
        size = 1.0
        while size > 1e-8:
            there, new_score, new_matrix = _likelihood(padded, theta + size * step, held)
            if there >= value - 1e-12 * abs(value):
                break
            size /= 2
        theta, value, score, matrix = theta + size * step, there, new_score, new_matrix
        if float(np.abs(size * step).max()) < CLOSE:
            break
    theta = theta - theta.mean()
    spread = _covariance(matrix, score, codes(unit, len(padded)), held)
    half = normal(0.5 + level / 2) * np.sqrt(np.maximum(np.diag(spread), 0.0))
    kind = f"prior:{held:g}*sum" if held else "sandwich:unit" if unit is not None else "sandwich"
    return Ratings(
        names,
        theta,
        spread,
        theta - half,
        theta + half,
        level,
        len(padded),
        value + 0.5 * held * float(theta @ theta),
        {},
        tuple(tuple(group) for group in groups),
        held,
        f"plackett_luce|{kind}|assay:{__version__}",
    )


def _numbered(rankings: Sequence[Sequence[Any]]) -> tuple[tuple[str, ...], NDArray[np.intp]]:
    """The models' names, and the rankings as numbers ``[n, longest]``, -1 where one has ended."""
    if not len(rankings):
        raise ValueError("at least one ranking was expected")
    texts = [[str(name) for name in ranking] for ranking in rankings]
    for place, ranking in enumerate(texts):
        if len(ranking) < 2 or len(set(ranking)) < len(ranking):
            raise ValueError(f"two or more models, each once, were expected, ranking {place} is {ranking}")
    names = tuple(sorted({name for ranking in texts for name in ranking}))
    number = {name: place for place, name in enumerate(names)}
    padded = np.full((len(texts), max(map(len, texts))), -1, dtype=np.intp)
    for row, ranking in zip(padded, texts, strict=True):
        row[: len(ranking)] = [number[name] for name in ranking]
    return names, padded


def _wins(rankings: Sequence[Sequence[Any]]) -> tuple[list[str], list[str], list[float]]:
    """Each model over the next: enough to see whether all hang together, and who was never beaten."""
    over = [(str(first), str(second)) for ranking in rankings for first, second in pairwise(ranking)]
    return [first for first, _ in over], [second for _, second in over], [1.0] * len(over)


def _likelihood(padded: NDArray[np.intp], theta: Values, held: float) -> tuple[float, Values, Values]:
    """The (penalised) log-likelihood, each ranking's score ``[n, M]``, the Newton matrix ``[M, M]``."""
    n, longest = padded.shape
    m = len(theta)
    there = padded >= 0
    rating = np.where(there, theta[padded], -np.inf)
    value, score = -0.5 * held * float(theta @ theta) - 0.5 * float(theta.sum()) ** 2 / m, np.zeros((n, m))
    matrix = held * np.eye(m) + 1 / m
    for stage in range(longest - 1):
        rows = np.flatnonzero(there[:, stage + 1])
        left, names = rating[rows, stage:], padded[rows, stage:]
        top = left.max(axis=1, keepdims=True)
        total = top[:, 0] + np.log(np.exp(left - top).sum(axis=1))
        value += float((left[:, 0] - total).sum())
        p = np.zeros((len(rows), m))
        places = np.repeat(np.arange(len(rows)), names.shape[1]), names.ravel()
        known = places[1] >= 0
        p[places[0][known], places[1][known]] = np.exp(left - total[:, None]).ravel()[known]
        score[rows] -= p
        score[rows, names[:, 0]] += 1
        matrix += np.diag(p.sum(axis=0)) - p.T @ p
    return value, score, matrix


def _covariance(matrix: Values, score: Values, index: NDArray[np.intp], held: float) -> Values:
    inverse = np.linalg.inv(matrix)
    if held > 0:
        return np.asarray(inverse)
    inverse = inverse - 1 / len(inverse)
    units = int(index.max()) + 1
    sums = np.zeros((units, score.shape[1]))
    np.add.at(sums, index, score)
    scale = 1.0 if units == len(score) else units / max(units - 1, 1)
    return np.asarray(inverse @ (sums.T @ sums * scale) @ inverse)
