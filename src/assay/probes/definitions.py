"""Makes the metrics that probes' figures are: each has a name, a formula over samples, and a definition to read.

All are aggregates under weights like any metric (`assay.metrics.metric`), so that intervals, slices and paired comparisons come
from the same place.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

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
