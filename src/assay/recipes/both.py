"""The recipe of one vision-language model that answers questions about shapes and names, describes and sorts emoji."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from assay.data.requests import DESCRIBE, NAME, SORT
from assay.models.processor import Processor
from assay.models.vlm import VisionLanguage, VlmSettings
from assay.recipes.described import BEAMS, VOCABULARY, DescribedSource, emoji_bpe, held_answers, read_described
from assay.recipes.questions import VALIDATION, QuestionSource, question_texts, read_questions
from assay.recipes.vlm import ASK, CHECKED, WrittenSource, held_questions
from assay.recipes.written import Written, exact_share, joined, start_reader, writing_loss
from assay.training.optim import OptimSettings
from assay.training.recipe import Recipe, Source


class BothSources:
    """Each batch is one of the first source's and one of the second's."""

    def __init__(self, first: Source, second: Source) -> None:
        self.sources = (first, second)

    def draw(self) -> Written:
        """The next batch."""
        first, second = (source.draw() for source in self.sources)
        assert isinstance(first, Written) and isinstance(second, Written), "both sources give what is to be written"
        return joined(first, second)

    def state(self) -> dict[str, Any]:
        """Both sources'."""
        return {"sources": [source.state() for source in self.sources]}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a kept state."""
        for source, kept in zip(self.sources, state["sources"], strict=True):
            source.restore(kept)


def emoji_and_questions(
    *,
    seed: int = 0,
    steps: int = 600,
    concepts: int = 56,
    pictures: int = 16,
    lr: float = 3e-3,
    matrix_lr: float = 0.03,
    encoder: str = "assay:aligned",
    frozen: bool = True,
) -> Recipe:
    """One reader of pictures, one projector, one small language model: questions about shapes; names, sentences and
    categories of emoji in English and Chinese.

    Source: LLaVA (Liu et al. 2023): a frozen picture tower, a projector, a language model that reads the picture as a prefix.

    Reached (seed 0, measured once): emoji:test (known concepts in a style never seen, 1,481) named to the letter .079
    [.066, .094], token F1 .239 [.223, .255]; without the picture .000 [.000, .003] and .065. On training pictures of
    easy-VQA that were kept apart (600 questions) .840, without the picture .667. It had not finished learning: the
    captioner, with six times as many answers, names .540, and `vlm:easy-vqa` with a picture net of its own answers .988.
    Time: 1,155 seconds on one thread of a very busy machine (about 300 CPU-seconds).
    Command: ``assay train vlm:emoji+easy-vqa``.
    """
    settings: dict[str, str | int | float] = {
        "recipe": "vlm:emoji+easy-vqa",
        "seed": seed,
        "steps": steps,
        "concepts": concepts,
        "pictures": pictures,
        "lr": lr,
        "matrix_lr": matrix_lr,
        "frozen": frozen,
    }
    bpe = emoji_bpe(VOCABULARY, question_texts())
    processor = Processor(longest_text=32, bpe=bpe)
    questions, held = read_questions(processor), read_questions(processor, VALIDATION)
    described = read_described(processor)
    torch.manual_seed(seed)
    net = VisionLanguage(
        VlmSettings(
            bpe.size,
            (ASK, DESCRIBE, NAME, SORT),
            size_px=processor.size_px,
            dim=160,
            layers=2,
            length=112,
            beams=BEAMS,
            frozen=frozen,
        )
    )
    settings["encoder"] = start_reader(net, encoder)
    checked = {
        "sort_exact": held_answers(read_described(processor, "validation"), bpe, SORT),
        "questions_exact": held_questions(held, bpe, CHECKED),
        "questions_exact_blind": held_questions(held, bpe, CHECKED, blind=True),
    }
    return Recipe(
        name="vlm:emoji+easy-vqa",
        settings=settings,
        net=net,
        processor=processor,
        source=BothSources(
            DescribedSource(described, bpe, concepts, seed),
            WrittenSource(QuestionSource(questions, pictures, seed), bpe),
        ),
        losses=lambda net, drawn: {"words": writing_loss(net, drawn)},
        optim=OptimSettings(lr=lr, steps=steps, matrix_lr=matrix_lr),
        seed=seed,
        validate=lambda net: {name: exact_share(net, some) for name, some in checked.items()},
        validate_every=max(steps // 5, 1),
    )
