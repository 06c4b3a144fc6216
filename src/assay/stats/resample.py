"""The values of metrics under bootstrap weights of their units, block by block. Source: Efron & Tibshirani 1993."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.stats.draws import Counts, draws
from assay.stats.folded import Coarse, Folded

Values = NDArray[np.float64]

WORK = 200_000_000
"""Draws (resamples × units) spent on one set of rows at most; beyond it there are fewer resamples."""

LEAST = 999
"""Resamples that are always drawn."""

TRIAL = 16
"""Resamples in which single precision is checked against double."""

SLACK = 1e-4
"""How far single precision may be off, as a share of the standard error."""


def affordable(resamples: int, units: int) -> int:
    """``resamples``, or as many as `WORK` pays for, but not below `LEAST`.

    >>> affordable(9_999, 2_000), affordable(9_999, 1_000_000)
    (9999, 999)
    """
    return min(resamples, max(LEAST, WORK // max(units, 1)))


def folded_resamples(one: Folded, resamples: int) -> int:
    """How many of ``resamples`` a folded metric can afford."""
    return affordable(resamples, max(len(one.counts), one.cost))


def replicates(folded: Sequence[Folded], resamples: int, rng: np.random.Generator) -> list[Values]:
    """The bootstrap values ``[resamples]`` of metrics that were folded to the same units, under the same draws."""
    counts, strata = folded[0].counts, folded[0].strata
    assert all(np.array_equal(one.counts, counts) for one in folded), "folded to different units"
    drawn = folded_resamples(folded[0], resamples)
    kept: list[NDArray[Any]] = []
    coarse: list[Coarse | None] = []
    at = 0
    for weights in draws(counts, drawn, rng, strata):
        if not kept:
            coarse = [_agreeing(one, weights[:TRIAL]) for one in folded]
            kept = [np.empty(drawn) if way is None else np.empty((drawn, way.width), np.float32) for way in coarse]
        for one, way, found in zip(folded, coarse, kept, strict=True):
            found[at : at + len(weights)] = _exact(one, weights) if way is None else way.moved(weights)
        at += len(weights)
    return [found if way is None else way.values(found) for way, found in zip(coarse, kept, strict=True)]


def _exact(one: Folded, weights: Counts) -> Values:
    return one.evaluate(weights.astype(np.float64, copy=False))


def _agreeing(one: Folded, trial: Counts) -> Coarse | None:
    """The way in single precision, where there is one and it agrees with double on the first resamples."""
    if one.coarse is None or trial.dtype != np.float32:
        return None
    with np.errstate(all="ignore"):  # where the formula does not bear the rounding, double precision decides
        known, found = _exact(one, trial), one.coarse(trial)
    off = np.nanmax(np.abs(found - known), initial=0.0)
    agree = bool((np.isnan(known) == np.isnan(found)).all()) and off <= SLACK * float(np.nanstd(known))
    return one.coarse if agree else None
