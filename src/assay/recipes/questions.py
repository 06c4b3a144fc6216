"""easy-VQA as tensors that stay in memory: pictures, the distinct questions, and who asks what of which.

A batch holds each picture once, however many questions are asked about it: the picture net's work is shared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor

from assay.data.batch import Sampler
from assay.data.bundled import load
from assay.data.bundled.easy_vqa import ANSWERS, NEGATIONS
from assay.data.dataset import Dataset
from assay.models.processor import Processor
from assay.recipes.wordings import wordings
from assay.types import Sample

INK = 0.08  # how much a shape differs from its ground
UNSEEN = "nothing is seen"
KNOWN = frozenset({*ANSWERS["colour"], *ANSWERS["shape"]})
OWN = 0.4  # how often a question is put as the data does
HELD_OUT = 10  # every tenth training picture is kept apart, to choose settings by
TRAIN, VALIDATION = "train", "validation"


@dataclass(frozen=True)
class Questions:
    """``pictures uint8[m, 3, size, size]`` with ``names`` and ``facts``, and for each of n samples its picture, question, answer.

    Question q can be put as any of ``texts[first[q]]`` and the ``count[q]`` - 1 after it; the first is the data's own.
    """

    names: tuple[str, ...]
    facts: tuple[str, ...]
    answers: tuple[str, ...]
    texts: tuple[str, ...]
    pictures: Tensor
    first: Tensor
    count: Tensor
    picture_of: Tensor
    question_of: Tensor
    answer_of: Tensor

    def asked_of(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """The samples about some pictures ``int64[b]``, and for each of them which of those pictures (0 … b - 1)."""
        place = torch.full((len(self.names),), -1)
        place[pictures] = torch.arange(len(pictures))
        samples = torch.nonzero(place[self.picture_of] >= 0)[:, 0]
        return samples, place[self.picture_of[samples]]


@dataclass(frozen=True)
class Asked:
    """A training batch: ``pictures float[b, 3, size, size]``; for each of n questions its picture (-1: hidden), its text
    (-1: hidden) and its answer, as numbers into `Questions`."""

    ids: tuple[str, ...]
    pictures: Tensor
    picture_of: Tensor
    text_of: Tensor
    answer_of: Tensor


def read_questions(processor: Processor, part: str = TRAIN) -> Questions:
    """The training pictures of easy-VQA, or those of them that are kept apart for validation."""
    data = load("easy-vqa", "train")
    first: dict[str, Sample] = {}
    for sample in data.samples:
        first.setdefault(sample.groups["image"], sample)
    held = {name for i, name in enumerate(first) if i % HELD_OUT == 0}
    chosen = [name for name in first if (name in held) == (part == VALIDATION)]
    return tensors(data, {name: first[name] for name in chosen}, processor)


def question_texts() -> tuple[str, ...]:
    """All wordings of the questions of training, sorted."""
    own = {str(sample.inputs["text"]) for sample in load("easy-vqa", "train").samples}
    return tuple(sorted({text for question in own for text in wordings(question)}))


def tensors(data: Dataset, first: Mapping[str, Sample], processor: Processor) -> Questions:
    """The samples of ``data`` about the pictures of ``first`` (one sample of each picture, by the picture's name)."""
    number = {name: i for i, name in enumerate(first)}
    samples = [sample for sample in data.samples if sample.groups["image"] in number]
    questions = {text: i for i, text in enumerate(sorted({str(sample.inputs["text"]) for sample in data.samples}))}
    told: dict[str, list[tuple[str, str]]] = {name: [] for name in first}
    for sample in samples:
        told[sample.groups["image"]].append((str(sample.inputs["text"]), str(sample.target)))
    put = [wordings(text) for text in questions]
    count = torch.tensor([len(several) for several in put])
    return Questions(
        names=tuple(first),
        facts=tuple(fact(told[name]) for name in first),
        answers=data.choices,
        texts=tuple(text for several in put for text in several),
        first=count.cumsum(0) - count,
        count=count,
        pictures=torch.stack([processor.picture(sample.inputs["image"]) for sample in first.values()]),
        picture_of=torch.tensor([number[sample.groups["image"]] for sample in samples]),
        question_of=torch.tensor([questions[str(sample.inputs["text"])] for sample in samples]),
        answer_of=torch.tensor([data.choices.index(str(sample.target)) for sample in samples]),
    )


def fact(told: Sequence[tuple[str, str]]) -> str:
    """What a picture shows, as far as its questions with their answers tell.

    >>> fact([("what color is the shape?", "red"), ("is there not a circle?", "no")]), fact([("is there a red shape?", "no")])
    ('a red circle', 'a shape')
    """
    found: dict[str, str] = {}
    for question, answer in told:
        words = set(question.rstrip("?").split())
        affirmed = (answer == "yes") != bool(words & NEGATIONS)
        for kind in ("colour", "shape"):
            named = [
                word for word in ANSWERS[kind] if word == answer or (word in words and (affirmed or answer in KNOWN))
            ]
            if named:
                found[kind] = named[0]
    return " ".join(["a", *([found["colour"]] if "colour" in found else []), found.get("shape", "shape")])


class QuestionSource:
    """Pictures at random, each once per epoch, changed a little, with all their questions; some pictures are hidden."""

    def __init__(self, questions: Questions, pictures: int, seed: int, *, hidden: float = 0.1) -> None:
        self.questions, self.hidden = questions, hidden
        self.generator = torch.Generator().manual_seed(seed)
        self.sampler = Sampler(len(questions.names), min(pictures, len(questions.names)), self.generator)

    def draw(self) -> Asked:
        """The next batch."""
        questions, generator = self.questions, self.generator
        # An epoch's end and the next one's beginning can hold the same picture: once is enough.
        chosen = torch.unique(self.sampler.draw())
        samples, picture_of = questions.asked_of(chosen)
        blind = torch.rand(len(samples), generator=generator) < self.hidden
        mute = (torch.rand(len(samples), generator=generator) < self.hidden / 5) & ~blind
        # One wording of each question in a batch: as many texts are read as without rewording.
        wording = self.worded(torch.rand(len(questions.count), generator=generator))
        return Asked(
            ids=tuple(questions.names[i] for i in chosen.tolist()),
            pictures=change_shapes(questions.pictures[chosen].float() / 255, generator),
            picture_of=torch.where(blind, -1, picture_of),
            text_of=torch.where(mute, -1, wording[questions.question_of[samples]]),
            answer_of=questions.answer_of[samples],
        )

    def worded(self, drawn: Tensor) -> Tensor:
        """For each question a number into ``texts``, from ``drawn [q]`` in [0, 1): below `OWN` the data's own wording."""
        other = ((drawn - OWN) / (1 - OWN)).clamp(min=0)
        return self.questions.first + (other * self.questions.count).long()

    def state(self) -> dict[str, Any]:
        """The generator and what the sampler has not yet given."""
        return {"generator": self.generator.get_state(), **self.sampler.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a kept state."""
        self.generator.set_state(state["generator"])
        self.sampler.restore(state)


def change_shapes(pictures: Tensor, generator: Generator) -> Tensor:
    """The shape elsewhere, mirrored either way, a little lighter or darker, a little noise: the same colour and shape."""
    n = len(pictures)
    pictures = moved(pictures, generator)
    for axis in (2, 3):
        turned = (torch.rand(n, generator=generator) < 0.5)[:, None, None, None]
        pictures = torch.where(turned, pictures.flip(axis), pictures)
    light = 1 + 0.1 * (torch.rand(n, 3, 1, 1, generator=generator) * 2 - 1)
    noise = 0.02 * torch.randn(pictures.shape, generator=generator)
    return (pictures * light + noise).clamp_(0, 1)


def moved(pictures: Tensor, generator: Generator) -> Tensor:
    """Each picture ``[3, h, w]`` turned round its edges by a random way along which its shape stays in one piece."""
    ground = pictures.flatten(2).median(2).values[:, :, None, None]
    ink = (pictures - ground).abs().amax(1) > INK
    for axis in (2, 3):
        there = ink.any(4 - axis)
        size = there.shape[1]
        first, after = there.float().argmax(1), size - there.flip(1).float().argmax(1)
        way = (torch.rand(len(pictures), generator=generator) * (first + size - after + 1)).long() - first
        # Where no ink is found (or all is ink) nothing moves.
        way = torch.where(there.any(1), way, 0)
        places = (torch.arange(size) - way[:, None]) % size
        shape = (-1, 1, size, 1) if axis == 2 else (-1, 1, 1, size)
        pictures = pictures.gather(axis, places.view(shape).expand_as(pictures))
    return pictures
