"""Momentum contrast: an image against another view of itself as a slowly following copy of the net sees it.

Sources: MoCo v2 (He et al. 2020, Chen et al. 2020: a queue of keys), MoCo v3 (Chen et al. 2021: the batch alone, both
ways, times 2τ). At random start, with keys that know nothing of the queries, `queued` is about ln(K + 1) and
`in_batch` about 2τ ln N for each way.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from assay.losses.contrastive import similarities


def queued(query: Tensor, key: Tensor, queue: Tensor, temperature: float = 0.2) -> Tensor:
    """MoCo v2: each unit ``query [n, d]`` has its ``key [n, d]`` as positive and the ``queue [K, d]`` as negatives.

    >>> import math
    >>> q, k = torch.eye(8)[:2], torch.eye(8)[2:4]
    >>> math.isclose(float(queued(q, k, torch.eye(8)[4:])), math.log(5), rel_tol=1e-6)
    True
    """
    positive = (query.float() * key.detach().float()).sum(1, keepdim=True)
    logits = torch.cat([positive, similarities(query, queue.detach())], 1) / temperature
    return F.cross_entropy(logits, torch.zeros(len(query), dtype=torch.int64, device=query.device))


def in_batch(query: Tensor, key: Tensor, temperature: float = 0.2) -> Tensor:
    """One way of MoCo v3: 2τ times the cross-entropy of ``query [n, d]`` against all ``key [n, d]``.

    The factor keeps the gradient's size when τ changes, and so the learning rate; it belongs to the method. The whole
    loss is ``in_batch(q1, k2) + in_batch(q2, k1)``, where q passed the predictor and k the momentum net.
    """
    logits = similarities(query, key.detach()) / temperature
    return 2 * temperature * F.cross_entropy(logits, torch.arange(len(query), device=query.device))


@torch.no_grad()
def follow(slow: nn.Module, fast: nn.Module, momentum: float = 0.999) -> None:
    """Move the weights of ``slow`` towards those of ``fast``; buffers (running means) are taken over as they are."""
    for to, of in zip(slow.parameters(), fast.parameters(), strict=True):
        to.lerp_(of.to(to.dtype), 1 - momentum)
    for kept, current in zip(slow.buffers(), fast.buffers(), strict=True):
        kept.copy_(current)


class Queue(nn.Module):
    """The last ``size`` keys, unit vectors ``[size, dim]``; random ones until it is full. Kept with the weights."""

    keys: Tensor
    place: Tensor

    def __init__(self, size: int, dim: int, generator: torch.Generator) -> None:
        super().__init__()
        self.register_buffer("keys", F.normalize(torch.randn(size, dim, generator=generator), dim=1))
        self.register_buffer("place", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def push(self, keys: Tensor) -> None:
        """Put ``keys [n, dim]`` in the place of the oldest; of more than fit, the last are kept."""
        kept = keys[-len(self.keys) :].to(self.keys.dtype)
        at = (torch.arange(len(kept), device=kept.device) + self.place) % len(self.keys)
        self.keys[at] = kept
        self.place.copy_((self.place + len(kept)) % len(self.keys))
