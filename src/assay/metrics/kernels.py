"""Centred kernel alignment (CKA) of two modalities' embeddings.

CKA = HSIC(K, L) / √(HSIC(K, K) HSIC(L, L)). The biased HSIC tends to 1 when dimensions exceed rows (independent data,
n = 50, d = 512: .91), so HSIC₁ of Song et al. 2012 is the default: with K and L off their diagonals,

HSIC₁ = [tr KL + ΣK ΣL / ((n-1)(n-2)) - 2/(n-2) 1ᵀKL1] / (n (n-3)).

It may be slightly negative and is not clipped. A linear kernel needs no n × n matrix: its sums are products of features.
The interval leaves out one pair at a time (the jackknife), which costs one product more. Over minibatches the three HSIC₁
are averaged before the ratio is taken, and the batches are left out instead.

Source: Gretton et al. 2005; Song et al. 2012; Kornblith et al. 2019; Nguyen, Raghu & Kornblith 2021.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.metrics.embeddings import figure, pairs
from assay.stats.quantiles import student
from assay.stats.streams import stream
from assay.types import Estimate

Values = NDArray[np.float64]

MOST_ROWS = 10_000
"""Rows of which an n × n matrix is made (800 MB); beyond, and with a kernel that needs one, take minibatches."""

LEFT_OUT = 2_048
"""Rows that are left out one by one for the interval, drawn from more: their spread is then known to 2 %."""

KERNELS = ("linear", "rbf")


def cka(
    x: ArrayLike,
    y: ArrayLike,
    *,
    kernel: str = "linear",
    sigma: float = 0.5,
    unbiased: bool = True,
    batch: int | None = None,
    seed: int = 0,
) -> Estimate:
    """The CKA of ``x[n, p]`` and ``y[n, q]``, pairs row by row.

    ``kernel`` is ``linear`` or ``rbf`` with a width of ``sigma`` times the median distance of each side. ``batch`` takes
    minibatches of so many shuffled pairs (what is left over is not used). The biased CKA has no interval. Raises
    `ValueError` for pairs that do not fit, fewer than 4 (or a batch below 4), another kernel, a width that is not positive,
    and more rows than an n × n matrix is made of.

    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((200, 6))
    >>> y = x @ rng.standard_normal((6, 4)) + 0.5 * rng.standard_normal((200, 4))
    >>> round(cka(x, y).value, 8), round(cka(x, y, unbiased=False).value, 8)
    (0.64390806, 0.6504369)
    """
    if kernel not in KERNELS:
        raise ValueError(f"a kernel of {', '.join(KERNELS)} was expected, not {kernel!r}")
    if not (sigma > 0 and math.isfinite(sigma)):
        raise ValueError(f"a positive width was expected, as a share of the median distance, not {sigma}")
    a, b = pairs(x, y, least=4)
    if batch is not None and not 4 <= batch <= len(a):
        raise ValueError(f"a batch of 4 to {len(a)} pairs was expected, not {batch}")
    recipe = (
        kernel if kernel == "linear" else f"rbf:{sigma:g}-median",
        "unbiased" if unbiased else "biased",
        f"n:{len(a)}",
        *(() if batch is None else (f"batch:{batch}", f"seed:{seed}")),
    )
    of = _terms_of(kernel, sigma, unbiased)
    if batch is None:
        terms, left_out = of(a, b)
        return figure("cka", float(_ratio(terms)), _jackknife(terms, left_out, len(a)), n=len(a), recipe=recipe)
    order = stream(seed, "cka", "batches").permutation(len(a))
    parts = order[: len(a) // batch * batch].reshape(-1, batch)
    found = np.array([of(a[part], b[part])[0] for part in parts])
    total, k = found.sum(axis=0), len(found)
    left_out = (total - found) / (k - 1) if k > 1 else None
    return figure("cka", float(_ratio(total / k)), _jackknife(total / k, left_out, k), n=parts.size, recipe=recipe)


Terms = Callable[[Values, Values], tuple[Values, Values | None]]
"""From pairs the three HSIC [3] (of both, of x, of y), and the same with each pair (or some) left out [k, 3], where there is that."""


def _terms_of(kernel: str, sigma: float, unbiased: bool) -> Terms:
    def linear(a: Values, b: Values) -> tuple[Values, Values | None]:
        a, b = a - a.mean(axis=0), b - b.mean(axis=0)
        by_features = len(a) * 2 > a.shape[1] + b.shape[1] or len(a) > MOST_ROWS
        if not by_features:
            return (_unbiased if unbiased else _biased)(a @ a.T, b @ b.T)
        if unbiased:
            return _unbiased_of_features(a, b)
        return np.array([((u.T @ v) ** 2).sum() for u, v in ((a, b), (a, a), (b, b))]), None

    def rbf(a: Values, b: Values) -> tuple[Values, Values | None]:
        if len(a) > MOST_ROWS:
            raise ValueError(f"{len(a)} pairs are more than a kernel matrix is made of ({MOST_ROWS}); give a batch")
        return (_unbiased if unbiased else _biased)(_rbf(a, sigma), _rbf(b, sigma))

    return linear if kernel == "linear" else rbf


def _ratio(terms: Values) -> Values:
    """CKA of three HSIC ``[…, 3]``; NaN where one side has none of its own."""
    below = np.sqrt(np.maximum(terms[..., 1], 0) * np.maximum(terms[..., 2], 0))
    return np.asarray(np.divide(terms[..., 0], below, out=np.full_like(below, np.nan), where=below > 0))


def _jackknife(terms: Values, left_out: Values | None, n: int) -> tuple[float, float]:
    """The interval of the ratio, from the terms with a pair or a batch of ``n`` left out, each or some of them."""
    if left_out is None or len(left_out) < 2:
        return math.nan, math.nan
    values, k = _ratio(left_out), len(left_out)
    reach = student(0.975, k - 1) * math.sqrt((n - 1) * float(((values - values.mean()) ** 2).mean()))
    value = float(_ratio(terms))
    return value - reach, min(value + reach, max(1.0, value))


def _rbf(x: Values, sigma: float) -> Values:
    squares = (x**2).sum(axis=1)
    apart = np.maximum(squares[:, None] + squares - 2 * x @ x.T, 0)
    np.fill_diagonal(apart, 0.0)
    median = float(np.median(np.sqrt(apart[np.triu_indices(len(x), 1)])))
    if median == 0:
        return np.ones_like(apart)  # no width to measure by: all rows are alike, and HSIC is 0
    apart /= -2 * (sigma * median) ** 2
    return np.asarray(np.exp(apart, out=apart))


def _biased(k: Values, other: Values) -> tuple[Values, None]:
    centred = [m - m.mean(axis=0) - m.mean(axis=1)[:, None] + m.mean() for m in (k, other)]
    return np.array([(u * v).sum() for u, v in ((centred[0], centred[1]), (centred[0],) * 2, (centred[1],) * 2)]), None


def _unbiased(k: Values, other: Values) -> tuple[Values, Values]:
    """HSIC₁ from kernel matrices, which are changed."""
    for m in (k, other):
        np.fill_diagonal(m, 0.0)
    rows = [m.sum(axis=1) for m in (k, other)]
    found = []
    for i, j in ((0, 1), (0, 0), (1, 1)):
        u, v = (k, other)[i], (k, other)[j]
        products = np.einsum("ij,ij->i", u, v)  # of each pair's row
        found.append(_hsic(products.sum(), products, (rows[i], rows[j]), (u @ rows[j], v @ rows[i])))
    return _stacked(found)


def _unbiased_of_features(a: Values, b: Values) -> tuple[Values, Values]:
    """HSIC₁ of linear kernels from centred features, without a matrix of n × n.

    What only the interval needs is multiplied in single precision, of features scaled to a mean square of 1.
    """
    a, b = (x / (np.sqrt((x**2).mean()) or 1.0) for x in (a, b))
    n = len(a)
    some = np.arange(n) if n <= LEFT_OUT else np.sort(stream(0, "cka", "left out").permutation(n)[:LEFT_OUT])
    small = [x[some].astype(np.float32) for x in (a, b)]
    squares = [(x**2).sum(axis=1) for x in (a, b)]
    rows = [x @ x.sum(axis=0) - s for x, s in zip((a, b), squares, strict=True)]
    found = []
    for i, j in ((0, 1), (0, 0), (1, 1)):
        u, v = (a, b)[i], (a, b)[j]
        cross, diagonal = u.T @ v, squares[i] * squares[j]
        products = np.einsum("ip,ip->i", small[i] @ cross.astype(np.float32), small[j]) - diagonal[some]
        spread = [
            x[some] @ (x.T @ r) - (s * r)[some] for x, r, s in ((u, rows[j], squares[i]), (v, rows[i], squares[j]))
        ]
        trace = (cross**2).sum() - diagonal.sum()
        found.append(_hsic(trace, products, (rows[i], rows[j]), (spread[0], spread[1]), some))
    return _stacked(found)


def _hsic(
    trace: float,
    products: Values,
    sums: tuple[Values, Values],
    spread: tuple[Values, Values],
    some: NDArray[np.intp] | slice = slice(None),
) -> tuple[float, Values]:
    """HSIC₁ and what it is with each row left out, or each of ``some``.

    Of matrices without diagonals: ``trace`` tr KL, ``sums`` K1 and L1; of the rows to be left out ``products`` Σⱼ KᵢⱼLᵢⱼ and
    ``spread`` KL1 and LK1.
    """
    n, (k, other) = len(sums[0]), sums
    value = float(_formula(n, np.asarray(trace), k.sum(), other.sum(), k @ other))
    if n < 5:
        return value, np.full(n, np.nan)
    total, of_k, of_other, k, other = k @ other, k.sum(), other.sum(), k[some], other[some]
    # Without row i the row sums are K1 - Kᵢ and L1 - Lᵢ, row i itself being gone.
    both = total - spread[0] - spread[1] + products - k * other
    return value, _formula(n - 1, trace - 2 * products, of_k - 2 * k, of_other - 2 * other, both)


def _formula(n: int, trace: Values, k: Values, other: Values, both: Values) -> Values:
    return np.asarray((trace + k * other / ((n - 1) * (n - 2)) - 2 / (n - 2) * both) / (n * (n - 3)))


def _stacked(found: list[tuple[float, Values]]) -> tuple[Values, Values]:
    return np.array([value for value, _ in found]), np.stack([left_out for _, left_out in found], axis=1)
