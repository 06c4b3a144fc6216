"""Maps of labels, one a picture: mean IoU over classes, and the share of pixels that are right.

``miou`` sums pixels over all pictures before it divides (Everingham et al. 2010); ``miou_per_image`` divides in every
picture and averages the pictures, which is another number (it is what torchmetrics' ``mean_iou`` gives). A row is a picture.
Pixels whose true label is ``ignore_index`` are left out first; where a prediction says ``ignore_index``, it named no class:
the pixel is missed, and no class has it wrongly. No borders are treated apart.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.catalog import nearest
from assay.metrics.metric import Metric, OfSums, Rows, ratio, sign, weighted_mean
from assay.metrics.standalone import estimates
from assay.stats.inputs import listed
from assay.types import Estimate

Values = NDArray[np.float64]
Units = Sequence[Any] | NDArray[Any] | None
Maps = Sequence[ArrayLike | None]

IGNORED = 255
"""The label that most data sets give to what is not to be judged."""

LARGEST = 1 << 16
"""Labels are below this."""

SUMS = ("maps.both", "maps.predicted", "maps.true")
PER_IMAGE = "miou_per_image"


def segmentation(
    predicted: Maps,
    targets: Sequence[ArrayLike],
    *,
    classes: int | Sequence[int] | None = None,
    ignore_index: int | None = IGNORED,
    per_class: bool = False,
    unit: Units = None,
    seed: int = 0,
) -> dict[str, Estimate]:
    """``miou``, ``miou_per_image``, ``pixel_accuracy`` and ``mean_pixel_accuracy`` (over classes) by name.

    ``predicted`` and ``targets`` hold a map of labels a picture, whole numbers from 0, both of one shape (``[height, width]``).
    Classes are those of the pixels that are not ignored, in targets or predictions; ``classes`` (how many, or which)
    makes any other an error and changes no value. With ``per_class`` each class's IoU comes along as ``iou/LABEL``. A
    prediction of None never came: its picture is left out and counted in ``n_missing``. Nothing to judge: NaN.
    ``unit`` labels pictures that belong together. Raises `ValueError`, naming picture and pixel, for unequal numbers,
    shapes that differ, labels that are no whole numbers, and those that are none of ``classes``.

    >>> found = segmentation([[[0, 1], [1, 1]]], [[[0, 1], [0, 255]]])
    >>> found["miou"].value, round(found["pixel_accuracy"].value, 4)
    (0.5, 0.6667)
    """
    rows, known = _measured(predicted, targets, classes, ignore_index)
    asked = {name: _signed(name, ignore_index) for name in NAMES}
    if per_class:
        asked.update((f"iou/{label}", _of_class(place, ignore_index)) for place, label in enumerate(known))
    found = estimates(list(asked.values()), rows, unit, seed=seed, unit_name="picture")
    missing = sum(one is None for one in predicted)
    out = {name: replace(one, n_missing=missing) for name, one in zip(asked, found, strict=True)}
    for label in known if per_class else ():
        out[f"iou/{label}"] = replace(out[f"iou/{label}"], slice=f"class={label}")
    return out


def miou(
    predicted: Maps,
    targets: Sequence[ArrayLike],
    *,
    classes: int | Sequence[int] | None = None,
    ignore_index: int | None = IGNORED,
    unit: Units = None,
    seed: int = 0,
) -> Estimate:
    """The mean over classes of IoU, pixels of all pictures summed first; as `segmentation`.

    >>> miou([[[0, 0, 1]]], [[[0, 1, 1]]]).value
    0.5
    """
    return _one("miou", predicted, targets, classes, ignore_index, unit=unit, seed=seed)


def miou_per_image(
    predicted: Maps,
    targets: Sequence[ArrayLike],
    *,
    classes: int | Sequence[int] | None = None,
    ignore_index: int | None = IGNORED,
    unit: Units = None,
    seed: int = 0,
) -> Estimate:
    """The mean over pictures of each picture's mean IoU over the classes in it; as `segmentation`.

    >>> maps = [[[0, 0]], [[0, 1]]], [[[0, 0]], [[1, 1]]]
    >>> miou_per_image(*maps).value, round(miou(*maps).value, 4)
    (0.625, 0.5833)
    """
    return _one(PER_IMAGE, predicted, targets, classes, ignore_index, unit=unit, seed=seed)


def pixel_accuracy(
    predicted: Maps,
    targets: Sequence[ArrayLike],
    *,
    classes: int | Sequence[int] | None = None,
    ignore_index: int | None = IGNORED,
    unit: Units = None,
    seed: int = 0,
) -> Estimate:
    """The share of all pixels that are right; as `segmentation`.

    >>> pixel_accuracy([[[0, 0, 1]]], [[[0, 1, 255]]]).value
    0.5
    """
    return _one("pixel_accuracy", predicted, targets, classes, ignore_index, unit=unit, seed=seed)


def measure_maps(
    predicted: Maps,
    targets: Sequence[ArrayLike],
    classes: int | Sequence[int] | None = None,
    ignore_index: int | None = IGNORED,
) -> Rows:
    """One row a picture: of each class the pixels where ``maps.both`` agree, and those of either ``[n, classes]``.

    Without ``classes`` the columns follow the labels that occur: name them where rows of several shards are to be put
    together. Raises `ValueError` as `segmentation`.

    >>> measure_maps([[[0, 1]]], [[[1, 1]]])["maps.both"].tolist()
    [[0.0, 1.0]]
    """
    return _measured(predicted, targets, classes, ignore_index)[0]


@dataclass(frozen=True, slots=True)
class _Counts:
    """How many pixels ``count`` of picture ``image`` have these labels; -1 where a prediction names no class."""

    image: NDArray[np.intp]
    predicted: NDArray[np.intp]
    true: NDArray[np.intp]
    count: Values


def _measured(
    predicted: Maps, targets: Sequence[ArrayLike], classes: int | Sequence[int] | None, ignore_index: int | None
) -> tuple[Rows, list[int]]:
    listed(predicted, "predicted")
    listed(targets, "targets")
    if len(predicted) != len(targets):
        raise ValueError(f"one prediction a picture was expected: {len(predicted)} predicted, {len(targets)} targets")
    asked = (
        None if classes is None else [int(label) for label in (range(classes) if isinstance(classes, int) else classes)]
    )
    parts = [
        _pairs(place, found, true, asked, ignore_index)
        for place, (found, true) in enumerate(zip(predicted, targets, strict=True))
        if found is not None
    ]
    counts = _Counts(*(np.concatenate([np.zeros(0, kind), *column]) for kind, column in _columns(parts)))
    known = asked if asked is not None else sorted({*counts.true.tolist(), *counts.predicted.tolist()} - {-1})
    missing = np.array([one is None for one in predicted], dtype=np.bool_)
    return _rows(counts, known, missing), known


def _columns(parts: list[_Counts]) -> list[tuple[type, list[NDArray[Any]]]]:
    return [
        (np.intp, [part.image for part in parts]),
        (np.intp, [part.predicted for part in parts]),
        (np.intp, [part.true for part in parts]),
        (np.float64, [part.count for part in parts]),
    ]


def _rows(counts: _Counts, known: list[int], missing: NDArray[np.bool_]) -> Rows:
    shape = len(missing), len(known)
    place = np.full(LARGEST, -1, dtype=np.intp)
    place[known] = np.arange(len(known))

    def table(labels: NDArray[np.intp], among: NDArray[np.bool_]) -> Values:
        flat = counts.image[among] * shape[1] + place[labels[among]]
        sums = np.bincount(flat, counts.count[among], minlength=shape[0] * shape[1])
        return sums.astype(np.float64, copy=False).reshape(shape)

    named = counts.predicted >= 0
    both = table(counts.true, counts.true == counts.predicted)
    found, true = table(counts.predicted, named), table(counts.true, counts.true >= 0)
    share = ratio(both, found + true - both)
    judged = true.sum(axis=1) > 0
    each = np.full(len(missing), np.nan)
    each[judged] = np.nanmean(share[judged], axis=1)
    for column in (both, found, true):
        column[missing] = np.nan
    return {**dict(zip(SUMS, (both, found, true), strict=True)), PER_IMAGE: each}


def _pairs(
    place: int, predicted: ArrayLike | None, target: ArrayLike, classes: list[int] | None, ignore_index: int | None
) -> _Counts:
    """The pairs of labels of one picture's pixels, each with its number."""
    found, true = _labels("predicted", place, predicted), _labels("targets", place, target)
    if found.shape != true.shape:
        raise ValueError(f"picture {place}: maps of one shape were expected, not {found.shape} and {true.shape}")
    named = np.ones(true.shape, dtype=np.bool_)
    if ignore_index is not None:
        judged = true != ignore_index
        found, true = found[judged], true[judged]
        named = found != ignore_index
    for name, labels in (("predicted", found[named]), ("targets", true)):
        _check(name, place, labels, classes)
    # One more than the label, so that a prediction that names no class is 0.
    wide = np.where(named, found, -1).astype(np.int64).ravel() + 1
    width = int(wide.max(initial=0)) + 1
    paired = true.astype(np.int64).ravel() * width + wide
    if paired.max(initial=0) < max(1 << 20, 4 * len(paired)):
        each = np.bincount(paired)
        codes = np.flatnonzero(each)
        number = each[codes]
    else:
        codes, number = np.unique(paired, return_counts=True)
    return _Counts(np.full(len(codes), place), codes % width - 1, codes // width, number.astype(np.float64))


def _labels(name: str, place: int, given: ArrayLike | None) -> NDArray[Any]:
    try:
        labels = np.asarray(given)
    except ValueError:
        labels = np.zeros(0, dtype=object)
    if labels.dtype.kind == "b":
        labels = labels.astype(np.uint8)
    if labels.size == 0 and labels.dtype.kind == "f":
        labels = labels.astype(np.uint8)
    if labels.dtype.kind not in "iu":
        raise ValueError(f"{name}[{place}]: a map of whole numbers was expected, not {labels.dtype} of {labels.shape}")
    return labels


def _check(name: str, place: int, labels: NDArray[Any], classes: list[int] | None) -> None:
    if not labels.size:
        return
    if labels.min() < 0 or labels.max() >= LARGEST:
        wrong = labels[(labels < 0) | (labels >= LARGEST)].ravel()[0]
        raise ValueError(
            f"{name}[{place}]: labels from 0 to {LARGEST - 1}, or ignore_index, were expected, not {wrong}"
        )
    if classes is not None:
        known = np.zeros(LARGEST, dtype=np.bool_)
        known[classes] = True
        wrong = np.flatnonzero(~known[labels.ravel()])
        if len(wrong):
            label = labels.ravel()[wrong[0]]
            told = nearest(str(label), map(str, classes)) if len(classes) < 100 else f"there are {len(classes)}."
            raise ValueError(f"{name}[{place}]: label {label} is none of the classes ({len(wrong)} pixels): {told}")


def _mean_iou(_: Values, both: Values, predicted: Values, true: Values) -> Values:
    whole = predicted + true - both
    return ratio(np.nansum(ratio(both, whole), axis=1), (whole > 0).sum(axis=1).astype(np.float64))


def _class_iou(place: int, _: Values, both: Values, predicted: Values, true: Values) -> Values:
    return ratio(both[:, place], (predicted + true - both)[:, place])


def _accuracy(_: Values, both: Values, predicted: Values, true: Values) -> Values:
    return ratio(both.sum(axis=1), true.sum(axis=1))


def _mean_accuracy(_: Values, both: Values, predicted: Values, true: Values) -> Values:
    return ratio(np.nansum(ratio(both, true), axis=1), (true > 0).sum(axis=1).astype(np.float64))


OF_SUMS = {
    "miou": (
        _mean_iou,
        "of each class the pixels where both maps have it over those where one does, summed over all "
        "pictures, and averaged over the classes that occur in targets or predictions",
    ),
    "pixel_accuracy": (_accuracy, "the share of the pixels of all pictures whose label is right"),
    "mean_pixel_accuracy": (
        _mean_accuracy,
        "of each class the share of its true pixels that are right, over all "
        "pictures, averaged over the classes that occur in targets",
    ),
}
NAMES = ("miou", PER_IMAGE, "pixel_accuracy", "mean_pixel_accuracy")
EDGE = "undefined where no pixel is judged; a class that occurs on one side alone counts 0"


def named(name: str) -> Metric:
    """The metric of this name, with labels of 255 ignored."""
    return _signed(name, IGNORED)


def _signed(name: str, ignore_index: int | None) -> Metric:
    if name != PER_IMAGE:
        return _metric(name, OfSums(OF_SUMS[name][0], SUMS), ignore_index, OF_SUMS[name][1])
    told = "of each picture the mean IoU over the classes that occur in either of its maps, averaged over the pictures"
    return replace(_metric(name, weighted_mean(name), ignore_index, told), columns=(name,), item=name)


def _of_class(place: int, ignore_index: int | None) -> Metric:
    formula = functools.partial(_class_iou, place)
    return _metric(
        "iou", OfSums(formula, SUMS), ignore_index, "pixels where both maps have the class over those where one does"
    )


def _metric(name: str, aggregate: OfSums, ignore_index: int | None, definition: str) -> Metric:
    return Metric(
        name,
        functools.partial(measure_maps, ignore_index=ignore_index),
        aggregate,
        unit="picture",
        signature=sign(name, f"ignore:{'none' if ignore_index is None else ignore_index}", "classes:occurring"),
        source="Everingham et al. 2010; Long, Shelhamer & Darrell 2015",
        family="maps",
        columns=SUMS,
        definition=definition,
        edge=EDGE,
    )


def _one(
    name: str,
    predicted: Maps,
    targets: Sequence[ArrayLike],
    classes: int | Sequence[int] | None,
    ignore_index: int | None,
    *,
    unit: Units,
    seed: int,
) -> Estimate:
    rows, _ = _measured(predicted, targets, classes, ignore_index)
    (found,) = estimates([_signed(name, ignore_index)], rows, unit, seed=seed, unit_name="picture")
    return replace(found, n_missing=sum(one is None for one in predicted))
