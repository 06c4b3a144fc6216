"""The values of metrics under bootstrap weights of their units, block by block. Source: Efron & Tibshirani 1993."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from assay.stats.draws import Counts, draws
from assay.stats.folded import Folded

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
    values = [np.empty(drawn) for _ in folded]
    evaluators: list[Callable[[Counts], Values]] = []
    at = 0
    for weights in draws(counts, drawn, rng, strata):
        evaluators = evaluators or [_evaluator(one, weights[:TRIAL]) for one in folded]
        for evaluate, kept in zip(evaluators, values, strict=True):
            kept[at : at + len(weights)] = evaluate(weights)
        at += len(weights)
    return values


def _evaluator(one: Folded, trial: Counts) -> Callable[[Counts], Values]:
    """Single precision where there is such a way and it agrees with double on the first resamples; else double."""

    def exact(weights: Counts) -> Values:
        return one.evaluate(weights.astype(np.float64, copy=False))

    if one.coarse is None or trial.dtype != np.float32:
        return exact
    with np.errstate(all="ignore"):  # where the formula does not bear the rounding, double precision decides
        known, found = exact(trial), one.coarse(trial)
    off = np.nanmax(np.abs(found - known), initial=0.0)
    agree = bool((np.isnan(known) == np.isnan(found)).all()) and off <= SLACK * float(np.nanstd(known))
    return one.coarse if agree else exact
