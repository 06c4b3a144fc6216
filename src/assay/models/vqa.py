"""Visual question answering by classification: a picture and a question, fused, weigh the answers seen in training.

A convolutional net reads the picture, a recurrent net the question (Antol et al. 2015); how they meet is a fusion by
name (`assay.models.fusion.FUSIONS`). Either may be missing: without the picture it answers blindly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from assay.catalog import nearest
from assay.data.batch import Batch
from assay.models.encoders.cnn import ImageEncoder
from assay.models.encoders.rnn import RecurrentEncoder
from assay.models.fusion import FUSIONS, TOKEN_FUSIONS
from assay.models.layers import expect_modalities, expect_shape
from assay.models.meeting import Read, meet


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
        self.of_tokens = s.fusion in TOKEN_FUSIONS
        if self.of_tokens:
            self.token_in = nn.ModuleDict(
                {name: nn.Linear(encoder.channels, s.dim) for name, encoder in self.encoders.items()}
            )
        self.fusion = FUSIONS[s.fusion](len(self.modalities), s.dim)
        self.norm = nn.LayerNorm(s.dim)
        self.head = nn.Linear(s.dim, len(s.classes))

    def read(self, modality: str, values: Tensor) -> Read:
        """What the encoder of a modality makes of its values."""
        if modality == "image":
            expect_shape(self, values, ("n", 3, "height", "width"))
        encoder = self.encoders[modality]
        tokens, mask = encoder.features(values)
        vectors = self.norms[modality](encoder.summary(tokens, mask).float())
        if self.of_tokens:
            return Read(vectors, self.token_in[modality](tokens).float(), mask)
        return Read(vectors, vectors[:, None][:, :0], mask[:, :0])

    def meet(self, reads: Mapping[str, Read], rows: Mapping[str, Tensor]) -> Tensor:
        """The fused vectors ``float[n, dim]``: sample i shows content ``rows[modality][i]`` of what was read, -1 for none.

        So a picture about which many questions are asked is read once.
        """
        met = meet(self.fusion, self.modalities, reads, rows, dim=self.settings.dim)
        return self.norm(met)  # type: ignore[no-any-return]

    def states(self, batch: Batch) -> Tensor:
        """The fused vectors ``float[n, dim]`` of whatever each sample has."""
        expect_modalities(self, batch.parts)
        reads = {name: self.read(name, part.values) for name, part in batch.parts.items()}
        return self.meet(reads, {name: batch.places(name) for name in self.modalities})

    def forward(self, batch: Batch) -> Tensor:
        logits: Tensor = self.head(self.states(batch))
        return logits.float()

    def embed(self, batch: Batch) -> Tensor:
        """Unit vectors ``float[n, dim]`` of all that is present."""
        return F.normalize(self.states(batch), dim=1)
