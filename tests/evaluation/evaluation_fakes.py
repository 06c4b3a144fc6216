"""Models that answer from a sample's own bytes, keep a record of what they were asked, and can be told to misbehave."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from assay.data.dataset import Dataset
from assay.types import Sample

WIDTH = 16


@dataclass(frozen=True)
class FakeMedia:
    """A picture or a sound that is nothing but a name."""

    modality: str
    source: str

    def load(self) -> np.ndarray:
        return np.zeros(1, np.float32)


def content(sample: Sample) -> str:
    return "|".join(f"{m}={v if isinstance(v, str) else v.source}" for m, v in sorted(sample.inputs.items()))


def noise(text: str, size: int) -> np.ndarray:
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    return np.random.default_rng(seed).normal(size=size)


@dataclass
class Recorded:
    """What every fake has: a name, and the ids of each call in order. ``faults`` maps a sample's id to what its presence does."""

    name: str = "fake"
    modalities: frozenset[str] = frozenset({"text", "image"})
    fingerprint: str = "fake-1"
    faults: Mapping[str, Callable[[], Any]] = field(default_factory=dict)
    calls: list[list[str]] = field(default_factory=list)

    def record(self, samples: Sequence[Sample]) -> None:
        self.calls.append([s.id for s in samples])
        for sample in samples:
            if sample.id in self.faults:
                self.faults[sample.id]()

    @property
    def asked(self) -> list[str]:
        return [name for call in self.calls for name in call]


@dataclass
class Scorer(Recorded):
    """Log-probabilities that depend on the inputs alone."""

    def score(self, samples: Sequence[Sample], choices: Sequence[str]) -> np.ndarray:
        self.record(samples)
        rows = [noise(content(s), len(choices)) for s in samples]
        return np.array([row - np.log(np.exp(row).sum()) for row in rows], np.float32)


@dataclass
class Embedder(Recorded):
    """Unit vectors: those of one concept (the part of the source before ``/``) lie near each other."""

    def embed(self, samples: Sequence[Sample], modality: str | None = None) -> np.ndarray:
        self.record(samples)
        out = []
        for sample in samples:
            value = sample.inputs[modality]
            name = value if isinstance(value, str) else value.source
            vector = noise(name.partition("/")[0], WIDTH) + 0.9 * noise(f"{modality} {name}", WIDTH)
            out.append(vector / np.linalg.norm(vector))
        return np.array(out, np.float32)


def labelled(count: int = 20, classes: int = 3, **kinds: Any) -> Dataset:
    """Samples ``s00`` … with a text, every second with a picture too; classes in turn; groups split, style."""
    names = tuple("abcdefgh"[:classes])
    samples = []
    for i in range(count):
        inputs: dict[str, Any] = {"text": f"text {i}"}
        if i % 2 == 0:
            inputs["image"] = FakeMedia("image", f"picture {i}")
        groups = {"split": "test" if i % 3 else "hard", "style": "xyz"[i % 3]}
        samples.append(Sample(f"s{i:02d}", inputs, target=names[i % classes], groups=groups))
    return Dataset(kinds.get("name", "toy"), samples, "toy-1", choices=names, slices=("split", "style"))


def concepts(count: int = 6, styles: Sequence[str] = ("x", "y"), split: str = "test", name: str = "pairs") -> Dataset:
    """Each concept's name with its picture in every style (the text is the same), and for even concepts a sound."""
    samples = []
    for i in range(count):
        for style in styles:
            inputs: dict[str, Any] = {"text": f"{split}{i}", "image": FakeMedia("image", f"{split}{i}/{style}")}
            if i % 2 == 0:
                inputs["audio"] = FakeMedia("audio", f"{split}{i}/{style}")
            groups = {"concept": f"{split}{i}", "split": split, "style": style}
            samples.append(Sample(f"{split}{i}/{style}", inputs, groups=groups))
    return Dataset(name, samples, f"{name}-{split}", slices=("split", "style"))
