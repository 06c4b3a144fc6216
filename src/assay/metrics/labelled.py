"""Metrics of labels and of scores as plain functions: each answer is an `Estimate` with its interval."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.metrics import calibration, classification, discrimination, get, labelsets
from assay.metrics.metric import Metric
from assay.metrics.standalone import estimate, scored
from assay.stats.inputs import listed, plain
from assay.types import Estimate

Units = Sequence[Any] | NDArray[Any] | None
Labels = Sequence[Any] | NDArray[Any]


def precision(
    predicted: Labels,
    true: Labels,
    *,
    average: str = "macro",
    zero_division: float = math.nan,
    unit: Units = None,
    seed: int = 0,
) -> Estimate:
    """Precision over classes: ``macro``, ``micro``, ``weighted``; where a row has several labels also ``samples``.

    ``predicted[n]`` and ``true[n]`` are labels (None: could not be parsed), or collections of labels, or matrices of 0 and
    1. What is 0/0 (a class never predicted) is left out of the mean, or counts as ``zero_division``. Raises `ValueError`
    for unequal lengths and missing true labels.

    >>> precision(["a", "b"], ["a", "a"]).value
    0.5
    """
    return estimate(_over_classes("precision", true, average, zero_division), predicted, true, unit=unit, seed=seed)


def recall(
    predicted: Labels,
    true: Labels,
    *,
    average: str = "macro",
    zero_division: float = math.nan,
    unit: Units = None,
    seed: int = 0,
) -> Estimate:
    """Recall over classes, as `precision`.

    >>> recall(["a", "b"], ["a", "a"]).value
    0.5
    """
    return estimate(_over_classes("recall", true, average, zero_division), predicted, true, unit=unit, seed=seed)


def f1(
    predicted: Labels,
    true: Labels,
    *,
    average: str = "macro",
    zero_division: float = math.nan,
    unit: Units = None,
    seed: int = 0,
) -> Estimate:
    """F1 over classes, as `precision`.

    >>> round(f1(["a", "b", "b"], ["a", "a", "b"], average="micro").value, 4)
    0.6667
    """
    return estimate(_over_classes("f1", true, average, zero_division), predicted, true, unit=unit, seed=seed)


def auroc(
    scores: ArrayLike,
    true: Labels,
    *,
    average: str = "ovr",
    positive: Any = None,
    unit: Units = None,
    seed: int = 0,
) -> Estimate:
    """Area under the ROC curve of ``scores[n]`` of the positive class, or of ``scores[n, classes]``.

    ``true`` is 0 or 1 (or any labels, of which ``positive`` is the positive one), or the class, 0 … classes - 1. With
    several classes the mean over each against the rest (``ovr``) or each against each (``ovo``). NaN with one class only.
    Raises `ValueError` for a score that is NaN and shapes that do not fit, naming the row.

    >>> auroc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]).value
    0.75
    """
    if average not in ("ovr", "ovo"):
        raise ValueError(f"an average of ovr or ovo was expected, not {average!r}")
    metric = discrimination.named("auroc" if average == "ovr" else "auroc_ovo")
    return estimate(metric, scores, _positives(true, positive), unit=unit, seed=seed)


def average_precision(
    scores: ArrayLike, true: Labels, *, positive: Any = None, unit: Units = None, seed: int = 0
) -> Estimate:
    """Average precision of ``scores[n]`` or, the mean over classes, of ``scores[n, classes]``; inputs as of `auroc`.

    >>> round(average_precision([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]).value, 4)
    0.8333
    """
    metric = discrimination.named("average_precision")
    return estimate(metric, scores, _positives(true, positive), unit=unit, seed=seed)


def ece(
    probabilities: ArrayLike,
    true: Labels,
    *,
    bins: int = calibration.BINS,
    kind: str = "width",
    unit: Units = None,
    seed: int = 0,
) -> Estimate:
    """Expected calibration error of ``probabilities[n, classes]`` and true classes, or of a confidence ``[n]`` and what was right.

    ``kind``: ``width`` (bins (l, u] of equal width), ``mass`` (bins of as many rows), ``debiased`` (ℓ2), ``classwise``, ``max``.
    Log-probabilities (all at most 0) are taken too. Raises `ValueError` for what is no probability, naming the row.

    >>> round(ece([0.1, 0.2, 0.3, 0.35, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0], [0, 0, 1, 0, 1, 0, 1, 1, 1, 1], bins=10).value, 3)
    0.305
    """
    return estimate(calibration.ece(bins, kind), probabilities, true, unit=unit, seed=seed)


def brier(probabilities: ArrayLike, true: Labels, *, unit: Units = None, seed: int = 0) -> Estimate:
    """Brier score: of ``probabilities[n, classes]`` the sum over the classes (0 to 2), of one probability ``[n]`` (p - y)².

    >>> brier([0.5, 1.0], [1, 1]).value
    0.125
    """
    metric = calibration.named("brier")
    if np.ndim(probabilities) < 2:
        metric = replace(metric, bounds=(0.0, 1.0), signature=metric.signature.replace("sum-over-classes", "binary"))
    return estimate(metric, probabilities, true, unit=unit, seed=seed)


def brier_parts(probabilities: ArrayLike, true: Labels, *, unit: Units = None, seed: int = 0) -> dict[str, Estimate]:
    """What the Brier score is made of: ``reliability``, ``resolution``, ``uncertainty`` (Murphy 1973).

    brier = reliability - resolution + uncertainty, exactly: rows with the same forecast are one group.

    >>> parts = brier_parts([0.5, 0.5, 1.0], [0, 1, 1])
    >>> {name: round(part.value, 4) for name, part in parts.items()}
    {'reliability': 0.0, 'resolution': 0.0556, 'uncertainty': 0.2222}
    """
    parts = [get(f"brier_{name}") for name in ("reliability", "resolution", "uncertainty")]
    found = scored(parts, probabilities, true, unit=unit, seed=seed)
    return {name.removeprefix("brier_"): one for name, one in found.items()}


def aurc(confidence: ArrayLike, right: Labels, *, unit: Units = None, seed: int = 0) -> Estimate:
    """Area under the risk–coverage curve of a confidence ``[n]`` and what was right (or scores ``[n, classes]`` and classes).

    >>> round(aurc([0.9, 0.8, 0.7, 0.6, 0.5], [1, 1, 0, 1, 0]).value, 8)
    0.19666667
    """
    return estimate(get("aurc"), confidence, right, unit=unit, seed=seed)


def _over_classes(kind: str, true: Labels, average: str, zero_division: float) -> Metric:
    if average == "samples":
        if not math.isnan(zero_division):
            raise ValueError("average='samples' leaves rows that are 0/0 out; zero_division does not go with it")
        return labelsets.named(f"samples_{kind}")
    if _several(true):
        return labelsets.averaged(kind, average, zero_division)
    return classification.averaged(kind, average, zero_division)


def _several(true: Labels) -> bool:
    """Whether a row has several labels."""
    true = plain(true)
    listed(true, "true labels")
    if isinstance(true, np.ndarray) and true.ndim == 2:
        return True
    several = [isinstance(row, Collection) and not isinstance(row, str | bytes) for row in true]
    if any(several) and not all(several):
        odd = several.index(not several[0])
        raise ValueError(
            f"true labels: one a row or several a row were expected, not {true[0]!r:.60} in row 0, {true[odd]!r:.60} in row {odd}"
        )
    return any(several)


def _positives(true: Labels, positive: Any) -> Labels:
    """``true`` as 0 and 1 where the positive label was named."""
    if positive is None:
        return true
    listed(true, "true")
    given = list(plain(true))
    if given and positive not in given:
        raise ValueError(
            f"the positive label {positive!r} does not occur; labels are {sorted(set(map(str, given)))[:5]}"
        )
    return [int(label == positive) for label in given]
