"""Exact ranks of every query's positives in a gallery, by inner product, in blocks.

Nothing of the size queries × gallery is kept: of each query remain, for every set of positives that score the same,
how many candidates score higher and how many the same (`assay.metrics.counting`). From these follow the expected values
of all ranking metrics when ties are broken at random (`assay.metrics.expected`). Shapes: queries ``[n, d]``, gallery
``[m, d]``.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import index

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.metrics.counting import Ints, Matrix, stand, stand_both
from assay.stats.inputs import floats, listed, plain

Grades = Sequence[Sequence[float]] | None


@dataclass(frozen=True, slots=True)
class Ranking:
    """Where the positives of ``n`` queries stand, and nothing else.

    Of a query: ``positives[n]`` among ``candidates[n]``. Of a *tie*, a set of a query's positives with one score
    (ordered by query, best first): its ``query``, the candidates ``above`` it and ``tied`` with it (itself
    included), the positives ``inside`` it, and those of the query ``before`` it; the sum ``gain`` of the positives'
    grades. ``ideal`` holds the grades of all positives, query by query, the greatest first. Without grades each is 1.
    """

    positives: Ints
    candidates: Ints
    query: Ints
    above: Ints
    tied: Ints
    inside: Ints
    before: Ints
    gain: NDArray[np.float64]
    ideal: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.positives)

    @property
    def best(self) -> NDArray[np.float64]:
        """The expected rank ``[n]`` of the best positive, 1 for the first; NaN for a query without positives."""
        out = np.full(len(self), np.nan)
        first = self.before == 0
        out[self.query[first]] = self.above[first] + (self.tied[first] + 1) / (self.inside[first] + 1)
        return out

    def pessimistic(self) -> Ranking:
        """The ranking when within a tie all positives come last: what a model is sure to reach.

        >>> rank([[1.0]], [[2.0], [2.0], [2.0]], [[0]]).pessimistic().best.tolist()
        [3.0]
        """
        return replace(self, above=self.above + self.tied - self.inside, tied=self.inside)


def rank(
    queries: ArrayLike,
    gallery: ArrayLike,
    positives: Sequence[Sequence[int]],
    *,
    grades: Grades = None,
    query_group: ArrayLike | None = None,
    gallery_group: ArrayLike | None = None,
) -> Ranking:
    """Rank ``gallery[m, d]`` for every one of ``queries[n, d]`` by inner product and say where its positives stand.

    ``positives`` holds for each query the gallery indices that are right (an index named twice counts once), ``grades``
    how relevant each of them is (default 1; one of 0 is no positive). With ``query_group[n]`` and ``gallery_group[m]``
    a query ranks only the candidates of its own group, and positives outside it do not count. Scores are exact inner
    products in double precision: what it cannot tell apart is a tie. Raises `ValueError` for shapes that do not fit,
    indices out of range, grades below 0, and values that are not finite, naming the row.

    >>> r = rank([[1.0, 0.0], [0.0, 1.0]], [[0.9, 0.1], [0.8, 0.2], [0.8, 0.2]], [[0], [0, 1]])
    >>> r.best.tolist(), r.candidates.tolist()
    ([1.0, 1.5], [3, 3])
    """
    q, g = _matrices(("queries", queries), ("gallery", gallery))
    query, target, grade = _pairs(positives, grades, len(q), len(g))
    found = _Found.of(len(query), len(q))
    for rows, columns in _partition(query_group, gallery_group, len(q), len(g)):
        wanted, local = _within(query, target, rows, columns)
        found.put(rows, wanted, len(columns), stand(_rows(q, rows), _rows(g, columns), *local))
    return found.ranking(query, grade)


def rank_both(
    a: ArrayLike,
    b: ArrayLike,
    pairs: Sequence[Sequence[int]],
    *,
    a_group: ArrayLike | None = None,
    b_group: ArrayLike | None = None,
) -> tuple[Ranking, Ranking]:
    """`rank` in both directions from one pass over the scores: ``a[n, d]`` asking for ``b[m, d]``, and the other way.

    ``pairs`` holds for each row of ``a`` the rows of ``b`` that belong to it. Groups and errors are as in `rank`.

    >>> there, back = rank_both([[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]], [[0, 1], [2]])
    >>> there.best.tolist(), back.best.tolist()
    ([1.0, 1.0], [1.0, 1.0, 1.0])
    """
    left, right = _matrices(("a", a), ("b", b))
    first, second, grade = _pairs(pairs, None, len(left), len(right))
    there, back = _Found.of(len(first), len(left)), _Found.of(len(first), len(right))
    for rows, columns in _partition(a_group, b_group, len(left), len(right)):
        wanted, local = _within(first, second, rows, columns)
        forth, inverse = stand_both(_rows(left, rows), _rows(right, columns), *local)
        there.put(rows, wanted, len(columns), forth)
        back.put(columns, wanted, len(rows), inverse)
    return there.ranking(first, grade), back.ranking(second, grade)


@dataclass(frozen=True, slots=True)
class _Found:
    """What was counted of each pair, and how many candidates each query has."""

    above: Ints
    tied: Ints
    counted: NDArray[np.bool_]
    candidates: Ints

    @classmethod
    def of(cls, pairs: int, queries: int) -> _Found:
        above, tied = np.zeros((2, pairs), dtype=np.int64)
        return cls(above, tied, np.zeros(pairs, dtype=np.bool_), np.zeros(queries, dtype=np.int64))

    def put(self, queries: Ints, pairs: Ints, candidates: int, stands: tuple[Ints, Ints]) -> None:
        self.candidates[queries] = candidates
        self.counted[pairs] = True
        self.above[pairs], self.tied[pairs] = stands

    def ranking(self, query: Ints, grade: NDArray[np.float64]) -> Ranking:
        """Positives of a query with one score become one tie."""
        counted = np.flatnonzero(self.counted)
        order = counted[np.lexsort((self.above[counted], query[counted]))]
        query, above, tied = (part[order] for part in (query, self.above, self.tied))
        grade = grade[order]
        new = np.ones(len(query), dtype=np.bool_)
        new[1:] = (query[1:] != query[:-1]) | (above[1:] != above[:-1])
        start = np.flatnonzero(new)
        inside = np.diff(np.append(start, len(query)))
        positives = np.bincount(query, minlength=len(self.candidates)).astype(np.int64)
        before = start - np.searchsorted(query, query[start])
        most = np.maximum.reduceat(tied, start) if len(start) else tied
        gain = np.add.reduceat(grade, start) if len(start) else grade
        ideal = grade[np.lexsort((-grade, query))]
        return Ranking(
            positives,
            self.candidates,
            query[start],
            above[start],
            np.maximum(most, inside),
            inside,
            before,
            gain,
            ideal,
        )


def _matrices(*given: tuple[str, ArrayLike]) -> tuple[Matrix, Matrix]:
    first, second = (_matrix(name, values) for name, values in given)
    if first.shape[1] != second.shape[1] and len(first) and len(second):
        names = " and ".join(name for name, _ in given)
        raise ValueError(f"{names} of one width were expected, not {first.shape[1]} and {second.shape[1]}")
    return first, second


def _matrix(name: str, values: ArrayLike) -> Matrix:
    try:
        array = np.asarray(plain(values))  # of whatever precision it has
    except ValueError:
        array = floats(values, name)
    if array.dtype not in (np.float32, np.float64):
        array = array.astype(np.float32) if array.dtype == np.float16 else floats(values, name)
    if array.size == 0 and array.ndim < 2:
        array = array.reshape(0, 0)
    if array.ndim != 2:
        raise ValueError(f"{name} as an array [count, width] was expected, not of shape {array.shape}")
    broken = np.flatnonzero(~np.isfinite(array).all(axis=1))
    if len(broken):
        raise ValueError(f"{name}: row {broken[0]} holds a value that is not finite ({len(broken)} such rows)")
    return array


def _pairs(
    positives: Sequence[Sequence[int]], grades: Grades, n: int, m: int
) -> tuple[Ints, Ints, NDArray[np.float64]]:
    """The pairs (query, gallery index), each once, ordered by query, and the grade of each."""
    counts, target = places(positives, n, m)
    query = np.repeat(np.arange(n), counts)
    grade = _grades(grades, counts)
    relevant = grade > 0
    found, first = np.unique((query * max(m, 1) + target)[relevant], return_index=True)
    return found // max(m, 1), found % max(m, 1), grade[relevant][first]


def places(positives: Sequence[Sequence[int]], n: int, m: int) -> tuple[Ints, Ints]:
    """How many positives each of ``n`` queries has, and their places in a gallery of ``m``, one after the other.

    Raises `ValueError` for what is no place, naming the query.
    """
    listed(positives, "positives")
    if len(positives) != n:
        raise ValueError(f"one list of positives a query was expected: {n} queries, {len(positives)} lists")
    for place, found in enumerate(positives):
        if not isinstance(found, Collection) or isinstance(found, str | bytes | Mapping):
            raise ValueError(
                f"positives of query {place}: a list of places in the gallery was expected, not {found!r:.60}"
            )
    counts = np.fromiter((len(found) for found in positives), dtype=np.int64, count=n)
    try:
        target = np.fromiter(
            map(index, itertools.chain.from_iterable(positives)), dtype=np.int64, count=int(counts.sum())
        )
    except (TypeError, OverflowError):
        at, one = next((at, i) for at, found in enumerate(positives) for i in found if not _is_place(i))
        raise ValueError(f"positives of query {at}: places in the gallery were expected, not {one!r:.60}") from None
    wrong = np.flatnonzero((target < 0) | (target >= m))
    if len(wrong):
        at = int(np.searchsorted(np.cumsum(counts), wrong[0], side="right"))
        raise ValueError(f"positives of query {at}: {target[wrong[0]]} is no index of a gallery of {m}")
    _no_matrix(counts, target, m)
    return counts, target


def _no_matrix(counts: Ints, target: Ints, m: int) -> None:
    """Refuses a matrix of 0 and 1 in place of lists: as places its rows would name the first two candidates again and again."""
    if m < 2 or not len(counts) or not (counts == m).all() or not (target <= 1).all():
        return
    rows = target.reshape(-1, m)
    if m > 2 or (rows[:, 0] == rows[:, 1]).any():
        raise ValueError(
            f"positives: lists of places in the gallery were expected, not a matrix of 0 and 1 ({len(rows)} queries by {m}); "
            "pass [numpy.flatnonzero(row) for row in matrix]"
        )


def _is_place(one: object) -> bool:
    """Whether it is a whole number of 64 bits."""
    return isinstance(one, int | np.integer) and abs(int(one)) < 1 << 63


def _grades(grades: Grades, counts: Ints) -> NDArray[np.float64]:
    """One grade for each positive, in their order."""
    if grades is None:
        return np.ones(int(counts.sum()))
    if [len(found) for found in grades] != counts.tolist():
        raise ValueError("one grade for each positive was expected: grades and positives differ in length")
    flat = np.fromiter((value for found in grades for value in found), dtype=np.float64, count=int(counts.sum()))
    wrong = np.flatnonzero(~(flat >= 0) | np.isinf(flat))
    if len(wrong):
        query = int(np.searchsorted(np.cumsum(counts), wrong[0], side="right"))
        raise ValueError(f"grades of query {query}: {flat[wrong[0]]} is no finite number of at least 0")
    return flat


def _within(query: Ints, target: Ints, rows: Ints, columns: Ints) -> tuple[Ints, tuple[Ints, Ints]]:
    """Which pairs lie within a group, and where in it."""
    wanted = np.flatnonzero(np.isin(query, rows) & np.isin(target, columns))
    return wanted, (np.searchsorted(rows, query[wanted]), np.searchsorted(columns, target[wanted]))


def _rows(x: Matrix, index: Ints) -> Matrix:
    """The rows of ``index``, which ascends; without a copy where these are all."""
    return x if len(index) == len(x) else x[index]


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
