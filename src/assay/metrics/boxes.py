"""Boxes of many images, checked: ``x, y, width, height`` in pixels, and how much two of them overlap."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.metrics.assignment import Detections, Overlap, Truths, Values
from assay.metrics.per_image import OfImage, Side, both_sides, classes_of, flags, numbers, refuse


@dataclass(frozen=True, slots=True)
class Corpus:
    """Predicted and true boxes ``found_boxes[D, 4]``, ``true_boxes[G, 4]`` of ``n`` images; ``classes`` are the labels by
    their places, ``missing[n]`` the images whose prediction never came.
    """

    missing: NDArray[np.bool_]
    classes: tuple[Hashable, ...]
    found: Detections
    true: Truths
    found_boxes: Values
    true_boxes: Values

    def __len__(self) -> int:
        return len(self.missing)


def flatten(
    predicted: Sequence[OfImage | None], targets: Sequence[OfImage], classes: Sequence[Hashable] = ()
) -> Corpus:
    """The boxes of all images, checked. Without ``classes`` they are the labels that occur, sorted.

    A prediction of None is missing. Raises `ValueError` for unequal lengths, absent keys, shapes that do not fit,
    values that are not finite, negative sides or areas, and with ``classes`` for a label that is none of them.
    """
    found, true = both_sides(predicted, targets, "boxes")
    known, (found_labels, true_labels) = classes_of(found, true, classes)
    found_boxes, true_boxes = _boxes(found), _boxes(true)
    area = numbers(true, "area", default=true_boxes[:, 2] * true_boxes[:, 3])
    refuse(true, area < 0, "its area is negative")
    return Corpus(
        np.fromiter((item is None for item in predicted), dtype=np.bool_, count=len(predicted)),
        known,
        Detections(found.image, found_labels, numbers(found, "scores"), found_boxes[:, 2] * found_boxes[:, 3]),
        Truths(true.image, true_labels, area, flags(true, "crowd")),
        found_boxes,
        true_boxes,
    )


def _boxes(side: Side) -> Values:
    """``float64[k, 4]``."""
    box = numbers(side, "boxes", 4)
    refuse(side, np.min(box[:, 2:], axis=1, initial=0) < 0, "a side is negative; boxes are x, y, width, height")
    with np.errstate(over="ignore", invalid="ignore"):
        size = box[:, 2] * box[:, 3] + (box[:, :2] + box[:, 2:]).sum(axis=1)
    refuse(side, ~np.isfinite(size), "it is larger than a float can hold")
    return box


def overlaps(corpus: Corpus) -> Overlap:
    """The overlap of predicted with true boxes, from their places."""
    a, b = corpus.found_boxes.T.copy(), corpus.true_boxes.T.copy()
    return lambda d, g: iou(a[:, d], b[:, g], corpus.true.crowd[g])


def iou(a: Values, b: Values, crowd: NDArray[np.bool_] | None = None) -> Values:
    """The overlap of boxes ``a[4, p]`` with ``b[4, p]``: intersection over union, over ``a``'s area where b is a crowd.

    Boxes without area overlap nothing.

    >>> iou(np.array([[0.0], [0], [2], [2]]), np.array([[1.0], [0], [2], [2]])).round(4)
    array([0.3333])
    """
    width = np.minimum(a[0] + a[2], b[0] + b[2]) - np.maximum(a[0], b[0])
    height = np.minimum(a[1] + a[3], b[1] + b[3]) - np.maximum(a[1], b[1])
    both = width * height
    own = a[2] * a[3]
    whole = own + b[2] * b[3] - both
    if crowd is not None:
        whole = np.where(crowd, own, whole)
    out = np.zeros(both.shape)
    np.divide(both, whole, out=out, where=(width > 0) & (height > 0))
    return out
