"""Contrast over more samples than memory holds: vectors are made chunk by chunk and their activations made again on the way back.

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
