"""Encoders that were trained before, and a fusion module over their vectors, for classes: what is learned is small.

Source of the fusion: `assay.models.fusion`; of tuning the last blocks or a low-rank change: `assay.models.lora`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from assay.catalog import nearest
from assay.data.batch import Batch, Part
from assay.models.encoders.pretrained import PretrainedEncoder, backbone
from assay.models.fusion import FUSIONS, TOKEN_FUSIONS
from assay.models.layers import expect_modalities


@dataclass(frozen=True)
class TunedSettings:
    """The classes; each modality's backbone by name (``efficientnet-lite0``, ``minilm``, ``hf:FOLDER``; empty: not taken); the fusion; how
    many last blocks are trained, or the rank of a low-rank change. Kept in ``config.json``.
    """

    classes: tuple[str, ...]
    image: str = ""
    text: str = ""
    audio: str = ""
    fusion: str = "gated"
    dim: int = 128
    last: int = 0
    rank: int = 0
    dropout: float = 0.5

    @property
    def backbones(self) -> dict[str, str]:
        """Those that are taken, by modality."""
        named = {"text": self.text, "image": self.image, "audio": self.audio}
        return {modality: name for modality, name in named.items() if name}


class Tuned(nn.Module):
    """`Batch` -> logits ``[n, classes]``. Every encoder also answers alone (`alone`), which keeps it from idling."""

    def __init__(self, settings: TunedSettings) -> None:
        super().__init__()
        s = self.settings = settings
        if s.fusion not in FUSIONS or s.fusion in TOKEN_FUSIONS:
            usable = [name for name in FUSIONS if name not in TOKEN_FUSIONS]
            raise ValueError(f"no fusion of vectors is called {s.fusion!r}: {nearest(s.fusion, usable)}")
        if not s.backbones:
            raise ValueError("no backbone was given: name one for the picture, the text or the sound")
        self.modalities = tuple(s.backbones)
        self.encoders = nn.ModuleDict(
            {
                modality: PretrainedEncoder(
                    s.dim, backbone(name, modality), last=s.last, rank=s.rank, dropout=s.dropout
                )
                for modality, name in s.backbones.items()
            }
        )
        self.norms = nn.ModuleDict({name: nn.LayerNorm(s.dim) for name in self.modalities})
        self.fusion = FUSIONS[s.fusion](len(self.modalities), s.dim)
        self.norm = nn.LayerNorm(s.dim)
        self.head = nn.Linear(s.dim, len(s.classes))
        self.heads = nn.ModuleDict({name: nn.Linear(s.dim, len(s.classes)) for name in self.modalities})

    def pooled(self, batch: Batch) -> Batch:
        """The batch with each encoder's mean token ``[m, channels]`` in place of what it was made of."""
        expect_modalities(self, batch.parts)
        parts = {name: Part(part.rows, self.encoders[name].pooled(part.values)) for name, part in batch.parts.items()}
        return Batch(batch.ids, parts)

    def vectors(self, pooled: Batch) -> tuple[Tensor, Tensor]:
        """``[n, m, dim]`` (zeros where missing) and the mask ``[n, m]``, from what `pooled` gives."""
        n, out = len(pooled), []
        for name in self.modalities:
            part = pooled.parts.get(name)
            if part is None:
                out.append(torch.zeros(n, self.settings.dim))
            else:
                out.append(part.spread(self.norms[name](self.encoders[name].project(part.values)).float(), n))
        return torch.stack(out, 1), torch.stack([pooled.present(name) for name in self.modalities], 1)

    def alone(self, vectors: Tensor) -> Tensor:
        """Each modality's own logits ``[n, modalities, classes]``."""
        return torch.stack([self.heads[name](vectors[:, i]) for i, name in enumerate(self.modalities)], 1)

    def fuse(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """The fused vector ``float[n, dim]``."""
        out: Tensor = self.norm(self.fusion(vectors, mask).float())
        return out

    def forward(self, batch: Batch) -> Tensor:
        logits: Tensor = self.head(self.fuse(*self.vectors(self.pooled(batch))))
        return logits.float()

    def embed(self, batch: Batch) -> Tensor:
        """Unit vectors ``float[n, dim]`` of all that is present."""
        return F.normalize(self.fuse(*self.vectors(self.pooled(batch))), dim=1)


def preparation(backbones: Mapping[str, str]) -> tuple[str, ...]:
    """What `assay.models.processor.Processor` is told of the backbones."""
    return tuple(f"{modality}={name}" for modality, name in backbones.items())
