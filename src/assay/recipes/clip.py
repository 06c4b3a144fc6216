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

    Reached (seed 0, measured once, pictures finding names, 1,702 concepts, hit@1 / hit@10): .038 [.029, .049] / .212
    [.191, .234]; on test-concepts (221 names) .054 [.034, .086] / .271 [.221, .328]. `aligned:emoji` shows what ten
    times the time reaches.
    Time: 280 seconds on one thread of a busy machine. Command: ``assay train clip:emoji``.
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
