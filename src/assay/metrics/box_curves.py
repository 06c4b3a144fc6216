"""Average precision and recall of pooled detections under many weight vectors of their images.

The detections of all images are put in one order a class, best score first, once. Under weights a precision-recall
curve then changes only where a detection is right: a *step* of a class's curve at a threshold. Of every step are
needed the weight of what is right up to it and of what counts up to it, which are running sums of weights over steps;
what counts between two steps is a sparse matrix of images, the same at every threshold but for the few detections that are
ignored at some thresholds only.

Interpolation is COCO's: precision is the best at this recall or a higher one, read at recalls 0, .01 … 1.
Source: Lin et al. 2014; pycocotools' `COCOeval.accumulate`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.metrics.box_matching import AREAS, THRESHOLDS
from assay.metrics.metric import ratio
from assay.stats.measured import Rows, Weights

Index = NDArray[np.intp]
Values = NDArray[np.float64]

DETECTION = np.dtype(
    [("label", np.int32), ("place", np.int32), ("score", np.float64), ("right", np.uint64), ("ignored", np.uint64)]
)
"""One predicted box: its class, its place among those of its image and class, and its bits (`assay.metrics.box_matching`)."""

OBJECT = np.dtype([("label", np.int32), ("counted", np.uint8)])
"""One true box: its class, and the area ranges in which it counts, as bits."""

RECALLS: Values = np.linspace(0.0, 1.0, 101)
SLACK = 1e-9
"""Weighted recalls nearer than this to a hundredth are that hundredth; with whole weights none is that near and is not."""

REACHED: Values = np.arange(len(RECALLS)) / 100 + np.where(np.arange(len(RECALLS)) / 100 >= RECALLS, -SLACK, SLACK)
"""From which recall each point of `RECALLS` is reached. 57/100 lies below the float that stands at place 57."""

BLOCK = 1 << 17
"""Numbers in one step's working array (1 MB), so that it stays in the processor's cache."""

WIDTH = 64
"""Weight vectors that are evaluated at once."""

FULL = (1 << len(THRESHOLDS)) - 1


@dataclass(frozen=True, slots=True)
class Running:
    """Counts of images' detections, sparse ``[R, images]``, to be weighted and summed up row by row within each run of rows:
    where the runs begin, and the run of each row.
    """

    counts: Any
    first: Index
    run: Index


@dataclass(frozen=True, slots=True)
class Curves:
    """The steps of the curves of one range of areas, a curve for each class and threshold.

    ``counted`` has a row for each detection that is right at some threshold: what counts after the one before it, of its
    class, up to it. Of every step, by threshold, class and score: its row there ``at[E]``, its ``image``, its ``label``
    and its ``curve``; the steps of threshold t are ``bounds[t] … bounds[t + 1]``. What of it is ignored at a threshold
    is in ``spared``, whose first row is empty; ``so_far[E]`` is the last row of it that a step has to take off.
    ``objects`` is sparse ``[classes, images]``.
    """

    counted: Running
    at: Index
    image: Index
    label: Index
    curve: Index
    bounds: Index
    spared: Running
    so_far: Index
    objects: Any


@dataclass(frozen=True, slots=True)
class Pool:
    """All detections and objects of ``images`` images, detections by class and score; curves are made when asked for."""

    images: int
    classes: int
    detections: NDArray[Any]
    image: Index
    objects: NDArray[Any]
    object_image: Index
    made: dict[Any, Any] = field(default_factory=dict)

    def curves(self, area: str) -> Curves:
        """The curves of a range of areas."""
        if area not in self.made:
            self.made[area] = _curves(self, list(AREAS).index(area))
        found: Curves = self.made[area]
        return found

    def right(self, area: str, most: int) -> Any:
        """Sparse ``[classes, images]``: the share of thresholds at which detections are right, at most ``most`` an image and class."""
        if (area, most) not in self.made:
            bits = _bits(self.detections["right"], list(AREAS).index(area))
            among = (self.detections["place"] < most) & (bits > 0)
            values = np.bitwise_count(bits[among]) / len(THRESHOLDS)
            where = self.detections["label"][among], self.image[among]
            self.made[area, most] = _sparse(*where, (self.classes, self.images), values)
        return self.made[area, most]


def pool(rows: Rows) -> tuple[Index, Pool]:
    """The rows of images, ``detections`` and ``objects``, put together; images keep their order."""
    found, true = rows["detections"], rows["objects"]
    flat, objects = _joined(found, DETECTION), _joined(true, OBJECT)
    image = _of_image(found)
    order = np.argsort(-flat["score"], kind="stable")
    order = order[np.argsort(flat["label"][order], kind="stable")]
    classes = 1 + max(int(flat["label"].max(initial=-1)), int(objects["label"].max(initial=-1)))
    return np.arange(len(found)), Pool(len(found), classes, flat[order], image[order], objects, _of_image(true))


def _of_image(parts: NDArray[Any]) -> Index:
    """The image of each record."""
    return np.repeat(np.arange(len(parts)), np.fromiter(map(len, parts), dtype=np.intp, count=len(parts)))


def _joined(parts: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """The records of all images in one array; as plain bytes, since numpy compares the fields of every two it joins."""
    plain = np.dtype((np.void, dtype.itemsize))
    return np.concatenate([np.zeros(0, plain), *(part.view(plain) for part in parts)]).view(dtype)


def _bits(bits: NDArray[np.uint64], area: int) -> NDArray[np.uint16]:
    """The bits of one area range."""
    return ((bits >> np.uint64(area * len(THRESHOLDS))) & np.uint64(FULL)).astype(np.uint16)


def _sparse(row: Index, column: Index, shape: tuple[int, int], values: Values | None = None) -> Any:
    from scipy.sparse import coo_array

    return coo_array((np.ones(len(row)) if values is None else values, (row, column)), shape=shape).tocsr()


def _curves(pooled: Pool, area: int) -> Curves:
    right, ignored = (_bits(pooled.detections[name], area) for name in ("right", "ignored"))
    counts = ignored != FULL
    right, ignored, image, label = (x[counts] for x in (right, ignored, pooled.image, pooled.detections["label"]))
    place = np.flatnonzero(right)
    # The next detection that is right, for every detection; beyond a class's last one nothing matters any more.
    upto = np.searchsorted(place, np.arange(len(right)))
    matters = upto < len(place)
    matters[matters] = label[place[upto[matters]]] == label[matters]
    steps = [np.flatnonzero(right[place] >> t & 1) for t in range(len(THRESHOLDS))]
    at, of_class = np.concatenate(steps), label[place]
    curve = np.repeat(np.arange(len(steps)), [len(step) for step in steps]) * pooled.classes + of_class[at]
    partly = np.flatnonzero(matters & (ignored > 0))
    row, column = _spared(steps, of_class, upto[partly], ignored[partly])
    rows, compact = np.unique(row, return_inverse=True)
    so_far = np.searchsorted(rows, np.arange(len(at)), side="right")
    so_far[np.append(curve[rows], -1)[so_far - 1] != curve] = 0
    counted = (pooled.objects["counted"] >> area & 1) == 1
    return Curves(
        Running(_sparse(upto[matters], image[matters], (len(place), pooled.images)), *_runs(of_class)),
        at,
        image[place[at]],
        of_class[at],
        curve,
        np.cumsum([0, *map(len, steps)]),
        Running(
            _sparse(compact + 1, image[partly[column]], (len(rows) + 1, pooled.images)),
            *_runs(np.append(-1, curve[rows])),
        ),
        so_far,
        _sparse(pooled.objects["label"][counted], pooled.object_image[counted], (pooled.classes, pooled.images)),
    )


def _spared(steps: list[Index], of_class: Index, upto: Index, ignored: NDArray[np.uint16]) -> tuple[Index, Index]:
    """Pairs of a step and of a detection, before it and after the step before, that is ignored at the step's threshold."""
    rows, columns, before = [], [], 0
    for t, step in enumerate(steps):
        here = np.flatnonzero(ignored >> t & 1)
        row = np.searchsorted(step, upto[here])
        inside = row < len(step)
        inside[inside] = of_class[step[row[inside]]] == of_class[upto[here[inside]]]
        rows.append(row[inside] + before)
        columns.append(here[inside])
        before += len(step)
    return np.concatenate(rows), np.concatenate(columns)


def mean_precision(
    pooled: Pool,
    weights: Weights,
    *,
    area: str = "all",
    thresholds: range = range(len(THRESHOLDS)),
    label: int | None = None,
) -> Values:
    """The mean ``[b]`` over ``thresholds`` and classes of the average precision under weights ``[b, images]``.

    Classes without an object that counts under the weights have no say; NaN where that is all of them. With ``label``
    the value is that class's.
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
        total = _area(curves, steps, of_images, objects)
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


def _area(curves: Curves, steps: Index, weights: Values, objects: Values) -> Values:
    """The sum ``[b]`` of the average precisions of all curves that ``steps`` make, under weights ``[images, b]``."""
    counted, spared = _sums(curves.counted, weights), _sums(curves.spared, weights)
    total = np.zeros(weights.shape[1])
    each = np.zeros_like(objects)
    np.divide(1.0, objects, out=each, where=objects > 0)
    for part in _parts(curves, steps, max(1, BLOCK // weights.shape[1])):
        total += _area_of(curves, part, weights, (counted, spared, each))
    return total / len(RECALLS)


def _runs(ordered: Index) -> tuple[Index, Index]:
    """Where each run of equal numbers begins, and the number of the run of each."""
    new = np.ones(len(ordered), dtype=np.bool_)
    new[1:] = ordered[1:] != ordered[:-1]
    return np.flatnonzero(new), np.cumsum(new) - 1


def _parts(curves: Curves, steps: Index, size: int) -> list[Index]:
    """``steps`` cut between curves, into parts of about ``size``."""
    curve = curves.curve[steps]
    new = np.flatnonzero(curve[1:] != curve[:-1]) + 1
    cuts = new[np.searchsorted(new, np.arange(size, len(steps), size)).clip(max=len(new) - 1)] if len(new) else new
    return [part for part in np.split(steps, np.unique(cuts)) if len(part)]


def _area_of(curves: Curves, steps: Index, weights: Values, sums: tuple[Values, Values, Values]) -> Values:
    """`_area` of some whole curves, from the running sums and one over the objects of each class."""
    counted, spared, each = sums
    first, curve = _runs(curves.curve[steps])
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
    right *= each.take(curves.label[steps], axis=0)
    points = _points(right)
    begun = points[first]
    points[1:] -= points[:-1].copy()
    points[first] = begun
    precision *= points
    return np.asarray(precision.sum(axis=0))


def _points(recall: Values) -> Index:
    """How many points of `RECALLS` are reached at each recall."""
    hundredth = (recall * 100 + 100 * SLACK).astype(np.intp)
    return hundredth + (recall >= REACHED[hundredth])


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


STRIDE = 16


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
