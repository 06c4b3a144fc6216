"""Small parts that several nets share. Shapes: pictures ``[n, c, h, w]``, sequences ``[n, t, d]`` with a mask ``[n, t]``.

A mask is true where there is something; rows without anything stay finite (they give zeros).
Sources: residual blocks He et al. 2016; pre-norm Transformer Xiong et al. 2020; attention pooling Lee et al. 2019.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions around a short cut; ``stride`` 2 halves height and width."""

    def __init__(self, channels_in: int, channels_out: int, *, stride: int = 1) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels_in, channels_out, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(channels_out)
        self.second = nn.Conv2d(channels_out, channels_out, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(channels_out)
        same = stride == 1 and channels_in == channels_out
        self.short = None if same else nn.Conv2d(channels_in, channels_out, 1, bias=False)
        self.stride = stride
        nn.init.zeros_(self.second_norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.first_norm(self.first(x)))
        y = self.second_norm(self.second(y))
        if self.stride > 1:
            x = F.avg_pool2d(x, self.stride, ceil_mode=True)
        if self.short is not None:
            x = self.short(x)
        return F.relu(x + y)


class ConvStem(nn.Sequential):
    """Convolution, norm, ReLU; ``stride`` 2 by default."""

    def __init__(self, channels_in: int, channels_out: int, *, stride: int = 2, kernel: int = 3) -> None:
        super().__init__(
            nn.Conv2d(channels_in, channels_out, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(channels_out),
            nn.ReLU(),
        )


class TransformerBlock(nn.Module):
    """Pre-norm self-attention and a two-layer perceptron; positions that the mask hides are not attended to."""

    def __init__(self, dim: int, heads: int, *, expansion: int = 4, dropout: float = 0.0) -> None:
        super().__init__()
        assert dim % heads == 0, f"{dim} dimensions do not divide into {heads} heads"
        self.heads = heads
        self.attention_norm = nn.LayerNorm(dim)
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)
        self.mlp_norm = nn.LayerNorm(dim)
        self.widen = nn.Linear(dim, expansion * dim)
        self.narrow = nn.Linear(expansion * dim, dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        x = x + self.dropout(self._attend(self.attention_norm(x), mask))
        return x + self.dropout(self.narrow(F.gelu(self.widen(self.mlp_norm(x)))))

    def _attend(self, x: Tensor, mask: Tensor | None) -> Tensor:
        n, t, d = x.shape
        q, k, v = self.qkv(x).view(n, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        # A bias and not a Boolean mask: a row without any token would otherwise become NaN.
        bias = None if mask is None else attention_bias(mask, q.dtype)[:, None, None, :]
        # Written out: torch's fused attention took three times as long on CPUs at these lengths (tens of tokens).
        logits = (q * (d // self.heads) ** -0.5) @ k.transpose(-2, -1)
        mixed = (logits if bias is None else logits + bias).softmax(-1) @ v
        return self.out(mixed.transpose(1, 2).reshape(n, t, d))


class CrossBlock(nn.Module):
    """Pre-norm attention of one sequence to another with a residual, then a two-layer perceptron.

    ``x [n, t, d]`` asks ``other [n, s, d]`` where ``mask bool[n, s]`` holds; a row with nothing to ask keeps its ``x``.
    """

    def __init__(self, dim: int, heads: int, *, expansion: int = 4) -> None:
        super().__init__()
        assert dim % heads == 0, f"{dim} dimensions do not divide into {heads} heads"
        self.heads = heads
        self.query_norm, self.other_norm, self.mlp_norm = nn.LayerNorm(dim), nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.query = nn.Linear(dim, dim)
        self.key_value = nn.Linear(dim, 2 * dim)
        self.out = nn.Linear(dim, dim)
        self.widen = nn.Linear(dim, expansion * dim)
        self.narrow = nn.Linear(expansion * dim, dim)

    def forward(self, x: Tensor, other: Tensor, mask: Tensor) -> Tensor:
        n, t, d = x.shape
        q = self.query(self.query_norm(x)).view(n, t, self.heads, -1).transpose(1, 2)
        k, v = self.key_value(self.other_norm(other)).view(n, other.shape[1], 2, self.heads, -1).permute(2, 0, 3, 1, 4)
        logits = q * (d // self.heads) ** -0.5 @ k.transpose(-2, -1)
        weights = (logits + attention_bias(mask, q.dtype)[:, None, None, :]).softmax(-1)
        found = self.out((weights @ v).transpose(1, 2).reshape(n, t, d))
        x = x + found * mask.any(1)[:, None, None]
        return x + self.narrow(F.gelu(self.widen(self.mlp_norm(x))))


class AttentionPool(nn.Module):
    """One vector from a sequence: a learned query weighs the positions, in several heads."""

    def __init__(self, dim: int, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.weigh = nn.Linear(dim, heads)
        self.value = nn.Linear(dim, dim)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        n, t, d = x.shape
        logits = self.weigh(x).float() + attention_bias(mask, torch.float32)[..., None]
        # Times the mask: where everything is hidden, softmax alone would share out what is not there.
        weights = (logits.softmax(dim=1) * mask[..., None]).to(x.dtype)
        values = self.value(x).view(n, t, self.heads, d // self.heads)
        return torch.einsum("nth,nthd->nhd", weights, values).reshape(n, d)


def attention_bias(mask: Tensor, dtype: torch.dtype) -> Tensor:
    """0 where ``mask`` holds, a large negative number elsewhere."""
    return torch.zeros(mask.shape, dtype=dtype, device=mask.device).masked_fill(~mask, -1e4)


def masked_mean(x: Tensor, mask: Tensor) -> Tensor:
    """The mean of ``x [n, t, d]`` over the positions of ``mask [n, t]``; zeros where there is none.

    >>> masked_mean(torch.ones(1, 2, 3), torch.tensor([[True, False]])).tolist()
    [[1.0, 1.0, 1.0]]
    """
    weights = mask.to(x.dtype)[..., None]
    return (x * weights).sum(1) / weights.sum(1).clamp(min=1)


def expect_shape(module: nn.Module, value: Tensor, shape: Sequence[int | str]) -> None:
    """`ValueError` that names the module, what it expects and what came, unless ``value`` is of the shape.

    A name stands for any size.

    >>> expect_shape(nn.Identity(), torch.zeros(2, 3, 8, 8), ("n", 3, 16, 16))
    Traceback (most recent call last):
    ValueError: Identity expects a tensor [n, 3, 16, 16], got [2, 3, 8, 8]
    """
    fits = value.ndim == len(shape) and all(
        isinstance(wanted, str) or wanted == got for wanted, got in zip(shape, value.shape, strict=True)
    )
    if not fits:
        expected, got = ", ".join(map(str, shape)), ", ".join(map(str, value.shape))
        raise ValueError(f"{type(module).__name__} expects a tensor [{expected}], got [{got}]")


def expect_modalities(module: nn.Module, given: Iterable[str]) -> None:
    """`ValueError` that names the module, what it takes and what came, for a modality that it does not take.

    >>> expect_modalities(nn.Identity(), ["smell"])
    Traceback (most recent call last):
    ValueError: Identity takes no modality at all, got smell
    """
    taken = tuple(getattr(module, "modalities", ()))
    unknown = [name for name in given if name not in taken]
    if unknown:
        raise ValueError(
            f"{type(module).__name__} takes {', '.join(taken) or 'no modality at all'}, got {', '.join(unknown)}"
        )


def parameter_count(net: nn.Module) -> int:
    """How many numbers training may change."""
    return sum(p.numel() for p in net.parameters())
