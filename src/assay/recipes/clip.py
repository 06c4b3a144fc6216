"""Recipes of CLIP: pictures and texts, InfoNCE over the batch."""

from __future__ import annotations

from assay.recipes.contrast import clip_loss, made
from assay.training.recipe import Recipe


def emoji(
    *,
    seed: int = 0,
    steps: int = 300,
    concepts: int = 128,
    lr: float = 4e-3,
    matrix_lr: float = 0.05,
    chunk: int = 0,
) -> Recipe:
    """Two towers from nothing: a picture and a text of the same concept should find each other among the batch.

    Source: CLIP (Radford et al. 2021). ``chunk``: read so many samples at a time, with the memory of these (GradCache).
    """
    settings = {
        "recipe": "clip:emoji",
        "seed": seed,
        "steps": steps,
        "concepts": concepts,
        "lr": lr,
        "matrix_lr": matrix_lr,
        "chunk": chunk,
    }
    return made(settings, lambda net, drawn: clip_loss(net, drawn, chunk))
