"""Fused: one encoder per modality, and a fusion module chosen by name (`assay.models.fusion.FUSIONS`)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from assay.catalog import nearest
from assay.data.batch import Batch
from assay.models.encoders.audio import AudioEncoder
from assay.models.encoders.cnn import ImageEncoder
from assay.models.encoders.text import TextEncoder
from assay.models.encoders.video import FrameVideoEncoder
from assay.models.fusion import FUSIONS, TOKEN_FUSIONS
from assay.models.layers import expect_modalities
from assay.types import MODALITIES


@dataclass(frozen=True)
class FusedSettings:
    """The sizes that decide the net's shape; kept in ``config.json``. ``modalities`` are those that have an encoder."""

    classes: tuple[str, ...]
    fusion: str = "gated"
    dim: int = 128
    image_widths: tuple[int, ...] = (32, 64, 128, 192)
    buckets: int = 12288
    text_width: int = 96
    dropout: float = 0.1
    modalities: tuple[str, ...] = ("text", "image", "audio")
    frames: int = 8


@dataclass(frozen=True)
class Encoded:
    """One vector a modality ``[n, m, dim]`` (zeros where missing) with its mask ``[n, m]``; where the fusion attends to
    sequences, also their tokens ``[n, m, t, dim]`` with the mask ``[n, m, t]``.
    """

    vectors: Tensor
    mask: Tensor
    tokens: Tensor | None = None
    token_mask: Tensor | None = None


class Fused(nn.Module):
    """`Batch` -> logits ``[n, classes]``. Every encoder also answers alone (`alone`), which keeps it from idling."""

    def __init__(self, settings: FusedSettings) -> None:
        super().__init__()
        s = self.settings = settings
        if s.fusion not in FUSIONS:
            raise ValueError(f"unknown fusion {s.fusion!r}: {nearest(s.fusion, FUSIONS)}")
        self.modalities = s.modalities
        self.encoders = nn.ModuleDict({name: _encoder(name, s) for name in s.modalities})
        self.norms = nn.ModuleDict({name: nn.LayerNorm(s.dim) for name in self.modalities})
        self.of_tokens = s.fusion in TOKEN_FUSIONS
        if self.of_tokens:
            self.token_in = nn.ModuleDict(
                {name: nn.Linear(encoder.channels, s.dim) for name, encoder in self.encoders.items()}
            )
        self.fusion = FUSIONS[s.fusion](len(self.modalities), s.dim)
        self.norm = nn.LayerNorm(s.dim)
        self.head = nn.Linear(s.dim, len(s.classes))
        self.heads = nn.ModuleDict({name: nn.Linear(s.dim, len(s.classes)) for name in self.modalities})

    def encode(self, batch: Batch) -> Encoded:
        """What the encoders make of a batch."""
        expect_modalities(self, batch.parts)
        n, vectors, sequences, masks = len(batch), [], [], []
        for name in self.modalities:
            part = batch.parts.get(name)
            if part is None:
                vectors.append(torch.zeros(n, self.settings.dim))
                sequences.append(torch.zeros(n, 0, self.settings.dim))
                masks.append(torch.zeros(n, 0, dtype=torch.bool))
                continue
            encoder = self.encoders[name]
            tokens, mask = encoder.features(part.values)
            vectors.append(part.spread(self.norms[name](encoder.summary(tokens, mask).float()), n))
            if self.of_tokens:
                sequences.append(part.spread(self.token_in[name](tokens).float(), n))
                masks.append(part.spread(mask, n))
        present = torch.stack([batch.present(name) for name in self.modalities], 1)
        if not self.of_tokens:
            return Encoded(torch.stack(vectors, 1), present)
        longest = max(1, *(mask.shape[1] for mask in masks))
        tokens = torch.stack([F.pad(x, (0, 0, 0, longest - x.shape[1])) for x in sequences], 1)
        return Encoded(
            torch.stack(vectors, 1),
            present,
            tokens,
            torch.stack([F.pad(mask, (0, longest - mask.shape[1])) for mask in masks], 1),
        )

    def alone(self, vectors: Tensor) -> Tensor:
        """Each modality's own logits ``[n, modalities, classes]`` from `encode`'s vectors."""
        return torch.stack([self.heads[name](vectors[:, i]) for i, name in enumerate(self.modalities)], 1)

    def fuse(self, encoded: Encoded) -> Tensor:
        """The fused vector ``float[n, dim]``."""
        if encoded.tokens is None:
            return self.norm(self.fusion(encoded.vectors, encoded.mask).float())  # type: ignore[no-any-return]
        return self.norm(self.fusion(encoded.tokens, encoded.token_mask).float())  # type: ignore[no-any-return]

    def forward(self, batch: Batch) -> Tensor:
        logits: Tensor = self.head(self.fuse(self.encode(batch)))
        return logits.float()

    def embed(self, batch: Batch) -> Tensor:
        """Unit vectors ``float[n, dim]`` of all that is present."""
        return F.normalize(self.fuse(self.encode(batch)), dim=1)


def _encoder(modality: str, s: FusedSettings) -> nn.Module:
    """The encoder of a modality. `ValueError` for one that has none."""
    if modality == "text":
        return TextEncoder(s.dim, buckets=s.buckets, width=s.text_width, dropout=s.dropout)
    if modality == "image":
        return ImageEncoder(s.dim, widths=s.image_widths, dropout=s.dropout)
    if modality == "audio":
        return AudioEncoder(s.dim, dropout=s.dropout)
    if modality == "video":
        return FrameVideoEncoder(s.dim, widths=s.image_widths, frames=s.frames)
    raise ValueError(f"no encoder for the modality {modality!r}: {nearest(modality, MODALITIES)}")
