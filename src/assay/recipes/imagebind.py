"""Recipes of ImageBind: every modality meets pictures only."""

from __future__ import annotations

from assay.recipes.contrast import imagebind_loss, made
from assay.training.recipe import Recipe


def emoji(
    *,
    seed: int = 0,
    steps: int = 160,
    concepts: int = 128,
    lr: float = 4e-3,
    matrix_lr: float = 0.05,
) -> Recipe:
    """A sound tower from nothing learns where pictures of the same concept lie; picture and text towers are locked. Sound and text
    never meet; that they find each other afterwards is emergent.

    Source: ImageBind (Girdhar et al. 2023).
    """
    settings = {
        "recipe": "imagebind:emoji",
        "seed": seed,
        "steps": steps,
        "concepts": concepts,
        "lr": lr,
        "matrix_lr": matrix_lr,
    }
    return made(settings, imagebind_loss, modalities=("text", "image", "audio"), locked=("text", "image"))
