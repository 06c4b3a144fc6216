"""The plan of an evaluation: every question in its order, cut into batches that stay the same however often the run is interrupted.

A pass asks some samples in one way (a condition, a repeat, for embeddings a modality). A batch never spans two passes. A row's place in
the plan (``sequence``) counts through all passes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from assay.evaluation.how import Shard
from assay.table import Key
from assay.types import Condition, Sample


@dataclass(frozen=True)
class Pass:
    """Samples (by their index in the data set) asked under one condition. ``name`` is the condition in the rows' keys."""

    name: str
    condition: Condition
    samples: NDArray[np.intp] = field(repr=False)
    repeat: int = 0
    modality: str | None = None

    def __len__(self) -> int:
        return len(self.samples)


@dataclass(frozen=True)
class Batch:
    """What is asked at once: some samples of one pass. ``first`` is the place of its first row."""

    number: int
    first: int
    asked: Pass
    samples: NDArray[np.intp] = field(repr=False)


@dataclass(frozen=True)
class Plan:
    """All passes over the samples, in batches of at most ``size``. With a ``shard`` only every so many batches are asked, under
    the numbers and places that they have in the whole; where there are fewer batches than shards, some shards have none."""

    samples: Sequence[Sample] = field(repr=False)
    passes: tuple[Pass, ...]
    size: int
    shard: Shard | None = None

    @cached_property
    def rows(self) -> int:
        """How many answers are planned."""
        if self.shard is None:
            return sum(map(len, self.passes))
        return sum(len(batch.samples) for batch in self.batches())

    def batches(self) -> Iterator[Batch]:
        """The batches in order."""
        for batch in self.whole():
            if self.shard is None or batch.number % self.shard.of == self.shard.number - 1:
                yield batch

    def whole(self) -> Iterator[Batch]:
        """The batches of all shards, in order."""
        number = first = 0
        for asked in self.passes:
            for start in range(0, len(asked), self.size):
                samples = asked.samples[start : start + self.size]
                yield Batch(number, first, asked, samples)
                number, first = number + 1, first + len(samples)

    def keys(self) -> Iterator[Key]:
        """The key of every row, in order."""
        for batch in self.batches():
            for index in batch.samples:
                yield Key(self.samples[index].id, batch.asked.name, batch.asked.repeat)

    @cached_property
    def digest(self) -> str:
        """A hash of all keys in their order and of the batches' size."""
        digest = hashlib.sha256(str(self.size).encode())
        for asked in self.passes:
            ids = "\0".join(self.samples[index].id for index in asked.samples)
            digest.update(f"\1{asked.name}\0{asked.repeat}\1{ids}".encode())
        return digest.hexdigest()


def make_plan(samples: Sequence[Sample], passes: Sequence[Pass], *, size: int, shard: Shard | None = None) -> Plan:
    """The plan over ``passes``. `ValueError` when nothing can be asked, or when samples cannot be told apart by their ids."""
    if size < 1:
        raise ValueError(f"batch must be at least 1, got {size}.")
    seen: set[str] = set()
    for sample in samples:
        if not isinstance(sample.id, str) or not sample.id:
            raise ValueError(f"a sample's id must be a non-empty string, got {sample.id!r}.")
        if sample.id in seen:
            raise ValueError(
                f"two samples have the id {sample.id!r}: ids must be unique, since answers are kept by them."
            )
        seen.add(sample.id)
    check_encodable(seen)
    return Plan(samples, tuple(asked for asked in passes if len(asked)), size, shard)


def check_encodable(ids: set[str]) -> None:
    """`ValueError` for an id that cannot be written as UTF-8."""
    for name in ids:
        try:
            name.encode()
        except UnicodeEncodeError:
            raise ValueError(
                f"the sample id {name!r} holds half a character (a lone surrogate): write it as valid Unicode."
            ) from None
