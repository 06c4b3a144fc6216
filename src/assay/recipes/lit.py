"""Recipes of LiT: a text tower learns to read what a locked picture tower sees."""

from __future__ import annotations

from assay.recipes.contrast import clip_loss, made
from assay.training.recipe import Recipe


def emoji(
    *,
    seed: int = 0,
    steps: int = 160,
    concepts: int = 128,
    lr: float = 4e-3,
    matrix_lr: float = 0.05,
) -> Recipe:
    """A text tower from nothing beside the locked picture tower of `assay:aligned`.

    Source: LiT (Zhai et al. 2022).
    """
    settings = {
        "recipe": "lit:emoji",
        "seed": seed,
        "steps": steps,
        "concepts": concepts,
        "lr": lr,
        "matrix_lr": matrix_lr,
    }
    return made(settings, clip_loss, locked=("image",))
