"""Visual question answering by classification: a picture and a question, fused, weigh the answers seen in training.

A convolutional net reads the picture, a recurrent net the question (Antol et al. 2015); how they meet is a fusion by
name (`assay.models.fusion.FUSIONS`). Either may be missing: without the picture it answers blindly.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from assay.catalog import nearest
from assay.data.batch import Batch
from assay.models.encoders.cnn import ImageEncoder
from assay.models.encoders.rnn import RecurrentEncoder
from assay.models.fusion import FUSIONS
from assay.models.layers import expect_shape


@dataclass(frozen=True)
class VqaSettings:
    """The sizes that decide the net's shape; kept in ``config.json``."""

    classes: tuple[str, ...]
    vocabulary: int
    fusion: str = "concat"
    cell: str = "gru"
    dim: int = 96
    image_widths: tuple[int, ...] = (16, 32, 64)
    text_width: int = 48
    dropout: float = 0.0


class Vqa(nn.Module):
    """`Batch` of pictures and questions (tokens) -> logits of the answers ``[n, classes]``."""

    modalities = ("text", "image")
    skills = ("ask",)

    def __init__(self, settings: VqaSettings) -> None:
        super().__init__()
        s = self.settings = settings
        if s.fusion not in FUSIONS:
            raise ValueError(f"unknown fusion {s.fusion!r}: {nearest(s.fusion, FUSIONS)}")
        self.encoders = nn.ModuleDict(
            {
                "text": RecurrentEncoder(s.dim, vocabulary=s.vocabulary, width=s.text_width, cell=s.cell),
                "image": ImageEncoder(s.dim, widths=s.image_widths, dropout=s.dropout),
            }
        )
        self.norms = nn.ModuleDict({name: nn.LayerNorm(s.dim) for name in self.modalities})
        self.fusion = FUSIONS[s.fusion](len(self.modalities), s.dim)
        self.norm = nn.LayerNorm(s.dim)
        self.head = nn.Linear(s.dim, len(s.classes))

    def vectors(self, modality: str, values: Tensor) -> Tensor:
        """``float[m, dim]`` of one modality's values."""
        if modality == "image":
            expect_shape(self, values, ("n", 3, "height", "width"))
        out: Tensor = self.norms[modality](self.encoders[modality](values).float())
        return out

    def fuse(self, text: Tensor, image: Tensor, mask: Tensor) -> Tensor:
        """The fused vectors ``float[n, dim]`` of vectors ``[n, dim]``; ``mask bool[n, 2]`` says which are there."""
        out: Tensor = self.norm(self.fusion(torch.stack([text, image], 1), mask).float())
        return out

    def states(self, batch: Batch) -> Tensor:
        """The fused vectors ``float[n, dim]`` of whatever each sample has."""
        n, vectors = len(batch), {}
        for name in self.modalities:
            part = batch.parts.get(name)
            missing = torch.zeros(n, self.settings.dim)
            vectors[name] = missing if part is None else part.spread(self.vectors(name, part.values), n)
        mask = torch.stack([batch.present(name) for name in self.modalities], 1)
        return self.fuse(vectors["text"], vectors["image"], mask)

    def forward(self, batch: Batch) -> Tensor:
        logits: Tensor = self.head(self.states(batch))
        return logits.float()

    def embed(self, batch: Batch) -> Tensor:
        """Unit vectors ``float[n, dim]`` of all that is present."""
        return F.normalize(self.states(batch), dim=1)
