"""Composed: encode, align, fuse and decode in one net, with a loss at each joint.

A picture net and a text Transformer are aligned by contrast (CLIP: Radford et al. 2021); what both made of a sample meets
in a fusion by name, which says whether they belong together (image-text matching: Li et al. 2021) and hints the decoder
(BLIP: Li et al. 2022), which writes with the hint and the picture's cells before its eyes (CoCa: Yu et al. 2022).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from assay.catalog import nearest
from assay.data.batch import Batch
from assay.models.aligned import SCALE_LIMIT
from assay.models.encoders.tokens import TokenEncoder
from assay.models.fusion import FUSIONS, TOKEN_FUSIONS
from assay.models.generation import Decoding
from assay.models.layers import expect_modalities
from assay.models.meeting import Read, meet
from assay.models.vlm import VisionLanguage, VlmSettings


@dataclass(frozen=True)
class ComposedSettings:
    """The sizes that decide the net's shape; kept in ``config.json``. ``frozen``: whether training leaves the picture net as it is."""

    vocabulary: int
    skills: tuple[str, ...] = ("describe",)
    fusion: str = "gated"
    size_px: int = 48
    image_widths: tuple[int, ...] = (32, 64, 128, 224)
    text_width: int = 96
    text_layers: int = 2
    longest_text: int = 64
    dim: int = 160
    layers: int = 2
    heads: int = 4
    length: int = 112
    max_tokens: int = 48
    beams: int = 1
    dropout: float = 0.1
    frozen: bool = False


class Composed(nn.Module):
    """`Batch` of pictures and texts (tokens ``int64[m, t]``) -> vectors in one space, matches, and answers in tokens.

    `embed` gives what a sample is in the shared space: for one modality its aligned vector, for both the sum of these and of
    what the fusion adds. ``writer`` holds the picture net and the decoder.
    """

    modalities = ("text", "image")

    def __init__(self, settings: ComposedSettings) -> None:
        super().__init__()
        s = self.settings = settings
        if s.fusion not in FUSIONS:
            raise ValueError(f"unknown fusion {s.fusion!r}: {nearest(s.fusion, FUSIONS)}")
        self.skills = s.skills
        self.writer = VisionLanguage(_writer(s))
        self.text = TokenEncoder(
            s.dim,
            vocabulary=s.vocabulary,
            width=s.text_width,
            layers=s.text_layers,
            longest=s.longest_text,
            dropout=s.dropout,
        )
        self.norms = nn.ModuleDict({name: nn.LayerNorm(s.dim) for name in self.modalities})
        self.of_tokens = s.fusion in TOKEN_FUSIONS
        if self.of_tokens:
            widths = {"text": s.text_width, "image": s.image_widths[-1]}
            self.token_in = nn.ModuleDict({name: nn.Linear(width, s.dim) for name, width in widths.items()})
        self.fusion = FUSIONS[s.fusion](len(self.modalities), s.dim)
        self.norm = nn.LayerNorm(s.dim)
        self.matches = nn.Linear(s.dim, 2)
        self.hint = nn.Linear(s.dim, s.dim)
        self.shift = nn.Linear(s.dim, s.dim)
        self.log_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))

    def read(self, modality: str, values: Tensor) -> tuple[Tensor, Read, Tensor]:
        """Of m contents: unit vectors ``[m, dim]`` in the shared space, what takes part in a meeting, and what the encoder
        gave for each place ``[m, t, channels]``."""
        encoder = self.writer.reader if modality == "image" else self.text
        tokens, mask = encoder.features(values)
        summary = encoder.summary(tokens, mask).float()
        vectors = self.norms[modality](summary)
        if self.of_tokens:
            read = Read(vectors, self.token_in[modality](tokens).float(), mask)
        else:
            read = Read(vectors, vectors[:, None][:, :0], mask[:, :0])
        return F.normalize(summary, dim=1), read, tokens

    def meet(self, reads: Mapping[str, Read], rows: Mapping[str, Tensor]) -> Tensor:
        """The fused vectors ``float[n, dim]`` of samples that show content ``rows[modality][i]``, -1 for none."""
        met: Tensor = self.norm(meet(self.fusion, self.modalities, reads, rows, dim=self.settings.dim))
        return met

    def match_logits(self, met: Tensor) -> Tensor:
        """``float[n, 2]`` of fused vectors: they do not belong together, they do."""
        out: Tensor = self.matches(met).float()
        return out

    def hints(self, met: Tensor) -> Tensor:
        """``[n, 1, dim]``: the token by which fused vectors reach the decoder."""
        out: Tensor = self.hint(met)[:, None]
        return out

    def scale(self) -> Tensor:
        """What cosines are multiplied by when samples are compared; at most 100."""
        return self.log_scale.exp().clamp(max=SCALE_LIMIT)

    def embed(self, batch: Batch) -> Tensor:
        """Unit vectors ``float[n, dim]`` of all that is present."""
        expect_modalities(self, batch.parts)
        n = len(batch)
        total, reads = torch.zeros(n, self.settings.dim), {}
        for name, part in batch.parts.items():
            vectors, reads[name], _ = self.read(name, part.values)
            total = total + part.spread(vectors, n)
        both = torch.stack([batch.present(name) for name in self.modalities], 1).all(1)
        if bool(both.any()):
            met = self.meet(reads, {name: batch.places(name) for name in self.modalities})
            total = total + self.shift(met).float() * both[:, None]
        return F.normalize(total, dim=1)

    def generate(self, batch: Batch, how: Decoding, generators: Sequence[Generator] = ()) -> list[list[int]]:
        """The tokens of each sample's answer to its text."""
        return self.writer.generate(batch, how, generators, beside=self._beside(batch))

    def choice_scores(self, batch: Batch, choices: Sequence[Sequence[int]]) -> Tensor:
        """``float[n, k]``: the log-probability of writing each choice (tokens) and ending there."""
        return self.writer.choice_scores(batch, choices, beside=self._beside(batch))

    def _beside(self, batch: Batch) -> Tensor:
        expect_modalities(self, batch.parts)
        reads = {name: self.read(name, part.values)[1] for name, part in batch.parts.items()}
        return self.hints(self.meet(reads, {name: batch.places(name) for name in self.modalities}))


def _writer(s: ComposedSettings) -> VlmSettings:
    return VlmSettings(
        s.vocabulary,
        s.skills,
        attach="cross",
        size_px=s.size_px,
        image_widths=s.image_widths,
        vector_dim=s.dim,
        dim=s.dim,
        layers=s.layers,
        heads=s.heads,
        length=s.length,
        max_tokens=s.max_tokens,
        beams=s.beams,
        dropout=s.dropout,
        frozen=s.frozen,
    )
