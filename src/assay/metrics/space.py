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

from assay.metrics.embeddings import figure, matrix, pairs, unit_vectors
from assay.metrics.separability import auroc_between
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
    spread = (_mean_distance(a) + _mean_distance(b)) / 2
    recipe = (f"n:{n}", f"d:{a.shape[1]}")
    return {
        "modality_gap": figure("modality_gap", gap, _around(gap, mean_se(along), n), n=n, recipe=recipe),
        "relative_gap": figure("relative_gap", gap / spread if spread > 0 else math.nan, n=n, recipe=recipe),
        "separability": figure("separability", auroc_between(a, b), n=n, recipe=(*recipe, "held-out:5-folds")),
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

    NaN where nothing varies. Raises `ValueError` for fewer than 2 rows.

    >>> round(effective_rank([[1.0, 0], [-1.0, 0], [0, 1.0], [0, -1.0]]).value, 6)
    2.0
    """
    a = matrix("x", x)
    if len(a) < 2:
        raise ValueError(f"at least 2 embeddings were expected, not {len(a)}")
    values = np.linalg.svd(a - a.mean(axis=0), compute_uv=False)
    total = float(values.sum())
    share = values[values > 1e-14 * total] / total if total > 0 else np.zeros(0)
    value = math.exp(-float((share * np.log(share)).sum())) if len(share) else math.nan
    return figure(
        "effective_rank", value, n=len(a), recipe=(f"n:{len(a)}", f"d:{a.shape[1]}", "centred"), unit="embedding"
    )


def hubness(queries: ArrayLike, gallery: ArrayLike | None = None, *, k: int = 10) -> dict[str, Estimate]:
    """How unevenly the ``k`` nearest of the queries, by cosine, are spread over the gallery, by name.

    ``hubness`` is the skewness of the k-occurrences (0: even), ``hubness_max`` the greatest share of the queries that one
    candidate is near to, ``antihubs`` the share of candidates that are near to none. Without a ``gallery`` the queries are
    their own, no one being near to itself. Raises `ValueError` for widths that differ, rows of length 0, k not below the gallery.

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
    near, start = np.zeros(len(b), dtype=np.int64), 0
    for block in _cosines(a, b):
        if gallery is None:
            block[np.arange(len(block)), start + np.arange(len(block))] = -np.inf
        start += len(block)
        near += np.bincount(np.argpartition(-block, k - 1, axis=1)[:, :k].ravel(), minlength=len(b))
    off = near - near.mean()
    spread = float((off**2).mean()) ** 1.5
    recipe = (f"k:{k}", f"queries:{len(a)}", f"gallery:{len(b)}")
    values = {
        "hubness": float((off**3).mean()) / spread if spread > 0 else 0.0,
        "hubness_max": float(near.max()) / len(a),
        "antihubs": float((near == 0).mean()),
    }
    items = near.astype(np.float64)
    return {
        name: figure(name, value, n=len(a), recipe=recipe, items=items if name == "hubness" else None, unit="query")
        for name, value in values.items()
    }


def _units(x: ArrayLike, y: ArrayLike, *, least: int) -> tuple[Values, Values]:
    a, b = pairs(x, y, least=least, one_space=True)
    return unit_vectors("x", a), unit_vectors("y", b)


def _cosines(a: Values, b: Values) -> Iterator[Values]:
    """The inner products of all rows with all, a block of rows at a time."""
    step = max(1, BLOCK_BYTES // (8 * len(b)))
    for start in range(0, len(a), step):
        yield a[start : start + step] @ b.T


def _mean_distance(a: Values) -> float:
    """The mean distance of different rows of unit vectors."""
    total = sum(float(np.sqrt(np.maximum(2 - 2 * block, 0)).sum()) for block in _cosines(a, a))
    return total / (len(a) * (len(a) - 1))


def _mean(name: str, items: Values, recipe: tuple[str, ...], *, of_two: bool = False) -> Estimate:
    """A mean with its interval; ``of_two`` where an item is itself a mean over the others (a U-statistic of order 2)."""
    value = float(items.mean())
    se = mean_se(items) * (2 if of_two else 1)
    return figure(name, value, _around(value, se, len(items)), n=len(items), recipe=recipe, items=items)


def _around(value: float, se: float, n: int) -> tuple[float, float]:
    reach = student(0.975, n - 1) * se if n > 1 else math.nan
    return value - reach, value + reach
