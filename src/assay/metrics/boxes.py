"""Boxes of many images as flat arrays, checked once; boxes are ``x, y, width, height``.

Predicted and true boxes come as one mapping an image and leave as one array a column over all images, sorted by image,
so that nothing later needs a loop over images. Every error names the image and the box by their places.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.catalog import nearest

Values = NDArray[np.float64]
Index = NDArray[np.intp]
OfImage = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Detections:
    """``D`` predicted boxes: ``image[D]`` ascending, ``label[D]`` as a place among the classes, ``box[D, 4]``, ``score[D]``."""

    image: Index
    label: Index
    box: Values
    score: Values


@dataclass(frozen=True, slots=True)
class Truths:
    """``G`` true boxes: ``image[G]`` ascending, ``label[G]``, ``box[G, 4]``, ``area[G]``, ``crowd[G]``."""

    image: Index
    label: Index
    box: Values
    area: Values
    crowd: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Corpus:
    """Predicted and true boxes of ``n`` images; ``classes`` are the labels by their places, ``missing[n]`` the images
    whose prediction never came.
    """

    missing: NDArray[np.bool_]
    classes: tuple[Hashable, ...]
    detections: Detections
    truths: Truths

    def __len__(self) -> int:
        return len(self.missing)


def flatten(
    predicted: Sequence[OfImage | None], targets: Sequence[OfImage], classes: Sequence[Hashable] = ()
) -> Corpus:
    """The boxes of all images, checked. Without ``classes`` they are the labels that occur, sorted.

    A prediction of None is missing. Raises `ValueError` for unequal lengths, absent keys, shapes that do not fit,
    values that are not finite, negative sides or areas, and with ``classes`` for a label that is none of them.
    """
    if len(predicted) != len(targets):
        raise ValueError(
            f"one prediction an image was expected: {len(predicted)} predicted, {len(targets)} targets; an image "
            "without detections has empty boxes, labels and scores"
        )
    missing = np.fromiter((item is None for item in predicted), dtype=np.bool_, count=len(predicted))
    found, true = _side("predicted", [NOTHING if x is None else x for x in predicted]), _side("targets", targets)
    known, codes = _coded(_labels(found), _labels(true), classes)
    box = _boxes(true)
    area = _numbers(true, "area", box[:, 2] * box[:, 3])
    _refuse(true, area < 0, "its area is negative")
    for side, coded in zip((found, true), codes, strict=True):
        if len(coded) and coded.min() < 0:
            raise _unknown(side, int(np.argmin(coded)), known)
    return Corpus(
        missing,
        known,
        Detections(found.image, codes[0], _boxes(found), _numbers(found, "scores")),
        Truths(true.image, codes[1], box, area, _flags(true, "crowd")),
    )


NOTHING: OfImage = {"boxes": (), "labels": (), "scores": ()}


@dataclass(frozen=True, slots=True)
class _Side:
    """The predicted or the true boxes: what came, how many an image, and the image of each."""

    name: str
    items: Sequence[OfImage]
    counts: Index
    image: Index


def _side(name: str, items: Sequence[OfImage]) -> _Side:
    for place, item in enumerate(items):
        if not isinstance(item, Mapping) or "boxes" not in item or "labels" not in item:
            held = f"one with {', '.join(map(str, item))}" if isinstance(item, Mapping) else type(item).__name__
            raise ValueError(f"{name}[{place}]: a dict with boxes and labels was expected, not {held:.100}")
    counts = np.fromiter((len(item["boxes"]) for item in items), dtype=np.intp, count=len(items))
    return _Side(name, items, counts, np.repeat(np.arange(len(items)), counts))


def _error(side: _Side, place: int, reason: str) -> ValueError:
    """The error about one box of all."""
    image = int(side.image[place])
    return ValueError(f"{side.name}[{image}], box {place - int(side.counts[:image].sum())}: {reason}")


def _refuse(side: _Side, wrong: NDArray[np.bool_], reason: str) -> None:
    """The error about the first box that is ``wrong``, if one is."""
    if wrong.any():
        raise _error(side, int(np.argmax(wrong)), f"{reason} ({int(wrong.sum())} such)")


def _boxes(side: _Side) -> Values:
    """``float64[k, 4]``."""
    box = _flat(side, "boxes", 4)
    _refuse(side, np.min(box[:, 2:], axis=1, initial=0) < 0, "a side is negative; boxes are x, y, width, height")
    with np.errstate(over="ignore", invalid="ignore"):
        size = np.column_stack([box[:, 2] * box[:, 3], box[:, :2] + box[:, 2:]])
    _refuse(side, ~np.isfinite(size.sum(axis=1)), "it is larger than a float can hold")
    return box


def _numbers(side: _Side, key: str, default: Values | None = None) -> Values:
    """``float64[k]``; images without the key have the ``default``."""
    return _flat(side, key, 1, default)[:, 0]


def _flags(side: _Side, key: str) -> NDArray[np.bool_]:
    """``bool[k]``, no where an image does not say."""
    found = _numbers(side, key, np.zeros(len(side.image)))
    _refuse(side, (found != 0) & (found != 1), f"{key} as true or false was expected")
    return found.astype(np.bool_)


def _labels(side: _Side) -> list[Any] | NDArray[Any]:
    """All labels: an array where they are integers in arrays, else a list."""
    parts = [item["labels"] for item in side.items]
    for place, part in enumerate(parts):
        if len(part) != side.counts[place]:
            raise _unequal(side, place, "labels", len(part))
    if all(_are_integers(part) for part in parts):
        return np.concatenate([np.zeros(0, np.int64), *(np.asarray(part, dtype=np.int64) for part in parts)])
    flat = [label for part in parts for label in (part.tolist() if isinstance(part, np.ndarray) else part)]
    for at, label in enumerate(flat):
        if label is None or label != label or not isinstance(label, Hashable):
            raise _error(side, at, f"a label was expected, not {label!r:.80}")
    return flat


def _are_integers(labels: Any) -> bool:
    if isinstance(labels, np.ndarray):
        return labels.ndim == 1 and labels.dtype.kind in "iu" and labels.dtype != np.uint64
    return set(map(type, labels)) <= {int} and all(abs(label) < 1 << 62 for label in labels)


def _flat(side: _Side, key: str, width: int, default: Values | None = None) -> Values:
    """The numbers under ``key`` of all images, ``float64[k, width]``."""
    parts: list[Values] = []
    at = 0
    for place, (item, count) in enumerate(zip(side.items, side.counts.tolist(), strict=True)):
        given = item.get(key)
        if given is None and default is not None:
            given = default[at : at + count]
        parts.append(_part(side, place, key, given, (count, 4) if width == 4 else (count,)))
        at += count
    flat = np.concatenate([np.zeros((0, width)), *(part.reshape(-1, width) for part in parts)])
    _refuse(side, np.isfinite(flat).sum(axis=1) < width, f"{key}: a finite number was expected")
    return flat


def _part(side: _Side, place: int, key: str, given: Any, shape: tuple[int, ...]) -> Values:
    try:
        part = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        part = np.zeros(())
    if part.shape == shape or part.size == shape[0] == 0:
        return part.reshape(shape)
    if part.ndim == len(shape) and part.shape[1:] == shape[1:]:
        raise _unequal(side, place, key, len(part))
    raise ValueError(f"{side.name}[{place}]: {key} as numbers of shape {shape} were expected, not {given!r:.80}")


def _unequal(side: _Side, place: int, key: str, length: int) -> ValueError:
    told = f"{side.counts[place]} boxes, {length} {key}"
    return ValueError(f"{side.name}[{place}]: as many {key} as boxes were expected, not {told}")


def _unknown(side: _Side, place: int, known: Sequence[Hashable]) -> ValueError:
    given = np.asarray(side.items[int(side.image[place])]["labels"]).tolist()
    label = given[place - int(side.counts[: side.image[place]].sum())]
    return _error(side, place, f"label {label!r} is none of the classes: {nearest(str(label), map(str, known))}")


def _coded(
    found: Sequence[Any] | NDArray[Any], true: Sequence[Any] | NDArray[Any], classes: Sequence[Hashable]
) -> tuple[tuple[Hashable, ...], tuple[Index, Index]]:
    """The classes and each label as a place among them, -1 for one that is none."""
    if not len(classes) and isinstance(found, np.ndarray) and isinstance(true, np.ndarray):
        values, places = np.unique(np.concatenate([found, true]), return_inverse=True)
        return tuple(values.tolist()), (places[: len(found)], places[len(found) :])
    plain = [labels.tolist() if isinstance(labels, np.ndarray) else labels for labels in (found, true)]
    known = tuple(classes) or tuple(sorted({*plain[0], *plain[1]}, key=lambda label: (str(type(label)), label)))
    code = {label: place for place, label in enumerate(known)}
    one, other = (np.fromiter((code.get(x, -1) for x in labels), dtype=np.intp, count=len(labels)) for labels in plain)
    return known, (one, other)
