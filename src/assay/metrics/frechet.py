"""Fréchet distance between two sets of embeddings, as between Gaussians with their means and covariances.

d² = |μ₁ - μ₂|² + tr Σ₁ + tr Σ₂ - 2 tr (Σ₁Σ₂)^½, with the unbiased covariances (n - 1); on Inception features this is FID, on
others it must be named after them. The trace of the root is the sum of the singular values of A₁A₂ᵀ, where AᵀA = Σ: the
centred data themselves where they are fewer than the dimensions, their QR factor otherwise. So it is real by
construction, exact for singular covariances too, and nothing has to be added to a diagonal.

The value of a finite sample is too large, by about c/n: compare only equal n (the signature holds both). The interval is
that of the value's first-order expansion (each embedding's influence, Student's t), and says nothing of that bias.

Source: Fréchet 1957; Dowson & Landau 1982; Heusel et al. 2017; Chong & Forsyth 2020 (the bias).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.metrics.metric import Metric, Rows, Weights, sign
from assay.stats.inputs import floats
from assay.stats.quantiles import student
from assay.types import Estimate

Values = NDArray[np.float64]
Embed = Callable[[Sequence[Any]], ArrayLike]


def measure_embeddings(generated: ArrayLike, real: ArrayLike) -> Rows:
    """Rows of both sets: ``embedding[n, d]`` and ``is_real[n]``.

    Raises `ValueError` for shapes that do not fit and for values that are not finite, naming the row.
    """
    sides = [_matrix(name, side) for name, side in (("generated", generated), ("real", real))]
    if len(sides[0]) and len(sides[1]) and sides[0].shape[1] != sides[1].shape[1]:
        raise ValueError(f"embeddings of one width were expected, not {sides[0].shape[1]} and {sides[1].shape[1]}")
    width = max(side.shape[1] for side in sides)
    stacked = np.concatenate([side.reshape(len(side), width) for side in sides])
    return {"embedding": stacked, "is_real": np.repeat([False, True], [len(side) for side in sides])}


def _matrix(name: str, values: ArrayLike) -> Values:
    array = floats(values, name)
    array = array.reshape(0, 0) if array.size == 0 else array
    if array.ndim != 2:
        raise ValueError(f"{name} embeddings [n, d] were expected, not of shape {array.shape}")
    broken = np.flatnonzero(~np.isfinite(array).all(axis=1))
    if len(broken):
        raise ValueError(f"{name}: row {broken[0]} holds a value that is not finite ({len(broken)} such rows)")
    return array


def frechet(rows: Rows, weights: Weights) -> Values:
    """The squared distance ``[b]`` under each weight vector; NaN where a set has not two embeddings with weight."""
    there = ~np.isnan(rows["embedding"]).any(axis=1)
    real, x, weights = np.asarray(rows["is_real"])[there], rows["embedding"][there], weights[:, there]
    x = x - x.mean(axis=0) if len(x) else x
    return np.array([_distance(x[~real], x[real], w[~real], w[real]) for w in weights], dtype=np.float64)


def _distance(x: Values, y: Values, wx: Values, wy: Values) -> float:
    sides = [_moments(a[w > 0], w[w > 0]) for a, w in ((x, wx), (y, wy))]
    if any(side is None for side in sides):
        return math.nan
    (mean_x, rows_x), (mean_y, rows_y) = (side for side in sides if side is not None)
    cross = float(np.linalg.svd(_factor(rows_x) @ _factor(rows_y).T, compute_uv=False).sum())
    return max(float(((mean_x - mean_y) ** 2).sum() + (rows_x**2).sum() + (rows_y**2).sum() - 2 * cross), 0.0)


def _moments(x: Values, w: Values) -> tuple[Values, Values] | None:
    """The mean, and rows whose products sum to the covariance; None where there is none."""
    total = w.sum()
    if total <= 1 or len(x) == 0:
        return None
    mean = w @ x / total
    return mean, (x - mean) * np.sqrt(w / (total - 1))[:, None]


def _factor(rows: Values) -> Values:
    """``A[k, d]``, k ≤ d, with AᵀA the covariance."""
    if len(rows) <= rows.shape[1]:
        return rows
    return np.asarray(np.linalg.qr(rows, mode="r"))


FRECHET = Metric(
    "frechet_distance",
    measure_embeddings,
    frechet,
    interval="none",
    better="lower",
    bounds=(0.0, float("inf")),
    signature=sign("frechet_distance", "cov:n-1"),
    source="Fréchet 1957; Dowson & Landau 1982; Heusel et al. 2017",
    family="embeddings",
    columns=("embedding", "is_real"),
    definition="|μ1 - μ2|² + tr Σ1 + tr Σ2 - 2 tr (Σ1 Σ2)^½ of the two sets' means and covariances",
    edge="undefined for fewer than two embeddings on a side; too large by about c/n, so only equal n compare;"
    " assay.metrics.frechet_distance adds an interval",
)


def named(name: str) -> Metric:
    """``frechet_distance``."""
    return {"frechet_distance": FRECHET}[name]


def influence(x: Values, y: Values) -> Values:
    """How much each of ``x[n, d]`` pulls at the squared distance to ``y[m, d]``, to first order ``[n]``; they sum to about 0.

    The derivative is 2(μ₁ - μ₂) by the mean and I - T by the covariance, T = Σ₁^-½ (Σ₁^½ Σ₂ Σ₁^½)^½ Σ₁^-½ being the
    optimal transport; where Σ₁ is singular, by its pseudo-inverse.
    """
    centred = x - x.mean(axis=0)
    variance, axes = np.linalg.eigh(centred.T @ centred / (len(x) - 1))
    root = np.sqrt(np.maximum(variance, 0))
    inverse = np.divide(1, root, out=np.zeros_like(root), where=root > 1e-7 * root.max(initial=0))
    along = ((y - y.mean(axis=0)) @ axes) * root
    squares, turned = np.linalg.eigh(along.T @ along / (len(y) - 1))
    middle = (turned * np.sqrt(np.maximum(squares, 0))) @ turned.T
    transport = inverse[:, None] * middle * inverse
    scores = centred @ axes
    quadratic = (scores**2).sum(axis=1) - ((scores @ transport) * scores).sum(axis=1)
    return np.asarray(2 * centred @ (x.mean(axis=0) - y.mean(axis=0)) + quadratic - quadratic.mean())


def frechet_distance(
    generated: ArrayLike | Sequence[Any],
    real: ArrayLike | Sequence[Any],
    *,
    embed: Embed | None = None,
    level: float = 0.95,
) -> Estimate:
    """The squared Fréchet distance of two sets of embeddings ``[n, d]``, or of whatever ``embed`` turns into them.

    ``n`` counts both sets. Raises `ValueError` as `measure_embeddings`.

    >>> rng = np.random.default_rng(0)
    >>> found = frechet_distance(rng.standard_normal((2000, 3)) + [3, 0, 0], rng.standard_normal((2000, 3)))
    >>> round(found.value, 1), bool(found.low < 9 < found.high)
    (8.7, True)
    """
    sides = [generated, real] if embed is None else [embed(side) for side in (generated, real)]  # type: ignore[arg-type]
    rows = measure_embeddings(*sides)
    is_real, x = rows["is_real"], rows["embedding"]
    value = float(frechet(rows, np.ones((1, len(x))))[0])
    sizes = int((~is_real).sum()), int(is_real.sum())
    low = high = math.nan
    if math.isfinite(value):
        pulls = influence(x[~is_real], x[is_real]), influence(x[is_real], x[~is_real])
        se = math.sqrt(sum(float(pull.var(ddof=1)) / len(pull) for pull in pulls))
        reach = student(0.5 + level / 2, min(sizes) - 1) * se
        low, high = max(value - reach, 0.0), value + reach
    signed = FRECHET.signed(f"generated:{sizes[0]}", f"real:{sizes[1]}", f"d:{x.shape[1]}")
    return Estimate("frechet_distance", value, low, high, sum(sizes), unit="embedding", signature=signed.signature)
