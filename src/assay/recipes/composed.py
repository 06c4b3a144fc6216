"""Recipes that train `assay.models.composed.Composed`: contrast, matching and writing, all three losses in every step."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from assay.data.requests import CHINESE, DESCRIBE, ENGLISH, NAME, SORT
from assay.losses.contrastive import info_nce
from assay.losses.matching import hard_negatives, match
from assay.models.bpe import Bpe
from assay.models.composed import Composed, ComposedSettings
from assay.models.meeting import Read
from assay.models.processor import Processor
from assay.recipes.described import (
    BEAMS,
    VOCABULARY,
    Described,
    DescribedSource,
    emoji_bpe,
    held_answers,
    read_described,
)
from assay.recipes.readers import SCRATCH
from assay.recipes.written import Written, exact_share, start_reader, writing_loss
from assay.training.optim import OptimSettings
from assay.training.recipe import Recipe

TOLD = ((NAME, ENGLISH), (NAME, CHINESE), (DESCRIBE, ENGLISH))
"""What a picture is aligned with: its name in either language, or the sentence about it."""


class Captions:
    """The texts in tokens ``int64[concepts, t]`` of each kind in `TOLD`, by the concept's name."""

    def __init__(self, described: Described, bpe: Bpe, longest: int) -> None:
        self.number = {concept: i for i, concept in enumerate(described.concepts)}
        self.tables = [bpe.batch(described.answers[kind], longest) for kind in TOLD]

    def of(self, ids: tuple[str, ...], kind: int) -> tuple[Tensor, Tensor]:
        """The concepts' numbers ``int64[b]`` and their texts of a kind."""
        numbers = torch.tensor([self.number[concept] for concept in ids])
        texts = self.tables[kind][numbers]
        return numbers, texts[:, : int((texts > 0).sum(1).max().clamp(min=1))]


def composed_losses(net: Composed, drawn: Written, captions: Captions) -> dict[str, Tensor]:
    """Contrast of pictures with a text of theirs, matching of both with hard negatives, writing with the fused hint.

    The kind of text and the negatives are drawn from torch's own generator, which a checkpoint keeps.
    """
    kind = int(torch.randint(len(TOLD), (1,)))
    numbers, texts = captions.of(drawn.ids, kind)
    seen, picture, cells = net.read("image", drawn.pictures)
    told, text, _ = net.read("text", texts)
    same = numbers[:, None] == numbers[None, :]
    requests, asked = drawn.requests.unique(dim=0, return_inverse=True)
    question = net.read("text", requests)[1]
    hints = net.hints(net.meet({"image": picture, "text": question}, {"image": drawn.picture_of, "text": asked}))
    mask = torch.ones(cells.shape[:2], dtype=torch.bool)
    return {
        "contrast": info_nce(seen, told, net.scale(), same),
        "matching": matching_loss(net, {"image": picture, "text": text}, net.scale() * seen @ told.T, same),
        "words": writing_loss(net.writer, drawn, tokens=net.writer.seen(cells, mask), beside=hints),
    }


def matching_loss(net: Composed, reads: Mapping[str, Read], similarity: Tensor, same: Tensor) -> Tensor:
    """Each right pair, each picture with a hard wrong text, each text with a hard wrong picture: do they belong together?"""
    own = torch.arange(len(similarity))
    texts, pictures = hard_negatives(similarity, torch.default_generator, same)
    rows = {"image": torch.cat([own, own, pictures]), "text": torch.cat([own, texts, own])}
    logits = net.match_logits(net.meet(reads, rows))
    return match(logits[: len(own)], logits[len(own) :])


def validate_composed(net: Composed, held: Described, captions: Captions, sorted_out: Written) -> dict[str, float]:
    """On concepts never seen: the share of pictures nearest to their own name, of pairs rightly told apart from the nearest wrong
    one, and of categories written to the letter."""
    rows = held.pictures.rows[:, 0]
    numbers, texts = captions.of(held.concepts, 0)
    seen, picture, _ = net.read("image", held.pictures.values[rows].float() / 255)
    told, text, _ = net.read("text", texts)
    similarity = seen @ told.T
    own = torch.arange(len(numbers))
    wrong = similarity.masked_fill(torch.eye(len(own), dtype=torch.bool), -1.0).argmax(1)
    both = {"image": torch.cat([own, own]), "text": torch.cat([own, wrong])}
    says = net.match_logits(net.meet({"image": picture, "text": text}, both)).argmax(1)
    return {
        "image_to_name_hit_1": float((similarity.argmax(1) == own).float().mean()),
        "match_accuracy": float((says == torch.cat([torch.ones_like(own), torch.zeros_like(own)])).float().mean()),
        "sort_exact": exact_share(net, sorted_out),
    }


def emoji(
    *,
    seed: int = 0,
    steps: int = 400,
    concepts: int = 80,
    lr: float = 3e-3,
    matrix_lr: float = 0.03,
    fusion: str = "low_rank",
    encoder: str = "assay:aligned",
) -> Recipe:
    """One net that aligns, fuses and writes, on the bundled emoji.

    Source: BLIP (Li et al. 2022) and CoCa (Yu et al. 2022) for the three losses, ALBEF (Li et al. 2021) for the negatives.

    Reached (seed 0, measured once, with ``steps=150``): test-concepts, 221 names never seen, hit@1 / hit@10 picture → name
    .072 [.047, .109] / .262 [.214, .317], name → picture .059 / .213; the category of validation concepts in words .733.
    Names need more steps (test: token F1 .126), and whether a picture and a text belong together was not learnt yet: .634
    nats against .636 for who always says no. From nothing (``encoder=scratch fusion=gated steps=600 concepts=96``, before
    the picture tower was shared): hit@1 .047, token F1 on test .144.
    Time: 108 seconds on one thread of a busy machine. Command: ``assay train composed:emoji steps=150``.
    """
    bpe = emoji_bpe(VOCABULARY)
    processor = Processor(longest_text=32, bpe=bpe)
    train, held = read_described(processor), read_described(processor, "validation")
    captions, held_captions = (Captions(one, bpe, processor.longest_text) for one in (train, held))
    torch.manual_seed(seed)
    sizes = ComposedSettings(
        bpe.size,
        (DESCRIBE, NAME, SORT),
        fusion=fusion,
        size_px=processor.size_px,
        dim=128,
        beams=BEAMS,
        frozen=encoder != SCRATCH,
    )
    net = Composed(sizes)
    begun = start_reader(net.writer, encoder)
    sorted_out = held_answers(held, bpe, SORT)
    return Recipe(
        name="composed:emoji",
        settings={
            "recipe": "composed:emoji",
            "seed": seed,
            "steps": steps,
            "concepts": concepts,
            "lr": lr,
            "matrix_lr": matrix_lr,
            "fusion": fusion,
            "encoder": begun,
        },
        net=net,
        processor=processor,
        source=DescribedSource(train, bpe, concepts, seed),
        losses=lambda net, drawn: composed_losses(net, drawn, captions),
        optim=OptimSettings(lr=lr, steps=steps, matrix_lr=matrix_lr),
        seed=seed,
        validate=lambda net: validate_composed(net, held, held_captions, sorted_out),
        validate_every=max(steps // 6, 1),
    )
