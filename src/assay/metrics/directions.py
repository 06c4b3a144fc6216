"""Retrieval as plain functions: one direction, or both directions of a paired set, with RSum and folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.metrics import get
from assay.metrics.metric import Metric, Rows
from assay.metrics.ranking import Grades, Ranking, places, rank, rank_both
from assay.metrics.standalone import estimates, measure
from assay.stats.inputs import array, listed
from assay.types import Estimate

USUAL = ("mrr", "map", "map@r", "r_precision", "ndcg", "ndcg@10", "median_rank", "mean_rank")
TIES = ("expected", "pessimistic")
Units = Sequence[Any] | NDArray[Any] | None


def retrieval(
    queries: ArrayLike,
    gallery: ArrayLike,
    positives: Sequence[Sequence[int]],
    k: Sequence[int] | int = (1, 5, 10),
    *,
    grades: Grades = None,
    ties: str = "expected",
    unit: Units = None,
    seed: int = 0,
) -> dict[str, Estimate]:
    """All ranking metrics of ``queries float[n, d]`` in ``gallery float[m, d]`` by inner product, by name.

    ``positives`` holds for each query the gallery indices that are right; a query without is left out, and ``n`` says
    how many were not. ``grades`` are what finding each of them gains, for nDCG alone (default 1; one of 0 is no positive):
    the grade itself, or 2^grade - 1 where that is wanted (Burges et al. 2005). Ties count as expected under random
    order, or with ``ties="pessimistic"`` as if every tie went against the model. ``unit`` labels what is resampled
    (default: the query). Raises `ValueError` as `assay.metrics.ranking.rank`.

    >>> found = retrieval([[1.0, 0.0], [0.0, 1.0]], [[0.9, 0.1], [0.8, 0.2]], [[0], [0]], k=(1,))
    >>> found["hit@1"].value, found["median_rank"].value
    (0.5, 1.5)
    """
    _known("ties", ties, TIES)
    ranking = _treated(rank(queries, gallery, positives, grades=grades), ties)
    parts = (f"gallery:{len(array(gallery))}", *(("gain:graded",) if grades is not None else ()))
    return _estimated(ranking, k, _Recipe(parts, ties, seed), unit)


def retrieval_both(
    a: ArrayLike,
    b: ArrayLike,
    pairs: Sequence[Sequence[int]],
    k: Sequence[int] | int = (1, 5, 10),
    *,
    names: tuple[str, str] = ("image", "text"),
    folds: int = 1,
    ties: str = "expected",
    seed: int = 0,
) -> dict[str, dict[str, Estimate]]:
    """Both directions of a paired set: ``image->text`` (``a`` asks for ``b``), ``text->image``, and ``both`` with ``rsum``.

    ``pairs`` holds for each row of ``a[n, d]`` the rows of ``b[m, d]`` that belong to it (COCO: five captions a picture).
    The unit that is resampled is the row of ``a`` with what belongs to it; a row of ``b`` that belongs to several goes with
    the first. With ``folds`` the rows of ``a`` are cut, in their order, into so many equal parts that are searched apart
    (COCO's 1K protocol is 5 of 5,000 pictures); the figures are over all their queries, which for folds of one size is the
    mean over the folds. Raises `ValueError` as `assay.metrics.ranking.rank`, and for folds that do not divide ``a``.

    >>> found = retrieval_both([[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]], [[0], [1]])
    >>> found["text->image"]["hit@1"].value, found["both"]["rsum"].value
    (1.0, 6.0)
    """
    _known("ties", ties, TIES)
    for name, given in (("a", a), ("b", b)):
        listed(given, name)
    n, m = (len(array(side)) for side in (a, b))
    places(pairs, n, m)
    if folds < 1 or n % folds:
        raise ValueError(f"folds that divide the {n} rows of a were expected, not {folds}")
    owner = np.full(m, -1, dtype=np.int64)
    for row in range(len(pairs) - 1, -1, -1):
        owner[list(pairs[row])] = row
    of_a = np.arange(n) * folds // max(n, 1)
    of_b = np.where(owner < 0, np.arange(m) % folds, of_a[owner] if n else 0)
    found = rank_both(a, b, pairs, a_group=of_a, b_group=of_b) if folds > 1 else rank_both(a, b, pairs)
    there, back = (_treated(ranking, ties) for ranking in found)
    units = np.arange(n), np.where(owner < 0, n + np.arange(m), owner)
    cut = (f"folds:{folds}",) if folds > 1 else ()
    forth, inverse = (_Recipe((f"gallery:{size // folds}", *cut), ties, seed) for size in (m, n))
    summed = _Recipe((f"gallery:{m // folds},{n // folds}", *cut), ties, seed).sign(get("rsum"))
    rows = measure([summed], there, back)
    return {
        f"{names[0]}->{names[1]}": _estimated(there, k, forth, units[0]),
        f"{names[1]}->{names[0]}": _estimated(back, k, inverse, units[1]),
        "both": {"rsum": estimates([summed], rows, np.concatenate(units), seed=seed, unit_name=names[0])[0]},
    }


@dataclass(frozen=True, slots=True)
class _Recipe:
    """What the metrics are signed with, how ties count, and the seed of the resampling."""

    parts: tuple[str, ...]
    ties: str
    seed: int

    def sign(self, metric: Metric) -> Metric:
        signed = metric.signed(*self.parts)
        return replace(signed, signature=signed.signature.replace("ties:expected", f"ties:{self.ties}"))


def _estimated(ranking: Ranking, k: Sequence[int] | int, recipe: _Recipe, unit: Units) -> dict[str, Estimate]:
    names = (*(f"{name}@{depth}" for name in ("hit", "recall") for depth in _depths(k)), *USUAL)
    metrics = [recipe.sign(get(name)) for name in names]
    rows: Rows = measure(metrics, ranking)
    return {one.metric: one for one in estimates(metrics, rows, unit, seed=recipe.seed, unit_name="query")}


def _depths(k: Sequence[int] | int) -> tuple[int, ...]:
    """The depths of a list that are asked for; one alone may be given as it is."""
    depths: tuple[Any, ...] = (k,) if isinstance(k, int | np.integer) else tuple(k)
    for depth in depths:
        if isinstance(depth, bool) or not isinstance(depth, int | np.integer) or depth < 1:
            raise ValueError(f"k: whole numbers of at least 1 were expected, such as (1, 5, 10), not {depth!r:.60}")
    return tuple(int(depth) for depth in depths)


def _treated(ranking: Ranking, ties: str) -> Ranking:
    return ranking.pessimistic() if ties == "pessimistic" else ranking


def _known(what: str, value: str, among: tuple[str, ...]) -> None:
    if value not in among:
        raise ValueError(f"{what} of {' or '.join(among)} was expected, not {value!r}")
