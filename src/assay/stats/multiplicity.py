"""Correcting p-values for how many were looked at.

Source: Holm 1979; Benjamini & Hochberg 1995; Benjamini & Yekutieli 2001; Westfall & Young 1993 (max-T).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.stats.inputs import table
from assay.stats.permutation import tosses
from assay.stats.resample import affordable
from assay.stats.streams import stream
from assay.stats.units import Labels, codes, unit_sums

Values = NDArray[np.float64]


def holm(p: Sequence[float] | Values) -> Values:
    """Holm's adjusted p-values, in the order given: the family-wise error stays at the level. NaN stays NaN, uncounted.

    Raises `ValueError` for what is no p-value; so do the others.

    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    return _stepped(p, lambda ranked: np.maximum.accumulate(ranked * np.arange(len(ranked), 0, -1)))


def benjamini_hochberg(p: Sequence[float] | Values) -> Values:
    """Benjamini and Hochberg's adjusted p-values: the false discovery rate stays at the level. NaN as in `holm`.

    >>> benjamini_hochberg([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.04, 0.04]
    """
    return _stepped(
        p, lambda ranked: np.minimum.accumulate((ranked * len(ranked) / np.arange(1, len(ranked) + 1))[::-1])[::-1]
    )


def benjamini_yekutieli(p: Sequence[float] | Values) -> Values:
    """Benjamini and Yekutieli's adjusted p-values: as `benjamini_hochberg`, however the tests depend on each other.

    >>> benjamini_yekutieli([0.01, 0.04, 0.03]).round(4).tolist()
    [0.055, 0.0733, 0.0733]
    """
    known = int((~np.isnan(np.asarray(p, dtype=np.float64))).sum())
    harmonic = float((1 / np.arange(1, known + 1)).sum())
    return np.minimum(benjamini_hochberg(p) * harmonic, 1.0)


def max_t(differences: ArrayLike, unit: Labels | None = None, *, resamples: int = 19_999, seed: int = 0) -> Values:
    """Westfall and Young's adjusted p-values ``[m]`` that columns of paired ``differences[n, m]`` have mean 0.

    All columns of a unit change sign together, so that the correction knows how they move together: it costs little
    where columns say much the same. Step-down: each hypothesis is compared with the largest |t| among those not larger
    than its own. A column of zeros has p of 1. Raises `ValueError` as `assay.stats.inputs.table`.

    >>> d = np.random.default_rng(0).normal(0.5, 1, (60, 1)) + np.random.default_rng(1).normal(0, 0.1, (60, 3))
    >>> (max_t(d) < 0.01).all()
    np.True_
    """
    given = table(differences, "differences", columns=1)
    sums = unit_sums(given, codes(unit, len(given)))
    squares = (sums**2).sum(axis=0)
    varies = np.flatnonzero(squares > 0)
    scaled = sums[:, varies] / np.sqrt(squares[varies])
    size = np.abs(scaled.sum(axis=0))
    order = np.argsort(-size, kind="stable")
    scaled, size = scaled[:, order], size[order]
    drawn = affordable(resamples, len(sums))
    extreme, total = np.zeros(len(size)), scaled.sum(axis=0)
    for heads in tosses(np.ones(len(sums), dtype=np.int64), drawn, stream(seed, "max-t")):
        tossed = np.abs(2 * (heads.astype(np.float64) @ scaled) - total)
        largest = np.maximum.accumulate(tossed[:, ::-1], axis=1)[:, ::-1]
        extreme += (largest >= size * (1 - 1e-9)).sum(axis=0)
    out = np.ones(given.shape[1])
    out[varies[order]] = np.maximum.accumulate((1 + extreme) / (1 + drawn))
    return out


def _stepped(p: Sequence[float] | Values, adjust: Callable[[Values], Values]) -> Values:
    given = np.asarray(p, dtype=np.float64)
    if given.ndim != 1:
        raise ValueError(f"p-values in one row were expected, not shape {given.shape}")
    out = np.full(given.shape, np.nan)
    known = np.flatnonzero(~np.isnan(given))
    outside = known[(given[known] < 0) | (given[known] > 1)]
    if len(outside):
        raise ValueError(f"p-values lie between 0 and 1, number {outside[0]} is {given[outside[0]]}")
    order = known[np.argsort(given[known], kind="stable")]
    out[order] = np.minimum(adjust(given[order]), 1.0)
    return out
