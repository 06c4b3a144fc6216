"""Spans of time: every step of a film or a sound says what happens and since when until when.

Source: ActionFormer (Zhang et al. 2022), on one level. Spans are in steps: step i lasts from i to i + 1.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from assay.models.heads.boxes import RARE, Found
from assay.models.layers import expect_shape


class SpanHead(nn.Module):
    """Tokens ``[n, t, channels]`` -> logits ``[n, t, classes]`` and how far the span reaches, before and after, ``[n, t, 2]``."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.mix = nn.Sequential(nn.LayerNorm(channels), nn.Linear(channels, channels), nn.GELU())
        self.classify = nn.Linear(channels, classes)
        self.reach = nn.Linear(channels, 2)
        nn.init.normal_(self.classify.weight, std=0.01)
        nn.init.constant_(self.classify.bias, -math.log((1 - RARE) / RARE))

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        expect_shape(self, tokens, ("n", "t", "channels"))
        x = self.mix(tokens)
        return self.classify(x).float(), F.softplus(self.reach(x).float())


def found_spans(
    logits: Tensor, reach: Tensor, mask: Tensor, *, least: float = 0.3, overlap: float = 0.5, most: int = 50
) -> list[Found]:
    """The spans of each film (``boxes [m, 2]``: from, until) with a score of ``least``, the surest among overlapping ones of a class."""
    out = []
    at = torch.arange(logits.shape[1]) + 0.5
    for scores, own, there in zip(logits.sigmoid(), reach, mask, strict=True):
        spans = torch.stack([at - own[:, 0], at + own[:, 1]], 1).clamp(0, int(there.sum()))
        steps, labels = torch.nonzero((scores >= least) & there[:, None], as_tuple=True)
        sure = scores[steps, labels]
        order = sure.argsort(descending=True, stable=True).tolist()
        kept: list[int] = []
        for i in order:
            rivals = [j for j in kept if labels[j] == labels[i]]
            if len(kept) < most and all(_overlap(spans[steps[i]], spans[steps[j]]) <= overlap for j in rivals):
                kept.append(i)
        out.append(Found(spans[steps[kept]], labels[kept], sure[kept]))
    return out


def _overlap(a: Tensor, b: Tensor) -> float:
    """Intersection over union of two spans."""
    inside = float(torch.minimum(a[1], b[1]) - torch.maximum(a[0], b[0]))
    whole = float(a[1] - a[0]) + float(b[1] - b[0]) - max(inside, 0.0)
    return max(inside, 0.0) / whole if whole > 0 else 0.0
