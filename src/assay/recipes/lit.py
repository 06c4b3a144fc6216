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

    Reached (seed 0, measured once on test-concepts, 221 names never seen, hit@1 / hit@10): picture → name .098
    [.068, .139] / .341 [.289, .396], name → picture .104 / .253; `clip:emoji`, both towers from nothing in three times
    the time, .054 / .271.
    Time: 82 seconds on one thread of a busy machine. Command: ``assay train lit:emoji``.
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
