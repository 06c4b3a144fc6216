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

    Reached (seed 0, measured once on test-concepts, 199 spoken names never heard, hit@1 / hit@10): sound → name, which
    never met, .099 [.068, .141] / .395 [.335, .459], name → sound .111 / .367; sound → picture .065 / .241. Chance is
    .005 / .05.
    Time: 128 seconds on one thread of a busy machine. Command: ``assay train imagebind:emoji``.
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
