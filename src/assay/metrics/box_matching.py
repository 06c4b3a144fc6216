"""Detections matched to true boxes as COCO does, for every IoU threshold and range of areas at once.

In an image, the detections of a class take turns by score, the best first; each takes, among the true boxes still free
that it overlaps by the threshold at least, the one that it overlaps most (the last of equals). True boxes that do not
count (crowds, and sizes outside the range) are taken only when no other can be; a crowd may be taken often, and
overlap with it is measured by the detection's own area. A detection that took nothing and has a size outside the range does not
count either.

All of it is bits: bit ``a T + t`` of a detection says what became of it in area range ``a`` at threshold ``t``. Turns
are taken in all images and classes at once. Source: Lin et al. 2014; pycocotools' `COCOeval.evaluateImg`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.metrics.boxes import Corpus, Detections, Index, Truths, Values

Bits = NDArray[np.uint64]

AREAS: dict[str, tuple[float, float]] = {
    "all": (0.0, 1e10),
    "small": (0.0, 1024.0),
    "medium": (1024.0, 9216.0),
    "large": (9216.0, 1e10),
}
"""Ranges of areas in square pixels, both ends included."""

THRESHOLDS: Values = np.linspace(0.5, 0.95, 10)
MOST = 100
"""Detections of an image and class beyond so many are not looked at."""

ALMOST = 1 - 1e-10
"""What an IoU of 1 may fall short of."""

PAIRS = 1 << 21
"""Pairs of boxes whose overlap is computed at once."""


@dataclass(frozen=True, slots=True)
class Matched:
    """Of ``D`` detections, by image and in it by class and score: their ``kept`` places in the corpus, their ``place``
    among those of their image and class, and the bits of what they got ``right`` and of where they are ``ignored``.
    ``counted[G]`` are the bits of the true boxes, one an area range.
    """

    kept: Index
    place: Index
    right: Bits
    ignored: Bits
    counted: NDArray[np.uint8]


def match(corpus: Corpus) -> Matched:
    """What became of every detection of ``corpus`` that was among the `MOST` best of its image and class."""
    found, true = corpus.detections, corpus.truths
    group = found.image * len(corpus.classes) + found.label
    kept, place = _best(group, found.score)
    by_group = np.argsort(true.image * len(corpus.classes) + true.label, kind="stable")
    first, count = _ranges(group[kept], (true.image * len(corpus.classes) + true.label)[by_group])
    pairs = _overlapping(found, true, kept, by_group, first, count)
    inside = np.array([(low <= true.area) & (true.area <= high) for low, high in AREAS.values()]) & ~true.crowd
    right, taken = _take_turns(pairs, group[kept], _spread(inside)[by_group], true.crowd[by_group])
    area = found.box[kept, 2] * found.box[kept, 3]
    outside = _spread(np.array([(area < low) | (area > high) for low, high in AREAS.values()]))
    ignored = (taken & ~right) | (~taken & outside)
    return Matched(kept, place, right, ignored, np.packbits(inside, axis=0, bitorder="little")[0])


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Pairs of a detection (a place in ``kept``) and a true box (a place in ``by_group``) with their overlap."""

    detection: Index
    truth: Index
    overlap: Values


def _best(group: Index, score: Values) -> tuple[Index, Index]:
    """The places of the best detections of each group, by group and score, and the rank of each in its group."""
    order = np.argsort(-score, kind="stable")
    order = order[np.argsort(group[order], kind="stable")]
    rank = _rank(group[order])
    among = rank < MOST
    return order[among], rank[among]


def _rank(ordered: Index) -> Index:
    """How many equal numbers stand before each of ``ordered``, where equals are neighbours."""
    new = np.ones(len(ordered), dtype=np.bool_)
    new[1:] = ordered[1:] != ordered[:-1]
    start = np.flatnonzero(new)
    return np.arange(len(ordered)) - np.repeat(start, np.diff(np.append(start, len(ordered))))


def _ranges(group: Index, of_truths: Index) -> tuple[Index, Index]:
    """For each of the ordered ``group`` where the true boxes of that group begin, and how many there are."""
    values, inverse = np.unique(group, return_inverse=True)
    first = np.searchsorted(of_truths, values)
    return first[inverse], (np.searchsorted(of_truths, values, side="right") - first)[inverse]


def _overlapping(found: Detections, true: Truths, kept: Index, by_group: Index, first: Index, count: Index) -> _Pairs:
    """The pairs that overlap by the least threshold, block by block."""
    least = min(THRESHOLDS[0], ALMOST)
    box, truth_box, crowd = found.box[kept].T.copy(), true.box[by_group].T.copy(), true.crowd[by_group]
    some = np.flatnonzero(count)
    before = np.cumsum(count[some])
    parts = []
    at = 0
    while at < len(some):
        end = max(at + 1, int(np.searchsorted(before, (before[at - 1] if at else 0) + PAIRS, side="right")))
        these = some[at:end]
        detection = np.repeat(these, count[these])
        truth = np.arange(len(detection)) + np.repeat(
            first[these] - (np.cumsum(count[these]) - count[these]), count[these]
        )
        overlap = iou(box[:, detection], truth_box[:, truth], crowd[truth])
        enough = overlap >= least
        parts.append((detection[enough], truth[enough], overlap[enough]))
        at = end
    if not parts:
        return _Pairs(np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros(0))
    return _Pairs(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def iou(a: Values, b: Values, crowd: NDArray[np.bool_]) -> Values:
    """The overlap of boxes ``a[4, p]`` with ``b[4, p]``: intersection over union, over ``a``'s area where b is a crowd.

    >>> iou(np.array([[0.0], [0], [2], [2]]), np.array([[1.0], [0], [2], [2]]), np.array([False])).round(4)
    array([0.3333])
    """
    width = np.minimum(a[0] + a[2], b[0] + b[2]) - np.maximum(a[0], b[0])
    height = np.minimum(a[1] + a[3], b[1] + b[3]) - np.maximum(a[1], b[1])
    both = width * height
    own = a[2] * a[3]
    whole = np.where(crowd, own, own + b[2] * b[3] - both)
    out = np.zeros(len(both))
    np.divide(both, whole, out=out, where=(width > 0) & (height > 0))
    return out


def _take_turns(pairs: _Pairs, group: Index, counted: Bits, crowd: NDArray[np.bool_]) -> tuple[Bits, Bits]:
    """The bits ``[D]`` at which each detection took a true box that counts, and took any."""
    right, taken = np.zeros((2, len(group)), dtype=np.uint64)
    used = np.zeros(len(counted), dtype=np.uint64)
    reusable = np.where(crowd, ~np.uint64(0), np.uint64(0))
    # The order of choice: what overlaps most, the last of equals first.
    order = np.lexsort((-pairs.truth, -pairs.overlap, pairs.detection))
    detection, truth = pairs.detection[order], pairs.truth[order]
    reached = np.searchsorted(np.minimum(THRESHOLDS, ALMOST), pairs.overlap[order], side="right")
    reach = _everywhere((np.uint64(1) << reached.astype(np.uint64)) - np.uint64(1))
    for turn in _turns(detection, group):
        for step in turn:
            d, g = detection[step], truth[step]
            take = reach[step] & counted[g] & ~used[g] & ~taken[d]
            used[g] |= take
            right[d] |= take
            taken[d] |= take
        for step in turn:
            d, g = detection[step], truth[step]
            take = reach[step] & ~counted[g] & (~used[g] | reusable[g]) & ~taken[d]
            used[g] |= take
            taken[d] |= take
    return right, taken


def _turns(detection: Index, group: Index) -> list[list[Index]]:
    """For each turn its steps: the places of the pairs that are each detection's first choice, its second …"""
    if not len(detection):
        return []
    choice = _rank(detection)
    who = detection[choice == 0]
    turn = np.repeat(_rank(group[who]), np.diff(np.append(np.flatnonzero(choice == 0), len(choice))))
    order = np.lexsort((choice, turn))
    new = np.ones(len(order), dtype=np.bool_)
    new[1:] = (turn[order][1:] != turn[order][:-1]) | (choice[order][1:] != choice[order][:-1])
    steps = np.split(order, np.flatnonzero(new)[1:])
    turns: list[list[Index]] = [[] for _ in range(int(turn.max()) + 1)]
    for step in steps:
        turns[turn[step[0]]].append(step)
    return turns


def _everywhere(bits: Bits) -> Bits:
    """The bits of the thresholds, the same in every area range."""
    return bits * np.uint64(sum(1 << (a * len(THRESHOLDS)) for a in range(len(AREAS))))


def _spread(inside: NDArray[np.bool_]) -> Bits:
    """``bool[areas, k]`` as bits, the same at every threshold."""
    out = np.zeros(inside.shape[1], dtype=np.uint64)
    for place, flags in enumerate(inside):
        out |= flags.astype(np.uint64) * np.uint64(((1 << len(THRESHOLDS)) - 1) << (place * len(THRESHOLDS)))
    return out
