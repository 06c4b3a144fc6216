"""Fusion by name: one vector out of the vectors of several modalities, some of which may be missing.

Every module is built with ``(modalities, dim)`` and maps ``vectors [n, m, d]`` with ``mask bool[n, m]`` to ``[n, d]``.
What the mask hides has no influence. A row with nothing at all gives a finite constant.
Sources: gated multimodal units, Arevalo et al. 2017; modality attention after Bahdanau et al. 2015; the Transformer
over one token per modality as in Nagrani et al. 2021 without the bottleneck.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from assay.models.layers import TransformerBlock, attention_bias, masked_mean


class Concat(nn.Module):
    """All vectors side by side through a two-layer perceptron; a learned vector stands where one is missing."""

    def __init__(self, modalities: int, dim: int) -> None:
        super().__init__()
        self.missing = nn.Parameter(torch.randn(modalities, dim) * 0.02)
        self.mix = nn.Sequential(nn.Linear(modalities * dim, 2 * dim), nn.GELU(), nn.Linear(2 * dim, dim))

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        filled = torch.where(mask[..., None], vectors, self.missing.to(vectors.dtype))
        out: Tensor = self.mix(filled.flatten(1))
        return out


class Average(nn.Module):
    """The mean of what is present. Nothing is learned: the baseline of the others."""

    def __init__(self, modalities: int, dim: int) -> None:
        super().__init__()

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        return masked_mean(vectors, mask)


class Gated(nn.Module):
    """Each modality's vector through its own tanh layer, weighted per dimension by gates that see all modalities."""

    def __init__(self, modalities: int, dim: int) -> None:
        super().__init__()
        self.content = nn.ModuleList(nn.Linear(dim, dim) for _ in range(modalities))
        self.gates = nn.Linear(modalities * dim + modalities, modalities * dim)

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        shown = vectors * mask[..., None]
        content = torch.stack([layer(shown[:, i]).tanh() for i, layer in enumerate(self.content)], 1)
        seen = torch.cat([shown.flatten(1), mask.to(vectors.dtype)], 1)
        logits = self.gates(seen).view(content.shape) + attention_bias(mask, content.dtype)[..., None]
        return (logits.softmax(1) * content).sum(1)


class Attention(nn.Module):
    """One weight per modality from its own vector (a two-layer scorer), then the weighted sum of projected vectors."""

    def __init__(self, modalities: int, dim: int) -> None:
        super().__init__()
        self.kind = nn.Parameter(torch.randn(modalities, dim) * 0.02)
        self.scorer = nn.Sequential(nn.Linear(dim, dim), nn.Tanh(), nn.Linear(dim, 1))
        self.value = nn.Linear(dim, dim)

    def weights(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """``[n, m]``, summing to 1 over what is present."""
        logits = self.scorer(vectors + self.kind)[..., 0]
        return (logits + attention_bias(mask, logits.dtype)).softmax(1)

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        weights = self.weights(vectors, mask)[..., None]
        return (weights * F.gelu(self.value(vectors + self.kind))).sum(1)


class Transformer(nn.Module):
    """A class token attends to one token per modality through two Transformer blocks."""

    def __init__(self, modalities: int, dim: int) -> None:
        super().__init__()
        self.kind = nn.Parameter(torch.randn(modalities, dim) * 0.02)
        self.start = nn.Parameter(torch.randn(dim) * 0.02)
        self.blocks = nn.ModuleList(TransformerBlock(dim, 4, expansion=2) for _ in range(2))
        self.norm = nn.LayerNorm(dim)

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        start = self.start.expand(len(vectors), 1, -1).to(vectors.dtype)
        x = torch.cat([start, vectors + self.kind], 1)
        seen = torch.cat([mask.new_ones(len(mask), 1), mask], 1)
        for block in self.blocks:
            x = block(x, seen)
        out: Tensor = self.norm(x[:, 0])
        return out


FUSIONS: Mapping[str, Callable[[int, int], nn.Module]] = {
    "concat": Concat,
    "average": Average,
    "gated": Gated,
    "attention": Attention,
    "transformer": Transformer,
}
