"""What is unlike the rest, and labels that their neighbours contradict, by distances between vectors ``float32[n, d]``.

Outliers: the mean distance to the five nearest others, in logarithms, further from the median than `SPREADS` robust deviations (median
absolute deviation; Leys et al. 2013). Labels: after confident learning (Northcutt et al. 2021), with the shares of classes among the
ten nearest others as probabilities, so that each sample is left out of its own: a label is doubtful if another class has `AHEAD` more
of them. Where a typical sample has fewer than `TELLING` of its own class around it, neighbours say nothing of labels, and none is doubted.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from assay.types import FloatArray

NEAREST = 5
VOTES = 10
SPREADS = 4.0
AHEAD = 0.5
TELLING = 0.6
FEWEST = 20
"""Fewer samples say nothing of what is usual."""

FEWEST_OF_CLASS = 5
MOST_OTHERS = 20_000
BLOCK = 512


def neighbours(vectors: FloatArray, k: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """The ``k`` nearest others of each row and their Euclidean distances ``[n, k]``; of very many rows every so many is looked at."""
    x = np.asarray(vectors, dtype=np.float64)
    others = np.unique(np.linspace(0, len(x) - 1, min(len(x), MOST_OTHERS)).astype(np.intp))
    y = x[others]
    squares = np.square(y).sum(axis=1)
    near = np.zeros((len(x), k), np.intp)
    far = np.zeros((len(x), k))
    for start in range(0, len(x), BLOCK):
        rows = np.arange(start, min(start + BLOCK, len(x)))
        apart = np.square(x[rows]).sum(axis=1)[:, None] + squares - 2 * x[rows] @ y.T
        apart[rows[:, None] == others[None, :]] = np.inf
        found = np.argpartition(apart, k - 1, axis=1)[:, :k]
        distance = np.take_along_axis(apart, found, axis=1)
        order = np.argsort(distance, axis=1, kind="stable")
        near[rows] = others[np.take_along_axis(found, order, axis=1)]
        far[rows] = np.sqrt(np.maximum(np.take_along_axis(distance, order, axis=1), 0))
    return near, far


def outlying(vectors: FloatArray) -> NDArray[np.float64]:
    """How many robust deviations each row is further from its nearest than usual ``[n]``; 0 for all where there are too few rows."""
    if len(vectors) < FEWEST:
        return np.zeros(len(vectors))
    distance = neighbours(vectors, NEAREST)[1].mean(axis=1)
    least = distance[distance > 0].min() if (distance > 0).any() else 1.0
    logs = np.log(np.maximum(distance, least))
    middle = np.median(logs)
    spread = 1.4826 * np.median(np.abs(logs - middle))
    return (logs - middle) / spread if spread > 0 else np.zeros(len(logs))


def doubtful_labels(vectors: FloatArray, labels: Sequence[str]) -> list[tuple[int, str, float]]:
    """Place, likelier label and self-confidence of every sample whose label is doubtful, the least confident first.

    Classes with fewer than `FEWEST_OF_CLASS` samples are left out.
    """
    given = np.asarray(labels, dtype=object)
    names, counts = np.unique(given.astype(str), return_counts=True)
    usable = [name for name, count in zip(names.tolist(), counts.tolist(), strict=True) if count >= FEWEST_OF_CLASS]
    rows = np.flatnonzero(np.isin(given.astype(str), usable))
    if len(usable) < 2 or len(rows) < FEWEST:
        return []
    number = {name: n for n, name in enumerate(usable)}
    own = np.array([number[str(given[row])] for row in rows])
    near = neighbours(np.asarray(vectors)[rows], min(VOTES, len(rows) - 1))[0]
    votes = (own[near][:, :, None] == np.arange(len(usable))).mean(axis=1)
    confidence = votes[np.arange(len(rows)), own]
    if np.median(confidence) < TELLING:
        return []
    likely = votes.argmax(axis=1)
    ahead = votes.max(axis=1) - confidence
    found = [
        (int(rows[row]), usable[int(likely[row])], float(confidence[row])) for row in np.flatnonzero(ahead >= AHEAD)
    ]
    return sorted(found, key=lambda one: (one[2], one[0]))
