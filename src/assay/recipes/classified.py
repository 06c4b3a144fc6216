"""What the recipes of `joint` and `fused` share: their settings, and batches of emoji with any subset of modalities.

A concept of a batch may come in two views: another style, other words, another voice, other modalities hidden. Both
have one category, and their fused vectors should be nearest to each other (supervised contrast: Khosla et al. 2020).
So a net learns what makes each thing that thing, and not only what nine categories need: pictures in a style that it
never saw are told better.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from assay.data.batch import Batch, Part, Sampler, drop_modalities
from assay.losses.contrastive import supervised_contrast
from assay.models.encoders.text import WORDS
from assay.models.processor import Processor
from assay.recipes.corpus import Corpus, Table, read_corpus
from assay.recipes.readers import start_pictures
from assay.training.augment import STRONGER, PictureChanges, change_pictures, change_sounds, hide_words
from assay.training.optim import OptimSettings
from assay.training.recipe import Losses, Recipe

CAPTION_SHARES = {"keywords": 0.7, "names": 0.2, "foreign": 0.1}
VIEWS_WEIGHT, VIEWS_SCALE = 0.5, 10.0


@dataclass(frozen=True)
class Training:
    """The hyper-parameters that the classifiers share."""

    seed: int
    steps: int
    batch_size: int
    lr: float
    matrix_lr: float
    encoder: str
    precision: str


@dataclass(frozen=True)
class Showing:
    """How a concept is shown: in how many ``views``; ``hidden`` of its modalities, ``words`` of its text's words and
    ``parts`` of their letters hidden; its pictures changed as usual or ``stronger``.

    So many modalities are hidden that each is often alone, since all must be able to answer.
    """

    hidden: float = 0.45
    words: float = 0.1
    parts: float = 0.15
    views: int = 1
    stronger: bool = False


@dataclass(frozen=True)
class Labelled:
    """A training batch with the category of each sample and, where it has several views, the number of its concept."""

    batch: Batch
    labels: Tensor
    concepts: Tensor | None = None

    @property
    def ids(self) -> tuple[str, ...]:
        """The samples' concepts."""
        return self.batch.ids


class LabelledSource:
    """Concepts at random, each once per epoch: in every view a random style, caption and sound; some hidden."""

    def __init__(self, corpus: Corpus, size: int, seed: int, showing: Showing = Showing()) -> None:
        if size < showing.views:
            raise ValueError(f"batch_size must be at least {showing.views}, one for each view of a concept; got {size}")
        self.corpus, self.showing = corpus, showing
        self.changes = STRONGER if showing.stronger else PictureChanges()
        self.generator = torch.Generator().manual_seed(seed)
        self.sampler = Sampler(len(corpus.concepts), size // showing.views, self.generator)

    def draw(self) -> Labelled:
        """The next batch. Modalities are hidden before anything is augmented, so that what is hidden costs nothing."""
        corpus, generator = self.corpus, self.generator
        chosen = self.sampler.draw().repeat(self.showing.views)
        rows = torch.arange(len(chosen))
        heard = torch.nonzero(corpus.sounds.counts[chosen] > 0)[:, 0]
        planned = {"image": Part(rows, chosen), "text": Part(rows, chosen), "audio": Part(heard, chosen[heard])}
        batch = Batch(tuple(corpus.concepts[i] for i in chosen.tolist()), planned)
        shown = drop_modalities(batch, self.showing.hidden, generator)
        parts = {name: Part(part.rows, self._values(name, part.values)) for name, part in shown.parts.items()}
        return Labelled(Batch(batch.ids, parts), corpus.categories[chosen], chosen)

    def _values(self, modality: str, concepts: Tensor) -> Tensor:
        corpus, generator = self.corpus, self.generator
        if modality == "image":
            pictures = corpus.pictures.values[corpus.pictures.draw(concepts, generator)].float() / 255
            return change_pictures(pictures, generator, self.changes)
        if modality == "audio":
            return change_sounds(corpus.sounds.values[corpus.sounds.draw(concepts, generator)].float(), generator)
        return hide_words(draw_captions(corpus, concepts, generator), generator, self.showing.words, self.showing.parts)

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


def views_alike(vectors: Tensor, drawn: Labelled) -> Tensor:
    """The loss by which the fused ``vectors [n, d]`` of one concept's views are each other's nearest."""
    assert drawn.concepts is not None, "views are told by their concept"
    return VIEWS_WEIGHT * supervised_contrast(F.normalize(vectors, dim=1), drawn.concepts, VIEWS_SCALE)


def classifier(
    name: str,
    build: Callable[[tuple[str, ...], Processor], tuple[nn.Module, nn.Module]],
    losses: Losses,
    training: Training,
    shape: Mapping[str, str | int],
    showing: Showing = Showing(),
) -> Recipe:
    """The recipe of a net that ``build`` makes for the classes, beside its reader of pictures.

    ``shape`` are those of its options that decide its form.
    """
    optim = OptimSettings(lr=training.lr, steps=training.steps, matrix_lr=training.matrix_lr)
    processor = Processor()
    corpus = read_corpus(processor, training.seed)
    held = held_batches(read_corpus(processor, training.seed, "validation"))
    torch.manual_seed(training.seed)
    net, reader = build(corpus.classes, processor)
    begun = start_pictures(reader, training.encoder)
    return Recipe(
        name=name,
        settings={"recipe": name, **asdict(training), "encoder": begun, **asdict(showing), **shape},
        net=net,
        processor=processor,
        source=LabelledSource(corpus, training.batch_size, training.seed, showing),
        losses=losses,
        optim=optim,
        seed=training.seed,
        precision=training.precision,
        validate=lambda net: validate_classifier(net, held),
        validate_every=max(training.steps // 12, 1),
    )
