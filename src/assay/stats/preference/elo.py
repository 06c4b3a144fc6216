"""Elo's running rating, for dashboards that show battles as they come: it depends on their order. Source: Elo 1978."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.stats.inputs import share
from assay.stats.preference.battles import Battles
from assay.stats.streams import stream

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Elo:
    """A rating by name in the order given; ``mean``, ``low`` and ``high`` over other orders of the same battles."""

    names: tuple[str, ...]
    rating: Values
    mean: Values
    low: Values
    high: Values


def elo(
    given: Battles,
    *,
    k: float = 4.0,
    start: float = 1000.0,
    scale: float = 400.0,
    orders: int = 100,
    level: float = 0.95,
    seed: int = 0,
) -> Elo:
    """Elo's ratings after battles in the order of the rows, and what they would be after ``orders`` shuffles of them.

    A battle moves both by ``k`` (outcome - 1/(1 + 10^((R_b - R_a)/scale))). Between models whose strength does not change
    `bradley_terry` is better: it uses all battles at once. Give battles one by one (with a ``unit``, so that equal
    ones are not joined); a row's count is that many battles in a row. Raises `ValueError` for counts that are not whole.

    >>> from assay.stats.preference.battles import battles
    >>> found = elo(battles(["x", "y"], ["y", "x"], [1, 0], unit=[0, 1]), k=32)
    >>> found.names, found.rating.round(3).tolist()
    (('x', 'y'), [1030.53, 969.47])
    """
    share(level, "a level")
    if (given.counts != np.rint(given.counts)).any():
        raise ValueError("counts of whole battles were expected: Elo goes from one to the next")
    rows = np.repeat(np.arange(len(given)), given.counts.astype(int))
    rng = stream(seed, "elo")
    order = np.column_stack([rows, *(rng.permutation(rows) for _ in range(orders))])
    ratings = np.full((orders + 1, len(given.names)), float(start))
    lane = np.arange(orders + 1)
    for battle in order:
        a, b = given.a[battle], given.b[battle]
        expected = 1 / (1 + 10 ** ((ratings[lane, b] - ratings[lane, a]) / scale))
        moved = k * (given.outcome[battle] - expected)
        ratings[lane, a] += moved
        ratings[lane, b] -= moved
    shuffled = ratings[1:] if orders else ratings
    low, high = np.quantile(shuffled, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return Elo(given.names, ratings[0], shuffled.mean(axis=0), low, high)
