"""Rows of a batch that are read a part at a time: to save memory, or to save what padding costs.

Contrast over more samples than memory holds: vectors are made chunk by chunk and their activations made again on the way back.

Source: GradCache (Gao et al. 2021). The loss sees all vectors at once, so its value and gradients are those of the whole
batch; the memory is that of one chunk's activations. What a chunk's net draws (dropout) is drawn alike both times. A batch
norm in training sees a chunk where it would see the batch: for such nets the two differ.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint


def in_chunks(encode: Callable[[Tensor], Tensor], values: Tensor, size: int) -> Tensor:
    """``encode(values)`` for ``values [n, ...]``, ``size`` rows at a time, keeping no activations between.

    The same vectors and gradients as at once. `ValueError` for a size below 1.

    >>> layer = torch.nn.Linear(3, 2)
    >>> values = torch.randn(5, 3)
    >>> bool(torch.allclose(in_chunks(layer, values, 2), layer(values)))
    True
    """
    if size < 1:
        raise ValueError(f"a chunk holds at least 1 row, got {size}")
    if len(values) <= size:
        return encode(values)
    parts = [checkpoint(encode, part, use_reentrant=False) for part in values.split(size)]
    return torch.cat(parts)


def by_length(encode: Callable[[Tensor], Tensor], ids: Tensor, *, groups: int = 4) -> Tensor:
    """``encode(ids)`` for ``ids int64[n, t, ...]`` with zeros after their end, rows of alike length together and cut to the longest.

    The same vectors as at once from an encoder on which padding has no influence, without computing on most of it.

    >>> ids = torch.tensor([[1, 2, 3, 4], [5, 0, 0, 0], [6, 0, 0, 0]])
    >>> by_length(lambda some: some.sum(1), ids, groups=2).tolist()
    [10, 5, 6]
    """
    there = ids.flatten(2).any(2) if ids.ndim > 2 else ids != 0
    ends = (there * torch.arange(1, ids.shape[1] + 1)).amax(1).clamp(min=1)
    order = ends.argsort(stable=True)
    parts = [encode(ids[rows, : int(ends[rows].max())]) for rows in order.chunk(groups) if len(rows)]
    return torch.cat(parts)[order.argsort()]
