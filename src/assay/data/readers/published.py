"""Benchmarks' files in the layout in which they are published: VQA v2's questions and annotations, COCO's captions and instances."""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from assay.data.dataset import Dataset
from assay.data.kept import Kept
from assay.data.readers.folder import fingerprint
from assay.data.readers.inputs import medium
from assay.data.readers.jsonl import parsed, text_of
from assay.types import Media, Sample

Places = str | Sequence[Path]
"""Files and folders as a user names them, separated by commas, or one by one."""


def vqa(places: Places) -> Dataset:
    """``QUESTIONS,ANNOTATIONS,IMAGES``: each question with its picture and its human answers (ten in VQA v2).

    Pictures are looked for as ``IMAGES/COCO_<subtype>_<12 digits>.jpg``, else ``IMAGES/<image_id>`` with any usual ending. Groups:
    ``answer_type``, ``question_type``, ``image``. Raises `ValueError` that names file and record.
    """
    questions_at, annotations_at, images = split_places(places, "vqa:QUESTIONS,ANNOTATIONS,IMAGES", 3)
    questions, annotations = whole(questions_at), whole(annotations_at)
    told_of = part(annotations, "annotations", annotations_at)
    answered = {required(one, "question_id", annotations_at, i): one for i, one in enumerate(told_of)}
    prefix = f"COCO_{questions['data_subtype']}_" if "data_subtype" in questions else ""
    kept, samples = Kept(), []
    for i, asked in enumerate(part(questions, "questions", questions_at)):
        number = required(asked, "question_id", questions_at, i)
        if number not in answered:
            raise ValueError(f"{questions_at}, questions[{i}]: {annotations_at} has no annotation of question {number}")
        told = answered[number]
        answers = tuple(str(one["answer"]) for one in part(told, "answers", annotations_at))
        image = required(asked, "image_id", questions_at, i)
        groups = {k: str(told[k]) for k in ("answer_type", "question_type") if k in told}
        inputs: dict[str, Any] = {
            "text": str(required(asked, "question", questions_at, i)),
            "image": picture(images, prefix, image, kept),
        }
        target = str(told["multiple_choice_answer"]) if "multiple_choice_answer" in told else answers[0]
        samples.append(
            Sample(str(number), inputs, target=target, references=answers, groups={**groups, "image": str(image)})
        )
    return made(f"vqa:{places}", samples, (questions_at, annotations_at), slices=("answer_type",), asks="vqa")


def coco(places: Places) -> Dataset:
    """``ANNOTATIONS,IMAGES``: COCO's captions or instances, as the annotations are.

    Captions: each picture with all its captions as references. Instances: each picture with its boxes as the target,
    ``{"boxes": [[x, y, w, h] …], "labels": [names], "crowd": [0, 1 …]}`` in pixels, and the categories as classes; pictures without
    boxes are there too. Raises `ValueError` that names file and record.
    """
    at, images = split_places(places, "coco:ANNOTATIONS,IMAGES", 2)
    given = whole(at)
    told = part(given, "annotations", at)
    if any(isinstance(one, dict) and "bbox" in one for one in told[:1]) or "categories" in given:
        return instances(places, at, images, given)
    captions: dict[Any, list[str]] = defaultdict(list)
    for i, one in enumerate(told):
        captions[required(one, "image_id", at, i)].append(str(required(one, "caption", at, i)))
    kept, samples = Kept(), []
    for i, one in enumerate(part(given, "images", at)):
        number, name = required(one, "id", at, i), str(required(one, "file_name", at, i))
        if number in captions:
            shown = medium("image", images / name, name, kept)
            samples.append(Sample(str(number), {"image": shown}, references=tuple(captions[number])))
    return made(f"coco:{places}", samples, (at,), slices=(), asks="captioning")


def instances(places: Places, at: Path, images: Path, given: Mapping[str, Any]) -> Dataset:
    """The pictures with their boxes."""
    names = {one["id"]: str(required(one, "name", at, i)) for i, one in enumerate(part(given, "categories", at))}
    targets: dict[Any, dict[str, list[Any]]] = {}
    pictures = part(given, "images", at)
    for i, one in enumerate(pictures):
        targets[required(one, "id", at, i)] = {"boxes": [], "labels": [], "crowd": []}
    for i, one in enumerate(part(given, "annotations", at)):
        image, category = required(one, "image_id", at, i), required(one, "category_id", at, i)
        box = required(one, "bbox", at, i)
        if image not in targets or category not in names:
            raise ValueError(f"{at}, record {i}: image {image!r} or category {category!r} is not in the file")
        if not (isinstance(box, list) and len(box) == 4 and all(is_number(v) for v in box) and min(box[2:]) >= 0):
            raise ValueError(f"{at}, record {i}: 'bbox' as [x, y, width, height] was expected, got {box!r:.60}")
        targets[image]["boxes"].append([float(v) for v in box])
        targets[image]["labels"].append(names[category])
        targets[image]["crowd"].append(int(one.get("iscrowd", 0)))
    kept = Kept()
    samples = [
        Sample(
            str(one["id"]),
            {"image": medium("image", images / (name := str(required(one, "file_name", at, i))), name, kept)},
            target=targets[one["id"]],
        )
        for i, one in enumerate(pictures)
    ]
    data = made(f"coco:{places}", samples, (at,), slices=(), asks="")
    return replace(data, choices=tuple(names.values()))


def is_number(value: Any) -> bool:
    """Whether a JSON value is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def split_places(places: Places, form: str, count: int) -> list[Path]:
    """The files and folders; `ValueError` unless there are ``count`` and each is there."""
    paths = [Path(one.strip()) for one in places.split(",")] if isinstance(places, str) else list(places)
    if len(paths) != count:
        raise ValueError(f"expected {form}, got {len(paths)} names: {', '.join(map(str, paths))}")
    for path in paths:
        if not path.exists():
            raise ValueError(f"there is no file or folder {path} (expected {form})")
    return paths


def whole(path: Path) -> Mapping[str, Any]:
    """The file's one JSON object."""
    found = parsed(text_of(path), path)
    if not isinstance(found, dict):
        raise ValueError(f"{path}: an object was expected, got {type(found).__name__}")
    return found


def part(record: Mapping[str, Any], key: str, path: Path) -> list[Any]:
    """The list under a key."""
    found = record.get(key)
    if not isinstance(found, list):
        raise ValueError(
            f"{path}: a list under {key!r} was expected; there is {', '.join(map(str, record)) or 'nothing'}"
        )
    return found


def required(record: Mapping[str, Any], key: str, path: Path, place: int) -> Any:
    """The value under a key of a record."""
    if not isinstance(record, dict) or record.get(key) is None:
        raise ValueError(f"{path}, record {place}: {key!r} is missing")
    return record[key]


def picture(folder: Path, prefix: str, number: Any, kept: Kept) -> Media:
    """The file of an image number."""
    usual = folder / f"{prefix}{int(number):012d}.jpg" if isinstance(number, int) else folder / str(number)
    others = [folder / f"{number}{suffix}" for suffix in (".jpg", ".png", ".jpeg", ".webp")]
    path = next((one for one in (usual, folder / f"{usual.stem[-12:]}.jpg", *others) if one.is_file()), usual)
    return medium("image", path, path.name, kept)


def made(name: str, samples: list[Sample], files: tuple[Path, ...], *, slices: tuple[str, ...], asks: str) -> Dataset:
    """The data set of these samples. `ValueError` for none, and for an id that occurs twice."""
    if not samples:
        raise ValueError(f"{files[0]} holds no samples")
    seen: set[str] = set()
    for sample in samples:
        if sample.id in seen:
            raise ValueError(f"{files[0]}: the id {sample.id!r} occurs twice")
        seen.add(sample.id)
    stamps = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
    return Dataset(
        name, samples, fingerprint(samples, *stamps), slices=slices, source=str(files[0]), asks=asks, checked=False
    )
