"""Pictures of emoji with what can be asked of each and what is to be answered: names, sentences, categories, in English
and Chinese. Everything stays in memory; requests come in several wordings (`assay.data.requests`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from assay.data.batch import Sampler
from assay.data.bundled import emoji, load
from assay.data.bundled.sentences import CATEGORIES_ZH
from assay.data.requests import CHINESE, DESCRIBE, ENGLISH, NAME, SORT, WORDINGS
from assay.models.bpe import Bpe, train_bpe
from assay.models.processor import Processor
from assay.models.vlm import VisionLanguage, VlmSettings
from assay.recipes.corpus import Table, picture_table
from assay.recipes.readers import SCRATCH, SHIPPED
from assay.recipes.written import Written, exact_share, start_reader, writing_loss, written
from assay.training.augment import STRONGER, change_pictures
from assay.training.optim import OptimSettings
from assay.training.recipe import Recipe
from assay.types import Sample

SHARES: Mapping[tuple[str, str], float] = {
    (DESCRIBE, ENGLISH): 0.25,
    (NAME, ENGLISH): 0.25,
    (DESCRIBE, CHINESE): 0.2,
    (NAME, CHINESE): 0.2,
    (SORT, ENGLISH): 0.06,
    (SORT, CHINESE): 0.04,
}
"""How often each request is put in training."""


VOCABULARY = 4096
CHINESE_WEIGHT = 4  # times that Chinese names count for the tokeniser: else half of them hold characters cut into bytes
BEAMS = 4


@dataclass(frozen=True)
class Described:
    """Concepts with their pictures by style; ``answers[kind][i]`` is what concept i answers to a kind of request."""

    concepts: tuple[str, ...]
    pictures: Table
    answers: Mapping[tuple[str, str], tuple[str, ...]]


def read_described(processor: Processor, split: str = "train") -> Described:
    """The concepts of an emoji split, in order of first appearance."""
    data = load("emoji", split)
    first: dict[str, Sample] = {}
    for sample in data.samples:
        first.setdefault(sample.groups["concept"], sample)
    number = {concept: i for i, concept in enumerate(first)}
    return Described(tuple(first), picture_table(data, number, processor), answers_of(first))


def answers_of(first: Mapping[str, Sample]) -> dict[tuple[str, str], tuple[str, ...]]:
    """What each concept (with one sample of it) answers to every kind of request."""
    category = {concept: str(sample.target) for concept, sample in first.items()}
    told: dict[tuple[str, str], Mapping[str, str]] = {
        (SORT, ENGLISH): category,
        (SORT, CHINESE): {concept: CATEGORIES_ZH[name] for concept, name in category.items()},
    }
    for language in (ENGLISH, CHINESE):
        told[DESCRIBE, language] = emoji.descriptions(language)
        told[NAME, language] = emoji.names(language)
    return {kind: tuple(texts[concept] for concept in first) for kind, texts in told.items()}


def emoji_bpe(vocabulary: int, questions: Sequence[str] = ()) -> Bpe:
    """The tokeniser of all that training asks and answers, and of the ``questions`` that are asked besides."""
    first = {sample.groups["concept"]: sample for sample in load("emoji", "train").samples}
    answers = answers_of(first)
    wordings = [text for skill in WORDINGS.values() for texts in skill.values() for text in texts]
    told = [text for texts in answers.values() for text in texts] + list(answers[NAME, CHINESE]) * (CHINESE_WEIGHT - 1)
    return train_bpe([*told, *wordings * 100, *questions], vocabulary)


class DescribedSource:
    """Concepts at random, each once per epoch: a changed picture in a random style, several requests, the answers.

    A share ``hidden`` of the answers is given without the picture, so that the net also knows how little it knows then.
    """

    def __init__(
        self, described: Described, bpe: Bpe, concepts: int, seed: int, *, asked: int = 2, hidden: float = 0.05
    ) -> None:
        self.described, self.bpe, self.asked, self.hidden = described, bpe, asked, hidden
        self.generator = torch.Generator().manual_seed(seed)
        self.sampler = Sampler(len(described.concepts), min(concepts, len(described.concepts)), self.generator)

    def draw(self) -> Written:
        """The next batch."""
        described, generator = self.described, self.generator
        chosen = self.sampler.draw()
        rows = described.pictures.draw(chosen, generator)
        pictures = change_pictures(described.pictures.values[rows].float() / 255, generator, STRONGER)
        n = len(chosen) * self.asked
        shares = torch.tensor(list(SHARES.values()))
        kinds = torch.multinomial(shares, n, replacement=True, generator=generator).tolist()
        owner = torch.arange(len(chosen)).repeat_interleave(self.asked)
        blind = torch.rand(n, generator=generator) < self.hidden
        wording = torch.rand(n, generator=generator).tolist()
        texts = []
        for kind, place, at in zip(kinds, chosen[owner].tolist(), wording, strict=True):
            skill, language = list(SHARES)[kind]
            wordings = WORDINGS[skill][language]
            texts.append((wordings[int(at * len(wordings))], described.answers[skill, language][place]))
        ids = [described.concepts[i] for i in chosen.tolist()]
        return written(ids, pictures, torch.where(blind, -1, owner), texts, self.bpe)

    def state(self) -> dict[str, Any]:
        """The generator and what the sampler has not yet given."""
        return {"generator": self.generator.get_state(), **self.sampler.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a kept state."""
        self.generator.set_state(state["generator"])
        self.sampler.restore(state)


def held_answers(held: Described, bpe: Bpe, skill: str, language: str = ENGLISH) -> Written:
    """Every held concept in every style with one request: what validation asks."""
    counts = held.pictures.counts
    owner = torch.arange(len(held.concepts)).repeat_interleave(counts)
    rows = held.pictures.rows[torch.arange(held.pictures.rows.shape[1])[None, :] < counts[:, None]]
    texts = [(WORDINGS[skill][language][0], held.answers[skill, language][i]) for i in owner.tolist()]
    return written(
        [held.concepts[i] for i in owner.tolist()],
        held.pictures.values[rows].float() / 255,
        torch.arange(len(owner)),
        texts,
        bpe,
    )


def emoji_writer(settings: Mapping[str, Any], *, attach: str) -> Recipe:
    """The recipe of a net that names, describes and sorts emoji, with the options of `assay.recipes.captioner.emoji`."""
    s = settings
    if s["frozen"] and s["encoder"] == SCRATCH:
        raise ValueError(f"a reader from {SCRATCH} must learn: use frozen=false, or encoder={SHIPPED}")
    bpe = emoji_bpe(VOCABULARY)
    processor = Processor(longest_text=32, bpe=bpe)
    train, held = read_described(processor), read_described(processor, "validation")
    torch.manual_seed(s["seed"])
    net = VisionLanguage(
        VlmSettings(
            bpe.size,
            (DESCRIBE, NAME, SORT),
            attach=attach,
            size_px=processor.size_px,
            dim=160,
            layers=s["layers"],
            length=112,
            beams=BEAMS,
            frozen=s["frozen"],
        )
    )
    begun = start_reader(net, s["encoder"])
    sorted_out = held_answers(held, bpe, SORT)
    return Recipe(
        name=s["recipe"],
        settings={**s, "encoder": begun},
        net=net,
        processor=processor,
        source=DescribedSource(train, bpe, s["concepts"], s["seed"]),
        losses=lambda net, drawn: {"words": writing_loss(net, drawn)},
        optim=OptimSettings(lr=s["lr"], steps=s["steps"], matrix_lr=s["matrix_lr"]),
        seed=s["seed"],
        validate=lambda net: {"sort_exact": exact_share(net, sorted_out)},
        validate_every=max(s["steps"] // 10, 1),
    )
