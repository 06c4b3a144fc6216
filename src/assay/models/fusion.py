"""Fusion by name: one vector out of several modalities, some of which may be missing.

Every module is built with ``(modalities, dim)``. Most see one vector per modality: ``vectors [n, m, d]`` with
``mask bool[n, m]``. Those in `TOKEN_FUSIONS` see sequences, so that attention has something to choose from:
``tokens [n, m, t, d]`` with ``mask bool[n, m, t]`` (attention over a single token always weighs it 1, and what asks has
no influence). All give ``[n, d]``. What the mask hides has no influence; a row with nothing at all gives a finite
constant.
Sources: gated multimodal units, Arevalo et al. 2017; modality attention after Bahdanau et al. 2015; low-rank tensor
fusion, Liu et al. 2018; product of experts, Hinton 2002 and Wu & Goodman 2018; two-way cross-attention, Lu et al. 2019
(ViLBERT) and Tsai et al. 2019 (MulT); attention bottlenecks, Nagrani et al. 2021.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from assay.models.layers import CrossBlock, TransformerBlock, attention_bias, masked_mean


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


class Weighted(nn.Module):
    """A weighted mean with one learned coefficient per modality, shared out anew among those present."""

    def __init__(self, modalities: int, dim: int) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(modalities))

    def weights(self, mask: Tensor) -> Tensor:
        """``[n, m]``: what each modality counts, summing to 1 over what is present."""
        return (self.logits + attention_bias(mask, self.logits.dtype)).softmax(1) * mask

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        return (self.weights(mask)[..., None].to(vectors.dtype) * vectors).sum(1)


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


class LowRank(nn.Module):
    """The outer product of all modalities' vectors (each with a 1 appended) through a weight of rank ``rank``.

    So written: each modality's vector through ``rank`` matrices, multiplied across modalities, summed over the rank. A
    missing modality is the vector (0, …, 0, 1), which leaves the lower orders of the others.
    """

    rank = 4

    def __init__(self, modalities: int, dim: int) -> None:
        super().__init__()
        # Around 1 and not 0: the product over modalities would otherwise start with hardly any gradient.
        self.factors = nn.Parameter(torch.randn(modalities, self.rank, dim, dim) * dim**-0.5)
        self.shifts = nn.Parameter(torch.ones(modalities, self.rank, dim))
        self.ranks = nn.Parameter(torch.full((self.rank,), 1.0 / self.rank))
        self.out = nn.Linear(dim, dim)

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        shown = vectors * mask[..., None]
        parts = torch.einsum("nmd,mrde->nmre", shown, self.factors.to(shown.dtype)) + self.shifts.to(shown.dtype)
        out: Tensor = self.out(torch.einsum("nre,r->ne", parts.prod(1), self.ranks.to(shown.dtype)))
        return out


class ProductOfExperts(nn.Module):
    """Each modality gives a Gaussian over the fused vector; their product with a standard normal prior has this mean.

    Experts that are sure (high precision) decide; an absent one contributes nothing, exactly.
    """

    def __init__(self, modalities: int, dim: int) -> None:
        super().__init__()
        self.means = nn.ModuleList(nn.Linear(dim, dim) for _ in range(modalities))
        self.precisions = nn.ModuleList(nn.Linear(dim, dim) for _ in range(modalities))

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        mean = torch.stack([layer(vectors[:, i]) for i, layer in enumerate(self.means)], 1)
        precision = torch.stack([F.softplus(layer(vectors[:, i])) for i, layer in enumerate(self.precisions)], 1)
        precision = precision * mask[..., None]
        return (precision * mean).sum(1) / (1 + precision.sum(1))


class CrossAttention(nn.Module):
    """Every modality's tokens ask those of all others, with residuals both ways; then the mean of what each made of it.

    Two modalities: picture asks text and text asks picture. A modality that has nobody to ask keeps its own tokens.
    """

    def __init__(self, modalities: int, dim: int) -> None:
        super().__init__()
        self.kind = nn.Parameter(torch.randn(modalities, dim) * 0.02)
        self.ask = nn.ModuleList(CrossBlock(dim, 4, expansion=2) for _ in range(modalities))
        self.norm = nn.LayerNorm(dim)

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        n, m, _, d = tokens.shape
        tokens = tokens + self.kind[:, None].to(tokens.dtype)
        pooled = []
        for i, block in enumerate(self.ask):
            others = [j for j in range(m) if j != i] or [i]
            asked, there = tokens[:, others].reshape(n, -1, d), mask[:, others].reshape(n, -1)
            pooled.append(masked_mean(block(tokens[:, i], asked, there), mask[:, i]))
        out: Tensor = self.norm(masked_mean(torch.stack(pooled, 1), mask.any(2)))
        return out


class Bottleneck(nn.Module):
    """Modalities exchange what they know through a few shared tokens only: they write to them, then read from them."""

    width = 4

    def __init__(self, modalities: int, dim: int) -> None:
        super().__init__()
        self.kind = nn.Parameter(torch.randn(modalities, dim) * 0.02)
        self.shared = nn.Parameter(torch.randn(self.width, dim) * 0.02)
        self.write = nn.ModuleList(TransformerBlock(dim, 4, expansion=2) for _ in range(modalities))
        self.read = nn.ModuleList(TransformerBlock(dim, 4, expansion=2) for _ in range(modalities))
        self.norm = nn.LayerNorm(dim)

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        n, _, t, d = tokens.shape
        sequences = list((tokens + self.kind[:, None].to(tokens.dtype)).unbind(1))
        shared = self.shared.to(tokens.dtype).expand(n, -1, -1)
        present = mask.any(2)
        always = mask.new_ones(n, self.width)
        for blocks in (self.write, self.read):
            written = []
            for i, block in enumerate(blocks):
                both = block(torch.cat([sequences[i], shared], 1), torch.cat([mask[:, i], always], 1))
                sequences[i] = both[:, :t]
                written.append(both[:, t:].flatten(1))
            # What an absent modality would write does not count.
            shared = masked_mean(torch.stack(written, 1), present).view(n, self.width, d)
        out: Tensor = self.norm(shared.mean(1))
        return out


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
    "weighted": Weighted,
    "gated": Gated,
    "attention": Attention,
    "cross_attention": CrossAttention,
    "bottleneck": Bottleneck,
    "transformer": Transformer,
    "low_rank": LowRank,
    "product_of_experts": ProductOfExperts,
}

TOKEN_FUSIONS = frozenset({"cross_attention", "bottleneck"})
"""Those that see every modality's sequence instead of its one vector."""
