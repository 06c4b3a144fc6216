"""Recipes of captioners: `assay.models.vlm.VisionLanguage` whose decoder attends to the picture in every block."""

from __future__ import annotations

from assay.recipes.described import emoji_writer
from assay.training.recipe import Recipe


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
    """Names, sentences and categories of emoji in English and Chinese, written by a decoder that attends to the picture."""
    settings = {
        "recipe": "captioner:emoji",
        "seed": seed,
        "steps": steps,
        "concepts": concepts,
        "lr": lr,
        "matrix_lr": matrix_lr,
        "layers": layers,
        "encoder": encoder,
        "frozen": frozen,
    }
    return emoji_writer(settings, attach="cross")
