"""Recipes of captioners: `assay.models.vlm.VisionLanguage` whose decoder attends to the picture in every block."""

from __future__ import annotations

import torch

from assay.data.requests import DESCRIBE, NAME, SORT
from assay.models.processor import Processor
from assay.models.vlm import VisionLanguage, VlmSettings
from assay.recipes.described import DescribedSource, emoji_bpe, held_answers, read_described
from assay.recipes.written import SCRATCH, SHIPPED, exact_share, start_reader, writing_loss
from assay.training.optim import OptimSettings
from assay.training.recipe import Recipe

VOCABULARY = 3072


def emoji(
    *,
    seed: int = 0,
    steps: int = 600,
    concepts: int = 128,
    lr: float = 3e-3,
    matrix_lr: float = 0.02,
    layers: int = 2,
    encoder: str = "assay:aligned",
    frozen: bool = True,
) -> Recipe:
    """Names, sentences and categories of emoji in English and Chinese, written by a decoder that attends to the picture."""
    bpe = emoji_bpe(VOCABULARY)
    processor = Processor(longest_text=32, bpe=bpe)
    train, held = read_described(processor), read_described(processor, "validation")
    torch.manual_seed(seed)
    sizes = VlmSettings(
        bpe.size,
        (DESCRIBE, NAME, SORT),
        attach="cross",
        dim=160,
        layers=layers,
        size_px=processor.size_px,
        frozen=frozen,
    )
    if frozen and encoder == SCRATCH:
        raise ValueError(f"a reader from {SCRATCH} must learn: use frozen=false, or encoder={SHIPPED}")
    net = VisionLanguage(sizes)
    begun = start_reader(net, encoder)
    asked = {"sort": held_answers(held, bpe, SORT), "name": held_answers(held, bpe, NAME)}
    return Recipe(
        name="captioner:emoji",
        settings={
            "recipe": "captioner:emoji",
            "seed": seed,
            "steps": steps,
            "concepts": concepts,
            "lr": lr,
            "matrix_lr": matrix_lr,
            "layers": layers,
            "encoder": begun,
            "frozen": frozen,
        },
        net=net,
        processor=processor,
        source=DescribedSource(train, bpe, concepts, seed),
        losses=lambda net, drawn: {"words": writing_loss(net, drawn)},
        optim=OptimSettings(lr=lr, steps=steps, matrix_lr=matrix_lr),
        seed=seed,
        validate=lambda net: {f"{name}_exact": exact_share(net, some) for name, some in asked.items()},
        validate_every=max(steps // 10, 1),
    )
