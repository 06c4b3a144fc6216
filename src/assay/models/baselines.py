"""What a model must beat: chance, nearest raw pixels, and a bag of words. No net, no torch; each is a `Model`.

``fit`` functions take the training split and give a model: ``chance(train)``, ``pixels(train)``, ``words(train)``.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from assay.catalog import nearest
from assay.data.dataset import Dataset
from assay.types import Facts, FloatArray, Media, Sample

SIDE = 8
NEIGHBOURS_SCALE = 10.0


@dataclass(frozen=True)
class Chance:
    """Guesses: a random but fixed vector or set of scores for each sample, whatever it holds."""

    name: str
    modalities: frozenset[str]
    fingerprint: str
    dim: int = 16

    def embed(self, samples: Sequence[Sample], modality: str | None = None) -> FloatArray:
        """Random unit vectors ``float32[n, 16]``, decided by the sample's id and the modality."""
        rows = [_draw(f"{sample.id}/{modality}", self.dim) for sample in samples]
        return _unit(np.array(rows, dtype=np.float32).reshape(len(samples), self.dim))

    def score(self, samples: Sequence[Sample], choices: Sequence[str]) -> FloatArray:
        """Random log-probabilities ``float32[n, k]``, decided by the sample's id."""
        rows = [_draw(sample.id, len(choices)) for sample in samples]
        return _log_softmax(np.array(rows).reshape(len(samples), len(choices)))

    def facts(self) -> Facts:
        """Nothing was learned."""
        return Facts(parameters=0, bytes=0)


@dataclass(frozen=True)
class Pixels:
    """The nearest training picture among raw pixels shrunk to 8 x 8, with its category and its name.

    A text is placed at the pictures of the training samples that have that name, else of those that share most words
    with it, so that pictures and names can be compared.
    """

    name: str
    modalities: frozenset[str]
    fingerprint: str
    pictures: FloatArray
    labels: tuple[str, ...]
    captions: tuple[str, ...]

    def embed(self, samples: Sequence[Sample], modality: str | None = None) -> FloatArray:
        """Centred pixels as unit vectors ``float32[n, 192]``; ``ValueError`` for a sample without the modality."""
        rows = [self._vector(sample, modality) for sample in samples]
        return _unit(np.array(rows, dtype=np.float32).reshape(len(samples), self.pictures.shape[1]))

    def score(self, samples: Sequence[Sample], choices: Sequence[str]) -> FloatArray:
        """Log-probabilities ``float32[n, k]``: a softmax over each class's most similar training picture.

        A sample without a picture gets equal shares. ``ValueError`` for a class that training did not hold.
        """
        columns = _members(self.name, self.labels, choices)
        logits = np.zeros((len(samples), len(choices)))
        held = [i for i, sample in enumerate(samples) if "image" in sample.inputs]
        if held:
            similar = _unit(np.array([thumbnail(samples[i].inputs["image"]) for i in held])) @ self.pictures.T
            logits[held] = NEIGHBOURS_SCALE * np.stack([similar[:, rows].max(axis=1) for rows in columns], axis=1)
        return _log_softmax(logits)

    def facts(self) -> Facts:
        """What is remembered: every training picture's thumbnail."""
        return Facts(parameters=int(self.pictures.size), bytes=int(self.pictures.nbytes))

    def _vector(self, sample: Sample, modality: str | None) -> NDArray[np.float32]:
        if modality in (None, "image") and "image" in sample.inputs:
            return thumbnail(sample.inputs["image"])
        if modality in (None, "text") and "text" in sample.inputs:
            return self._pictured(str(sample.inputs["text"]))
        raise ValueError(f"{self.name} needs {modality or 'a picture or a text'}, sample {sample.id!r} has none")

    @cached_property
    def _caption_words(self) -> tuple[dict[str, NDArray[np.intp]], NDArray[np.intp]]:
        """For each word the captions that hold it, and how many words each caption has."""
        words = [set(tokens(caption)) for caption in self.captions]
        holders: dict[str, list[int]] = {}
        for number, some in enumerate(words):
            for word in some:
                holders.setdefault(word, []).append(number)
        return {word: np.array(held) for word, held in holders.items()}, np.array([len(some) for some in words])

    def _pictured(self, text: str) -> NDArray[np.float32]:
        """The mean of the pictures whose captions share most words with the text (Jaccard)."""
        holders, sizes = self._caption_words
        wanted = set(tokens(text))
        shared = np.zeros(len(sizes))
        for word in wanted & holders.keys():
            shared[holders[word]] += 1
        overlap = shared / np.maximum(sizes + len(wanted) - shared, 1)
        mean: NDArray[np.float32] = self.pictures[overlap == overlap.max()].mean(0)
        return mean


@dataclass(frozen=True)
class Words:
    """Multinomial naive Bayes over words (McCallum & Nigam 1998), add-one smoothed.

    Between pictures and texts it is undefined: it knows texts alone, so it embeds only ``text``.
    """

    name: str
    modalities: frozenset[str]
    fingerprint: str
    vocabulary: Mapping[str, int]
    classes: tuple[str, ...]
    log_prior: FloatArray
    log_likelihood: FloatArray

    def embed(self, samples: Sequence[Sample], modality: str | None = None) -> FloatArray:
        """Word counts as unit vectors ``float32[n, words]``; ``ValueError`` for another modality than text."""
        if modality not in (None, "text"):
            raise ValueError(f"{self.name} knows texts alone: it cannot embed {modality!r}")
        for sample in samples:
            if "text" not in sample.inputs:
                raise ValueError(f"{self.name} needs a text, sample {sample.id!r} has none")
        return _unit(np.array([self._counts(sample) for sample in samples]).reshape(len(samples), -1))

    def score(self, samples: Sequence[Sample], choices: Sequence[str]) -> FloatArray:
        """Log-probabilities ``float32[n, k]``; a sample without a text gets the classes' shares in training."""
        columns = [_position(self.name, self.classes, choice) for choice in choices]
        counts = np.array([self._counts(sample) for sample in samples]).reshape(len(samples), len(self.vocabulary))
        joint = self.log_prior + counts @ self.log_likelihood.T
        return _log_softmax(joint[:, columns])

    def facts(self) -> Facts:
        """One number per class and word, and one per class."""
        count = int(self.log_likelihood.size + self.log_prior.size)
        return Facts(parameters=count, bytes=4 * count)

    def _counts(self, sample: Sample) -> NDArray[np.float32]:
        counts = np.zeros(len(self.vocabulary), dtype=np.float32)
        for word in tokens(str(sample.inputs.get("text", ""))):
            if word in self.vocabulary:
                counts[self.vocabulary[word]] += 1
        return counts


def chance(train: Dataset) -> Chance:
    """The model that guesses; of ``train`` it takes only which modalities there are."""
    return Chance("baseline:chance", frozenset(train.modalities), _fingerprint("chance", train))


def pixels(train: Dataset) -> Pixels:
    """Remember every training picture with its category and its text (one of each picture, however often it occurs)."""
    with_picture = [sample for sample in train.samples if "image" in sample.inputs]
    if not with_picture:
        raise ValueError(
            f"baseline:pixels needs pictures; {train.name} holds {', '.join(train.modalities) or 'nothing'}"
        )
    vectors = np.array([thumbnail(sample.inputs["image"]) for sample in with_picture], dtype=np.float32)
    _, first = np.unique(vectors, axis=0, return_index=True)
    kept = np.sort(first)
    return Pixels(
        name="baseline:pixels",
        modalities=frozenset({"image", "text"}),
        fingerprint=_fingerprint("pixels", train),
        pictures=_unit(vectors[kept]),
        labels=tuple(str(with_picture[i].target) for i in kept),
        captions=tuple(str(with_picture[i].inputs.get("text", "")) for i in kept),
    )


def words(train: Dataset) -> Words:
    """Count the words of each class in the texts that the classification task shows."""
    shown = [sample for sample in train.for_task("classification").samples if "text" in sample.inputs]
    if not shown:
        raise ValueError(f"baseline:words needs texts; {train.name} holds {', '.join(train.modalities) or 'nothing'}")
    classes = train.choices or tuple(sorted({str(sample.target) for sample in shown}))
    found = sorted({word for sample in shown for word in tokens(str(sample.inputs["text"]))})
    vocabulary = {word: i for i, word in enumerate(found)}
    counts = np.ones((len(classes), len(found)))
    samples = Counter(str(sample.target) for sample in shown)
    for sample in shown:
        for word in tokens(str(sample.inputs["text"])):
            counts[classes.index(str(sample.target)), vocabulary[word]] += 1
    prior = np.log([(samples[label] + 1) / (len(shown) + len(classes)) for label in classes])
    return Words(
        name="baseline:words",
        modalities=frozenset({"text"}),
        fingerprint=_fingerprint("words", train),
        vocabulary=vocabulary,
        classes=tuple(classes),
        log_prior=prior.astype(np.float32),
        log_likelihood=np.log(counts / counts.sum(1, keepdims=True)).astype(np.float32),
    )


BASELINES: Mapping[str, Callable[[Dataset], Chance | Pixels | Words]] = {
    "chance": chance,
    "pixels": pixels,
    "words": words,
}


def tokens(text: str) -> list[str]:
    """Lower-case words.

    >>> tokens("Flag: Côte d'Ivoire")
    ['flag', 'côte', 'd', 'ivoire']
    """
    return re.findall(r"\w+", text.casefold())


def thumbnail(content: Media | str) -> NDArray[np.float32]:
    """A picture as ``float32[192]``: the means of 8 x 8 cells, less the picture's mean colour."""
    assert not isinstance(content, str), "a picture is a medium, not a text"
    cells = content.load().astype(np.float32) / 255
    for axis in (0, 1):
        edges = np.linspace(0, cells.shape[axis], SIDE + 1).astype(np.intp)
        heights = np.maximum(np.diff(edges), 1).reshape((-1, 1, 1) if axis == 0 else (1, -1, 1))
        cells = np.add.reduceat(cells, edges[:-1], axis=axis) / heights
    flat: NDArray[np.float32] = (cells - cells.mean((0, 1))).astype(np.float32).ravel()
    return flat


def _members(name: str, labels: Sequence[str], choices: Sequence[str]) -> list[NDArray[np.intp]]:
    """For each choice the training rows of that class."""
    known = tuple(dict.fromkeys(labels))
    for choice in choices:
        _position(name, known, choice)
    all_labels = np.array(labels)
    return [np.nonzero(all_labels == choice)[0] for choice in choices]


def _position(name: str, known: Sequence[str], choice: str) -> int:
    if choice not in known:
        raise ValueError(f"{name} does not know the class {choice!r}: {nearest(choice, known)}")
    return list(known).index(choice)


def _draw(key: str, size: int) -> NDArray[np.float64]:
    seed = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "little")
    return np.random.default_rng(seed).standard_normal(size)


def _unit(rows: NDArray[np.floating]) -> FloatArray:
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    out: FloatArray = (rows / np.maximum(norms, 1e-9)).astype(np.float32)
    return out


def _log_softmax(logits: NDArray[np.floating]) -> FloatArray:
    shifted = logits - logits.max(axis=1, keepdims=True, initial=-math.inf)
    out: FloatArray = (shifted - np.log(np.exp(shifted).sum(1, keepdims=True))).astype(np.float32)
    return out


def _fingerprint(kind: str, train: Dataset) -> str:
    return hashlib.sha256(f"{kind}/1/{train.fingerprint}".encode()).hexdigest()
