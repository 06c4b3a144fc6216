"""Correcting p-values for how many were looked at. Source: Holm 1979; Benjamini & Hochberg 1995."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


def holm(p: Sequence[float] | Values) -> Values:
    """Holm's adjusted p-values, in the order given: the family-wise error stays at the level. NaN stays NaN, uncounted.

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


def _stepped(p: Sequence[float] | Values, adjust: Callable[[Values], Values]) -> Values:
    given = np.asarray(p, dtype=np.float64)
    out = np.full(given.shape, np.nan)
    known = np.flatnonzero(~np.isnan(given))
    order = known[np.argsort(given[known], kind="stable")]
    out[order] = np.minimum(adjust(given[order]), 1.0)
    return out
