"""The space that two modalities share: its gap, alignment, uniformity, effective rank, hubs.

Embeddings are made unit vectors first, but for the effective rank. All is measured on pairs, row by row.

- Gap (Liang et al. 2022): Δ = mean x - mean y, gap |Δ|; relative to the mean distance within a modality; how well a line
  separates the modalities (AUROC, held out); cosines of matched and of shuffled pairs; cones, the mean cosine within a
  modality. A gap and retrieval are not monotonically related: never read the gap alone as quality.
- Alignment E|x - y|^α (α = 2: 2 - 2 cos) and uniformity ln mean exp(-t |xᵢ - xⱼ|²), t = 2, over pairs i < j: Wang & Isola 2020.
- Effective rank exp H(σ / Σσ) of the singular values: Roy & Vetterli 2007.
- Hubness: the skewness of how often a candidate is among the k nearest of the queries: Radovanović et al. 2010.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.metrics.embeddings import around, figure, matrix, pairs, parts, unit_vectors
from assay.metrics.separability import auroc_by_fold
from assay.stats.clustered import mean_se
from assay.stats.quantiles import student
from assay.types import Estimate

Values = NDArray[np.float64]

BLOCK_BYTES = 64 << 20
"""What is held of a matrix of all against all."""


def modality_gap(x: ArrayLike, y: ArrayLike) -> dict[str, Estimate]:
    """The gap between two modalities ``x[n, d]`` and ``y[n, d]`` in one space and what belongs beside it, by name.

    ``modality_gap``, ``relative_gap``, ``separability`` (1: a line parts them, 0.5: nothing does), ``matched_cosine``,
    ``shuffled_cosine``, ``cone_x``, ``cone_y``. Raises `ValueError` for pairs that do not fit, fewer than 10, or of length 0.

    >>> rng = np.random.default_rng(0)
    >>> x, y = rng.standard_normal((50, 4)) + [3, 0, 0, 0], rng.standard_normal((50, 4)) - [3, 0, 0, 0]
    >>> found = modality_gap(x, y)
    >>> round(found["modality_gap"].value, 2), found["separability"].value > 0.99
    (1.71, True)
    """
    a, b = _units(x, y, least=10)
    n, shift = len(a), a.mean(axis=0) - b.mean(axis=0)
    gap = float(np.linalg.norm(shift))
    along = (a - b) @ (shift / gap) if gap > 0 else np.zeros(n)
    cosines = np.einsum("id,id->i", a, b)
    across = a @ b.sum(axis=0) - cosines, b @ a.sum(axis=0) - cosines
    spread, spreads = _spread(a, b)
    recipe = (f"n:{n}", f"d:{a.shape[1]}")
    return {
        "modality_gap": figure("modality_gap", gap, _around(gap, mean_se(along), n), n=n, recipe=recipe),
        "relative_gap": _relative_gap(gap, spread, (_gaps(a - b), spreads), n, recipe),
        "separability": _separability(a, b, recipe),
        "matched_cosine": _mean("matched_cosine", cosines, recipe),
        "shuffled_cosine": _mean("shuffled_cosine", (across[0] + across[1]) / (2 * (n - 1)), recipe, of_two=True),
        "cone_x": _mean("cone_x", (a @ a.sum(axis=0) - 1) / (n - 1), recipe, of_two=True),
        "cone_y": _mean("cone_y", (b @ b.sum(axis=0) - 1) / (n - 1), recipe, of_two=True),
    }


def shift_gap(x: ArrayLike, y: ArrayLike, amount: float) -> tuple[Values, Values]:
    """Unit vectors of both modalities moved towards each other by ``amount`` times the gap, and made unit vectors again.

    0 changes nothing, 1/2 closes the gap (but for the last step), above that it opens the other way.

    >>> moved = shift_gap([[1.0, 0.2], [1.0, -0.2]], [[-1.0, 0.2], [-1.0, -0.2]], 0.25)
    >>> round(float(np.linalg.norm(moved[0].mean(axis=0) - moved[1].mean(axis=0))), 3)
    1.857
    """
    a, b = _units(x, y, least=1)
    shift = a.mean(axis=0) - b.mean(axis=0)
    return unit_vectors("x", a - amount * shift), unit_vectors("y", b + amount * shift)


def alignment(x: ArrayLike, y: ArrayLike, *, alpha: float = 2.0) -> Estimate:
    """The mean distance of matched pairs to the power of ``alpha``, of unit vectors; ``items`` holds each pair's.

    Raises `ValueError` for pairs that do not fit, or of length 0, and an ``alpha`` that is not positive.

    >>> alignment([[1.0, 0.0], [2.0, 0.0]], [[1.0, 0.0], [0.0, 3.0]]).items.round(6).tolist()
    [0.0, 2.0]
    """
    if not (alpha > 0 and math.isfinite(alpha)):
        raise ValueError(f"a positive alpha was expected, not {alpha}")
    a, b = _units(x, y, least=1)
    return _mean("alignment", ((a - b) ** 2).sum(axis=1) ** (alpha / 2), (f"alpha:{alpha:g}", f"n:{len(a)}"))


def uniformity(x: ArrayLike, *, t: float = 2.0) -> Estimate:
    """ln of the mean of exp(-t |xᵢ - xⱼ|²) over pairs of unit vectors ``x[n, d]``: the lower, the more even; about -2t in many dimensions.

    The interval is that of the mean over pairs (a U-statistic), in logarithms. Raises `ValueError` for fewer than 2 rows, rows
    of length 0 and a ``t`` that is not positive.

    >>> round(uniformity([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]).value, 6)
    -4.396349
    """
    if not (t > 0 and math.isfinite(t)):
        raise ValueError(f"a positive t was expected, not {t}")
    a = matrix("x", x)
    if len(a) < 2:
        raise ValueError(f"at least 2 embeddings were expected, not {len(a)}")
    a = unit_vectors("x", a)
    n = len(a)
    of_row = np.concatenate([np.exp(np.minimum(2 * t * (block - 1), 0)).sum(axis=1) for block in _cosines(a, a)]) - 1
    of_row /= n - 1
    mean = float(of_row.mean())
    se = 2 * mean_se(of_row) / mean
    return figure(
        "uniformity",
        math.log(mean),
        _around(math.log(mean), se, n),
        n=n,
        recipe=(f"t:{t:g}", f"n:{n}"),
        unit="embedding",
    )


def effective_rank(x: ArrayLike) -> Estimate:
    """How many dimensions ``x[n, d]`` uses: exp of the entropy of its centred singular values, from 1 to min(n - 1, d).

    The interval is that of a jackknife of 30 parts. NaN where nothing varies. Raises `ValueError` for fewer than 2 rows.

    >>> round(effective_rank([[1.0, 0], [-1.0, 0], [0, 1.0], [0, -1.0]]).value, 6)
    2.0
    """
    a = matrix("x", x)
    if len(a) < 2:
        raise ValueError(f"at least 2 embeddings were expected, not {len(a)}")
    a = a - a.mean(axis=0)
    value, most = _rank(a), float(min(len(a) - 1, a.shape[1]))
    part = parts(len(a))
    left_out = np.array([_rank(a[part != one] - a[part != one].mean(axis=0)) for one in range(part.max() + 1)])
    return figure(
        "effective_rank",
        value,
        around(value, left_out, low=1.0, high=most) if len(a) > 3 else (math.nan, math.nan),
        n=len(a),
        recipe=(f"n:{len(a)}", f"d:{a.shape[1]}", "centred"),
        unit="embedding",
    )


def hubness(queries: ArrayLike, gallery: ArrayLike | None = None, *, k: int = 10) -> dict[str, Estimate]:
    """How unevenly the ``k`` nearest of the queries, by cosine, are spread over the gallery, by name.

    ``hubness`` is the skewness of the k-occurrences (0: even), ``hubness_max`` the greatest share of the queries that one
    candidate is near to, ``antihubs`` the share of candidates that are near to none. Without a ``gallery`` the queries are
    their own, no one being near to itself. The queries are what was sampled, the gallery is fixed (a jackknife of 30 parts).
    Raises `ValueError` for widths that differ, rows of length 0, k not below the gallery.

    >>> found = hubness(np.eye(4), k=1)
    >>> found["hubness_max"].value <= 1.0
    True
    """
    a = unit_vectors("queries", matrix("queries", queries))
    b = a if gallery is None else unit_vectors("gallery", matrix("gallery", gallery))
    if a.shape[1] != b.shape[1] or not len(a):
        raise ValueError(f"queries and a gallery of one width were expected, not of shapes {a.shape} and {b.shape}")
    if not 1 <= k < len(b):
        raise ValueError(f"a number of neighbours from 1 to {len(b) - 1} was expected, not {k}")
    part = parts(len(a))
    near, start = np.zeros((int(part.max()) + 1, len(b)), dtype=np.int64), 0  # by part of the queries
    for block in _cosines(a, b):
        if gallery is None:
            block[np.arange(len(block)), start + np.arange(len(block))] = -np.inf
        nearest = np.argpartition(-block, k - 1, axis=1)[:, :k]
        np.add.at(near, (part[start : start + len(block), None], nearest), 1)
        start += len(block)
    whole, sizes = near.sum(axis=0), np.bincount(part)
    values = _hubs(whole, len(a))
    left_out = [_hubs(whole - one, len(a) - size) for one, size in zip(near, sizes, strict=True)]
    recipe = (f"k:{k}", f"queries:{len(a)}", f"gallery:{len(b)}")
    ends = {"hubness": (-math.inf, math.inf), "hubness_max": (0.0, 1.0), "antihubs": (0.0, 1.0)}
    found = {}
    for name, (low, high) in ends.items():
        reach = around(values[name], np.array([one[name] for one in left_out]), low=low, high=high)
        items = whole.astype(np.float64) if name == "hubness" else None
        found[name] = figure(name, values[name], reach, n=len(a), recipe=recipe, items=items, unit="query")
    return found


def _hubs(near: NDArray[np.int64], queries: int) -> dict[str, float]:
    """What `hubness` tells, from how often each candidate is near to one of so many queries."""
    off = near - near.mean()
    spread = float((off**2).mean()) ** 1.5
    return {
        "hubness": float((off**3).mean()) / spread if spread > 0 else 0.0,
        "hubness_max": float(near.max()) / queries if queries else math.nan,
        "antihubs": float((near == 0).mean()),
    }


def _rank(centred: Values) -> float:
    """exp of the entropy of the singular values; NaN where there are none."""
    values = np.linalg.svd(centred, compute_uv=False)
    total = float(values.sum())
    share = values[values > 1e-14 * total] / total if total > 0 else np.zeros(0)
    return math.exp(-float((share * np.log(share)).sum())) if len(share) else math.nan


def _relative_gap(
    gap: float, spread: float, left_out: tuple[Values, Values], n: int, recipe: tuple[str, ...]
) -> Estimate:
    """The gap over the mean distance within a modality; with each part of the pairs left out the same."""
    gaps, spreads = left_out
    if not spread > 0:
        return figure("relative_gap", math.nan, n=n, recipe=recipe)
    value = gap / spread
    return figure("relative_gap", value, around(value, gaps / spreads, low=0.0), n=n, recipe=recipe)


def _separability(a: Values, b: Values, recipe: tuple[str, ...]) -> Estimate:
    """The mean of the folds' AUROC; folds share what they were fitted on, so that their variance is inflated by 1/(k - 1)."""
    folds = auroc_by_fold(a, b)
    k, value = len(folds), float(folds.mean())
    reach = student(0.975, k - 1) * math.sqrt(float(folds.var(ddof=1)) * (1 / k + 1 / (k - 1)))
    ends = max(value - reach, 0.0), min(value + reach, 1.0)
    return figure("separability", value, ends, n=len(a), recipe=(*recipe, f"held-out:{k}-folds"))


def _gaps(differences: Values) -> Values:
    """The gap without each part of the pairs."""
    part = parts(len(differences))
    total, sizes = differences.sum(axis=0), np.bincount(part)
    sums = np.array([differences[part == one].sum(axis=0) for one in range(len(sizes))])
    return np.asarray(np.linalg.norm((total - sums) / (len(part) - sizes)[:, None], axis=1))


def _spread(a: Values, b: Values) -> tuple[float, Values]:
    """The mean distance of different rows within a side, over both sides, and the same without each part of the rows."""
    whole, without = zip(*(_mean_distance(side) for side in (a, b)), strict=True)
    return sum(whole) / 2, (without[0] + without[1]) / 2


def _units(x: ArrayLike, y: ArrayLike, *, least: int) -> tuple[Values, Values]:
    a, b = pairs(x, y, least=least, one_space=True)
    return unit_vectors("x", a), unit_vectors("y", b)


def _cosines(a: Values, b: Values) -> Iterator[Values]:
    """The inner products of all rows with all, a block of rows at a time."""
    step = max(1, BLOCK_BYTES // (8 * len(b)))
    for start in range(0, len(a), step):
        yield a[start : start + step] @ b.T


def _mean_distance(a: Values) -> tuple[float, Values]:
    """The mean distance of different rows of unit vectors, and the same without each part of the rows."""
    part, start = parts(len(a)), 0
    member = np.eye(int(part.max()) + 1)[part]
    sums = np.zeros((member.shape[1], member.shape[1]))  # of the distances between two parts
    for block in _cosines(a, a):
        there = np.sqrt(np.maximum(2 - 2 * block, 0))
        there[np.arange(len(block)), start + np.arange(len(block))] = 0
        sums += member[start : start + len(block)].T @ (there @ member)
        start += len(block)
    left = len(a) - member.sum(axis=0)
    without = sums.sum() - sums.sum(axis=0) - sums.sum(axis=1) + np.diag(sums)
    return float(sums.sum()) / (len(a) * (len(a) - 1)), np.asarray(without / (left * (left - 1)))


def _mean(name: str, items: Values, recipe: tuple[str, ...], *, of_two: bool = False) -> Estimate:
    """A mean with its interval; ``of_two`` where an item is itself a mean over the others (a U-statistic of order 2)."""
    value = float(items.mean())
    se = mean_se(items) * (2 if of_two else 1)
    return figure(name, value, _around(value, se, len(items)), n=len(items), recipe=recipe, items=items)


def _around(value: float, se: float, n: int) -> tuple[float, float]:
    reach = student(0.975, n - 1) * se if n > 1 else math.nan
    return value - reach, value + reach
