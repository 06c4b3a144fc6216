"""Moving pictures: frame by frame with attention along time, or cut into tubelets that span several frames.

Shapes: ``float[n, t, 3, h, w]`` in [0, 1] with ``mask bool[n, t]`` of the frames that are there.
Sources: TimeSformer's divided attention in its cheapest form (Bertasius et al. 2021: the frame net, then time);
tubelets and positions that are the sum of a place's and a time's (ViViT, Arnab et al. 2021).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from assay.models.encoders.cnn import ImageEncoder
from assay.models.layers import AttentionPool, TransformerBlock, masked_mean


class FrameVideoEncoder(nn.Module):
    """Each frame through one picture net, two Transformer blocks along time, one vector ``[n, dim]``.

    ``frames`` is the most that it knows positions for. Hidden frames are not even looked at by the attention; a film
    without any frame gives a finite constant.
    """

    def __init__(
        self, dim: int, *, widths: Sequence[int] = (32, 64, 128, 192), frames: int = 16, heads: int = 4
    ) -> None:
        super().__init__()
        self.frame = ImageEncoder(dim, widths=widths)
        self.positions = nn.Parameter(torch.randn(frames, dim) * 0.02)
        self.blocks = nn.ModuleList(TransformerBlock(dim, heads, expansion=2) for _ in range(2))
        self.pool = AttentionPool(dim, heads)
        self.project = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, dim))
        self.channels = dim

    def features(self, video: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """One token per frame in the light of the others ``[n, t, dim]``, and which frames are there ``bool[n, t]``."""
        n, t = video.shape[:2]
        if t > len(self.positions):
            raise ValueError(f"a film of {t} frames was given, this encoder knows {len(self.positions)}: sample fewer")
        there = torch.ones(n, t, dtype=torch.bool, device=video.device) if mask is None else mask
        x = self.frame(video.flatten(0, 1)).view(n, t, -1) + self.positions[:t]
        for block in self.blocks:
            x = block(x, there)
        return x, there

    def summary(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """One vector ``[n, dim]`` from `features`."""
        out: Tensor = self.project(self.pool(tokens, mask))
        return out

    def forward(self, video: Tensor, mask: Tensor | None = None) -> Tensor:
        return self.summary(*self.features(video, mask))


class TubeletVideoEncoder(nn.Module):
    """Boxes of ``span`` frames x ``patch`` x ``patch`` pixels become tokens; Transformer blocks see them all at once.

    For ``frames`` (a multiple of span) pictures of ``size_px``. A tubelet counts if any of its frames is there; frames
    that the mask hides are black.
    """

    def __init__(
        self,
        dim: int,
        *,
        size_px: int = 48,
        frames: int = 8,
        patch: int = 16,
        span: int = 2,
        layers: int = 3,
        heads: int = 4,
    ) -> None:
        super().__init__()
        if size_px % patch or frames % span:
            raise ValueError(f"{frames} frames of {size_px} px do not divide into tubelets of {span} x {patch} px")
        self.span, self.frames = span, frames
        self.cut = nn.Conv3d(3, dim, (span, patch, patch), (span, patch, patch))
        self.place = nn.Parameter(torch.randn((size_px // patch) ** 2, dim) * 0.02)
        self.time = nn.Parameter(torch.randn(frames // span, dim) * 0.02)
        self.blocks = nn.ModuleList(TransformerBlock(dim, heads, expansion=2) for _ in range(layers))
        self.norm = nn.LayerNorm(dim)
        self.channels = dim

    def features(self, video: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Tokens ``[n, t / span · places, dim]``, time by time, and which are there."""
        n, t = video.shape[:2]
        if t != self.frames:
            raise ValueError(
                f"a film of {t} frames was given, these tubelets are made for {self.frames}: sample so many"
            )
        there = torch.ones(n, t, dtype=torch.bool, device=video.device) if mask is None else mask
        shown = (video * 2 - 1) * there[:, :, None, None, None]
        x = self.cut(shown.transpose(1, 2)).flatten(3).permute(0, 2, 3, 1)
        x = (x + self.time[:, None] + self.place).flatten(1, 2)
        seen = there.view(n, -1, self.span).any(2).repeat_interleave(len(self.place), 1)
        for block in self.blocks:
            x = block(x, seen)
        return x, seen

    def summary(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """One vector ``[n, dim]`` from `features`."""
        out: Tensor = self.norm(masked_mean(tokens, mask))
        return out

    def forward(self, video: Tensor, mask: Tensor | None = None) -> Tensor:
        return self.summary(*self.features(video, mask))
