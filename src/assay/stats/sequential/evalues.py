"""e-values joined and corrected. Source: Vovk & Wang 2021 (averaging); Wang & Ramdas 2022 (e-BH)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.stats.inputs import numbers, share


def average_e(e: ArrayLike, weights: Sequence[float] | None = None) -> float:
    """The (weighted) mean of e-values of one null hypothesis, itself an e-value however they depend on each other.

    Raises `ValueError` for none, one below 0, weights that do not fit or are not above 0 together.

    >>> average_e([10.0, 0.5, 4.5])
    5.0
    """
    given = _checked(e)
    w = np.ones(len(given)) if weights is None else numbers(weights, "weights")
    if len(w) != len(given) or (w < 0).any() or not w.sum() > 0:
        raise ValueError(f"{len(given)} weights of 0 or more, not all 0, were expected")
    return float(w @ given / w.sum())


def e_bh(e: ArrayLike, alpha: float = 0.05) -> NDArray[np.bool_]:
    """Which hypotheses are rejected so that the false discovery rate is at most ``alpha``, however they depend.

    The k largest, for the largest k with k e₍k₎ ≥ m/α. Raises `ValueError` for a value below 0.

    >>> e_bh([90.0, 70.0, 1.0, 0.2]).tolist()
    [True, True, False, False]
    """
    share(alpha, "alpha")
    given = _checked(e)
    order = np.argsort(-given, kind="stable")
    enough = np.flatnonzero(given[order] * np.arange(1, len(given) + 1) >= len(given) / alpha)
    out = np.zeros(len(given), dtype=np.bool_)
    if len(enough):
        out[order[: enough[-1] + 1]] = True
    return out


def _checked(e: ArrayLike) -> NDArray[np.float64]:
    given = np.asarray(e, dtype=np.float64)
    if given.ndim != 1 or not len(given) or not (given >= 0).all():
        raise ValueError("e-values of 0 or more were expected, at least one")
    return given
