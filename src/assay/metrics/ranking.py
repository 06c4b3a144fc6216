"""Exact ranks of every query's positives in a gallery, by inner product, in blocks.

Nothing of the size queries × gallery is kept: of each query remain, for every set of positives that score the same,
how many candidates score higher and how many the same. From these follow the expected values of all ranking metrics
when ties are broken at random (`assay.metrics.expected`). Shapes: queries ``[n, d]``, gallery ``[m, d]``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ints = NDArray[np.int64]
Matrix = NDArray[np.floating[Any]]

BLOCK_BYTES = 64 << 20
"""The scores that are held at once."""

COUNT_UP_TO = 16
"""A query with more positives than this has its scores sorted once instead of being counted through for each."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """Where the positives of ``n`` queries stand, and nothing else.

    Of a query: ``positives[n]`` among ``candidates[n]``. Of a *tie*, a set of a query's positives with one score
    (ordered by query, best first): its ``query``, the candidates ``above`` it and ``tied`` with it (itself
    included), the positives ``inside`` it, and those of the query ``before`` it.
    """

    positives: Ints
    candidates: Ints
    query: Ints
    above: Ints
    tied: Ints
    inside: Ints
    before: Ints

    def __len__(self) -> int:
        return len(self.positives)

    @property
    def best(self) -> NDArray[np.float64]:
        """The expected rank ``[n]`` of the best positive, 1 for the first; NaN for a query without positives."""
        out = np.full(len(self), np.nan)
        first = self.before == 0
        out[self.query[first]] = self.above[first] + (self.tied[first] + 1) / (self.inside[first] + 1)
        return out


def rank(
    queries: ArrayLike,
    gallery: ArrayLike,
    positives: Sequence[Sequence[int]],
    *,
    query_group: ArrayLike | None = None,
    gallery_group: ArrayLike | None = None,
) -> Ranking:
    """Rank ``gallery[m, d]`` for every one of ``queries[n, d]`` by inner product and say where its positives stand.

    ``positives`` holds for each query the gallery indices that are right (an index named twice counts once). With
    ``query_group[n]`` and ``gallery_group[m]`` a query ranks only the candidates of its own group, and positives
    outside it do not count. Equal gallery rows get equal scores. float16 is computed as float32. Raises `ValueError`
    for shapes that do not fit, indices out of range, and values that are not finite, naming the row.

    >>> r = rank([[1.0, 0.0], [0.0, 1.0]], [[0.9, 0.1], [0.8, 0.2], [0.8, 0.2]], [[0], [0, 1]])
    >>> r.best.tolist(), r.candidates.tolist()
    ([1.0, 1.5], [3, 3])
    """
    q, g = _matrix("queries", queries), _matrix("gallery", gallery)
    if q.shape[1] != g.shape[1] and len(q) and len(g):
        raise ValueError(f"queries and gallery of one width were expected, not {q.shape[1]} and {g.shape[1]}")
    query, target = _flat(positives, len(q), len(g))
    above, tied = np.zeros((2, len(query)), dtype=np.int64)
    candidates = np.zeros(len(q), dtype=np.int64)
    counted = np.zeros(len(query), dtype=np.bool_)
    for rows, columns in _partition(query_group, gallery_group, len(q), len(g)):
        candidates[rows] = len(columns)
        wanted = np.isin(query, rows) & np.isin(target, columns)
        counted |= wanted
        local = np.searchsorted(rows, query[wanted]), np.searchsorted(columns, target[wanted])
        above[wanted], tied[wanted] = _stand(q[rows], g[columns], *local)
    return _ties(query[counted], above[counted], tied[counted], candidates)


def _matrix(name: str, values: ArrayLike) -> Matrix:
    array = np.asarray(values)
    if array.dtype not in (np.float32, np.float64):
        array = array.astype(np.float32 if array.dtype == np.float16 else np.float64)
    if array.size == 0 and array.ndim < 2:
        array = array.reshape(0, 0)
    if array.ndim != 2:
        raise ValueError(f"{name} as an array [count, width] was expected, not of shape {array.shape}")
    broken = np.flatnonzero(~np.isfinite(array).all(axis=1))
    if len(broken):
        raise ValueError(f"{name}: row {broken[0]} holds a value that is not finite ({len(broken)} such rows)")
    return array


def _flat(positives: Sequence[Sequence[int]], n: int, m: int) -> tuple[Ints, Ints]:
    """The pairs (query, gallery index), each once, ordered by query."""
    if len(positives) != n:
        raise ValueError(f"one list of positives a query was expected: {n} queries, {len(positives)} lists")
    counts = np.fromiter((len(found) for found in positives), dtype=np.int64, count=n)
    query = np.repeat(np.arange(n), counts)
    target = np.fromiter((i for found in positives for i in found), dtype=np.int64, count=int(counts.sum()))
    wrong = np.flatnonzero((target < 0) | (target >= m))
    if len(wrong):
        raise ValueError(f"positives of query {query[wrong[0]]}: {target[wrong[0]]} is no index of a gallery of {m}")
    pairs = np.unique(query * max(m, 1) + target)
    return pairs // max(m, 1), pairs % max(m, 1)


def _partition(
    query_group: ArrayLike | None, gallery_group: ArrayLike | None, n: int, m: int
) -> Iterator[tuple[Ints, Ints]]:
    """The queries and the candidates of each group, as ascending indices."""
    if query_group is None or gallery_group is None:
        if query_group is not gallery_group:
            raise ValueError("query_group and gallery_group belong together: one of them is missing")
        yield np.arange(n), np.arange(m)
        return
    of_query, of_gallery = np.asarray(query_group), np.asarray(gallery_group)
    if of_query.shape != (n,) or of_gallery.shape != (m,):
        raise ValueError(f"groups of shape ({n},) and ({m},) were expected, not {of_query.shape}, {of_gallery.shape}")
    for group in np.unique(of_query):
        yield np.flatnonzero(of_query == group), np.flatnonzero(of_gallery == group)


def _stand(q: Matrix, g: Matrix, query: Ints, target: Ints) -> tuple[Ints, Ints]:
    """For each pair how many candidates score higher than ``target`` for ``query``, and how many the same."""
    above, tied = np.zeros((2, len(query)), dtype=np.int64)
    if not len(query):
        return above, tied
    unique, inverse = _unique_rows(g)
    step = max(1, BLOCK_BYTES // (len(g) * g.itemsize))
    bounds = np.searchsorted(query, np.arange(len(q) + 1))
    scores = np.empty((min(step, len(q)), len(unique)), dtype=np.result_type(q, g))
    for start in range(0, len(q), step):
        block = np.matmul(q[start : start + step], unique.T, out=scores[: len(q) - start])
        for row, line in enumerate(block, start):
            mine = slice(bounds[row], bounds[row + 1])
            if mine.start < mine.stop:
                full = line if inverse is None else line[inverse]
                above[mine], tied[mine] = _count(full, full[target[mine]])
    return above, tied


def _count(scores: Matrix, of: Matrix) -> tuple[Ints | list[int], Ints | list[int]]:
    """How many of one query's scores are higher than each score of ``of``, and how many equal."""
    if len(of) > COUNT_UP_TO:
        ordered = np.sort(scores)
        left, right = np.searchsorted(ordered, of, side="left"), np.searchsorted(ordered, of, side="right")
        return len(scores) - right, right - left
    return [int(np.count_nonzero(scores > s)) for s in of], [int(np.count_nonzero(scores == s)) for s in of]


def _unique_rows(g: Matrix) -> tuple[Matrix, Ints | None]:
    """The distinct rows and where each row is among them; None when no two are equal.

    A matrix product may round equal columns differently, which would break their tie by their place.
    """
    keys = (
        np.ascontiguousarray(g).view(np.dtype((np.void, g.itemsize * g.shape[1]))).ravel() if g.shape[1] else g[:, :0]
    )
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    return (g, None) if len(first) == len(g) else (g[first], inverse)


def _ties(query: Ints, above: Ints, tied: Ints, candidates: Ints) -> Ranking:
    """Positives of a query with one score become one tie."""
    order = np.lexsort((above, query))
    query, above, tied = query[order], above[order], tied[order]
    new = np.ones(len(query), dtype=np.bool_)
    new[1:] = (query[1:] != query[:-1]) | (above[1:] != above[:-1])
    start = np.flatnonzero(new)
    inside = np.diff(np.append(start, len(query)))
    positives = np.bincount(query, minlength=len(candidates)).astype(np.int64)
    before = start - np.searchsorted(query, query[start])
    return Ranking(positives, candidates, query[start], above[start], tied[start], inside, before)
