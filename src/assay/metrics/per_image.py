"""What was predicted and what is true of each image (or film), as flat columns over all of them, checked.

Both sides come as one mapping an image, of boxes or segments with their labels, and leave as one array a column, sorted by
image, so that nothing later needs a loop over images. Every error names the image and the thing by their places.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence, Sized
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.catalog import nearest
from assay.metrics.assignment import Index, Values
from assay.stats.inputs import array, listed, meeting, reals

OfImage = Mapping[str, Any]

THINGS = frozenset({"boxes", "masks", "segments", "labels", "scores", "image_id"})
"""Keys that an image may have. Torchvision's ``image_id`` is not used, nor are masks where boxes are compared."""

OF_PICTURES = frozenset({"crowd", "iscrowd", "area"})
"""Keys that say more of a picture's objects."""


@dataclass(frozen=True, slots=True)
class Side:
    """What is predicted or true of ``n`` images: a mapping each, how many things it holds ``counts[n]``, and the image of
    each thing; ``key`` names what they are (boxes, segments).
    """

    name: str
    key: str
    items: Sequence[OfImage]
    counts: Index
    image: Index


def side_of(name: str, items: Sequence[OfImage | None], key: str) -> Side:
    """The side called ``name``, whose things are under ``key``; None (an answer that never came) holds nothing."""
    there = [dict.fromkeys((key, "labels", "scores"), ()) if item is None else item for item in items]
    known = THINGS | (set() if key == "segments" else OF_PICTURES)
    for place, item in enumerate(there):
        if not isinstance(item, Mapping) or key not in item or "labels" not in item:
            held = f"one with {', '.join(map(str, item))}" if isinstance(item, Mapping) else type(item).__name__
            raise ValueError(f"{name}[{place}]: a dict with {key} and labels was expected, not {held:.100}")
        if not isinstance(item[key], Sized) or not isinstance(item["labels"], Sized):
            raise ValueError(f"{name}[{place}]: lists or arrays of {key} and labels were expected, not {item!r:.100}")
        if not item.keys() <= known:
            odd = next(one for one in item if one not in known)
            raise ValueError(f"{name}[{place}]: {odd!r} is no key that is known: {nearest(str(odd), known)}")
        if "iscrowd" in item:
            there[place] = _crowd(f"{name}[{place}]", item)
    counts = np.fromiter((len(item[key]) for item in there), dtype=np.intp, count=len(there))
    return Side(name, key, there, counts, np.repeat(np.arange(len(there)), counts))


def _crowd(where: str, item: OfImage) -> OfImage:
    """The same with COCO's ``iscrowd`` under ``crowd``."""
    if "crowd" in item:
        raise ValueError(f"{where}: crowd and iscrowd are the same; leave one of them out")
    return {("crowd" if name == "iscrowd" else name): value for name, value in item.items()}


def both_sides(predicted: Sequence[OfImage | None], targets: Sequence[OfImage], key: str) -> tuple[Side, Side]:
    """What is predicted and what is true, of as many images."""
    listed(predicted, "predicted")
    listed(targets, "targets")
    if len(predicted) != len(targets):
        raise ValueError(
            f"one prediction for each of the targets was expected: {len(predicted)} predicted, {len(targets)} targets; "
            f"where nothing was detected, {key}, labels and scores are empty"
        )
    for place, item in enumerate(targets):
        if item is None:
            raise ValueError(f"targets[{place}]: a dict with {key} and labels was expected, not None")
    return side_of("predicted", predicted, key), side_of("targets", targets, key)


def error(side: Side, place: int, reason: str) -> ValueError:
    """The error about one thing of all."""
    image = int(side.image[place])
    thing = side.key.removesuffix("s").removesuffix("e") if side.key == "boxes" else side.key.removesuffix("s")
    return ValueError(f"{side.name}[{image}], {thing} {place - int(side.counts[:image].sum())}: {reason}")


def refuse(side: Side, wrong: NDArray[np.bool_], reason: str) -> None:
    """The error about the first thing that is ``wrong``, if one is."""
    if wrong.any():
        raise error(side, int(np.argmax(wrong)), f"{reason} ({int(wrong.sum())} such)")


def flags(side: Side, key: str) -> NDArray[np.bool_]:
    """``bool[k]``, no where an image does not say."""
    found = numbers(side, key, default=np.zeros(len(side.image)))
    refuse(side, (found != 0) & (found != 1), f"{key} as true or false was expected")
    return found.astype(np.bool_)


def _labels(side: Side) -> list[Any] | NDArray[Any]:
    """All labels: an array where they are integers in arrays, else a list."""
    given = (item["labels"] for item in side.items)
    parts = [part if isinstance(part, list | tuple) else array(part) for part in given]
    for place, part in enumerate(parts):
        if len(part) != side.counts[place]:
            raise _unequal(side, place, "labels", len(part))
    if all(_are_integers(part) for part in parts):
        return np.concatenate([np.zeros(0, np.int64), *(np.asarray(part, dtype=np.int64) for part in parts)])
    flat = [label for part in parts for label in (part.tolist() if isinstance(part, np.ndarray) else part)]
    for at, label in enumerate(flat):
        if label is None or label != label or not isinstance(label, Hashable):
            raise error(side, at, f"a label was expected, not {label!r:.80}")
    return flat


def _are_integers(labels: Any) -> bool:
    if isinstance(labels, np.ndarray):
        return labels.ndim == 1 and labels.dtype.kind in "iu" and labels.dtype != np.uint64
    return set(map(type, labels)) <= {int} and all(abs(label) < 1 << 62 for label in labels)


def numbers(side: Side, key: str, width: int = 0, default: Values | None = None) -> Values:
    """The numbers under ``key`` of all images, ``float64[k]`` or ``[k, width]``; images without have the ``default``."""
    tail = (width,) if width else ()
    parts: list[Values] = [np.zeros((0, *tail))]
    at = 0
    for place, (item, count) in enumerate(zip(side.items, side.counts.tolist(), strict=True)):
        given = item.get(key)
        if given is None and default is not None:
            given = default[at : at + count]
        parts.append(_part(side, place, key, given, (count, *tail)))
        at += count
    flat = np.concatenate(parts)
    refuse(side, ~np.isfinite(flat if not width else flat.sum(axis=1)), f"{key}: a finite number was expected")
    return flat


def _part(side: Side, place: int, key: str, given: Any, shape: tuple[int, ...]) -> Values:
    try:
        part = reals(given)
    except (TypeError, ValueError, OverflowError):
        part = np.zeros(())
    if part.shape == shape or part.size == shape[0] == 0:
        return part.reshape(shape)
    if part.ndim == len(shape) and part.shape[1:] == shape[1:]:
        raise _unequal(side, place, key, len(part))
    raise ValueError(f"{side.name}[{place}]: {key} as numbers of shape {shape} were expected, not {given!r:.80}")


def _unequal(side: Side, place: int, key: str, length: int) -> ValueError:
    told = f"{side.counts[place]} {side.key}, {length} {key}"
    return ValueError(f"{side.name}[{place}]: as many {key} as {side.key} were expected, not {told}")


def classes_of(
    found: Side, true: Side, classes: Sequence[Hashable]
) -> tuple[tuple[Hashable, ...], tuple[Index, Index]]:
    """The classes, and each side's labels as places among them. Without ``classes`` they are the labels that occur, sorted."""
    found_labels, true_labels = _labels(found), _labels(true)
    meeting(found_labels, true_labels, (found.name, true.name))
    known, codes = _coded(found_labels, true_labels, classes)
    for side, coded in zip((found, true), codes, strict=True):
        if len(coded) and coded.min() < 0:
            place = int(np.argmin(coded))
            image = int(side.image[place])
            label = np.asarray(side.items[image]["labels"], dtype=object)[place - int(side.counts[:image].sum())]
            told = nearest(str(label), map(str, known))
            raise error(side, place, f"label {label!r} is none of the classes: {told}")
    return known, codes


def _coded(
    found: Sequence[Any] | NDArray[Any], true: Sequence[Any] | NDArray[Any], classes: Sequence[Hashable]
) -> tuple[tuple[Hashable, ...], tuple[Index, Index]]:
    """The classes and each label as a place among them, -1 for one that is none."""
    if not len(classes) and isinstance(found, np.ndarray) and isinstance(true, np.ndarray):
        values, places = np.unique(np.concatenate([found, true]), return_inverse=True)
        return tuple(values.tolist()), (places[: len(found)], places[len(found) :])
    plain = [labels.tolist() if isinstance(labels, np.ndarray) else labels for labels in (found, true)]
    known = tuple(classes) or _sorted({*plain[0], *plain[1]})
    code = {label: place for place, label in enumerate(known)}
    one, other = (np.fromiter((code.get(x, -1) for x in labels), dtype=np.intp, count=len(labels)) for labels in plain)
    return known, (one, other)


def _sorted(labels: set[Any]) -> tuple[Hashable, ...]:
    """By kind and then in their own order, or in that of their names where they have none."""
    try:
        return tuple(sorted(labels, key=lambda label: (type(label).__name__, label)))
    except TypeError:
        return tuple(sorted(labels, key=lambda label: (type(label).__name__, str(label))))
