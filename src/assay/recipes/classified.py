"""What the recipes of `joint` and `fused` share: batches of emoji with any subset of picture, keywords and sound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor, nn

from assay.data.batch import Batch, Part, Sampler, drop_modalities
from assay.models.encoders.text import WORDS
from assay.recipes.corpus import Corpus, Table
from assay.training.augment import change_pictures, change_sounds, hide_words

CAPTION_SHARES = {"keywords": 0.7, "names": 0.2, "foreign": 0.1}
HIDDEN_SHARE = 0.45  # so high that every modality is often alone: all three must be able to answer


@dataclass(frozen=True)
class Labelled:
    """A training batch with the category of each sample."""

    batch: Batch
    labels: Tensor

    @property
    def ids(self) -> tuple[str, ...]:
        """The samples' concepts."""
        return self.batch.ids


class LabelledSource:
    """Concepts at random, each once per epoch: a picture in a random style, a caption, a sound; some hidden."""

    def __init__(self, corpus: Corpus, size: int, seed: int) -> None:
        self.corpus = corpus
        self.generator = torch.Generator().manual_seed(seed)
        self.sampler = Sampler(len(corpus.concepts), size, self.generator)

    def draw(self) -> Labelled:
        """The next batch. Modalities are hidden before anything is augmented, so that what is hidden costs nothing."""
        corpus, generator = self.corpus, self.generator
        chosen = self.sampler.draw()
        rows = torch.arange(len(chosen))
        heard = torch.nonzero(corpus.sounds.counts[chosen] > 0)[:, 0]
        planned = {"image": Part(rows, chosen), "text": Part(rows, chosen), "audio": Part(heard, chosen[heard])}
        batch = Batch(tuple(corpus.concepts[i] for i in chosen.tolist()), planned)
        shown = drop_modalities(batch, HIDDEN_SHARE, generator)
        parts = {name: Part(part.rows, self._values(name, part.values)) for name, part in shown.parts.items()}
        return Labelled(Batch(batch.ids, parts), corpus.categories[chosen])

    def _values(self, modality: str, concepts: Tensor) -> Tensor:
        corpus, generator = self.corpus, self.generator
        if modality == "image":
            pictures = corpus.pictures.values[corpus.pictures.draw(concepts, generator)].float() / 255
            return change_pictures(pictures, generator)
        if modality == "audio":
            return change_sounds(corpus.sounds.values[corpus.sounds.draw(concepts, generator)].float(), generator)
        return hide_words(draw_captions(corpus, concepts, generator), generator)

    def state(self) -> dict[str, Any]:
        """The generator and what the sampler has not yet given."""
        return {"generator": self.generator.get_state(), **self.sampler.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a kept state."""
        self.generator.set_state(state["generator"])
        self.sampler.restore(state)


def draw_captions(corpus: Corpus, concepts: Tensor, generator: Generator) -> Tensor:
    """Text ids ``int64[n, words, parts]``: keywords, the name, or the name in another language, by `CAPTION_SHARES`."""
    tables: dict[str, Table] = {name: getattr(corpus, name) for name in CAPTION_SHARES}
    shares = torch.tensor(list(CAPTION_SHARES.values()))
    kinds = torch.multinomial(shares, len(concepts), replacement=True, generator=generator)
    ids = torch.zeros(len(concepts), WORDS, corpus.names.values.shape[2], dtype=torch.int64)
    for kind, table in enumerate(tables.values()):
        rows = torch.nonzero(kinds == kind)[:, 0]
        values = table.values[table.draw(concepts[rows], generator)].long()
        ids[rows, : values.shape[1]] = values
    longest = int((ids > 0).any(2).sum(1).max().clamp(min=1))
    return ids[:, :longest]


def held_batches(held: Corpus) -> dict[str, tuple[Batch, Tensor]]:
    """The validation concepts with each modality alone and with all together, and their categories."""
    n = len(held.concepts)
    rows = torch.arange(n)
    heard = torch.nonzero(held.sounds.counts > 0)[:, 0]
    pictures = held.pictures.values[held.pictures.rows[:, 0]].float() / 255
    keywords = held.keywords.values[held.keywords.rows[:, 0]].long()
    sounds = held.sounds.values[held.sounds.rows[heard, 0]].float()
    parts = {"image": Part(rows, pictures), "text": Part(rows, keywords), "audio": Part(heard, sounds)}
    alone = {name: Part(torch.arange(len(part.rows)), part.values) for name, part in parts.items()}
    batches = {
        name: (Batch(tuple(held.concepts[i] for i in parts[name].rows.tolist()), {name: part}), parts[name].rows)
        for name, part in alone.items()
    }
    batches["all"] = (Batch(held.concepts, parts), rows)
    return {name: (batch, held.categories[owners]) for name, (batch, owners) in batches.items()}


def validate_classifier(net: nn.Module, batches: Mapping[str, tuple[Batch, Tensor]]) -> dict[str, float]:
    """The accuracy with each modality alone (``image`` …) and with ``all``."""
    return {
        f"accuracy_{name}": float((net(batch).argmax(1) == labels).float().mean())
        for name, (batch, labels) in batches.items()
    }
