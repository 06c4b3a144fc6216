"""Aligned: one tower per modality into one space, where what belongs together is close (CLIP, Radford et al. 2021).

Trained with pairs of picture and text, and of picture and sound. Sound and text never meet in training; both having
learned to lie near the picture, they lie near each other (ImageBind, Girdhar et al. 2023).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from assay.catalog import nearest
from assay.data.batch import Batch
from assay.models.encoders.audio import AudioEncoder
from assay.models.encoders.cnn import ImageEncoder
from assay.models.encoders.text import TextEncoder
from assay.models.encoders.vit import VisionTransformer
from assay.models.layers import expect_modalities

SCALE_START = math.log(1 / 0.07)
SCALE_LIMIT = 100.0


@dataclass(frozen=True)
class AlignedSettings:
    """The sizes that decide the net's shape; kept in ``config.json``.

    ``modalities`` are those that have a tower; the picture's is a convolutional net (``cnn``) or a Transformer (``vit``).
    ``alone`` and ``together``: how much the vote of each of them counts for a class, where the sample has nothing else,
    and where it has (`assay.recipes.votes` fits them); empty: in full.
    """

    dim: int = 128
    image_widths: tuple[int, ...] = (32, 64, 128, 224)
    buckets: int = 12288
    text_width: int = 96
    dropout: float = 0.1
    modalities: tuple[str, ...] = ("text", "image", "audio")
    image: str = "cnn"
    size_px: int = 48
    patch_px: int = 8
    image_layers: int = 4
    alone: tuple[float, ...] = ()
    together: tuple[float, ...] = ()


class Aligned(nn.Module):
    """A tower for each modality, a learned scale of their cosines, and a second one for the question "which of these classes"."""

    def __init__(self, settings: AlignedSettings = AlignedSettings()) -> None:
        super().__init__()
        s = self.settings = settings
        for name, factors in (("alone", s.alone), ("together", s.together)):
            if len(factors) not in (0, len(s.modalities)):
                raise ValueError(
                    f"{name} holds {len(factors)} factors for {len(s.modalities)} modalities; give one each, or none"
                )
        self.modalities = s.modalities
        self.towers = nn.ModuleDict({name: _tower(name, s) for name in s.modalities})
        self.log_scale = nn.Parameter(torch.tensor(SCALE_START))
        self.log_class_scale = nn.Parameter(torch.tensor(SCALE_START))

    def vectors(self, modality: str, values: Tensor) -> Tensor:
        """Unit vectors ``float[m, dim]`` of one modality's values."""
        return F.normalize(self.towers[modality](values).float(), dim=1)

    def embed(self, batch: Batch) -> Tensor:
        """``[n, dim]``: the mean of the unit vectors of what each sample has, made unit again."""
        expect_modalities(self, batch.parts)
        total = torch.zeros(len(batch), self.settings.dim)
        for name in sorted(batch.parts):
            part = batch.parts[name]
            total = total + part.spread(self.vectors(name, part.values), len(batch))
        return F.normalize(total, dim=1)

    def scale(self) -> Tensor:
        """What cosines are multiplied by when samples are compared; at most 100."""
        return self.log_scale.exp().clamp(max=SCALE_LIMIT)

    def class_scale(self) -> Tensor:
        """The same for a comparison with class phrases, of which there are few."""
        return self.log_class_scale.exp().clamp(max=SCALE_LIMIT)

    def class_logits(self, batch: Batch, phrases: Tensor) -> Tensor:
        """``[n, k]``: each modality votes with its scaled cosines to the ``k`` phrases' vectors; votes add up.

        The sum of log-probabilities would be right if modalities erred independently (a product of experts: Hinton
        2002). They do not quite: the settings' ``alone`` and ``together`` weigh them.
        """
        expect_modalities(self, batch.parts)
        full = (1.0,) * len(self.modalities)
        alone, together = self.settings.alone or full, self.settings.together or full
        several = torch.stack([batch.present(name) for name in self.modalities]).sum(0) > 1
        total = torch.zeros(len(batch), len(phrases))
        for i, name in enumerate(self.modalities):
            part = batch.parts.get(name)
            if part is None:
                continue
            weight = torch.where(several, together[i], alone[i])[part.rows, None]
            votes = (weight * self.class_scale() * self.vectors(name, part.values) @ phrases.T).log_softmax(1)
            total = total + part.spread(votes, len(batch))
        return total


def _tower(modality: str, s: AlignedSettings) -> nn.Module:
    """The tower of a modality. `ValueError` for one that has none, and for an unknown kind of picture net."""
    if modality == "text":
        return TextEncoder(s.dim, buckets=s.buckets, width=s.text_width, dropout=s.dropout)
    if modality == "audio":
        return AudioEncoder(s.dim, dropout=s.dropout)
    if modality != "image":
        raise ValueError(f"no tower for the modality {modality!r}: {nearest(modality, ('text', 'image', 'audio'))}")
    if s.image == "cnn":
        return ImageEncoder(s.dim, widths=s.image_widths, dropout=s.dropout)
    if s.image == "vit":
        sizes = {"size_px": s.size_px, "patch_px": s.patch_px, "layers": s.image_layers}
        return VisionTransformer(s.dim, width=s.dim, dropout=s.dropout, **sizes)
    raise ValueError(f"unknown picture net {s.image!r}: {nearest(s.image, ('cnn', 'vit'))}")
