"""Detections and objects of many images put together, and the curves that they make.

The detections of all images are put in one order a class, best score first, once. Under weights of images a
precision-recall curve then changes only where a detection is right: a *step* of a class's curve at a threshold. Of every
step are needed the weight of what is right up to it and of what counts up to it, which are running sums of weights
over steps (`assay.metrics.pooled_precision`); what counts between two steps is a sparse matrix of images, the same at every
threshold but for the few detections that are ignored at some thresholds only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.metrics.assignment import Assigned, Detections, Index, Rules, Truths, Values
from assay.stats.measured import Rows

DETECTION = np.dtype(
    [("label", np.int32), ("place", np.int32), ("score", np.float64), ("right", np.uint64), ("ignored", np.uint64)]
)
"""One detection: its class, its place among those of its image and class, its score, its bits (`assay.metrics.assignment`)."""

OBJECT = np.dtype([("label", np.int32), ("counted", np.uint8)])
"""One true object: its class, and the area ranges in which it counts, as bits."""


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

    rules: Rules
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
            self.made[area] = _curves(self, self.rules.place(area))
        found: Curves = self.made[area]
        return found

    def right(self, area: str, most: int) -> Any:
        """Sparse ``[classes, images]``: the share of thresholds at which detections are right, at most ``most`` an image and class."""
        if (area, most) not in self.made:
            bits = self.bits("right", self.rules.place(area))
            among = (self.detections["place"] < most) & (bits > 0)
            values = np.bitwise_count(bits[among]) / len(self.rules.thresholds)
            where = self.detections["label"][among], self.image[among]
            self.made[area, most] = _sparse(*where, (self.classes, self.images), values)
        return self.made[area, most]

    def bits(self, name: str, area: int) -> NDArray[np.uint64]:
        """The bits of one area range, one a threshold."""
        width = len(self.rules.thresholds)
        return (self.detections[name] >> np.uint64(area * width)) & np.uint64((1 << width) - 1)


def records(found: Detections, true: Truths, assigned: Assigned, images: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Each image's detections and objects, as two columns of records."""
    kept = assigned.kept
    detections, objects = np.zeros(len(kept), DETECTION), np.zeros(len(true.label), OBJECT)
    detections["label"], detections["place"], detections["score"] = found.label[kept], assigned.place, found.score[kept]
    detections["right"], detections["ignored"] = assigned.right, assigned.ignored
    objects["label"], objects["counted"] = true.label, assigned.counted
    return _by_image(detections, found.image[kept], images), _by_image(objects, true.image, images)


def _by_image(of_all: NDArray[Any], image: Index, images: int) -> NDArray[Any]:
    """Each image's part of the records, which are ordered by image, as one object."""
    out = np.empty(images, dtype=object)
    bounds = np.searchsorted(image, np.arange(images + 1)).tolist()
    for place in range(images):
        out[place] = of_all[bounds[place] : bounds[place + 1]]
    return out


def pool(rows: Rows, rules: Rules, columns: tuple[str, str]) -> tuple[Index, Pool]:
    """The records of images, in ``columns`` of detections and of objects, put together; images keep their order."""
    found, true = (rows[name] for name in columns)
    flat, objects = _joined(found, DETECTION), _joined(true, OBJECT)
    image = _of_image(found)
    classes = 1 + max(int(flat["label"].max(initial=-1)), int(objects["label"].max(initial=-1)))
    order = np.argsort(-flat["score"], kind="stable")
    # Numbers of 16 bits are sorted ten times as fast.
    label = flat["label"][order].astype(np.int16 if classes < 1 << 15 else np.int32)
    order = order[np.argsort(label, kind="stable")]
    pooled = Pool(rules, len(found), classes, flat[order], image[order], objects, _of_image(true))
    return np.arange(len(found)), pooled


def _of_image(parts: NDArray[Any]) -> Index:
    """The image of each record."""
    return np.repeat(np.arange(len(parts)), np.fromiter(map(len, parts), dtype=np.intp, count=len(parts)))


def _joined(parts: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """The records of all images in one array; as plain bytes, since numpy compares the fields of every two it joins."""
    plain = np.dtype((np.void, dtype.itemsize))
    return np.concatenate([np.zeros(0, plain), *(part.view(plain) for part in parts)]).view(dtype)


def _sparse(row: Index, column: Index, shape: tuple[int, int], values: Values | None = None) -> Any:
    from scipy.sparse import coo_array

    return coo_array((np.ones(len(row)) if values is None else values, (row, column)), shape=shape).tocsr()


def _curves(pooled: Pool, area: int) -> Curves:
    thresholds = len(pooled.rules.thresholds)
    right, ignored = (pooled.bits(name, area) for name in ("right", "ignored"))
    counts = ignored < (1 << thresholds) - 1
    right, ignored = right[counts], ignored[counts]
    image, label = pooled.image[counts], pooled.detections["label"][counts]
    place = np.flatnonzero(right)
    # The next detection that is right, for every detection; beyond a class's last one nothing matters any more.
    upto = np.searchsorted(place, np.arange(len(right)))
    matters = upto < len(place)
    matters[matters] = label[place[upto[matters]]] == label[matters]
    steps = [np.flatnonzero(right[place] >> np.uint64(t) & np.uint64(1)) for t in range(thresholds)]
    at, of_class = np.concatenate(steps), label[place]
    curve = np.repeat(np.arange(len(steps)), [len(step) for step in steps]) * pooled.classes + of_class[at]
    partly = np.flatnonzero(matters & (ignored > 0))
    row, column = _spared(steps, of_class, upto[partly], ignored[partly])
    rows, compact = np.unique(row, return_inverse=True)
    so_far = np.searchsorted(rows, np.arange(len(at)), side="right")
    so_far[np.append(curve[rows], -1)[so_far - 1] != curve] = 0
    counted = (pooled.objects["counted"] >> area & 1) == 1
    return Curves(
        Running(_sparse(upto[matters], image[matters], (len(place), pooled.images)), *runs(of_class)),
        at,
        image[place[at]],
        of_class[at],
        curve,
        np.cumsum([0, *map(len, steps)]),
        Running(
            _sparse(compact + 1, image[partly[column]], (len(rows) + 1, pooled.images)),
            *runs(np.append(-1, curve[rows])),
        ),
        so_far,
        _sparse(pooled.objects["label"][counted], pooled.object_image[counted], (pooled.classes, pooled.images)),
    )


def _spared(steps: list[Index], of_class: Index, upto: Index, ignored: NDArray[np.uint64]) -> tuple[Index, Index]:
    """Pairs of a step and of a detection, before it and after the step before, that is ignored at the step's threshold."""
    rows, columns, before = [], [], 0
    for t, step in enumerate(steps):
        here = np.flatnonzero(ignored >> np.uint64(t) & np.uint64(1))
        row = np.searchsorted(step, upto[here])
        inside = row < len(step)
        inside[inside] = of_class[step[row[inside]]] == of_class[upto[here[inside]]]
        rows.append(row[inside] + before)
        columns.append(here[inside])
        before += len(step)
    return np.concatenate(rows), np.concatenate(columns)


def runs(ordered: Index) -> tuple[Index, Index]:
    """Where each run of equal numbers begins, and the number of the run of each."""
    new = np.ones(len(ordered), dtype=np.bool_)
    new[1:] = ordered[1:] != ordered[:-1]
    return np.flatnonzero(new), np.cumsum(new) - 1
