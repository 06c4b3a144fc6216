"""easy-VQA: questions about pictures of one coloured shape (V. Zhou, 2020), 13 answers in all."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from assay.data.bundled.bundle import Bundle
from assay.data.dataset import Dataset
from assay.data.kept import Kept
from assay.data.media import Image
from assay.types import Sample

FILES = Path(__file__).parent / "files" / "easy-vqa"
SUMMARY = "48,248 questions about 5,000 pictures of one coloured shape, 13 answers"
SPLITS: Mapping[str, str] = {
    "train": "38,575 questions about 4,000 pictures",
    "test": "9,673 questions about 1,000 pictures",
}
DEFAULT = ("test",)
ANSWERS = {
    "yes/no": ("yes", "no"),
    "shape": ("circle", "rectangle", "triangle"),
    "colour": ("black", "blue", "brown", "gray", "green", "red", "teal", "yellow"),
}
ANSWER_TYPE = {answer: kind for kind, answers in ANSWERS.items() for answer in answers}
NEGATIONS = frozenset({"no", "not"})


def read(splits: tuple[str, ...], name: str) -> Dataset:
    """The samples of the given splits; ``groups["image"]`` is their picture, which several questions share."""
    questions = pl.read_parquet(FILES / "questions.parquet").filter(pl.col("split").is_in(splits))
    kept, files = Kept(), pl.read_parquet(FILES / "pictures.parquet")
    pictures = {key: Image(data, key, kept=kept) for key, data in files.iter_rows()}
    numbers: dict[str, int] = {}
    samples = []
    for split, image, question, answer in questions.iter_rows():
        numbers[image] = numbers.get(image, -1) + 1
        samples.append(
            Sample(
                id=f"{image}/{numbers[image]}",
                inputs={"text": question, "image": pictures[image]},
                target=answer,
                references=(answer,),
                groups={
                    "split": split,
                    "image": image,
                    "answer_type": ANSWER_TYPE[answer],
                    "negated": "yes" if NEGATIONS & set(question.rstrip("?").split()) else "no",
                },
            )
        )
    digest = hashlib.sha256(" ".join(splits).encode())
    for path in sorted(FILES.glob("*.parquet")):
        digest.update(path.read_bytes())
    return Dataset(
        name=name,
        samples=samples,
        fingerprint=digest.hexdigest(),
        choices=tuple(ANSWER_TYPE),
        slices=("split", "answer_type", "negated"),
        licence="MIT",
        description="; ".join(f"{split}: {SPLITS[split]}" for split in splits),
        source="packed by tools/build_small.py from the PyPI package easy-vqa 1.0",
        asks="vqa",
    )


EASY_VQA = Bundle(SUMMARY, SPLITS, DEFAULT, read)
