"""Arithmetic on lists of different lengths that lie one after the other in one array."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]


def ranges(start: NDArray[np.integer], length: NDArray[np.integer]) -> Ids:
    """``start[i] … start[i] + length[i] - 1`` for each ``i``, one after the other.

    >>> ranges(np.array([5, 0]), np.array([2, 3])).tolist()
    [5, 6, 0, 1, 2]
    """
    end = np.cumsum(length)
    places: Ids = np.arange(end[-1] if len(end) else 0) + np.repeat(start - (end - length), length)
    return places


def joined(left: Ids, right: Ids) -> tuple[Ids, Ids]:
    """The places of every pair of equal keys, ``(of left, of right)``.

    >>> joined(np.array([7, 8]), np.array([8, 7, 8]))
    (array([0, 1, 1]), array([1, 0, 2]))
    """
    order = np.argsort(right, kind="stable")
    ascending = right[order]
    first = np.searchsorted(ascending, left, side="left")
    count = np.searchsorted(ascending, left, side="right") - first
    return np.repeat(np.arange(len(left)), count), order[ranges(first, count)]


def runs(size: Ids, most: int) -> Iterator[slice]:
    """Runs of consecutive items whose sizes sum to about ``most``; an item that is larger by itself is a run.

    >>> list(runs(np.array([3, 3, 3, 9, 1]), 6))
    [slice(0, 1, None), slice(1, 3, None), slice(3, 5, None)]
    """
    edges = np.flatnonzero(np.diff(np.cumsum(size) // most, prepend=-1, append=-1))
    for start, stop in pairwise(edges.tolist()):
        yield slice(start, stop)
