"""Average precision and recall of pooled detections, under many weight vectors of their images at once.

Precision is the best at a recall or at a higher one. COCO reads it at recalls 0, .01 … 1 and averages (Lin et al. 2014;
pycocotools' `COCOeval.accumulate`); ActivityNet takes the whole area (the VOC of 2010 on).
"""

from __future__ import annotations

import numpy as np

from assay.metrics.assignment import Index, Values
from assay.metrics.metric import ratio
from assay.metrics.pooled import Curves, Pool, Running, runs
from assay.stats.measured import Weights

RECALLS: Values = np.linspace(0.0, 1.0, 101)
SLACK = 1e-9
"""Weighted recalls nearer than this to a hundredth are that hundredth; with whole weights none is that near and is not."""

REACHED: Values = np.arange(len(RECALLS)) / 100 + np.where(np.arange(len(RECALLS)) / 100 >= RECALLS, -SLACK, SLACK)
"""From which recall each point of `RECALLS` is reached. 57/100 lies below the float that stands at place 57."""

BLOCK = 1 << 17
"""Numbers in one step's working array (1 MB), so that it stays in the processor's cache."""

WIDTH = 64
"""Weight vectors that are evaluated at once."""

STRIDE = 16
"""Numbers that a running sum takes one after the other, in all the runs of so many at once."""


def mean_precision(
    pooled: Pool,
    weights: Weights,
    *,
    thresholds: range,
    area: str = "all",
    label: int | None = None,
    points: bool = True,
) -> Values:
    """The mean ``[b]`` over ``thresholds`` (their places) and classes of the average precision under weights ``[b, images]``.

    Precision is read at 101 ``points`` of recall, or else its whole area taken. Classes without an object that counts
    under the weights have no say; NaN where that is all of them. With ``label`` the value is that class's.
    """
    curves = pooled.curves(area)
    first, end = curves.bounds[thresholds.start], curves.bounds[thresholds.stop]
    steps = np.arange(first, end) if label is None else first + np.flatnonzero(curves.label[first:end] == label)
    out = []
    for at in range(0, len(weights), WIDTH):
        of_images = np.ascontiguousarray(weights[at : at + WIDTH].T)
        objects = curves.objects @ of_images
        if label is not None:
            objects[np.arange(len(objects)) != label] = 0
        total = _area(curves, steps, of_images, objects, points=points)
        out.append(ratio(total, len(thresholds) * (objects > 0).sum(axis=0).astype(np.float64)))
    return np.concatenate(out)


def steps_of(pooled: Pool, *, area: str, thresholds: range) -> int:
    """How many numbers a weight vector touches in `mean_precision`."""
    curves = pooled.curves(area)
    return int(curves.bounds[thresholds.stop] - curves.bounds[thresholds.start]) + int(curves.counted.counts.nnz)


def mean_recall(pooled: Pool, weights: Weights, *, area: str = "all", most: int) -> Values:
    """The mean ``[b]`` over thresholds and classes of the share of objects found by at most ``most`` detections an image."""
    right, objects = (of @ weights.T for of in (pooled.right(area, most), pooled.curves(area).objects))
    share = ratio(right, objects)
    return ratio(np.nansum(share, axis=0), (objects > 0).sum(axis=0).astype(np.float64))


def _area(curves: Curves, steps: Index, weights: Values, objects: Values, *, points: bool) -> Values:
    """The sum ``[b]`` of the average precisions of all curves that ``steps`` make, under weights ``[images, b]``."""
    counted, spared = _sums(curves.counted, weights), _sums(curves.spared, weights)
    total = np.zeros(weights.shape[1])
    each = np.zeros_like(objects)
    np.divide(1.0, objects, out=each, where=objects > 0)
    for part in _parts(curves, steps, max(1, BLOCK // weights.shape[1])):
        right, precision = _curve(curves, part, weights, (counted, spared))
        each_step = each.take(curves.label[part], axis=0)
        gained = (
            _points(right * each_step, curves.curve[part])
            if points
            else weights.take(curves.image[part], axis=0) * each_step
        )
        precision *= gained
        total += precision.sum(axis=0)
    return total / len(RECALLS) if points else total


def _parts(curves: Curves, steps: Index, size: int) -> list[Index]:
    """``steps`` cut between curves, into parts of about ``size``."""
    curve = curves.curve[steps]
    new = np.flatnonzero(curve[1:] != curve[:-1]) + 1
    cuts = new[np.searchsorted(new, np.arange(size, len(steps), size)).clip(max=len(new) - 1)] if len(new) else new
    return [part for part in np.split(steps, np.unique(cuts)) if len(part)]


def _curve(curves: Curves, steps: Index, weights: Values, sums: tuple[Values, Values]) -> tuple[Values, Values]:
    """At each of the ``steps`` of some whole curves the weight of what is right so far, and the best precision from there on."""
    counted, spared = sums
    first, curve = runs(curves.curve[steps])
    right = weights.take(curves.image[steps], axis=0)
    _run_each(right, first, curve)
    among = counted.take(curves.at[steps], axis=0)
    among -= spared.take(curves.so_far[steps], axis=0)
    precision = np.zeros_like(right)
    np.divide(right, among, out=precision, where=right > 0)
    # From the last step backwards each curve lies above the one behind it, so that one running maximum serves all.
    floor = (len(first) - curve)[:, None].astype(np.float64)
    precision += floor
    _run(np.maximum, precision[::-1])
    precision -= floor
    return right, precision


def _points(recall: Values, curve: Index) -> Index:
    """How many points of `RECALLS` are reached at each step and were not at the step before, of the same curve."""
    hundredth = (recall * 100 + 100 * SLACK).astype(np.intp)
    hundredth += recall >= REACHED.take(hundredth)
    first, _ = runs(curve)
    begun = hundredth[first]
    hundredth[1:] -= hundredth[:-1].copy()
    hundredth[first] = begun
    return hundredth


def _sums(of: Running, weights: Values) -> Values:
    """The running sums ``[R, b]`` under weights ``[images, b]``."""
    out: Values = of.counts @ weights
    _run_each(out, of.first, of.run)
    return out


def _run_each(values: Values, first: Index, curve: Index) -> None:
    """Running sums along the first axis, begun anew at every ``first`` row, in place."""
    _run(np.add, values)
    if len(first) > 1:
        carried = values[first - 1]
        carried[0] = 0
        values -= carried.take(curve, axis=0)


def _run(of: np.ufunc, values: Values) -> None:
    """``of.accumulate`` along the first axis, in place; numpy's own takes one number at a time there."""
    whole = len(values) // STRIDE * STRIDE
    if whole > STRIDE:
        runs = values[:whole].reshape(-1, STRIDE, *values.shape[1:])
        for place in range(1, STRIDE):
            of(runs[:, place - 1], runs[:, place], out=runs[:, place])
        ends = runs[:, -1].copy()
        _run(of, ends)
        of(runs[1:], ends[:-1, None], out=runs[1:])
    for place in range(max(whole, 1) if whole > STRIDE else 1, len(values)):
        of(values[place - 1], values[place], out=values[place])
