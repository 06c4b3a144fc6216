"""Real emoji in three art styles, with their names in many languages, spoken names and animations.

The rows of ``files/emoji/samples.parquet`` say what belongs together; the other files hold the bytes. All of them
are packed by ``tools/build_emoji.py``; NOTICE names the sources and their licences.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import polars as pl

from assay.data.bundled.bundle import Bundle
from assay.data.bundled.sentences import sentence, sentence_zh
from assay.data.dataset import Dataset
from assay.data.kept import Kept
from assay.data.media import Audio, Image, Video
from assay.types import Media, Sample

FILES = Path(__file__).parent / "files" / "emoji"
SUMMARY = "emoji in three art styles: pictures, names in 25 languages, spoken names, animations"
SPLITS: Mapping[str, str] = {
    "train": "known concepts in the styles fluent and noto, three samples of each, six voices",
    "validation": "concepts that no other split holds, in the styles of train, another voice: to choose settings by",
    "test": "the concepts of train in a style (twemoji) and a voice that train does not hold",
    "test-concepts": "concepts that no other split holds, in all styles and voices: the hard, honest case",
    "languages": "concepts of train in the style of test, named in 24 further languages",
    "twins": "counterfactual twins: pictures that differ in skin tone alone or in gender alone",
}
DEFAULT = ("test", "test-concepts")
SLICES = ("split", "style", "category", "language", "skin_tone", "gender", "voice")
SPEECH = "all speech is synthesised (espeak-ng)"
SPEECH_RATE_HZ = 16_000
LICENCE = (
    "Fluent Emoji: MIT; Noto Emoji: Apache-2.0; Twemoji: CC-BY-4.0; emojibase: MIT; names: Unicode-3.0; "
    "spoken names: synthesised for this data set with espeak-ng"
)
SOURCE = "packed by tools/build_emoji.py from npm packages of Fluent Emoji, Noto Emoji, Twemoji, emojibase and CLDR"


def read(splits: tuple[str, ...], name: str) -> Dataset:
    """The samples of the given splits, in the order of the packed rows; bytes stay encoded until they are asked for."""
    rows = pl.read_parquet(FILES / "samples.parquet").filter(pl.col("split").is_in(splits))
    about = {row["hexcode"]: row for row in _concepts().iter_rows(named=True)}
    pictures = {**_bytes("pictures", rows["picture"]), **_bytes("twins", rows["picture"])}
    clips, films = _bytes("speech", rows["clip"]), _films(rows["film"])
    samples, kept = [], Kept()
    for row in rows.iter_rows(named=True):
        concept = about[row["concept"]]
        picture = Image(pictures[row["picture"]], row["id"], kept=kept)
        inputs: dict[str, Media | str] = {"text": row["text"], "image": picture}
        if row["clip"] is not None:
            inputs["audio"] = Audio(clips[row["clip"]], row["id"], SPEECH_RATE_HZ, kept=kept)
        if row["film"] is not None:
            inputs["video"] = Video(films[row["film"]][0], row["id"], films[row["film"]][1])
        samples.append(
            Sample(
                id=row["id"],
                inputs=inputs,
                target=concept["category"],
                references=(concept["name"],),
                groups=_groups(row, concept),
            )
        )
    keywords = {code: " | ".join(row["keywords"]) for code, row in about.items()}
    return Dataset(
        name=name,
        samples=samples,
        fingerprint=_fingerprint(splits),
        choices=tuple(dict.fromkeys(row["category"] for row in about.values())),
        slices=SLICES,
        views={
            **dict.fromkeys(("classification", "zeroshot"), partial(show_keywords, keywords=keywords)),
            **{task: partial(expect, texts=make) for task, make in TOLD.items()},
        },
        licence=LICENCE,
        description="; ".join((*(f"{split}: {SPLITS[split]}" for split in splits), SPEECH)),
        source=SOURCE,
    )


def show_keywords(sample: Sample, keywords: Mapping[str, str]) -> Sample:
    """The sample with its concept's keywords in place of its name, or without text where there are none."""
    words = keywords[sample.groups["concept"]]
    inputs: dict[str, Media | str] = {m: content for m, content in sample.inputs.items() if m != "text"}
    return sample.with_inputs({"text": words, **inputs} if words else inputs)


def expect(sample: Sample, texts: Callable[[], Mapping[str, str]]) -> Sample:
    """The sample with what is to be said of its concept as its reference."""
    return replace(sample, references=(texts()[sample.groups["concept"]],))


@cache
def descriptions(language: str) -> dict[str, str]:
    """A sentence about every concept (by its hex code), in English (``en``) or Chinese (``zh``)."""
    make = {"en": sentence, "zh": sentence_zh}[language]
    category = dict(_concepts().select("hexcode", "category").iter_rows())
    rows = pl.read_parquet(FILES / "names.parquet").filter(pl.col("language") == language)
    return {
        concept: make(name, category[concept], keywords)
        for concept, name, keywords in rows.select("concept", "name", "keywords").iter_rows()
    }


def _groups(row: Mapping[str, Any], concept: Mapping[str, Any]) -> dict[str, str]:
    groups = {
        "split": row["split"],
        "concept": row["concept"],
        "name": concept["name"],
        "family": concept["family"],
        "part": concept["part"],
        "category": concept["category"],
        "subcategory": concept["subcategory"],
        **{name: row[name] for name in ("style", "voice", "language", "skin_tone", "gender")},
    }
    return groups if row["twin"] is None else {**groups, "twin": row["twin"]}


@cache
def _concepts() -> pl.DataFrame:
    return pl.read_parquet(FILES / "concepts.parquet")


@cache
def names(language: str) -> dict[str, str]:
    """The name of every concept (by its hex code) in a language, for example ``zh``."""
    frame = pl.read_parquet(FILES / "names.parquet").filter(pl.col("language") == language)
    return dict(zip(frame["concept"], frame["name"], strict=True))


def _bytes(file: str, keys: pl.Series) -> dict[str, bytes]:
    wanted = keys.drop_nulls().unique().to_list()
    frame = pl.read_parquet(FILES / f"{file}.parquet").filter(pl.col("key").is_in(wanted))
    return dict(frame.iter_rows())


def _films(keys: pl.Series) -> dict[str, tuple[bytes, float]]:
    frame = pl.read_parquet(FILES / "animations.parquet")
    chosen = frame.filter(pl.col("key").is_in(keys.drop_nulls().unique().to_list()))
    return {key: (data, fps) for key, data, fps in chosen.iter_rows()}


@cache
def _fingerprint(splits: tuple[str, ...]) -> str:
    digest = hashlib.sha256(" ".join(splits).encode())
    for path in sorted(FILES.glob("*.parquet")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


TOLD: Mapping[str, Callable[[], Mapping[str, str]]] = {
    "captioning": partial(descriptions, "en"),
    "captioning:zh": partial(descriptions, "zh"),
    "naming:zh": partial(names, "zh"),
}
EMOJI = Bundle(SUMMARY, SPLITS, DEFAULT, read)
