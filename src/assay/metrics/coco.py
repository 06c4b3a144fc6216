"""Detection of objects in images: COCO's average precision and recall, to the last digit as pycocotools has them.

Averages run over IoU thresholds .5, .55 … .95 and over classes with at least one object that counts. Sizes go by the
area that an annotation states: small up to 32² square pixels, medium up to 96², large beyond; both ends belong to both.
A row is an image, so that intervals, slices and comparisons are over images. Sources: Lin et al. 2014 (arXiv 1405.0312);
pycocotools 2.0.11, with its peculiarities: see `definition` of each metric.
"""

from __future__ import annotations

import functools
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.metrics.assignment import Rules, assign
from assay.metrics.boxes import Corpus, flatten, overlaps
from assay.metrics.masks import MaskCorpus, flatten_masks, mask_overlaps
from assay.metrics.metric import Metric, Rows, sign
from assay.metrics.per_image import OfImage
from assay.metrics.pooled import Pool, pool, records
from assay.metrics.pooled_precision import mean_precision, mean_recall, steps_of
from assay.metrics.standalone import estimates
from assay.stats.measured import OfPrepared
from assay.types import Estimate

KINDS = ("boxes", "masks")
"""What is compared."""

COLUMNS = {kind: (f"{kind}.detections", f"{kind}.objects", f"{kind}.answered") for kind in KINDS}
RULES = Rules(
    tuple(np.linspace(0.5, 0.95, 10).tolist()),
    (("all", 0.0, 1e10), ("small", 0.0, 1024.0), ("medium", 1024.0, 9216.0), ("large", 9216.0, 1e10)),
    most=100,
)
POOLS = {kind: functools.partial(pool, rules=RULES, columns=columns[:2]) for kind, columns in COLUMNS.items()}
ALL = range(len(RULES.thresholds))
PRECISIONS: Mapping[str, tuple[str, range]] = {
    "map": ("all", ALL),
    "map_50": ("all", range(1)),
    "map_75": ("all", range(5, 6)),
    "map_small": ("small", ALL),
    "map_medium": ("medium", ALL),
    "map_large": ("large", ALL),
}
"""By name the range of areas and the places of the thresholds."""

RECALLS: Mapping[str, tuple[str, int]] = {
    "mar_1": ("all", 1),
    "mar_10": ("all", 10),
    "mar_100": ("all", 100),
    "mar_small": ("small", 100),
    "mar_medium": ("medium", 100),
    "mar_large": ("large", 100),
}
"""By name the range of areas and how many detections an image and class may have."""

PREFIX = "coco_"

DEAR = 4
"""What one step of a curve costs, in draws of one unit."""


def detection(
    predicted: Sequence[OfImage | None],
    targets: Sequence[OfImage],
    *,
    iou: str = "boxes",
    classes: Sequence[Hashable] = (),
    per_class: bool = False,
    interval: bool = True,
    unit: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
) -> dict[str, Estimate]:
    """COCO's twelve figures by name: ``map``, ``map_50``, ``map_75``, ``map_small`` … ``mar_1``, ``mar_10``, ``mar_100`` …

    Of each image ``predicted`` holds ``boxes float[k, 4]`` (x, y, width, height), ``labels`` and ``scores``, and
    ``targets`` ``boxes``, ``labels`` and where they are known ``crowd`` (or ``iscrowd``: around many, never missed) and
    ``area`` (of the object's outline; default width × height). With ``iou="masks"`` both hold ``masks`` in place of ``boxes``: bitmaps
    ``[height, width]`` or COCO's run lengths (`assay.metrics.masks`), whose own area is the default. Equal scores go by
    the order of the images and of their boxes. A prediction of None never came: the image is left out and counted in
    ``n_missing``. A label that only predictions have changes nothing. With ``per_class`` each class's average precision
    comes along as ``map/LABEL``, its slice ``class=LABEL``; without ``interval`` low and high are NaN and nothing is
    resampled. ``unit`` labels images that belong together (frames of one film). No objects that count: NaN.

    Raises `ValueError`, naming image and box or mask, for unequal lengths, negative sides, values that are not finite, shapes
    that do not fit, unknown keys, and labels that are none of ``classes`` (none given: any) or of another kind than the true ones.

    >>> box = {"boxes": [[10, 10, 20, 20]], "labels": ["cat"]}
    >>> found = detection([box | {"scores": [0.9]}, None], [box, box])
    >>> found["map"].value, found["map"].n, found["map"].n_missing, found["map_large"].value
    (1.0, 1, 1, nan)
    """
    if iou not in KINDS:
        raise ValueError(f"iou of {' or '.join(KINDS)} was expected, not {iou!r}")
    rows, known = _measured(predicted, targets, iou, classes)
    asked = {name: _named(name, iou) for name in (*PRECISIONS, *RECALLS)}
    if per_class:
        asked.update((f"map/{label}", _precision("map", iou, label=place)) for place, label in enumerate(known))
    metrics = list(asked.values()) if interval else [replace(one, interval="none") for one in asked.values()]
    found = estimates(metrics, rows, unit, seed=seed, unit_name="image")
    missing = int(np.isnan(rows[COLUMNS[iou][2]]).sum())
    out = {name: replace(one, n_missing=missing) for name, one in zip(asked, found, strict=True)}
    for label in known if per_class else ():
        out[f"map/{label}"] = replace(out[f"map/{label}"], slice=f"class={label}")
    return out


def measure_boxes(
    predicted: Sequence[OfImage | None], targets: Sequence[OfImage], classes: Sequence[Hashable] = ()
) -> Rows:
    """One row an image: ``boxes.detections`` and ``boxes.objects`` as records, with what became of each;
    ``boxes.answered`` is 1 or NaN.

    Classes are numbered in the order of ``classes``, without them in that of the sorted labels: name them where rows
    of several shards are to be put together. Raises `ValueError` as `detection`.

    >>> box = {"boxes": [[10, 10, 20, 20]], "labels": ["cat"]}
    >>> measure_boxes([box | {"scores": [0.9]}], [box])["boxes.detections"][0]["score"].tolist()
    [0.9]
    """
    return _measured(predicted, targets, "boxes", classes)[0]


def measure_masks(
    predicted: Sequence[OfImage | None], targets: Sequence[OfImage], classes: Sequence[Hashable] = ()
) -> Rows:
    """As `measure_boxes`, of masks.

    >>> mask = {"masks": [[[0, 1], [0, 1]]], "labels": ["cat"]}
    >>> measure_masks([mask | {"scores": [0.9]}], [mask])["masks.objects"][0]["label"].tolist()
    [0]
    """
    return _measured(predicted, targets, "masks", classes)[0]


def _measured(
    predicted: Sequence[OfImage | None], targets: Sequence[OfImage], iou: str, classes: Sequence[Hashable]
) -> tuple[Rows, tuple[Hashable, ...]]:
    corpus: Corpus | MaskCorpus
    if iou == "boxes":
        corpus = flatten(predicted, targets, classes)
        overlap = overlaps(corpus)
    else:
        corpus = flatten_masks(predicted, targets, classes)
        overlap = mask_overlaps(corpus)
    assigned = assign(corpus.found, corpus.true, overlap, RULES)
    columns = *records(corpus.found, corpus.true, assigned, len(corpus)), np.where(corpus.missing, np.nan, 1.0)
    return dict(zip(COLUMNS[iou], columns, strict=True)), corpus.classes


def named(name: str) -> Metric:
    """The metric of this name: ``coco_map``, ``coco_map_50`` … ``coco_mar_large``; of masks ``coco_map:masks`` …"""
    key, _, iou = name.removeprefix(PREFIX).partition(":")
    return _named(key, iou or "boxes")


def _named(key: str, iou: str) -> Metric:
    if key in PRECISIONS:
        return _precision(key, iou)
    area, most = RECALLS[key]
    return _metric(
        key,
        iou,
        OfPrepared(POOLS[iou], functools.partial(mean_recall, area=area, most=most), COLUMNS[iou]),
        (f"area:{area}", f"dets:{most}"),
        f"the share of objects found by the {most} best-scored detections of an image and class, without regard to "
        f"what else was predicted, averaged over IoU thresholds .5, .55 … .95 and classes{_of_size(area)}",
    )


def _precision(key: str, iou: str, label: int | None = None) -> Metric:
    area, thresholds = PRECISIONS[key]
    at = ".5:.05:.95" if thresholds == ALL else f"{RULES.thresholds[thresholds.start]:.2f}".lstrip("0")
    return _metric(
        key,
        iou,
        OfPrepared(
            POOLS[iou],
            functools.partial(mean_precision, area=area, thresholds=thresholds, label=label),
            COLUMNS[iou],
            functools.partial(_cost, area=area, thresholds=thresholds),
        ),
        (f"iou:{at}", f"area:{area}", "dets:100", "points:101"),
        f"area under the precision-recall curve at IoU {at}, detections of all images pooled by score, the best 100 of "
        "an image and class; precision is the best at that recall or a higher one, read at recalls 0, .01 … 1 (those of "
        f"numpy's linspace) and averaged over thresholds and classes{_of_size(area)}; a detection takes the free object "
        "that it overlaps most, the last of equals; crowds and objects of other sizes are neither found nor missed; "
        "equal scores in the order given",
    )


def _metric(key: str, iou: str, aggregate: OfPrepared, parts: tuple[str, ...], definition: str) -> Metric:
    name = PREFIX + key + ("" if iou == "boxes" else f":{iou}")
    return Metric(
        name,
        measure_boxes if iou == "boxes" else measure_masks,
        aggregate,
        unit="image",
        signature=sign(name, f"of:{iou}", *parts, "ties:order"),
        source="Lin et al. 2014 (arXiv 1405.0312); pycocotools COCOeval",
        family=iou,
        columns=COLUMNS[iou],
        definition=definition,
        edge="0 where no detection overlaps an object of its class enough; undefined where no object counts. "
        "A class without objects has no say; one without detections counts 0",
    )


def _of_size(area: str) -> str:
    return "" if area == "all" else f"; objects and detections of {area} area alone"


def _cost(pooled: Pool, area: str, thresholds: range) -> int:
    return DEAR * steps_of(pooled, area=area, thresholds=thresholds)
