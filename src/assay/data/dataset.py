"""A data set: samples with lazy media, and what is known of them as a whole."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from assay.types import Sample

if TYPE_CHECKING:
    from assay.data.cards.card import Card

View = Callable[[Sample], Sample]


@dataclass(frozen=True)
class Dataset:
    """Samples in a fixed order, with the fingerprint of their bytes.

    ``choices`` are the classes of a classification task, in the order of a model's score columns.
    ``slices`` names the groups by which figures are broken down. ``views`` maps a task's name to what its
    samples show (``emoji`` shows names for retrieval and keywords for classification). ``asks`` is the task that the
    samples' texts put to a model that answers in words: ``vqa`` where they are questions. ``checked`` says that all media
    are known to be whole; others are opened before a model is asked about them. ``card`` is the benchmark that it is, if it is one;
    ``options`` are the texts of a sample's lettered options, by its id. ``together`` names a group whose samples count only as a
    whole (the rotations of one question): parts of the data are then counted in groups.
    """

    name: str
    samples: Sequence[Sample]
    fingerprint: str
    choices: tuple[str, ...] = ()
    slices: tuple[str, ...] = ()
    views: Mapping[str, View] = field(default_factory=dict)
    licence: str = ""
    description: str = ""
    source: str = ""
    asks: str = ""
    checked: bool = True
    card: Card | None = None
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    together: str = ""

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def modalities(self) -> tuple[str, ...]:
        """The modalities that at least one sample holds, in the order of `assay.types.MODALITIES`."""
        from assay.types import MODALITIES

        present = {m for s in self.samples for m in s.inputs}
        return tuple(m for m in MODALITIES if m in present)

    def for_task(self, task: str) -> Dataset:
        """The data set as a task sees it; unchanged where no view is declared for it."""
        view = self.views.get(task)
        return self if view is None else replace(self, samples=[view(s) for s in self.samples], views={})

    def first(self, n: int) -> Dataset:
        """The first ``n`` samples (groups, where they count ``together``), under a name and fingerprint of their own."""
        return self._part(dict.fromkeys(list(dict.fromkeys(map(self._whole, self.samples)))[:n]), f"[:{n}]")

    def chosen(self, n: int, seed: int = 0) -> Dataset:
        """``n`` samples (or groups) by chance, in the data's order. Which ones depends on ``seed`` and their ids alone: more samples
        hold the fewer, and data in another order, or with some added, give nearly the same."""
        names = dict.fromkeys(map(self._whole, self.samples))
        ranks = {name: hashlib.sha256(f"{seed}\0{name}".encode("utf-8", "surrogatepass")).digest() for name in names}
        return self._part(dict.fromkeys(sorted(ranks, key=ranks.__getitem__)[:n]), f"[~{n}@{seed}]")

    def every(self, k: int) -> Dataset:
        """The samples of every ``k``-th concept (every ``k``-th sample where there are no concepts), whole groups together."""
        numbers: dict[str, int] = {}
        group = self.together or "concept"
        kept = [s for s in self.samples if numbers.setdefault(s.groups.get(group, s.id), len(numbers)) % k == 0]
        return replace(self, name=f"{self.name}[::{k}]", samples=kept, fingerprint=f"{self.fingerprint}[::{k}]")

    def _whole(self, sample: Sample) -> str:
        """What a sample is taken or left with: itself, or its group."""
        return sample.groups.get(self.together, sample.id) if self.together else sample.id

    def _part(self, names: Container[str], cut: str) -> Dataset:
        kept = [sample for sample in self.samples if self._whole(sample) in names]
        return replace(self, name=f"{self.name}{cut}", samples=kept, fingerprint=f"{self.fingerprint}{cut}")

    @property
    def described(self) -> bool:
        """Whether the samples hold media of one modality, and texts that describe them stand as references alone."""
        return self.asks == "captioning" and len(self.modalities) == 1 and "text" not in self.modalities

    def captions_apart(self) -> Dataset:
        """Media and each of the texts that describe them as samples of their own, for retrieval: they share the group ``concept``.

        Every text is a candidate of its own (group ``candidate``), though another medium may have the same.
        """
        samples = []
        for sample in self.samples:
            groups = {**sample.groups, "concept": sample.groups.get("concept", sample.id)}
            samples.append(replace(sample, groups=groups, references=(), target=None))
            for number, text in enumerate(sample.references):
                name = f"{sample.id}#{number}"
                samples.append(Sample(name, {"text": text}, groups={**groups, "candidate": name}))
        return replace(self, samples=samples, choices=())
