"""COCO's JSON files, results beside annotations: detections, captions, answers to questions (VQA).

Plain values go in and come out: no pictures are opened. Every error names the file and the record. Formats: COCO data
and results (cocodataset.org/#format-data, #format-results), VQA v2 (visualqa.org/vqa_v1_challenge.html). Boxes are
``x, y, width, height`` in pixels, float64.
"""

from __future__ import annotations

import itertools
import json
import math
import sys
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.catalog import nearest

Record = Mapping[str, Any]
Labelled = dict[str, Any]
"""Boxes of one image: ``boxes float64[k, 4]``, ``labels`` and what else `assay.metrics.detection` takes."""

MISSING = object()
LARGEST = sys.float_info.max


@dataclass(frozen=True, slots=True)
class Records:
    """A list of records of one file, so that messages can name both."""

    path: Path
    name: str
    found: Sequence[Record]

    def column(self, key: str, default: Any = MISSING) -> list[Any]:
        """The values of ``key``; a record without is an error unless there is a ``default``."""
        values = [record.get(key, default) for record in self.found]
        if default is MISSING:
            for place, value in enumerate(values):
                if value is MISSING or value is None:
                    raise self.error(place, f"{key!r} is missing")
        return values

    def keys(self, key: str, *, unique: bool = False) -> list[Any]:
        """The values of ``key`` as identifiers: an integer or a string each, no two alike if ``unique``."""
        values = self.column(key)
        first: dict[Any, int] = {}
        for place, value in enumerate(values):
            if not isinstance(value, int | str) or isinstance(value, bool):
                raise self.error(place, f"{key!r} as an integer or a string was expected, not {value!r:.80}")
            if unique and first.setdefault(value, place) != place:
                raise self.error(place, f"{key} {value!r} occurs already in {self.name}[{first[value]}]")
        return values

    def texts(self, key: str) -> list[str]:
        """The values of ``key``, strings all."""
        values = self.column(key)
        for place, value in enumerate(values):
            if not isinstance(value, str):
                raise self.error(place, f"{key!r} as a string was expected, not {value!r:.80}")
        return values

    def places(self, key: str, known: Mapping[Any, int], where: str) -> NDArray[np.int64]:
        """For each record the place in ``known`` of what its ``key`` refers to."""
        values = self.keys(key)
        try:
            return np.fromiter((known[value] for value in values), dtype=np.int64, count=len(values))
        except KeyError:
            place = next(place for place, value in enumerate(values) if value not in known)
            told = nearest(str(values[place]), map(str, known)) if len(known) <= 200 else f"there are {len(known)}."
            raise self.error(place, f"{key} {values[place]!r} is not in {where}: {told}") from None

    def error(self, place: int, reason: str) -> ValueError:
        """The error that tells file, record and reason."""
        return ValueError(f"{self.path}: {self.name}[{place}]: {reason}")


def read_coco_detection(
    results_path: str | Path, annotations_path: str | Path, *, iou: str = "boxes"
) -> tuple[list[Labelled], list[Labelled], list[Any]]:
    """Detections and true boxes of every image of the annotations, as `assay.metrics.detection` takes them.

    Returns ``(predicted, targets, image_ids)``, one of each an image, by ascending id as pycocotools orders them; an
    image without results has none predicted. Labels are category ids (`read_coco_categories` names them); ``crowd``
    is ``iscrowd``, ``area`` the annotation's (absent where no annotation has one). With ``iou="masks"`` there are
    ``masks`` in place of ``boxes``: the run lengths under ``segmentation``. Raises `ValueError` for what is no such file,
    for unknown images and categories, for boxes, scores and areas that are no numbers, and for polygons.
    """
    if iou not in SHAPES:
        raise ValueError(f"iou of {' or '.join(SHAPES)} was expected, not {iou!r}")
    results = _results(results_path)
    images, annotations, categories = _lists(annotations_path, "images", "annotations", "categories")
    image_ids = _sorted(images.keys("id", unique=True))
    place = {image: at for at, image in enumerate(image_ids)}
    classes = {label: at for at, label in enumerate(categories.keys("id", unique=True))}
    where = str(annotations_path)
    predicted = _by_image(
        results.places("image_id", place, where),
        len(image_ids),
        labels=_labels(results, classes, where),
        scores=_numbers(results, "score"),
        **{iou: SHAPES[iou](results)},
    )
    areas = {"area": _numbers(annotations, "area")} if any("area" in one for one in annotations.found) else {}
    targets = _by_image(
        annotations.places("image_id", place, where),
        len(image_ids),
        labels=_labels(annotations, classes, where),
        crowd=_flags(annotations, "iscrowd"),
        **{iou: SHAPES[iou](annotations)},
        **areas,
    )
    return predicted, targets, image_ids


def read_coco_categories(annotations_path: str | Path) -> dict[Any, str]:
    """The name of each category id. Raises `ValueError` for what is no annotation file."""
    (categories,) = _lists(annotations_path, "categories")
    return dict(zip(categories.keys("id", unique=True), categories.texts("name"), strict=True))


def read_coco_captions(
    results_path: str | Path, annotations_path: str | Path
) -> tuple[list[Any], list[str], list[list[str]]]:
    """Captions and their references, of the images that have a result: ``(image_ids, predictions, references)``.

    Images come by ascending id, references in the file's order; images without a result are left out, as the official
    tool is used. Raises `ValueError` for a second caption of an image, an image without references, unknown images.
    """
    results = _results(results_path)
    images, annotations = _lists(annotations_path, "images", "annotations")
    known = {image: at for at, image in enumerate(images.keys("id", unique=True))}
    results.places("image_id", known, str(annotations_path))
    captions = dict(zip(results.keys("image_id", unique=True), results.texts("caption"), strict=True))
    references: dict[Any, list[str]] = {}
    for image, text in zip(annotations.keys("image_id"), annotations.texts("caption"), strict=True):
        references.setdefault(image, []).append(text)
    for place, image in enumerate(captions):
        if image not in references:
            raise results.error(place, f"image {image!r} has no reference caption in {annotations_path}")
    ids = _sorted(captions)
    return ids, [captions[image] for image in ids], [references[image] for image in ids]


def read_vqa(
    results_path: str | Path,
    annotations_path: str | Path,
    questions_path: str | Path | None = None,
    *,
    incomplete: bool = False,
) -> tuple[list[Any], list[str | None], list[list[str]], dict[str, list[Any]]]:
    """Answers and people's answers, one of each a question: ``(question_ids, answers, human_answers, groups)``.

    Questions come in the annotations' order. ``groups`` are columns: ``image_id`` (the unit to resample by), what the
    annotations hold of ``question_type`` and ``answer_type`` and, with the questions' file, ``question``. Raises
    `ValueError` for a question without an answer or with two, as the official tool does, and for unknown questions; where
    the answers may be ``incomplete``, the answer of a question without is None.
    """
    results, (annotations,) = _results(results_path), _lists(annotations_path, "annotations")
    ids = annotations.keys("question_id", unique=True)
    place = {question: at for at, question in enumerate(ids)}
    results.places("question_id", place, str(annotations_path))
    given = dict(zip(results.keys("question_id", unique=True), results.texts("answer"), strict=True))
    without = [question for question in ids if question not in given]
    if without and not incomplete:
        raise ValueError(
            f"{results_path}: {len(without)} of {len(ids)} questions of {annotations_path} have no answer, the first is "
            f"question {without[0]!r}; answer every question, or leave the others out of the annotations"
        )
    groups = {"image_id": annotations.keys("image_id")}
    for name in ("question_type", "answer_type"):
        if any(name in record for record in annotations.found):
            groups[name] = annotations.texts(name)
    if questions_path is not None:
        (asked,) = _lists(questions_path, "questions")
        text = dict(zip(asked.keys("question_id", unique=True), asked.texts("question"), strict=True))
        annotations.places("question_id", {key: at for at, key in enumerate(text)}, str(questions_path))
        groups["question"] = [text[question] for question in ids]
    return ids, [given.get(question) for question in ids], _human_answers(annotations), groups


def _human_answers(annotations: Records) -> list[list[str]]:
    out: list[list[Any]] = []
    for place, answers in enumerate(annotations.column("answers")):
        found = [one.get("answer") if isinstance(one, Mapping) else one for one in _plain_list(answers)]
        if not found or not all(isinstance(one, str) for one in found):
            raise annotations.error(
                place, f"'answers' as a list with one answer at least was expected: {answers!r:.80}"
            )
        out.append(found)
    return out


def _plain_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _by_image(image: NDArray[np.int64], n: int, **columns: NDArray[Any]) -> list[Labelled]:
    """The columns cut by image, records of one image in their order."""
    order = np.argsort(image, kind="stable")
    starts = np.searchsorted(image[order], np.arange(n + 1))
    cut = {name: column[order] for name, column in columns.items()}
    return [{name: column[first:end] for name, column in cut.items()} for first, end in itertools.pairwise(starts)]


def _labels(records: Records, classes: Mapping[Any, int], where: str) -> NDArray[Any]:
    """The category ids as they are in the file, all of them known."""
    places = records.places("category_id", classes, f"the categories of {where}")
    return _array(list(classes))[places]


def _array(keys: Sequence[Any]) -> NDArray[Any]:
    """Integers as integers, strings as strings, a mixture as objects."""
    kinds = {type(key) for key in keys}
    if kinds <= {int} and all(-(2**63) <= key < 2**63 for key in keys):
        return np.array(keys, dtype=np.int64)
    return np.array(keys, dtype=np.str_ if kinds == {str} else object)


def _boxes(records: Records) -> NDArray[np.float64]:
    values = records.column("bbox")
    for place, value in enumerate(values):
        if not isinstance(value, list) or len(value) != 4:
            raise records.error(place, f"'bbox' as [x, y, width, height] was expected, not {value!r:.80}")
    flat = list(itertools.chain.from_iterable(values))
    return _finite(records, "bbox", flat, 4).reshape(-1, 4)


def _masks(records: Records) -> NDArray[Any]:
    """Run lengths as they are in the file, one object each."""
    out = np.empty(len(records.found), dtype=object)
    for place, value in enumerate(records.column("segmentation")):
        if isinstance(value, list):
            raise records.error(
                place,
                "polygons are not drawn here; pycocotools' COCO.annToRLE makes run lengths of them, counts as text",
            )
        if not isinstance(value, dict):
            raise records.error(place, f"'segmentation' as run lengths was expected, not {value!r:.80}")
        out[place] = value
    return out


SHAPES: Mapping[str, Callable[[Records], NDArray[Any]]] = {"boxes": _boxes, "masks": _masks}
"""What can be compared, and how it is read."""


def _numbers(records: Records, key: str) -> NDArray[np.float64]:
    return _finite(records, key, records.column(key), 1)


def _finite(records: Records, key: str, values: list[Any], width: int) -> NDArray[np.float64]:
    """``values``, ``width`` of them a record, as finite numbers."""
    if not set(map(type, values)) <= {int, float}:
        place = next(place for place, value in enumerate(values) if type(value) not in (int, float))
        raise records.error(place // width, f"{key!r}: a number was expected, not {values[place]!r:.80}")
    try:
        numbers = np.array(values, dtype=np.float64)
    except OverflowError:
        numbers = np.array([float(value) if abs(value) <= LARGEST else math.inf for value in values])
    there = np.isfinite(numbers)
    if not there.all():
        place = int(np.argmin(there))
        raise records.error(place // width, f"{key!r}: a finite number was expected, not {values[place]!r:.80}")
    return numbers


def _flags(records: Records, key: str) -> NDArray[np.bool_]:
    values = records.column(key, 0)
    for place, value in enumerate(values):
        if value not in (0, 1):
            raise records.error(place, f"{key!r} as 0 or 1 was expected, not {value!r:.80}")
    return np.array(values, dtype=np.bool_)


def _sorted(keys: Iterable[Hashable]) -> list[Any]:
    """Ascending; numbers before strings where both occur."""
    return sorted(keys, key=lambda key: (isinstance(key, str), key))


def _results(path: str | Path) -> Records:
    content = _json(path)
    if not isinstance(content, list):
        raise ValueError(f"{path}: a list of results was expected, not {_kind(content)}")
    return _records(Path(path), "results", content)


def _lists(path: str | Path, *names: str) -> list[Records]:
    """The lists of these names in the object that the file is."""
    content = _json(path)
    for name in names:
        if not isinstance(content, dict) or not isinstance(content.get(name), list):
            held = f"an object with {', '.join(map(repr, content))}" if isinstance(content, dict) else _kind(content)
            raise ValueError(f"{path}: an object with the list {name!r} was expected, not {held:.200}")
    return [_records(Path(path), name, content[name]) for name in names]


def _records(path: Path, name: str, content: list[Any]) -> Records:
    for place, record in enumerate(content):
        if not isinstance(record, dict):
            raise ValueError(f"{path}: {name}[{place}]: an object was expected, not {_kind(record)}")
    return Records(path, name, content)


def _json(path: str | Path) -> Any:
    try:
        return json.loads(Path(path).read_bytes())
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{path}: this is no JSON: {error}") from error


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
