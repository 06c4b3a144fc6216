"""What a data set holds (`describe`), and what is wrong with it (`check`)."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.data.ahead import ahead
from assay.data.dataset import Dataset
from assay.types import MODALITIES, MediaError, Sample

SPLIT = "split"
OVERLAP_GROUPS = ("family", "image")


@dataclass(frozen=True)
class TextLength:
    """Words of the samples' texts, split at white space."""

    least: int
    median: float
    most: int


@dataclass(frozen=True)
class Summary:
    """Counts that need no decoding. ``groups`` maps a group to its values and how many samples have each."""

    name: str
    samples: int
    modalities: Mapping[str, int]
    groups: Mapping[str, Mapping[str, int]]
    targets: Mapping[str, int]
    text_words: TextLength | None
    duplicate_ids: tuple[str, ...]
    licence: str
    description: str
    source: str
    fingerprint: str


@dataclass(frozen=True)
class Broken:
    """One input that cannot be used, and why."""

    sample: str
    modality: str
    reason: str


@dataclass(frozen=True)
class Overlap:
    """What two splits share: ``kind`` is a group (``family``) or ``picture`` (the same pixels)."""

    kind: str
    splits: tuple[str, str]
    count: int
    example: str


@dataclass(frozen=True)
class Check:
    """What decoding everything showed.

    ``same_pictures`` lists samples that hold the same pixels although they are of another ``image`` or ``concept``
    (groups; without them, every sample is for itself). ``overlaps`` says what splits share; whether they may is for
    the reader to know (emoji's ``test`` shares the concepts of ``train``).
    """

    broken: tuple[Broken, ...]
    duplicate_ids: tuple[str, ...]
    same_pictures: tuple[tuple[str, ...], ...]
    overlaps: tuple[Overlap, ...]

    @property
    def sound(self) -> bool:
        """Whether every input can be used and every sample has a name of its own."""
        return not self.broken and not self.duplicate_ids


def describe(dataset: Dataset) -> Summary:
    """Counts by modality, group and target; nothing is decoded.

    >>> describe(Dataset("d", [Sample("a", {"text": "red apple"}, "food")], "f")).text_words
    TextLength(least=2, median=2, most=2)
    """
    groups: dict[str, Counter[str]] = defaultdict(Counter)
    for sample in dataset.samples:
        for group, value in sample.groups.items():
            groups[group][value] += 1
    texts = [sample.inputs["text"] for sample in dataset.samples if "text" in sample.inputs]
    words = [len(text.split()) for text in texts if isinstance(text, str)]
    held = Counter(modality for sample in dataset.samples for modality in sample.inputs)
    return Summary(
        name=dataset.name,
        samples=len(dataset),
        modalities={modality: held[modality] for modality in MODALITIES if modality in held},
        groups={group: dict(counts.most_common()) for group, counts in groups.items()},
        targets=dict(Counter(str(s.target) for s in dataset.samples if s.target is not None).most_common()),
        text_words=TextLength(min(words), median(words), max(words)) if words else None,
        duplicate_ids=_repeated(sample.id for sample in dataset.samples),
        licence=dataset.licence,
        description=dataset.description,
        source=dataset.source,
        fingerprint=dataset.fingerprint,
    )


Look = Callable[[Sample, str, NDArray[Any] | str, str], None]
"""Shown each usable input as it is decoded: the sample, the modality, the array or text, its hash."""


def check(dataset: Dataset, progress: Callable[[int], None] | None = None, look: Look | None = None) -> Check:
    """Decodes every input once and lists what is broken, what is there twice and what splits share.

    ``progress`` is called with the number of samples done, ``look`` with each input. Broken inputs are listed, never raised.

    >>> check(Dataset("d", [Sample("a", {"text": " "})], "f")).broken
    (Broken(sample='a', modality='text', reason='is blank'),)
    """
    broken: list[Broken] = []
    pixels: dict[str, list[Sample]] = defaultdict(list)
    for done, sample in enumerate(ahead(dataset.samples), 1):
        if not sample.inputs:
            broken.append(Broken(sample.id, "none", "holds no input"))
        for modality in sample.inputs:
            found = _try(sample, modality, look)
            if isinstance(found, Broken):
                broken.append(found)
            elif modality == "image":
                pixels[found].append(sample)
        if progress is not None:
            progress(done)
    return Check(
        broken=tuple(broken),
        duplicate_ids=_repeated(sample.id for sample in dataset.samples),
        same_pictures=tuple(tuple(s.id for s in same) for same in pixels.values() if _differ(same)),
        overlaps=tuple(_overlaps(dataset, pixels)),
    )


def _repeated(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name, count in Counter(names).items() if count > 1)


def _try(sample: Sample, modality: str, look: Look | None) -> str | Broken:
    """A hash of one decoded input, or why it cannot be used."""
    content = sample.inputs[modality]
    if isinstance(content, str):
        if not content.strip():
            return Broken(sample.id, modality, "is blank")
        if look is not None:
            look(sample, modality, content, content)
        return content
    try:
        array = content.load()
    except MediaError as error:
        return Broken(sample.id, modality, str(error))
    digest = hashlib.sha256(f"{array.dtype}{array.shape}".encode())
    digest.update(np.ascontiguousarray(array).data)
    found = digest.hexdigest()
    if look is not None:
        look(sample, modality, array, found)
    return found


def _differ(same: list[Sample]) -> bool:
    return len({s.groups.get("image", s.groups.get("concept", s.id)) for s in same}) > 1


def _overlaps(dataset: Dataset, pixels: Mapping[str, list[Sample]]) -> Iterable[Overlap]:
    """What each two splits share of every kind, most first."""
    places: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for sample in dataset.samples:
        for group in OVERLAP_GROUPS:
            if group in sample.groups and SPLIT in sample.groups:
                places[group][sample.groups[SPLIT]].add(sample.groups[group])
    for digest, same in pixels.items():
        for sample in same:
            if SPLIT in sample.groups:
                places["picture"][sample.groups[SPLIT]].add(digest)
    examples = {digest: same[0].id for digest, same in pixels.items()}
    for kind, splits in places.items():
        for first, second in combinations(splits, 2):
            shared = splits[first] & splits[second]
            if shared:
                example = min(shared)
                yield Overlap(kind, (first, second), len(shared), examples.get(example, example))
