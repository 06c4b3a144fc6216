"""Pictures: a small residual convolutional net (He et al. 2016); any size, 48 x 48 pixels in the shipped weights."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from assay.models.layers import ConvStem, ResidualBlock, expect_shape


class PictureGrid(nn.Module):
    """``float[n, 3, h, w]`` in [0, 1] -> feature map ``[n, c, h / s, w / s]``, halved once per entry of ``widths``."""

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        self.stem = ConvStem(3, widths[0])
        self.stages = nn.Sequential(*(ResidualBlock(a, b, stride=2) for a, b in pairwise(widths)))
        self.channels = widths[-1]
        self.shrink = 2 ** len(widths)

    def forward(self, image: Tensor) -> Tensor:
        expect_shape(self, image, ("n", 3, "height", "width"))
        x = ((image - 0.5) * 2).contiguous(memory_format=torch.channels_last)
        out: Tensor = self.stages(self.stem(x))
        return out


class ImageEncoder(nn.Module):
    """``float[n, 3, h, w]`` in [0, 1] -> one vector ``[n, dim]``.

    It is made of the mean and the maximum over the grid: what is there, and what stands out.
    """

    def __init__(self, dim: int, *, widths: Sequence[int] = (32, 64, 128, 224), dropout: float = 0.0) -> None:
        super().__init__()
        self.grid = PictureGrid(widths)
        self.channels = widths[-1]
        self.project = nn.Sequential(
            nn.Linear(2 * widths[-1], 2 * dim), nn.GELU(), nn.Dropout(dropout), nn.Linear(2 * dim, dim)
        )

    def features(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """One token per cell of the grid, ``[n, cells, channels]``, and the mask (all there) ``bool[n, cells]``."""
        cells = self.grid(image).flatten(2).transpose(1, 2)
        return cells, torch.ones(cells.shape[:2], dtype=torch.bool, device=cells.device)

    def summary(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """One vector ``[n, dim]`` from `features`."""
        out: Tensor = self.project(torch.cat([tokens.mean(1), tokens.amax(1)], 1))
        return out

    def forward(self, image: Tensor) -> Tensor:
        return self.summary(*self.features(image))
