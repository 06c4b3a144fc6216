"""Contents that were read once and meet as often as samples show them: one picture and ten questions are eleven readings.

Any fusion of `assay.models.fusion.FUSIONS` serves: of one vector a modality, or of every modality's sequence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from assay.models.layers import masked_mean


class Read(NamedTuple):
    """What an encoder made of m contents: a vector ``[m, dim]`` each, their tokens ``[m, t, dim]`` with the mask ``[m, t]``
    (t is 0 where the fusion takes vectors only)."""

    vectors: Tensor
    tokens: Tensor
    mask: Tensor


def nothing(dim: int) -> Read:
    """What stands for a modality that no sample has."""
    return Read(torch.zeros(1, dim), torch.zeros(1, 0, dim), torch.zeros(1, 0, dtype=torch.bool))


def meet(
    fusion: nn.Module, modalities: Sequence[str], reads: Mapping[str, Read], rows: Mapping[str, Tensor], *, dim: int
) -> Tensor:
    """The fused vectors ``float[n, dim]``: sample i shows content ``rows[modality][i]`` of what was read, -1 for none.

    A fusion that sees sequences is told by the tokens that were read. To what it gives the mean of the modalities'
    vectors is added, as each of its blocks adds to what it was given.
    """
    present = torch.stack([rows[name] >= 0 for name in modalities], 1)
    at = {name: rows[name].clamp(min=0) for name in modalities}
    several = [reads.get(name, nothing(dim)) for name in modalities]
    vectors = torch.stack([one.vectors[at[name]] for name, one in zip(modalities, several, strict=True)], 1)
    vectors = vectors * present[..., None]
    longest = max(one.mask.shape[1] for one in several)
    if not longest:
        out: Tensor = fusion(vectors, present).float()
        return out
    tokens, masks = [], []
    for i, (name, one) in enumerate(zip(modalities, several, strict=True)):
        more = longest - one.mask.shape[1]
        tokens.append(F.pad(one.tokens[at[name]], (0, 0, 0, more)))
        masks.append(F.pad(one.mask[at[name]], (0, more)) & present[:, i, None])
    mixed = fusion(torch.stack(tokens, 1), torch.stack(masks, 1))
    return mixed.float() + masked_mean(vectors, present)
