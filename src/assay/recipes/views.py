"""Pictures of emoji for recipes that learn without names: batches of concepts, each picture changed twice, or in two styles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from assay.data.batch import Sampler
from assay.data.bundled import load
from assay.models.aligned import Aligned
from assay.models.processor import Processor
from assay.recipes.corpus import Table, picture_table
from assay.training.augment import STRONGER, change_pictures
from assay.types import Sample


@dataclass(frozen=True)
class Pictures:
    """Concepts with their pictures by style, and the number of each concept's category."""

    concepts: tuple[str, ...]
    classes: tuple[str, ...]
    table: Table
    categories: Tensor


@dataclass(frozen=True)
class Views:
    """A training batch: two pictures of each of n concepts, ``float[n, 3, size, size]`` each, and the concepts' numbers."""

    ids: tuple[str, ...]
    one: Tensor
    other: Tensor
    chosen: Tensor


def read_pictures(processor: Processor, split: str = "train") -> Pictures:
    """The concepts of an emoji split, in order of first appearance."""
    data = load("emoji", split)
    first: dict[str, Sample] = {}
    for sample in data.samples:
        first.setdefault(sample.groups["concept"], sample)
    number = {concept: i for i, concept in enumerate(first)}
    categories = torch.tensor([data.choices.index(str(sample.target)) for sample in first.values()])
    return Pictures(tuple(first), data.choices, picture_table(data, number, processor), categories)


class ViewSource:
    """Concepts at random, each once per epoch: twice the same picture changed differently, or (``styles``) two drawn apart."""

    def __init__(self, pictures: Pictures, concepts: int, seed: int, *, styles: bool = False) -> None:
        self.pictures, self.styles = pictures, styles
        self.generator = torch.Generator().manual_seed(seed)
        self.sampler = Sampler(len(pictures.concepts), min(concepts, len(pictures.concepts)), self.generator)

    def draw(self) -> Views:
        """The next batch."""
        table, generator = self.pictures.table, self.generator
        chosen = torch.unique(self.sampler.draw())
        rows = table.draw(chosen, generator)
        # The concept's next style, where there is another one.
        place = (table.rows[chosen] == rows[:, None]).int().argmax(1)
        others = table.rows[chosen, (place + 1) % table.counts[chosen]] if self.styles else rows
        views = [change_pictures(table.values[own].float() / 255, generator, STRONGER) for own in (rows, others)]
        return Views(tuple(self.pictures.concepts[i] for i in chosen.tolist()), views[0], views[1], chosen)

    def state(self) -> dict[str, Any]:
        """The generator and what the sampler has not yet given."""
        return {"generator": self.generator.get_state(), **self.sampler.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a kept state."""
        self.generator.set_state(state["generator"])
        self.sampler.restore(state)


def across_styles(net: Aligned, held: Pictures) -> float:
    """The share of held concepts whose first picture lies nearest to their own second one among all second ones."""
    two = torch.nonzero(held.table.counts > 1)[:, 0]
    first, second = (net.vectors("image", held.table.values[held.table.rows[two, i]].float() / 255) for i in (0, 1))
    return float(((first @ second.T).argmax(1) == torch.arange(len(two))).float().mean())


def neighbours_category(net: Aligned, train: Pictures, held: Pictures) -> float:
    """The share of held concepts whose category is that of the training picture nearest to theirs."""
    vectors = [
        F.normalize(net.vectors("image", one.table.values[one.table.rows[:, 0]].float() / 255), dim=1)
        for one in (held, train)
    ]
    nearest = train.categories[(vectors[0] @ vectors[1].T).argmax(1)]
    return float((nearest == held.categories).float().mean())
