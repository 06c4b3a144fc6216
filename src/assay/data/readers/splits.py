"""Benchmarks that publish one file for all splits: Karpathy's split of COCO, Flickr8k and Flickr30k; Flickr30k's token file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from assay.catalog import nearest
from assay.data.dataset import Dataset
from assay.data.kept import Kept
from assay.data.readers.inputs import medium
from assay.data.readers.jsonl import text_of
from assay.data.readers.published import Places, made, part, required, split_places, whole
from assay.types import Media, Sample

TOKEN = re.compile(r"(?P<image>[^#\t|]+?)#(?P<number>\d+)\t(?P<caption>.*)")
PIPED = re.compile(r"(?P<image>[^|]+?)\|\s*(?P<number>\d+)\s*\|(?P<caption>.*)")
PIPED_HEADER = "image_name|"
CAPTIONS = 5
"""Captions of a picture that take part in retrieval: the first five, as is usual; COCO has up to seven."""


def karpathy(places: str) -> Dataset:
    """``FILE,IMAGES[,SPLIT]``: the pictures of one split (``test`` if none is named) of ``dataset_coco.json``, ``dataset_flickr8k.json``
    or ``dataset_flickr30k.json``, with all their captions as references. ``train+restval`` takes both.

    Pictures lie at ``IMAGES/<filepath>/<filename>`` or ``IMAGES/<filename>``. Groups: ``image``, ``split``. Raises `ValueError` that
    names file and record.
    """
    at, images, records = karpathy_records(places)
    kept = Kept()
    samples = [
        Sample(
            karpathy_id(one),
            {"image": karpathy_picture(one, at, place, images, kept)},
            references=tuple(karpathy_captions(one, at, place)),
            groups={"image": karpathy_id(one), "split": str(one["split"])},
        )
        for place, one in records
    ]
    return made(f"karpathy:{places}", samples, (at,), slices=(), asks="captioning")


def karpathy_records(places: Places) -> tuple[Path, Path, list[tuple[int, Mapping[str, Any]]]]:
    """The file, the pictures' folder and the records of the split that was asked for, each with its place."""
    names = [one.strip() for one in places.split(",")] if isinstance(places, str) else [str(one) for one in places]
    asked = names.pop() if len(names) == 3 else "test"
    at, images = split_places([Path(one) for one in names], "karpathy:FILE,IMAGES[,SPLIT]", 2)
    given = part(whole(at), "images", at)
    known = list(dict.fromkeys(str(required(one, "split", at, place)) for place, one in enumerate(given)))
    for name in asked.split("+"):
        if name not in known:
            raise ValueError(f"{at} has no split {name!r}: {nearest(name, known)}")
    chosen = set(asked.split("+"))
    return at, images, [(place, one) for place, one in enumerate(given) if one["split"] in chosen]


def karpathy_id(one: Mapping[str, Any]) -> str:
    """The picture's number in its benchmark: COCO's own, else the place in the file."""
    return str(one.get("cocoid", one.get("imgid", one.get("filename"))))


def karpathy_captions(one: Mapping[str, Any], at: Path, place: int) -> list[str]:
    """The captions as they were written. `ValueError` for a picture without."""
    sentences = required(one, "sentences", at, place)
    found = [str(required(sentence, "raw", at, place)).strip() for sentence in sentences]
    if not found:
        raise ValueError(f"{at}, record {place}: there are no sentences")
    return found


def karpathy_picture(one: Mapping[str, Any], at: Path, place: int, images: Path, kept: Kept) -> Media:
    """The picture's file."""
    name = str(required(one, "filename", at, place))
    nested = images / str(one.get("filepath", "")) / name
    return medium("image", nested if nested.is_file() else images / name, name, kept)


def karpathy_pairs(places: Places, folds: int = 1) -> Dataset:
    """The same pictures and captions as samples of their own, for retrieval: 1,000 pictures and 5,000 captions of Flickr30k's test.

    A picture and its first `CAPTIONS` captions share the group ``concept``; every caption is a candidate of its own, though
    another picture may have the same. With ``folds`` the pictures, in their order, are cut into so many galleries (``split``)
    that are searched apart: COCO's 1K protocol is five of its 5,000. Raises `ValueError` as `karpathy`, and for folds that do
    not divide the pictures.
    """
    at, images, records = karpathy_records(places)
    if folds < 1 or len(records) % folds:
        raise ValueError(f"folds that divide the {len(records)} pictures of {at} were expected, not {folds}")
    kept = Kept()
    samples: list[Sample] = []
    for number, (place, one) in enumerate(records):
        name = karpathy_id(one)
        groups = {"concept": name} | ({"split": f"fold{number * folds // len(records) + 1}"} if folds > 1 else {})
        samples.append(Sample(name, {"image": karpathy_picture(one, at, place, images, kept)}, groups=groups))
        for j, caption in enumerate(karpathy_captions(one, at, place)[:CAPTIONS]):
            own = f"{name}#{j}"
            samples.append(Sample(own, {"text": caption}, groups={**groups, "candidate": own}))
    return made(f"karpathy:{places}", samples, (at,), slices=(), asks="")


def flickr30k(places: str) -> Dataset:
    """``TOKENS,IMAGES``: Flickr30k's ``results_20130124.token`` (``1000092795.jpg#0<tab>Two young …``), or the same table separated
    by ``|`` (``results.csv``). Each picture with its captions as references. Raises `ValueError` that names file and line.
    """
    at, images = split_places(places, "flickr30k:TOKENS,IMAGES", 2)
    captions: dict[str, list[str]] = {}
    for line, text in enumerate(text_of(at).splitlines(), 1):
        if not text.strip() or (line == 1 and text.replace(" ", "").startswith(PIPED_HEADER)):
            continue
        found = TOKEN.fullmatch(text) or PIPED.fullmatch(text)
        if found is None or not found["caption"].strip():
            raise ValueError(f"{at}, line {line}: FILE#NUMBER<tab>CAPTION was expected, got {text[:60]!r}")
        captions.setdefault(found["image"].strip(), []).append(found["caption"].strip())
    kept = Kept()
    samples = [described(name, images, told, kept) for name, told in captions.items()]
    return made(f"flickr30k:{places}", samples, (at,), slices=(), asks="captioning")


def described(name: str, images: Path, captions: Sequence[str], kept: Kept) -> Sample:
    """A picture with its captions."""
    picture = medium("image", images / name, name, kept)
    return Sample(name, {"image": picture}, references=tuple(captions), groups={"image": name})
