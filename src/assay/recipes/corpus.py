"""The bundled emoji as tensors that stay in memory: pictures, spectrograms and captions of each concept.

Decoding happens once (about 15 s); what varies from step to step is drawn and augmented batch-wise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from assay.data.bundled import emoji as source
from assay.data.bundled import load
from assay.data.dataset import Dataset
from assay.models.encoders.text import text_tensor
from assay.models.processor import Processor, sound
from assay.types import Sample

KEYWORD_CAPTIONS = 12
LANGUAGES = tuple("ar bn de el es fa fr he hi id it ja ko nl pl pt ru sv sw th tr uk vi zh".split())  # noqa: SIM905


@dataclass(frozen=True)
class Table:
    """Things of each concept: ``values [rows, ...]``, and ``rows int64[concepts, most]`` with ``counts [concepts]``."""

    values: Tensor
    rows: Tensor
    counts: Tensor

    def draw(self, concepts: Tensor, generator: Generator) -> Tensor:
        """For each concept the number of one of its rows, at random (it must have one)."""
        pick = (torch.rand(len(concepts), generator=generator) * self.counts[concepts]).long()
        return self.rows[concepts, pick]


@dataclass(frozen=True)
class Corpus:
    """The training concepts: numbers of category and subcategory, pictures by style, sounds, three kinds of captions."""

    concepts: tuple[str, ...]
    classes: tuple[str, ...]
    categories: Tensor
    pictures: Table
    sounds: Table
    names: Table
    keywords: Table
    foreign: Table
    class_ids: Tensor
    subcategories: Tensor
    subcategory_ids: Tensor


def read_corpus(processor: Processor, seed: int, split: str = "train") -> Corpus:
    """The concepts of an emoji split, in order of first appearance."""
    data = load("emoji", split)
    first: dict[str, Sample] = {}
    for sample in data.samples:
        first.setdefault(sample.groups["concept"], sample)
    number = {concept: i for i, concept in enumerate(first)}
    classes = data.choices
    groups = sorted({sample.groups["subcategory"] for sample in first.values()})
    names = {concept: [sample.groups["name"]] for concept, sample in first.items()}
    buckets = processor.buckets
    return Corpus(
        concepts=tuple(first),
        classes=classes,
        categories=torch.tensor([classes.index(str(sample.target)) for sample in first.values()]),
        pictures=picture_table(data, number, processor),
        sounds=_sounds(data, number),
        names=_captions(names, number, buckets),
        keywords=_captions(_keyword_captions(data, names, seed), number, buckets),
        foreign=_captions(_foreign(names), number, buckets),
        class_ids=text_tensor(classes, buckets),
        subcategories=torch.tensor([groups.index(sample.groups["subcategory"]) for sample in first.values()]),
        subcategory_ids=text_tensor(groups, buckets),
    )


def table(values: Tensor, owners: Sequence[int], concepts: int) -> Table:
    """The table of ``values`` whose row i belongs to concept ``owners[i]``, for that many concepts."""
    lists: list[list[int]] = [[] for _ in range(concepts)]
    for row, owner in enumerate(owners):
        lists[owner].append(row)
    counts = torch.tensor([len(rows) for rows in lists])
    rows = torch.zeros(concepts, max(int(counts.max()), 1), dtype=torch.int64)
    for owner, own in enumerate(lists):
        rows[owner, : len(own)] = torch.tensor(own, dtype=torch.int64)
    return Table(values, rows, counts)


def owners(things: Table) -> Tensor:
    """The concept of each row of a table, ``int64[rows]``, in the order of its rows."""
    found = torch.zeros(int(things.counts.sum()), dtype=torch.int64)
    for concept, count in enumerate(things.counts.tolist()):
        found[things.rows[concept, :count]] = concept
    return found


def picture_table(data: Dataset, number: Mapping[str, int], processor: Processor) -> Table:
    """The pictures ``uint8[m, 3, size, size]`` of the concepts, in every style that the data holds, numbered by ``number``."""
    seen: dict[tuple[str, str], Sample] = {}
    for sample in data.samples:
        seen.setdefault((sample.groups["concept"], sample.groups["style"]), sample)
    values = torch.stack([processor.picture(sample.inputs["image"]) for sample in seen.values()])
    return table(values, [number[concept] for concept, _ in seen], len(number))


def _sounds(data: Dataset, number: Mapping[str, int]) -> Table:
    heard = [sample for sample in data.samples if "audio" in sample.inputs]
    values = torch.stack([sound(sample.inputs["audio"]).half() for sample in heard])
    return table(values, [number[sample.groups["concept"]] for sample in heard], len(number))


def _captions(texts: Mapping[str, Sequence[str]], number: Mapping[str, int], buckets: int) -> Table:
    flat = [(text, number[concept]) for concept, own in texts.items() for text in own]
    ids = text_tensor([text for text, _ in flat], buckets).to(torch.int16)
    return table(ids, [owner for _, owner in flat], len(number))


def _keyword_captions(data: Dataset, names: Mapping[str, Sequence[str]], seed: int) -> dict[str, list[str]]:
    """Random selections of each concept's keywords; its name where it has none."""
    generator = torch.Generator().manual_seed(seed)
    captions: dict[str, list[str]] = {}
    for sample in data.for_task("classification").samples:
        concept = sample.groups["concept"]
        words = str(sample.inputs.get("text", "")).split(" | ")
        if concept in captions or words == [""]:
            continue
        captions[concept] = [" | ".join(words)]
        for _ in range(KEYWORD_CAPTIONS - 1):
            order = torch.randperm(len(words), generator=generator).tolist()
            kept = int(torch.randint(1, len(words) + 1, (1,), generator=generator))
            captions[concept].append(" | ".join(words[i] for i in order[:kept]))
    return {concept: captions.get(concept, list(names[concept])) for concept in names}


def _foreign(names: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Each concept's names in the other languages; its English name where there are none."""
    found: dict[str, list[str]] = {concept: [] for concept in names}
    for language in LANGUAGES:
        for concept, name in source.names(language).items():
            if concept in found:
                found[concept].append(name)
    return {concept: own or list(names[concept]) for concept, own in found.items()}
