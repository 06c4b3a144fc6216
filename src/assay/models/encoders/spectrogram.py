"""Sound as a picture: patches of a log-mel spectrogram through a Transformer (AST, Gong et al. 2021).

Shape: ``float[n, 64, 192]``, 0 after the sound's end (`assay.models.encoders.audio.log_mel`).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from assay.models.encoders.audio import BANDS, FRAMES
from assay.models.layers import TransformerBlock


class SpectrogramTransformer(nn.Module):
    """Patches of 16 bands x 16 frames (160 ms) with positions, a class token, Transformer blocks -> ``[n, dim]``.

    Patches after the end of the sound are not attended to.
    """

    patch = 16

    def __init__(self, dim: int, *, layers: int = 3, heads: int = 4, dropout: float = 0.0) -> None:
        super().__init__()
        self.cut = nn.Conv2d(1, dim, self.patch, self.patch)
        self.positions = nn.Parameter(torch.randn(BANDS // self.patch * (FRAMES // self.patch), dim) * 0.02)
        self.start = nn.Parameter(torch.randn(dim) * 0.02)
        blocks = (TransformerBlock(dim, heads, expansion=2, dropout=dropout) for _ in range(layers))
        self.blocks = nn.ModuleList(blocks)
        self.norm = nn.LayerNorm(dim)
        self.channels = dim

    def features(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        """The class token and 48 patches ``[n, 1 + 48, channels]``, and which hold sound."""
        heard = F.max_pool1d((mel != 0).any(1).float()[:, None], self.patch)[:, 0] > 0
        heard = heard.repeat(1, BANDS // self.patch)
        x = self.cut(mel[:, None]).flatten(2).transpose(1, 2) + self.positions
        x = torch.cat([self.start.expand(len(x), 1, -1).to(x.dtype), x], 1)
        mask = torch.cat([heard.new_ones(len(heard), 1), heard], 1)
        for block in self.blocks:
            x = block(x, mask)
        return self.norm(x), mask

    def summary(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """The class token ``[n, dim]``."""
        return tokens[:, 0]

    def forward(self, mel: Tensor) -> Tensor:
        return self.summary(*self.features(mel))
