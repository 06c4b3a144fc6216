"""Detections assigned to true objects, for every overlap threshold and range of areas at once.

In an image (or a film), the detections of a class take turns by score, the best first; each takes, among the true
objects still free that it overlaps by the threshold at least, the one that it overlaps most (the last of equals).
Objects that do not count (crowds, and sizes outside the range) are taken only when no other can be; a crowd may be taken
often. A detection that took nothing and has a size outside the range does not count either.

All of it is bits: bit ``a T + t`` of a detection says what became of it in area range ``a`` at threshold ``t``. Turns
are taken in all images and classes at once. Sources: Lin et al. 2014 and pycocotools' `COCOeval.evaluateImg`;
ActivityNet's `eval_detection` does the same without sizes and crowds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Bits = NDArray[np.uint64]
Index = NDArray[np.intp]
Values = NDArray[np.float64]
Overlap = Callable[[Index, Index], Values]
"""The overlaps ``[p]`` of detections with objects, from their places ``[p]`` each."""

ALMOST = 1 - 1e-10
"""What an overlap of 1 may fall short of."""

PAIRS = 1 << 21
"""Pairs whose overlap is computed at once."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Overlap thresholds, ascending; ranges of areas by name, both ends included; how many of an image and class count."""

    thresholds: tuple[float, ...]
    areas: tuple[tuple[str, float, float], ...] = (("all", 0.0, np.inf),)
    most: int | None = None

    def __post_init__(self) -> None:
        assert len(self.thresholds) * len(self.areas) <= 64, "a bit for each threshold and range of areas"

    def place(self, area: str) -> int:
        """The place of a range of areas."""
        return [name for name, _, _ in self.areas].index(area)


@dataclass(frozen=True, slots=True)
class Detections:
    """``D`` detections: ``image[D]`` ascending, ``label[D]`` as a place among the classes, ``score[D]``, ``area[D]``."""

    image: Index
    label: Index
    score: Values
    area: Values


@dataclass(frozen=True, slots=True)
class Truths:
    """``G`` true objects: ``image[G]`` ascending, ``label[G]``, ``area[G]``, ``crowd[G]``."""

    image: Index
    label: Index
    area: Values
    crowd: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Assigned:
    """Of ``D`` detections, by image and in it by class and score: their ``kept`` places among all, their ``place``
    among those of their image and class, and the bits of what they got ``right`` and of where they are ``ignored``.
    ``counted[G]`` are the bits of the objects, one an area range.
    """

    kept: Index
    place: Index
    right: Bits
    ignored: Bits
    counted: NDArray[np.uint8]


def assign(found: Detections, true: Truths, overlap: Overlap, rules: Rules) -> Assigned:
    """What became of every detection among the ``rules.most`` best of its image and class."""
    classes = 1 + max(int(found.label.max(initial=0)), int(true.label.max(initial=0)))
    group, of_truths = found.image * classes + found.label, true.image * classes + true.label
    kept, place = _best(group, found.score, rules.most)
    by_group = np.argsort(of_truths, kind="stable")
    first, count = _ranges(group[kept], of_truths[by_group])
    pairs = _overlapping(lambda d, g: overlap(kept[d], by_group[g]), first, count, min(rules.thresholds[0], ALMOST))
    inside = np.array([(low <= true.area) & (true.area <= high) for _, low, high in rules.areas]) & ~true.crowd
    counted = _spread(inside, rules)[by_group]
    right, taken = _take_turns(pairs, group[kept], counted, true.crowd[by_group], rules)
    area = found.area[kept]
    outside = _spread(np.array([(area < low) | (area > high) for _, low, high in rules.areas]), rules)
    ignored = (taken & ~right) | (~taken & outside)
    return Assigned(kept, place, right, ignored, np.packbits(inside, axis=0, bitorder="little")[0])


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Pairs of a detection (a place in ``kept``) and an object (a place in ``by_group``) with their overlap."""

    detection: Index
    truth: Index
    overlap: Values


def _best(group: Index, score: Values, most: int | None) -> tuple[Index, Index]:
    """The places of the best detections of each group, by group and score, and the rank of each in its group."""
    order = np.argsort(-score, kind="stable")
    order = order[np.argsort(group[order], kind="stable")]
    rank = _rank(group[order])
    if most is None:
        return order, rank
    among = rank < most
    return order[among], rank[among]


def _rank(ordered: Index) -> Index:
    """How many equal numbers stand before each of ``ordered``, where equals are neighbours."""
    new = np.ones(len(ordered), dtype=np.bool_)
    new[1:] = ordered[1:] != ordered[:-1]
    start = np.flatnonzero(new)
    return np.arange(len(ordered)) - np.repeat(start, np.diff(np.append(start, len(ordered))))


def _ranges(group: Index, of_truths: Index) -> tuple[Index, Index]:
    """For each of the ordered ``group`` where the objects of that group begin, and how many there are."""
    values, inverse = np.unique(group, return_inverse=True)
    first = np.searchsorted(of_truths, values)
    return first[inverse], (np.searchsorted(of_truths, values, side="right") - first)[inverse]


def _overlapping(overlap: Overlap, first: Index, count: Index, least: float) -> _Pairs:
    """The pairs of a detection and one of its ``count`` objects from ``first`` on that overlap by the ``least``, block by block."""
    some = np.flatnonzero(count)
    before = np.cumsum(count[some])
    parts = [_Pairs(np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros(0))]
    at = 0
    while at < len(some):
        end = max(at + 1, int(np.searchsorted(before, (before[at - 1] if at else 0) + PAIRS, side="right")))
        these = some[at:end]
        many = count[these]
        detection = np.repeat(these, many)
        truth = np.arange(len(detection)) + np.repeat(first[these] - np.cumsum(many) + many, many)
        shared = overlap(detection, truth)
        enough = shared >= least
        parts.append(_Pairs(detection[enough], truth[enough], shared[enough]))
        at = end
    return _Pairs(
        np.concatenate([part.detection for part in parts]),
        np.concatenate([part.truth for part in parts]),
        np.concatenate([part.overlap for part in parts]),
    )


def _take_turns(
    pairs: _Pairs, group: Index, counted: Bits, crowd: NDArray[np.bool_], rules: Rules
) -> tuple[Bits, Bits]:
    """The bits ``[D]`` at which each detection took an object that counts, and took any."""
    right, taken = np.zeros((2, len(group)), dtype=np.uint64)
    used = np.zeros(len(counted), dtype=np.uint64)
    reusable = np.where(crowd, ~np.uint64(0), np.uint64(0))
    # The order of choice: what overlaps most, the last of equals first.
    order = np.lexsort((-pairs.truth, -pairs.overlap, pairs.detection))
    detection, truth = pairs.detection[order], pairs.truth[order]
    reached = np.searchsorted(np.minimum(rules.thresholds, ALMOST), pairs.overlap[order], side="right")
    reach = _everywhere(reached, rules)
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


def _everywhere(reached: Index, rules: Rules) -> Bits:
    """The first ``reached`` thresholds as bits, the same in every area range."""
    bits = np.array([(1 << t) - 1 for t in range(len(rules.thresholds) + 1)], dtype=np.uint64)
    return bits[reached] * np.uint64(sum(1 << (a * len(rules.thresholds)) for a in range(len(rules.areas))))


def _spread(inside: NDArray[np.bool_], rules: Rules) -> Bits:
    """``bool[areas, k]`` as bits, the same at every threshold."""
    width = len(rules.thresholds)
    out = np.zeros(inside.shape[1], dtype=np.uint64)
    for place, flags in enumerate(inside):
        out |= flags.astype(np.uint64) * np.uint64(((1 << width) - 1) << (place * width))
    return out
