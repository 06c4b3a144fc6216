"""What a person wants to see of a model for one sample: the nearest names, the class with its probability."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from assay.types import Aligned, Classifies, Embeds, FloatArray, Model, Sample, Scores


@dataclass(frozen=True, slots=True)
class Guess:
    """A label and how much speaks for it: a probability for a class, a cosine for a name."""

    label: str
    score: float


@dataclass(frozen=True, slots=True)
class Answer:
    """A model's answer. ``names`` are the nearest of a vocabulary, ``classes`` the choices, best first.

    ``given`` are the modalities that the model used, ``ignored`` those that it cannot take.
    """

    model: str
    given: tuple[str, ...]
    ignored: tuple[str, ...] = ()
    names: tuple[Guess, ...] = ()
    classes: tuple[Guess, ...] = ()

    @property
    def sentence(self) -> str:
        """The answer in one line."""
        parts = []
        if self.names:
            parts.append(self.names[0].label)
        if self.classes:
            parts.append(f"{self.classes[0].label} ({self.classes[0].score:.0%})")
        return ", ".join(parts)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "sentence": self.sentence}


def answer(
    model: Model, sample: Sample, *, choices: Sequence[str] = (), names: Sequence[str] = (), k: int = 5
) -> Answer:
    """What ``model`` says of ``sample``: the ``k`` best of each kind of answer that it can give.

    ``choices`` are weighed by `score` (without them, the model's own classes); ``names`` are a vocabulary whose nearest
    entries are looked up in the model's shared space, where it has one.
    Raises `ValueError` when the sample holds nothing that the model takes, or the model can do neither.
    """
    seen = {m: v for m, v in sample.inputs.items() if m in model.modalities}
    if not seen:
        takes = ", ".join(sorted(model.modalities))
        raise ValueError(f"{model.name} takes {takes}; the sample holds {', '.join(sample.inputs) or 'nothing'}.")
    ignored = tuple(m for m in sample.modalities if m not in seen)
    sample = Sample(sample.id, seen)
    if not choices and isinstance(model, Classifies):
        choices = model.classes
    classes: tuple[Guess, ...] = ()
    if choices and isinstance(model, Scores):
        classes = best(choices, np.exp(model.score([sample], list(choices))[0]), k)
    nearest: tuple[Guess, ...] = ()
    if len(names) and isinstance(model, Aligned) and model.aligned_space:
        nearest = best(names, embed_texts(model, names) @ model.embed([sample])[0], k)
    if not classes and not nearest:
        raise ValueError(f"{model.name} has nothing to answer with here: give it choices, as in --choices cat,dog.")
    return Answer(model.name, sample.modalities, ignored, nearest, classes)


def best(labels: Sequence[str], scores: FloatArray, k: int) -> tuple[Guess, ...]:
    """The ``k`` highest, best first; equal ones keep their order."""
    order = np.argsort(-scores, kind="stable")[:k]
    return tuple(Guess(labels[i], float(scores[i])) for i in order)


def embed_texts(model: Embeds, texts: Sequence[str], batch: int = 256) -> FloatArray:
    """Unit vectors ``float32[len(texts), d]`` of plain texts."""
    samples = [Sample(f"text-{i}", {"text": text}) for i, text in enumerate(texts)]
    parts = [model.embed(samples[i : i + batch], "text") for i in range(0, len(samples), batch)]
    return np.concatenate(parts)
