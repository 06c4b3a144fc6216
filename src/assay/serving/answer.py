"""What a person wants to see of a model for one sample: what it writes, the nearest names, the class with its probability."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from assay.data.requests import DESCRIBE, ENGLISH, request
from assay.evaluation.answers import answering
from assay.types import (
    Aligned,
    Classifies,
    Embeds,
    Failure,
    FloatArray,
    Generates,
    Model,
    Reasons,
    Sample,
    Scores,
    Skilled,
)

KEPT = 20


@dataclass(frozen=True, slots=True)
class Guess:
    """A label and how much speaks for it: a probability for a class, a cosine for a name."""

    label: str
    score: float


@dataclass(frozen=True, slots=True)
class Answer:
    """A model's answer.

    ``text`` is what it wrote, ``evidence`` what it says that this rests on; ``names`` are the nearest of a vocabulary, ``classes`` the
    choices, best first.

    ``given`` are the modalities that the model used, ``ignored`` those that it cannot take.
    """

    model: str
    given: tuple[str, ...]
    ignored: tuple[str, ...] = ()
    names: tuple[Guess, ...] = ()
    classes: tuple[Guess, ...] = ()
    text: str = ""
    evidence: str = ""

    @property
    def sentence(self) -> str:
        """The answer in one line."""
        if self.text:
            return self.text
        parts = []
        if self.names:
            parts.append(self.names[0].label)
        if self.classes:
            parts.append(f"{self.classes[0].label} ({self.classes[0].score:.0%})")
        return ", ".join(parts)

    def shortened(self, k: int) -> Answer:
        """The same with the ``k`` best of its guesses."""
        return replace(self, names=self.names[:k], classes=self.classes[:k])

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "sentence": self.sentence}


@answering()
def answer(
    model: Model,
    sample: Sample,
    *,
    choices: Sequence[str] = (),
    names: Sequence[str] = (),
    k: int = KEPT,
    write: bool | None = None,
) -> Answer:
    """What ``model`` says of ``sample``: the ``k`` best of each kind of answer that it can give.

    ``write``: whether it shall answer in words to the sample's text (``None``: if it can, and knows what to write about).
    ``choices`` are weighed by `score` (without them, the model's own classes); ``names`` are a vocabulary whose nearest
    entries are looked up in the model's shared space, where it has one.
    Raises `ValueError` when the sample holds nothing that the model takes, a choice is given twice, or the model can do neither.
    """
    seen = {m: v for m, v in sample.inputs.items() if m in model.modalities}
    if not seen:
        takes = ", ".join(sorted(model.modalities))
        raise ValueError(f"{model.name} takes {takes}; the sample holds {', '.join(sample.inputs) or 'nothing'}.")
    ignored = tuple(m for m in sample.modalities if m not in seen)
    sample = Sample(sample.id, seen)
    text = words(model, sample, write)
    twice = next((choice for i, choice in enumerate(choices) if choice in choices[:i]), None)
    if twice is not None:
        raise ValueError(f"the choice {twice!r} is given twice.")
    if not choices and isinstance(model, Classifies):
        choices = model.classes
    classes: tuple[Guess, ...] = ()
    if choices and isinstance(model, Scores):
        weighed = model.score([sample], list(choices))[0]
        if isinstance(weighed, Failure):
            raise ValueError(f"{model.name} weighs no choices here ({weighed.kind}): {weighed.message}")
        classes = best(choices, np.exp(weighed), k)
    nearest: tuple[Guess, ...] = ()
    if len(names) and isinstance(model, Aligned) and model.aligned_space:
        nearest = best(names, embed_texts(model, names) @ model.embed([sample])[0], k)
    if not text and not classes and not nearest:
        raise ValueError(f"{model.name} has nothing to answer with here: give it choices, as in --choices cat,dog.")
    evidence = model.evidence([sample])[0] if text and isinstance(model, Reasons) else ""
    return Answer(model.name, sample.modalities, ignored, nearest, classes, text, evidence)


def words(model: Model, sample: Sample, write: bool | None) -> str:
    """What the model writes to the sample; nothing where it need not or, unless it must, cannot."""
    if not isinstance(model, Generates):
        if write:
            raise ValueError(f"{model.name} does not write: it gives {' and '.join(offers(model)) or 'nothing'}.")
        return ""
    if "text" not in sample.inputs and isinstance(model, Skilled) and DESCRIBE not in model.skills:
        raise ValueError(f"{model.name} answers questions: ask one, as in --ask 'what colour is the shape?'.")
    if write is False:
        return ""
    written = model.generate([sample])[0]
    if isinstance(written, Failure):
        raise ValueError(f"{model.name} gave no answer ({written.kind}): {written.message}")
    return written if isinstance(written, str) else ""


def asked(model: Model, ask: str | None, describe: bool | str) -> str | None:
    """The text of a request: a question as it is, or the usual words for a description (in a language); ``None`` without either.

    `ValueError` when both are asked for, or what the model was not trained for, or a language without words.
    """
    if ask is None and not describe:
        return None
    if ask is not None and describe:
        raise ValueError("ask a question or ask for a description, not both at once.")
    if ask is not None and not ask.strip():
        raise ValueError("the question is empty.")
    wanted = "ask" if ask is not None else DESCRIBE
    if isinstance(model, Skilled) and wanted not in model.skills:
        able = " or ".join(f"--{skill}" for skill in model.skills if skill in ("ask", DESCRIBE))
        raise ValueError(
            f"{model.name} was not trained to {'answer questions' if ask is not None else DESCRIBE}: use {able}."
        )
    return ask if ask is not None else request(DESCRIBE, ENGLISH if describe is True else str(describe))


def offers(model: Model) -> list[str]:
    """What a model gives that does not write."""
    aligned = isinstance(model, Aligned) and model.aligned_space
    return ["nearest names"] * aligned + ["choices"] * isinstance(model, Scores)


def best(labels: Sequence[str], scores: FloatArray, k: int) -> tuple[Guess, ...]:
    """The ``k`` highest, best first; equal ones keep their order."""
    order = np.argsort(-scores, kind="stable")[:k]
    return tuple(Guess(labels[i], float(scores[i])) for i in order)


def embed_texts(model: Embeds, texts: Sequence[str], batch: int = 256) -> FloatArray:
    """Unit vectors ``float32[len(texts), d]`` of plain texts."""
    samples = [Sample(f"text-{i}", {"text": text}) for i, text in enumerate(texts)]
    parts = [model.embed(samples[i : i + batch], "text") for i in range(0, len(samples), batch)]
    return np.concatenate(parts)
