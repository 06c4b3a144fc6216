"""Joint: one Transformer over the tokens of all present modalities (after ViLT, Kim et al. 2021, and Perceiver-like nets).

Picture patches of 16 x 16 pixels (through a convolutional stem: Xiao et al. 2021), words and 80 ms pieces of sound
become tokens of one width, each with its modality's learned vector; a class token attends to all of them. A missing
modality is a single learned token, so that the net knows that it is missing.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from assay.data.batch import Batch
from assay.models.encoders.audio import SoundTokens
from assay.models.encoders.cnn import PictureGrid
from assay.models.encoders.text import WORDS, WordTokens
from assay.models.layers import TransformerBlock, expect_modalities


@dataclass(frozen=True)
class JointSettings:
    """The sizes that decide the net's shape; kept in ``config.json``."""

    classes: tuple[str, ...]
    dim: int = 128
    layers: int = 3
    heads: int = 4
    size_px: int = 48
    image_widths: tuple[int, ...] = (32, 64, 128, 192)
    buckets: int = 12288
    text_width: int = 96
    dropout: float = 0.0


class Joint(nn.Module):
    """`Batch` -> logits ``[n, classes]``; the class token's last state is the fused vector."""

    modalities = ("text", "image", "audio")

    def __init__(self, settings: JointSettings) -> None:
        super().__init__()
        s = self.settings = settings
        self.image = PictureGrid(s.image_widths)
        self.image_in = nn.Linear(s.image_widths[-1], s.dim)
        self.image_positions = nn.Parameter(torch.randn((s.size_px // self.image.shrink) ** 2, s.dim) * 0.02)
        self.text = WordTokens(s.buckets, s.text_width)
        self.text_in = nn.Linear(s.text_width, s.dim)
        self.text_positions = nn.Parameter(torch.randn(WORDS, s.dim) * 0.02)
        self.audio = SoundTokens(s.dim)
        self.kind = nn.Parameter(torch.randn(len(self.modalities), s.dim) * 0.02)
        self.missing = nn.Parameter(torch.randn(len(self.modalities), s.dim) * 0.02)
        self.start = nn.Parameter(torch.randn(s.dim) * 0.02)
        blocks = (TransformerBlock(s.dim, s.heads, expansion=2, dropout=s.dropout) for _ in range(s.layers))
        self.blocks = nn.ModuleList(blocks)
        self.norm = nn.LayerNorm(s.dim)
        self.head = nn.Linear(s.dim, len(s.classes))

    def tokens(self, modality: str, values: Tensor) -> tuple[Tensor, Tensor]:
        """``[m, t, dim]`` and the mask ``[m, t]`` of one modality."""
        if modality == "image":
            x = self.image_in(self.image(values).flatten(2).transpose(1, 2)) + self.image_positions
            return x, torch.ones(x.shape[:2], dtype=torch.bool)
        if modality == "audio":
            x, heard = self.audio(values)
            return x, heard
        words, mask = self.text(values)
        return self.text_in(words) + self.text_positions[: words.shape[1]], mask

    def states(self, batch: Batch) -> Tensor:
        """The class token's last state ``float[n, dim]``."""
        expect_modalities(self, batch.parts)
        n = len(batch)
        sequences, masks = [self.start.expand(n, 1, -1)], [torch.ones(n, 1, dtype=torch.bool)]
        for i, name in enumerate(self.modalities):
            absent = ~batch.present(name)
            sequences.append(self.missing[i].expand(n, 1, -1))
            masks.append(absent[:, None])
            part = batch.parts.get(name)
            if part is not None:
                tokens, mask = self.tokens(name, part.values)
                sequences.append(part.spread((tokens + self.kind[i]).float(), n))
                masks.append(part.spread(mask, n))
        x, seen = torch.cat(sequences, 1), torch.cat(masks, 1)
        for block in self.blocks:
            x = block(x, seen)
        return self.norm(x[:, 0]).float()

    def forward(self, batch: Batch) -> Tensor:
        logits: Tensor = self.head(self.states(batch))
        return logits.float()

    def embed(self, batch: Batch) -> Tensor:
        """Unit vectors ``float[n, dim]`` of all that is present."""
        return F.normalize(self.states(batch), dim=1)
