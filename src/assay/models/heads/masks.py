"""Which class each pixel shows: cells enlarged step by step (as in Long et al. 2015), each step halving the channels."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from assay.models.layers import expect_shape

LEAST = 16


class MaskHead(nn.Module):
    """Cells ``[n, side², channels]`` -> logits ``[n, classes, size_px, size_px]``; ``size_px`` is ``side`` times a power of 2."""

    def __init__(self, channels: int, classes: int, *, side: int, size_px: int) -> None:
        super().__init__()
        steps = (size_px // side).bit_length() - 1
        if side * 2**steps != size_px:
            raise ValueError(f"MaskHead doubles {side} cells some times; {size_px} pixels cannot be reached")
        self.side = side
        widths = [max(channels // 2**i, LEAST) for i in range(steps + 1)]
        self.steps = nn.ModuleList(
            nn.Sequential(nn.Conv2d(a, b, 3, padding=1), nn.GroupNorm(1, b), nn.GELU())
            for a, b in zip([channels, *widths[:-1]], widths, strict=True)
        )
        self.classify = nn.Conv2d(widths[-1], classes, 1)

    def forward(self, cells: Tensor) -> Tensor:
        expect_shape(self, cells, ("n", self.side**2, "channels"))
        x = cells.transpose(1, 2).unflatten(2, (self.side, self.side))
        for i, step in enumerate(self.steps):
            x = step(x if i == 0 else F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False))
        return self.classify(x).float()
