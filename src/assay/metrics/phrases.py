"""Where in the picture a phrase points: boxes found for phrases (RefCOCO), and points that should lie in them.

Boxes are ``x, y, width, height``; overlap is intersection over union of continuous areas, without the one pixel that
some old tools add to each side. A phrase may have several true boxes: the one that fits best counts (Flickr30k's any-box
protocol). Sources: Yu et al. 2016 (RefCOCO, IoU ≥ .5); Plummer et al. 2015; Zhang et al. 2016 (the pointing game).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.metrics.assignment import Index, Values
from assay.metrics.boxes import iou
from assay.metrics.metric import Metric, Rows, sign, weighted_mean
from assay.metrics.standalone import estimates
from assay.stats.inputs import listed, reals
from assay.types import Estimate

Units = Sequence[Any] | NDArray[Any] | None
Given = Sequence[ArrayLike | None] | NDArray[Any]

AT = re.compile(r"grounding_accuracy(?:@(0?\.\d+|1(?:\.0+)?))?")
USUAL = 0.5


def grounding(
    predicted: Given,
    targets: Given,
    *,
    thresholds: Sequence[float] = (USUAL,),
    unit: Units = None,
    seed: int = 0,
) -> dict[str, Estimate]:
    """``accuracy@0.5``, the share of phrases whose box overlaps the true one by IoU .5 at least, and ``iou``, the mean.

    ``predicted`` and ``targets`` hold a box a phrase (x, y, width, height); a target may be several, the best of which
    counts. An empty prediction is an answer in which there was no box: it is wrong. None never came: left out and
    counted in ``n_missing``. ``unit`` labels phrases of one picture. No phrases: NaN. Raises `ValueError`, naming the
    phrase, for unequal numbers, negative sides, values that are not finite, several boxes where one belongs, no true box.

    >>> found = grounding([[0, 0, 10, 10], []], [[0, 0, 10, 8], [5, 5, 2, 2]])
    >>> found["accuracy@0.5"].value, found["iou"].value
    (0.5, 0.4)
    """
    chosen = tuple(dict.fromkeys(float(at) for at in thresholds))
    if not all(0 < at <= 1 for at in chosen):
        raise ValueError(f"thresholds above 0 and up to 1 were expected, not {list(thresholds)!r:.80}")
    asked = {f"accuracy@{at:.10g}": _accuracy(at) for at in chosen} | {"iou": MEAN_IOU}
    overlap = _overlaps(predicted, targets)
    rows = {name: column for at in chosen for name, column in _rows(overlap, at).items()} | {MEAN_IOU.name: overlap}
    found = estimates(list(asked.values()), rows, unit, seed=seed, unit_name="phrase")
    missing = int(np.isnan(overlap).sum())
    return {name: replace(one, n_missing=missing) for name, one in zip(asked, found, strict=True)}


def pointing_accuracy(
    predicted: Given,
    targets: Given,
    *,
    tolerance_px: float = 0.0,
    unit: Units = None,
    seed: int = 0,
) -> Estimate:
    """The share of points ``[n, 2]`` (x, y) that lie in their true box, its edge included, or within ``tolerance_px`` of it.

    ``targets`` hold a box a point, or several, any of which will do. An empty prediction is wrong; None never came.
    The pointing game has a tolerance of 15 pixels. Raises `ValueError` as `grounding`.

    >>> pointing_accuracy([[5, 5], [20, 5], [11, 5]], [[0, 0, 10, 10]] * 3, tolerance_px=2).value
    0.6666666666666666
    """
    if not 0 <= tolerance_px < np.inf:
        raise ValueError(f"a tolerance of 0 pixels or more was expected, not {tolerance_px!r}")
    metric = _pointing(tolerance_px)
    rows = metric.measure(predicted, targets)
    (found,) = estimates([metric], rows, unit, seed=seed, unit_name="point")
    return replace(found, n_missing=int(np.isnan(rows[metric.name]).sum()))


def measure_grounding(predicted: Given, targets: Given, at: float = USUAL) -> Rows:
    """Columns of the overlap ``grounding_iou`` ``[n]`` and of whether it reaches ``at``, NaN where a prediction never came.

    >>> measure_grounding([[0, 0, 10, 10], None], [[0, 0, 10, 8]] * 2)["grounding_iou"].tolist()
    [0.8, nan]
    """
    overlap = _overlaps(predicted, targets)
    return _rows(overlap, at) | {"grounding_iou": overlap}


def measure_pointing(predicted: Given, targets: Given, tolerance_px: float = 0.0) -> Rows:
    """The column ``pointing_accuracy`` ``[n]``, 1 where the point lies in its box, NaN where it never came.

    >>> measure_pointing([[5, 5], []], [[0, 0, 10, 10]] * 2)["pointing_accuracy"].tolist()
    [1.0, 0.0]
    """
    listed(predicted, "predicted")
    row, box = _targets(targets, len(predicted))
    point = _predicted(predicted, 2)
    off = np.maximum(np.maximum(box[:, :2] - point[row], point[row] - box[:, :2] - box[:, 2:]), 0)
    inside = np.hypot(off[:, 0], off[:, 1]) <= tolerance_px
    return {"pointing_accuracy": _best(inside.astype(np.float64), row, predicted)}


def _rows(overlap: Values, at: float) -> dict[str, Values]:
    return {_accuracy(at).name: np.where(np.isnan(overlap), np.nan, overlap >= at)}


def _overlaps(predicted: Given, targets: Given) -> Values:
    """Each phrase's best overlap; 0 without a box, NaN where the prediction never came."""
    listed(predicted, "predicted")
    row, box = _targets(targets, len(predicted))
    found = np.nan_to_num(_predicted(predicted, 4))  # no box has no area and overlaps nothing
    return _best(iou(found[row].T, box.T), row, predicted)


def _best(values: Values, row: Index, predicted: Given) -> Values:
    best = np.zeros(len(predicted))
    np.maximum.at(best, row, values)
    best[[one is None for one in predicted]] = np.nan
    return best


def _predicted(given: Given, width: int) -> Values:
    """A box or a point a row, NaN where there is none."""
    out = np.full((len(given), width), np.nan)
    for row, one in enumerate(given):
        if one is None or np.size(one) == 0:
            continue
        found = _numbers("predicted", row, one)
        if found.shape not in ((width,), (1, width)):
            told = "one box (x, y, width, height)" if width == 4 else "one point (x, y)"
            raise ValueError(f"predicted[{row}]: {told} was expected, not {one!r:.80}")
        out[row] = _checked("predicted", row, found.reshape(1, width))[0]
    return out


def _targets(given: Given, n: int) -> tuple[Index, Values]:
    """The true boxes ``[m, 4]`` of all rows and the row of each."""
    listed(given, "targets")
    if len(given) != n:
        raise ValueError(f"a prediction for each of the targets was expected: {n} predicted, {len(given)} targets")
    boxes = []
    for row, one in enumerate(given):
        found = _numbers("targets", row, one)
        if found.size == 0 or found.shape[-1:] != (4,) or found.ndim > 2:
            raise ValueError(f"targets[{row}]: one box (x, y, width, height) or several were expected, not {one!r:.80}")
        boxes.append(_checked("targets", row, found.reshape(-1, 4)))
    counts = np.array([len(box) for box in boxes], dtype=np.intp)
    return np.repeat(np.arange(n), counts), np.concatenate([np.zeros((0, 4)), *boxes])


def _numbers(name: str, row: int, one: ArrayLike | None) -> Values:
    try:
        found = reals(one)
    except (TypeError, ValueError):
        raise ValueError(f"{name}[{row}]: numbers were expected, not {one!r:.80}") from None
    return found


def _checked(name: str, row: int, found: Values) -> Values:
    if not np.isfinite(found).all():
        raise ValueError(f"{name}[{row}]: finite numbers were expected, not {found.tolist()!r:.80}")
    if (found[:, 2:] < 0).any():
        raise ValueError(f"{name}[{row}]: a side is negative; boxes are x, y, width, height: {found.tolist()!r:.80}")
    return found


def named(name: str) -> Metric:
    """``grounding_accuracy`` (at .5), ``grounding_accuracy@0.75``, ``grounding_iou`` or ``pointing_accuracy``."""
    if name == "pointing_accuracy":
        return _pointing(0.0)
    if name == MEAN_IOU.name:
        return MEAN_IOU
    at = AT.fullmatch(name)
    assert at is not None, f"{name!r} is no metric of grounding"
    return _accuracy(float(at[1] or USUAL))


def _accuracy(at: float) -> Metric:
    name = "grounding_accuracy" if at == USUAL else f"grounding_accuracy@{at:.10g}"
    return Metric(
        name,
        functools.partial(measure_grounding, at=at),
        weighted_mean(name),
        interval="wilson",
        unit="phrase",
        item=name,
        signature=sign(name, f"iou:{at:.10g}", "boxes:any"),
        source="Yu et al. 2016",
        family="grounded",
        definition=f"the share of phrases whose box overlaps the true one, or the best of several, by IoU ≥ {at:.10g}",
        edge="an answer without a box is wrong; undefined without phrases",
    )


MEAN_IOU = Metric(
    "grounding_iou",
    measure_grounding,
    weighted_mean("grounding_iou"),
    unit="phrase",
    item="grounding_iou",
    signature=sign("grounding_iou", "boxes:any"),
    source="Yu et al. 2016",
    family="grounded",
    definition="the mean IoU of each phrase's box with the true one, or the best of several",
    edge="0 for an answer without a box; undefined without phrases",
)


def _pointing(tolerance_px: float) -> Metric:
    return Metric(
        "pointing_accuracy",
        functools.partial(measure_pointing, tolerance_px=tolerance_px),
        weighted_mean("pointing_accuracy"),
        interval="wilson",
        unit="point",
        item="pointing_accuracy",
        signature=sign("pointing_accuracy", f"tolerance_px:{tolerance_px:.10g}", "boxes:any"),
        source="Zhang et al. 2016",
        family="points",
        definition=f"the share of points in their true box, or within {tolerance_px:.10g} pixels of it",
        edge="an answer without a point is wrong; undefined without points",
    )
