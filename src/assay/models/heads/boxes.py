"""Boxes in a picture: every cell of a grid says what it sees and how far away the sides are; or where a phrase's thing is.

Source: FCOS (Tian et al. 2019), on one grid; grounding by cells that the phrase gates (as in Kamath et al. 2021 the two are
fused before boxes are told). Boxes are ``x0, y0, x1, y1`` in shares of the picture, so that its size does not matter.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from assay.losses.locate import centres
from assay.models.layers import expect_shape

RARE = 0.01  # how likely a cell is to see a class before anything was learnt (Lin et al. 2017)


class Found(NamedTuple):
    """What was found in a picture, surest first: ``boxes [m, 4]``, class numbers ``labels int64[m]``, ``scores [m]`` in (0, 1)."""

    boxes: Tensor
    labels: Tensor
    scores: Tensor


class BoxHead(nn.Module):
    """Cells ``[n, side², channels]`` -> logits of each class ``[n, side², classes]`` and a box each ``[n, side², 4]``."""

    def __init__(self, channels: int, classes: int, *, side: int) -> None:
        super().__init__()
        self.side = side
        self.mix = nn.Sequential(nn.LayerNorm(channels), nn.Linear(channels, channels), nn.GELU())
        self.classify = nn.Linear(channels, classes)
        self.reach = nn.Linear(channels, 4)
        nn.init.normal_(self.classify.weight, std=0.01)
        nn.init.constant_(self.classify.bias, -math.log((1 - RARE) / RARE))

    def forward(self, cells: Tensor) -> tuple[Tensor, Tensor]:
        expect_shape(self, cells, ("n", self.side**2, "channels"))
        x = self.mix(cells)
        # In cells at first, so that an untrained net's boxes are about as large as a cell.
        reach = F.softplus(self.reach(x).float()) / self.side
        middles = centres(self.side).to(reach.device)
        return self.classify(x).float(), torch.cat([middles - reach[..., :2], middles + reach[..., 2:]], 2)


class GroundingHead(nn.Module):
    """Cells ``[n, side², channels]`` and phrases ``[n, dim]`` -> how likely each cell is meant ``[n, side², 1]``, and boxes.

    `best` takes the box of the likeliest cell.
    """

    def __init__(self, channels: int, dim: int, *, side: int) -> None:
        super().__init__()
        self.asked = nn.Linear(dim, channels)
        self.seen = nn.Linear(channels, channels)
        self.norm = nn.LayerNorm(channels)
        self.boxes = BoxHead(channels, 1, side=side)

    def forward(self, cells: Tensor, phrases: Tensor) -> tuple[Tensor, Tensor]:
        expect_shape(self, phrases, (len(cells), self.asked.in_features))
        gated = self.norm(cells + self.seen(cells) * self.asked(phrases)[:, None])
        out: tuple[Tensor, Tensor] = self.boxes(gated)
        return out

    @staticmethod
    def best(logits: Tensor, boxes: Tensor) -> Tensor:
        """``[n, 4]``: the box of each picture's likeliest cell."""
        return boxes[torch.arange(len(boxes)), logits[..., 0].argmax(1)].clamp(0, 1)


def found(logits: Tensor, boxes: Tensor, *, least: float = 0.3, overlap: float = 0.5, most: int = 100) -> list[Found]:
    """The boxes of each picture with a score of ``least`` or more, of each class the surest among those that ``overlap`` more."""
    out = []
    for scores, own in zip(logits.sigmoid(), boxes.clamp(0, 1), strict=True):
        cells, labels = torch.nonzero(scores >= least, as_tuple=True)
        sure = scores[cells, labels]
        order = sure.argsort(descending=True, stable=True)
        cells, labels, sure = cells[order], labels[order], sure[order]
        kept = distinct(own[cells], labels, overlap)[:most]
        out.append(Found(own[cells[kept]], labels[kept], sure[kept]))
    return out


def distinct(boxes: Tensor, labels: Tensor, overlap: float) -> Sequence[int]:
    """The places of ``boxes [m, 4]`` (surest first) that no kept one of their class overlaps by more than ``overlap`` (IoU).

    >>> distinct(torch.tensor([[0, 0, 1, 1], [0, 0, 1, 0.9], [0, 0, 1, 1.0]]), torch.tensor([0, 0, 1]), 0.5)
    [0, 2]
    """
    kept: list[int] = []
    areas = (boxes[:, 2:] - boxes[:, :2]).clamp(min=0).prod(1)
    for i in range(len(boxes)):
        rivals = [j for j in kept if labels[j] == labels[i]]
        if rivals:
            low, high = torch.maximum(boxes[rivals, :2], boxes[i, :2]), torch.minimum(boxes[rivals, 2:], boxes[i, 2:])
            inside = (high - low).clamp(min=0).prod(1)
            if float((inside / (areas[rivals] + areas[i] - inside).clamp(min=1e-9)).max()) > overlap:
                continue
        kept.append(i)
    return kept
