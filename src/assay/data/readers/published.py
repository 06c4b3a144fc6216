"""Benchmarks' files in the layout in which they are published: VQA v2's questions and annotations, COCO's captions."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assay.data.dataset import Dataset
from assay.data.kept import Kept
from assay.data.media import APART, Image
from assay.data.readers.inputs import stamp
from assay.data.readers.jsonl import parsed, text_of
from assay.types import Sample


def vqa(places: str) -> Dataset:
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


def coco(places: str) -> Dataset:
    """``CAPTIONS,IMAGES``: each picture of COCO's captions annotations with all its captions as references."""
    captions_at, images = split_places(places, "coco:CAPTIONS,IMAGES", 2)
    given = whole(captions_at)
    captions: dict[Any, list[str]] = defaultdict(list)
    for i, one in enumerate(part(given, "annotations", captions_at)):
        captions[required(one, "image_id", captions_at, i)].append(str(required(one, "caption", captions_at, i)))
    kept, samples = Kept(), []
    for i, one in enumerate(part(given, "images", captions_at)):
        number, name = required(one, "id", captions_at, i), str(required(one, "file_name", captions_at, i))
        if number in captions:
            image = Image(images / name, source=name, kept=kept, limits=APART)
            samples.append(Sample(str(number), {"image": image}, references=tuple(captions[number])))
    return made(f"coco:{places}", samples, (captions_at,), slices=(), asks="captioning")


def split_places(places: str, form: str, count: int) -> list[Path]:
    """The files and folders; `ValueError` unless there are ``count`` and each is there."""
    paths = [Path(one.strip()) for one in places.split(",")]
    if len(paths) != count:
        raise ValueError(f"expected {form}, got {len(paths)} names in {places!r}")
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


def picture(folder: Path, prefix: str, number: Any, kept: Kept) -> Image:
    """The file of an image number."""
    usual = folder / f"{prefix}{int(number):012d}.jpg" if isinstance(number, int) else folder / str(number)
    others = [folder / f"{number}{suffix}" for suffix in (".jpg", ".png", ".jpeg", ".webp")]
    path = next((one for one in (usual, folder / f"{usual.stem[-12:]}.jpg", *others) if one.is_file()), usual)
    return Image(path, source=path.name, kept=kept, limits=APART)


def made(name: str, samples: list[Sample], files: tuple[Path, ...], *, slices: tuple[str, ...], asks: str) -> Dataset:
    """The data set of these samples. `ValueError` for none."""
    if not samples:
        raise ValueError(f"{files[0]} holds no samples")
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    for sample in samples:
        digest.update(stamp(sample.inputs["image"]))
    return Dataset(name, samples, digest.hexdigest(), slices=slices, source=str(files[0]), asks=asks, checked=False)
