"""Masks of many pictures as runs of pixels, checked, and how much two of them overlap.

A mask is a bitmap ``[height, width]`` or COCO's run lengths: ``{"size": [height, width], "counts": …}`` with the lengths of
the runs of pixels outside, inside, outside … column by column, as a list or in COCO's compressed text (five bits a
character, lengths as differences from the last but one). Overlap is intersection over union of pixels, counted exactly,
and never by drawing: the pixels of one mask before any place are looked up at the ends of the other's runs.
Source: pycocotools' `maskApi`, whose files these are.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.metrics.assignment import Detections, Index, Overlap, Truths, Values
from assay.metrics.per_image import OfImage, Side, both_sides, classes_of, error, flags, numbers, refuse
from assay.metrics.pooled import runs

Ints = NDArray[np.int64]

BLOCK = 1 << 20
"""Runs that are looked up at once."""


@dataclass(frozen=True, slots=True)
class Runs:
    """``k`` masks: of each its ``size[k, 2]`` and ``area[k]``, and the pixels ``bound[k, 4]`` that it lies between (first and
    last row, first and last column); of each run of pixels inside, mask by mask, ``start`` and ``end``; ``first[k + 1]`` is
    where a mask's runs begin, ``before`` how many pixels inside come before a run.
    """

    size: Ints
    area: Values
    bound: Ints
    start: Ints
    end: Ints
    first: Index
    before: Ints


@dataclass(frozen=True, slots=True)
class MaskCorpus:
    """Predicted and true masks of ``n`` pictures, as `assay.metrics.boxes.Corpus`."""

    missing: NDArray[np.bool_]
    classes: tuple[Hashable, ...]
    found: Detections
    true: Truths
    found_masks: Runs
    true_masks: Runs

    def __len__(self) -> int:
        return len(self.missing)


def flatten_masks(
    predicted: Sequence[OfImage | None], targets: Sequence[OfImage], classes: Sequence[Hashable] = ()
) -> MaskCorpus:
    """The masks of all pictures, checked, as `assay.metrics.boxes.flatten`.

    Raises `ValueError`, naming picture and mask, also for what is no mask, run lengths that do not fill their size, and
    masks of one picture that differ in size.
    """
    found, true = both_sides(predicted, targets, "masks")
    known, (found_labels, true_labels) = classes_of(found, true, classes)
    found_masks, true_masks = _runs(found), _runs(true)
    _check_sizes(found, true, found_masks, true_masks)
    area = numbers(true, "area", default=true_masks.area)
    refuse(true, area < 0, "its area is negative")
    return MaskCorpus(
        np.fromiter((item is None for item in predicted), dtype=np.bool_, count=len(predicted)),
        known,
        Detections(found.image, found_labels, numbers(found, "scores"), found_masks.area),
        Truths(true.image, true_labels, area, flags(true, "crowd")),
        found_masks,
        true_masks,
    )


def mask_overlaps(corpus: MaskCorpus) -> Overlap:
    """The overlap of predicted with true masks, from their places."""
    a, b = corpus.found_masks, corpus.true_masks

    def overlap(d: Index, g: Index) -> Values:
        out = np.zeros(len(d))
        low, high = np.maximum(a.bound[d, ::2], b.bound[g, ::2]), np.minimum(a.bound[d, 1::2], b.bound[g, 1::2])
        meet = np.flatnonzero((low <= high).all(axis=1))
        d, g = d[meet], g[meet]
        both = shared(a, b, d, g).astype(np.float64)
        whole = np.where(corpus.true.crowd[g], a.area[d], a.area[d] + b.area[g] - both)
        out[meet] = np.divide(both, whole, out=np.zeros(len(both)), where=both > 0)
        return out

    return overlap


def shared(a: Runs, b: Runs, d: Index, g: Index) -> Ints:
    """How many pixels the masks ``d`` of ``a`` have in common with ``g`` of ``b``, pair by pair."""
    out = np.zeros(len(d), dtype=np.int64)
    stride = int((b.size[:, 0] * b.size[:, 1]).max(initial=0)) + 1
    keys = np.repeat(np.arange(len(b.area)), np.diff(b.first)) * stride + b.start
    count = (a.first[1:] - a.first[:-1])[d]
    ends = np.cumsum(count)
    at = 0
    while at < len(d):
        stop = max(at + 1, int(np.searchsorted(ends, (ends[at - 1] if at else 0) + BLOCK, side="right")))
        some, many = d[at:stop], count[at:stop]
        run = np.arange(int(many.sum())) + np.repeat(a.first[some] - np.cumsum(many) + many, many)
        of = np.repeat(g[at:stop], many)
        inside = _before(b, keys, stride, of, a.end[run]) - _before(b, keys, stride, of, a.start[run])
        out[at:stop] = np.bincount(np.repeat(np.arange(stop - at), many), inside, minlength=stop - at)
        at = stop
    return out


def _before(masks: Runs, keys: Ints, stride: int, mask: Index, pixel: Ints) -> Ints:
    """How many pixels of each ``mask`` come before a ``pixel``."""
    run = np.searchsorted(keys, mask * stride + pixel) - 1
    there = run >= masks.first[mask]
    run = np.maximum(run, 0)
    if not len(keys):
        return np.zeros(len(mask), dtype=np.int64)
    partly = np.minimum(pixel, masks.end[run]) - masks.start[run]
    return np.where(there, masks.before[run] + partly, 0)


def _check_sizes(found: Side, true: Side, found_masks: Runs, true_masks: Runs) -> None:
    size = np.full((len(found.items), 2), -1, dtype=np.int64)
    size[found.image] = found_masks.size
    size[true.image] = true_masks.size
    for side, masks in ((true, true_masks), (found, found_masks)):
        other = (masks.size != size[side.image]).any(axis=1)
        if other.any():
            place = int(np.argmax(other))
            expected = size[side.image[place]].tolist()
            raise error(
                side, place, f"masks of one picture have one size: {masks.size[place].tolist()}, not {expected}"
            )


def _runs(side: Side) -> Runs:
    """All masks of one side."""
    size, lengths = np.zeros((len(side.image), 2), dtype=np.int64), np.empty(len(side.image), dtype=object)
    texts: dict[int, bytes] = {}
    at = 0
    for item in side.items:
        for mask in item["masks"]:
            size[at], given = _mask(side, at, mask)
            if isinstance(given, bytes):
                texts[at] = given
            else:
                lengths[at] = given
            at += 1
    for place, found in zip(texts, _uncompressed(side, texts), strict=True):
        lengths[place] = found
    return _of_lengths(side, size, lengths)


def _mask(side: Side, place: int, mask: Any) -> tuple[tuple[int, int], Ints | bytes]:
    """The size of one mask, and its run lengths or their compressed text."""
    if not isinstance(mask, Mapping):
        bitmap = np.asarray(mask)
        if bitmap.ndim != 2 or bitmap.dtype.kind not in "bui" or not np.isin(bitmap, (0, 1)).all():
            raise error(
                side, place, f"a bitmap [height, width] of 0 and 1, or run lengths, were expected, not {mask!r:.60}"
            )
        return (bitmap.shape[0], bitmap.shape[1]), _lengths(bitmap.astype(np.bool_))
    try:
        height, width = (int(part) for part in mask["size"])
        counts = mask["counts"]
    except (KeyError, TypeError, ValueError):
        raise error(
            side, place, f"run lengths with size [height, width] and counts were expected, not {mask!r:.60}"
        ) from None
    if isinstance(counts, str | bytes):
        return (height, width), counts.encode("utf-8", "replace") if isinstance(counts, str) else counts
    lengths = np.asarray(counts)
    if lengths.ndim != 1 or (lengths.size and lengths.dtype.kind not in "iu"):
        raise error(side, place, f"run lengths as whole numbers were expected, not {counts!r:.60}")
    return (height, width), lengths.astype(np.int64)


def _lengths(bitmap: NDArray[np.bool_]) -> Ints:
    """The run lengths of a bitmap, column by column, from outside on."""
    flat = np.concatenate([[False], bitmap.T.ravel()])
    turns = np.flatnonzero(flat[1:] != flat[:-1])
    return np.diff(np.concatenate([[0], turns, [flat.size - 1]]))


def _uncompressed(side: Side, texts: Mapping[int, bytes]) -> list[Ints]:
    """The run lengths of compressed texts, all at once: five bits a character, the sixth says that more follow."""
    if not texts:
        return []
    owner = np.repeat(np.arange(len(texts)), [len(text) for text in texts.values()])
    digits = np.frombuffer(b"".join(texts.values()), dtype=np.uint8).astype(np.int64) - 48
    last = (digits & 32) == 0
    wrong = np.flatnonzero((digits < 0) | (digits > 63) | ~(last | (np.append(owner[1:], -1) == owner)))
    if len(wrong):
        raise error(side, list(texts)[owner[wrong[0]]], "its run lengths are no compressed text of COCO")
    start = np.flatnonzero(np.append(True, last[:-1]))
    place = np.arange(len(digits)) - np.repeat(start, np.diff(np.append(start, len(digits))))
    if place.max(initial=0) > 11:
        raise error(side, list(texts)[owner[np.argmax(place)]], "its run lengths are no compressed text of COCO")
    values = np.add.reduceat((digits & 31) << (5 * place), start)
    ends = np.flatnonzero(last)
    values -= np.where(digits[ends] & 16, np.int64(1) << (5 * (place[ends] + 1)), 0)
    return np.split(_summed(values, owner[ends]), np.cumsum(np.bincount(owner[ends], minlength=len(texts)))[:-1])


def _summed(values: Ints, owner: Index) -> Ints:
    """From the third run on a length is stored less the last but one: odd and even places add up by themselves."""
    first, which = runs(owner)
    place = np.arange(len(values)) - first[which]
    kind = 3 * owner + np.where(place == 0, 0, 2 - place % 2)
    order = np.argsort(kind, kind="stable")
    total = np.cumsum(values[order])
    first, which = runs(kind[order])
    out = np.empty_like(values)
    out[order] = total - np.append(0, total)[first][which]
    return out


def _of_lengths(side: Side, size: Ints, lengths: NDArray[Any]) -> Runs:
    count = np.fromiter(map(len, lengths), dtype=np.int64, count=len(lengths))
    flat = np.concatenate([np.zeros(0, dtype=np.int64), *lengths])
    owner = np.repeat(np.arange(len(lengths)), count)
    filled = np.bincount(owner, flat, minlength=len(lengths))
    short = np.zeros(len(lengths), dtype=np.bool_)
    short[owner[flat < 0]] = True
    refuse(side, short | (size < 0).any(axis=1), "a run length or a size is negative")
    refuse(side, filled != size[:, 0] * size[:, 1], "its run lengths do not add up to height x width")
    ends = np.cumsum(flat) - np.repeat(np.cumsum(filled) - filled, count).astype(np.int64)
    place = np.arange(len(flat)) - np.repeat(np.cumsum(count) - count, count)
    inside = (place % 2 == 1) & (flat > 0)
    start, end, of = (ends - flat)[inside], ends[inside], owner[inside]
    first = np.searchsorted(of, np.arange(len(lengths) + 1))
    total = np.append(0, np.cumsum(end - start))
    area = (total[first[1:]] - total[first[:-1]]).astype(np.float64)
    before = total[:-1] - total[first[:-1]][of]
    return Runs(size, area, _bounds(size, start, end, of), start, end, first, before)


def _bounds(size: Ints, start: Ints, end: Ints, of: Index) -> Ints:
    """First and last row, first and last column of each mask; of an empty one the first lies behind the last."""
    height = np.maximum(size[of, 0], 1)
    columns = start // height, (end - 1) // height
    across = columns[0] != columns[1]  # a run over the edge of a column has its last and its first row
    out = np.tile(np.array([1 << 40, -1, 1 << 40, -1], dtype=np.int64), (len(size), 1))
    np.minimum.at(out[:, 0], of, np.where(across, 0, start % height))
    np.maximum.at(out[:, 1], of, np.where(across, height - 1, (end - 1) % height))
    np.minimum.at(out[:, 2], of, columns[0])
    np.maximum.at(out[:, 3], of, columns[1])
    return out
