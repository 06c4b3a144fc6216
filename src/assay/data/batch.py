"""Samples as padded tensors: what a net is given. The only file under ``data`` that knows torch.

A batch of n samples holds one `Part` per modality that at least one of them has; the part's ``rows`` say which.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Part:
    """One modality of a batch: ``rows int64[m]`` (which samples have it, ascending) and ``values [m, ...]``."""

    rows: Tensor
    values: Tensor

    def spread(self, vectors: Tensor, n: int) -> Tensor:
        """``vectors [m, ...]`` put in their rows of a tensor ``[n, ...]`` that is zero elsewhere."""
        if len(self.rows) == n:
            return vectors
        return vectors.new_zeros(n, *vectors.shape[1:]).index_copy(0, self.rows, vectors)


@dataclass(frozen=True)
class Batch:
    """The samples' ids and their parts by modality.

    >>> batch = Batch(("a", "b"), {"image": Part(torch.tensor([1]), torch.zeros(1, 3, 8, 8))})
    >>> batch.present("image").tolist(), batch.present("audio").tolist()
    ([False, True], [False, False])
    """

    ids: tuple[str, ...]
    parts: Mapping[str, Part]

    def __len__(self) -> int:
        return len(self.ids)

    def present(self, modality: str) -> Tensor:
        """``bool[n]``: which samples have the modality."""
        mask = torch.zeros(len(self.ids), dtype=torch.bool)
        part = self.parts.get(modality)
        if part is not None:
            mask[part.rows] = True
        return mask

    def places(self, modality: str) -> Tensor:
        """``int64[n]``: for each sample the place of its content in the modality's values, -1 where it has none."""
        out = torch.full((len(self.ids),), -1)
        part = self.parts.get(modality)
        if part is not None:
            out[part.rows] = torch.arange(len(part.rows))
        return out

    def keep(self, modality: str, mask: Tensor) -> Part | None:
        """The modality's part without the rows where ``mask`` (``bool[n]``) is false; ``None`` if none is left."""
        part = self.parts.get(modality)
        if part is None:
            return None
        kept = mask[part.rows]
        return Part(part.rows[kept], part.values[kept]) if bool(kept.any()) else None


def drop_modalities(batch: Batch, share: float, generator: torch.Generator) -> Batch:
    """The batch with each modality of each sample hidden with probability ``share``, but never all that a sample has.

    Modality dropout (Neverova et al. 2016): a net trained so answers from whatever it is given.
    """
    names = sorted(batch.parts)
    present = torch.stack([batch.present(name) for name in names], 1)
    priority = torch.rand(present.shape, generator=generator)
    hidden = priority < share
    # The modality with the highest number stays, whatever the draw says.
    best = torch.where(present, priority, torch.full_like(priority, -1.0)).argmax(1, keepdim=True)
    kept = present & (~hidden | torch.zeros_like(hidden).scatter(1, best, True))
    parts = {name: batch.keep(name, kept[:, i]) for i, name in enumerate(names)}
    return Batch(batch.ids, {name: part for name, part in parts.items() if part is not None})


class Sampler:
    """Endless random batches of ``size`` out of ``n``: every index once per epoch, in an order fixed by the generator.

    >>> sampler = Sampler(5, 2, torch.Generator().manual_seed(0))
    >>> sorted(i for _ in range(5) for i in sampler.draw().tolist())
    [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    """

    def __init__(self, n: int, size: int, generator: torch.Generator) -> None:
        if n < 1:
            raise ValueError("there is nothing to draw from: the training split holds no samples")
        self.n, self.size, self.generator = n, size, generator
        self.waiting = torch.empty(0, dtype=torch.int64)

    def draw(self) -> Tensor:
        """The next ``int64[size]`` indices; an epoch's end is filled up from the next epoch."""
        while len(self.waiting) < self.size:
            self.waiting = torch.cat([self.waiting, torch.randperm(self.n, generator=self.generator)])
        drawn, self.waiting = self.waiting[: self.size], self.waiting[self.size :]
        return drawn

    def state(self) -> dict[str, Tensor]:
        """What is still to be drawn of the epoch (the generator is kept by its owner)."""
        return {"waiting": self.waiting.clone()}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on from a kept state."""
        self.waiting = state["waiting"].clone()


def rows_with(present: Sequence[bool]) -> Tensor:
    """The numbers of the samples for which ``present`` holds, ``int64[m]``."""
    return torch.tensor([i for i, has in enumerate(present) if has], dtype=torch.int64)
