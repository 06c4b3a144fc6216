"""Recipes of vision-language models: `assay.models.vlm.VisionLanguage` whose decoder reads the picture as a prefix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from assay.models.bpe import Bpe, train_bpe
from assay.models.processor import Processor
from assay.models.vlm import VisionLanguage, VlmSettings
from assay.recipes.described import emoji_writer
from assay.recipes.questions import UNSEEN, VALIDATION, Asked, Questions, QuestionSource, question_texts, read_questions
from assay.recipes.written import Written, exact_share, writing_loss, written
from assay.training.optim import OptimSettings
from assay.training.recipe import Recipe

ASK = "ask"
VOCABULARY = 400
CHECKED = 600  # questions that a validation asks


class WrittenSource:
    """`QuestionSource`'s batches with questions and answers in tokens."""

    def __init__(self, source: QuestionSource, bpe: Bpe, *, evidence: bool = False) -> None:
        self.source, self.bpe, self.evidence = source, bpe, evidence

    def draw(self) -> Written:
        """The next batch."""
        return in_words(self.source.questions, self.source.draw(), self.bpe, evidence=self.evidence)

    def state(self) -> dict[str, Any]:
        """The source's."""
        return self.source.state()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a kept state."""
        self.source.restore(state)


def in_words(questions: Questions, asked: Asked, bpe: Bpe, *, evidence: bool = False) -> Written:
    """A batch of questions as one of requests and answers; a hidden question is no request at all.

    With ``evidence`` it is first told what is seen (`assay.recipes.questions.fact`).
    """
    facts = dict(zip(questions.names, questions.facts, strict=True))
    texts: list[tuple[str, ...]] = []
    for picture, text, answer in zip(
        asked.picture_of.tolist(), asked.text_of.tolist(), asked.answer_of.tolist(), strict=True
    ):
        request, seen = questions.texts[text] if text >= 0 else "", UNSEEN if picture < 0 else facts[asked.ids[picture]]
        texts.append((request, seen, questions.answers[answer]) if evidence else (request, questions.answers[answer]))
    return written(asked.ids, asked.pictures, asked.picture_of, texts, bpe)


def held_questions(held: Questions, bpe: Bpe, count: int, *, blind: bool = False) -> Written:
    """The first questions about pictures that were kept apart, with the pictures or without."""
    pictures = torch.full((count,), -1) if blind else held.picture_of[:count]
    shown = held.pictures.float() / 255
    texts = held.first[held.question_of[:count]]
    return in_words(held, Asked(held.names, shown, pictures, texts, held.answer_of[:count]), bpe)


def easy_vqa(
    *,
    seed: int = 0,
    steps: int = 1000,
    pictures: int = 32,
    lr: float = 3e-3,
    matrix_lr: float = 0.02,
    reader: str = "cnn",
    attach: str = "prefix",
    evidence: bool = False,
) -> Recipe:
    """Questions about one coloured shape, answered by writing."""
    bpe = train_bpe(question_texts(), VOCABULARY)
    processor = Processor(size_px=64, longest_text=32, bpe=bpe)
    train, held = read_questions(processor), read_questions(processor, VALIDATION)
    torch.manual_seed(seed)
    sizes = VlmSettings(
        bpe.size,
        (ASK,),
        attach=attach,
        reader=reader,
        size_px=64,
        image_widths=(16, 32, 64),
        pool=2,
        dim=96,
        layers=2,
        length=120,
        max_tokens=8,
        dropout=0.0,
        evidence=evidence,
    )
    checked = {
        "exact": held_questions(held, bpe, CHECKED),
        "exact_blind": held_questions(held, bpe, CHECKED, blind=True),
    }
    return Recipe(
        name="vlm:easy-vqa",
        settings={
            "recipe": "vlm:easy-vqa",
            "seed": seed,
            "steps": steps,
            "pictures": pictures,
            "lr": lr,
            "matrix_lr": matrix_lr,
            "reader": reader,
            "attach": attach,
            "evidence": evidence,
        },
        net=VisionLanguage(sizes),
        processor=processor,
        source=WrittenSource(QuestionSource(train, pictures, seed), bpe, evidence=evidence),
        losses=lambda net, drawn: {"words": writing_loss(net, drawn)},
        optim=OptimSettings(lr=lr, steps=steps, matrix_lr=matrix_lr),
        seed=seed,
        validate=lambda net: {name: exact_share(net, some) for name, some in checked.items()},
        validate_every=max(steps // 10, 1),
    )


def emoji(
    *,
    seed: int = 0,
    steps: int = 1000,
    concepts: int = 128,
    lr: float = 3e-3,
    matrix_lr: float = 0.02,
    layers: int = 2,
    encoder: str = "assay:aligned",
    frozen: bool = True,
) -> Recipe:
    """Names, sentences and categories of emoji in English and Chinese: a frozen picture tower, a projector, a small language model."""
    settings = {
        "recipe": "vlm:emoji",
        "seed": seed,
        "steps": steps,
        "concepts": concepts,
        "lr": lr,
        "matrix_lr": matrix_lr,
        "layers": layers,
        "encoder": encoder,
        "frozen": frozen,
    }
    return emoji_writer(settings, attach="prefix")
