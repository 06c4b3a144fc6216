"""The optimiser, its schedule and the moving average of the weights.

AdamW (Loshchilov & Hutter 2019) without decay on gains, biases and other vectors; linear warm-up, then a cosine to
zero; the exported weights are an exponential moving average whose memory grows with the run.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class OptimSettings:
    """``lr`` is the peak; ``warmup`` a share of ``steps``; ``average`` the longest memory of the weights' average."""

    lr: float
    steps: int
    weight_decay: float = 0.05
    warmup: float = 0.03
    clip_norm: float = 1.0
    average: float = 0.995
    betas: tuple[float, float] = (0.9, 0.98)


def adamw(net: nn.Module, settings: OptimSettings) -> torch.optim.AdamW:
    """Two groups: matrices and kernels with weight decay, all else without."""
    named = [(name, p) for name, p in net.named_parameters() if p.requires_grad]
    decayed = [p for _, p in named if p.ndim > 1]
    free = [p for _, p in named if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": settings.weight_decay}, {"params": free, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=settings.lr, betas=settings.betas)


def rate_at(step: int, settings: OptimSettings) -> float:
    """The learning rate of a step (0-based).

    >>> s = OptimSettings(lr=1.0, steps=100, warmup=0.1)
    >>> rate_at(0, s), rate_at(9, s), round(rate_at(55, s), 3)
    (0.1, 1.0, 0.5)
    """
    warm = max(round(settings.warmup * settings.steps), 1)
    if step < warm:
        return settings.lr * (step + 1) / warm
    done = (step - warm) / max(settings.steps - warm, 1)
    return settings.lr * 0.5 * (1 + math.cos(math.pi * done))


class Average:
    """An exponential moving average of a net's weights and buffers."""

    def __init__(self, net: nn.Module, longest: float) -> None:
        self.longest = longest
        self.values = {name: value.detach().clone() for name, value in net.state_dict().items()}

    @torch.no_grad()
    def update(self, net: nn.Module, step: int) -> None:
        """Take in the weights after ``step`` (0-based); early steps are forgotten soon."""
        keep = min(self.longest, (step + 1) / (step + 10))
        for name, value in net.state_dict().items():
            if value.is_floating_point():
                self.values[name].lerp_(value, 1 - keep)
            else:
                self.values[name].copy_(value)

    def restore(self, values: Mapping[str, Tensor]) -> None:
        """Go on from kept values."""
        self.values = {name: value.clone() for name, value in values.items()}
