"""Recipes of SigLIP: pictures and texts, every pair a yes/no question."""

from __future__ import annotations

import math

from assay.recipes.contrast import made, siglip_loss
from assay.training.recipe import Recipe


def emoji(
    *,
    seed: int = 0,
    steps: int = 160,
    concepts: int = 128,
    lr: float = 4e-3,
    matrix_lr: float = 0.05,
) -> Recipe:
    """Two towers from nothing with the sigmoid loss, scale 10 and bias -10 at the start, both learnt.

    Source: SigLIP (Zhai et al. 2023).
    """
    settings = {
        "recipe": "siglip:emoji",
        "seed": seed,
        "steps": steps,
        "concepts": concepts,
        "lr": lr,
        "matrix_lr": matrix_lr,
    }
    return made(settings, siglip_loss, scale=math.log(10))
