"""Search through a data set's pictures, texts or sounds by a text, a picture or a sound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assay.evaluation.answers import answering
from assay.types import Aligned, FloatArray, MediaError, Model, Sample


@dataclass(frozen=True, slots=True)
class Hit:
    """A sample found, and the cosine between it and what was asked."""

    sample: Sample
    similarity: float


@dataclass(frozen=True, slots=True)
class Found:
    """The hits, best first, and the samples whose media could not be read, by id with the reason."""

    hits: tuple[Hit, ...]
    broken: tuple[tuple[str, str], ...] = ()


@answering()
def search(model: Model, samples: Sequence[Sample], query: Sample, *, among: str = "image", k: int = 10) -> Found:
    """The ``k`` samples whose ``among`` modality lies nearest to ``query`` in the model's shared space.

    Raises `ValueError` when the model has no shared space, does not take ``among`` or anything of the query, or when no
    sample holds ``among``.
    """
    if not (isinstance(model, Aligned) and model.aligned_space):
        raise ValueError(f"{model.name} has no space that its modalities share; search with assay:aligned.")
    for modality in (among, *query.inputs):
        if modality not in model.modalities:
            raise ValueError(f"{model.name} takes {', '.join(sorted(model.modalities))}, not {modality}.")
    held = [s for s in samples if among in s.inputs]
    if not held:
        raise ValueError(f"no sample of the data holds {among}.")
    asked = model.embed([query])[0]
    vectors, broken = embed_readable(model, held, among)
    lost = {name for name, _ in broken}
    readable = [s for s in held if s.id not in lost]
    if not readable:
        raise ValueError(f"none of the {len(held)} samples could be read; the first: {broken[0][0]}: {broken[0][1]}")
    similarity = vectors @ asked
    order = np.argsort(-similarity, kind="stable")[:k]
    return Found(tuple(Hit(readable[i], float(similarity[i])) for i in order), tuple(broken))


def embed_readable(
    model: Aligned, samples: Sequence[Sample], modality: str, batch: int = 256
) -> tuple[FloatArray, list[tuple[str, str]]]:
    """Vectors ``float32[n, d]`` of the samples that can be read, and the others' ids with the reason."""
    parts: list[FloatArray] = []
    broken: list[tuple[str, str]] = []
    for start in range(0, len(samples), batch):
        some = samples[start : start + batch]
        try:
            parts.append(model.embed(some, modality))
        except MediaError:
            # One broken picture fails its whole batch: ask again one by one, and remember which it was.
            for sample in some:
                try:
                    parts.append(model.embed([sample], modality))
                except MediaError as error:
                    broken.append((sample.id, str(error)))
    return (np.concatenate(parts) if parts else np.zeros((0, 0), np.float32)), broken
