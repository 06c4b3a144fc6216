"""The metrics that probes' figures are: each has a name, a formula over samples, and a definition to read.

All are aggregates under weights like any metric (`assay.metrics.metric`), so that intervals, slices and paired comparisons come
from the same place.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from assay.catalog import nearest
from assay.metrics.metric import Metric, Rows, of_sums, ratio, sign, weighted_mean

Values = NDArray[np.float64]
ANY = (-math.inf, math.inf)


def given(*_: object) -> Rows:
    """Probes fill the columns themselves, from answers under several conditions. Always raises `ValueError`."""
    raise ValueError("a probe's figure is read from a run: assay evaluate MODEL DATA --probe NAME")


def mean(
    name: str,
    definition: str,
    source: str,
    *,
    bounds: tuple[float, float] = (-1.0, 1.0),
    better: str = "higher",
    recipe: tuple[str, ...] = (),
) -> Metric:
    """A figure that is the mean of a value for each sample, in the column ``value``."""
    return Metric(
        name,
        given,
        weighted_mean("value"),
        interval="bca",
        better=better,
        bounds=bounds,
        item="value",
        signature=sign(name, *recipe),
        source=source,
        family="probe",
        definition=definition,
    )


def share(
    name: str,
    definition: str,
    source: str,
    *,
    bounds: tuple[float, float] = ANY,
    better: str = "higher",
    recipe: tuple[str, ...] = (),
) -> Metric:
    """A figure that is the sum of ``part`` over the sum of ``whole``; undefined where that is 0."""
    return Metric(
        name,
        given,
        of_sums(_share, "part", "whole"),
        interval="bca",
        better=better,
        bounds=bounds,
        signature=sign(name, *recipe),
        source=source,
        family="probe",
        columns=("part", "whole"),
        definition=definition,
        edge="Undefined where the whole is 0.",
    )


def _share(total: Values, part: Values, whole: Values) -> Values:
    return ratio(part, whole)


BLIND: tuple[Metric, ...] = (
    mean(
        "blind_score",
        "The task's score of a solver that does not see everything (the slice says which).",
        "Goyal et al. 2017; Chen et al. 2024 (MMStar)",
        bounds=ANY,
    ),
    share(
        "blind_share",
        "The share of the score with everything that is reached without the modality: score without / score with.",
        "assay; Chen et al. 2024 (MMStar)",
        better="lower",
    ),
    share(
        "needs_share",
        "The share of the score that needs the modality: 1 - blind_share.",
        "assay",
    ),
    mean(
        "multimodal_gain",
        "Score with everything less score without the modality, paired by sample.",
        "Chen et al. 2024 (MMStar)",
        bounds=ANY,
    ),
)

DEFINITIONS: Mapping[str, Metric] = {metric.name: metric for metric in (*BLIND,)}


def definition(name: str) -> Metric:
    """The probe metric of this name; an unknown one is a `ValueError` with its neighbours.

    >>> definition("blind_share").better
    'lower'
    """
    if name not in DEFINITIONS:
        raise ValueError(f"unknown figure {name!r}: {nearest(name, DEFINITIONS)}")
    return DEFINITIONS[name]
