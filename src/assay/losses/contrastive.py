"""InfoNCE between two sets of vectors, with any number of positives per row, and its supervised form within one set.

Source: CLIP (Radford et al. 2021) for the symmetric loss; SupCon (Khosla et al. 2020) for several positives, whose
targets are the row-normalised relevance. With scale 0, or all vectors equal, the loss is exactly ln(columns) in each
direction; ln N for an N x N batch.
"""

from __future__ import annotations

import torch
from torch import Tensor


def info_nce(a: Tensor, b: Tensor, scale: Tensor | float, positives: Tensor | None = None) -> Tensor:
    """The mean of both directions' cross-entropies, a scalar.

    ``a [n, d]`` and ``b [m, d]`` are unit vectors; ``positives bool[n, m]`` says what belongs together (``None``: the
    diagonal). Rows and columns without any positive are negatives for the others and have no term of their own.

    >>> same = torch.ones(4, 2) / 2 ** 0.5
    >>> round(float(info_nce(same, same, 14.3)), 4)      # ln 4
    1.3863
    """
    logits = scale * similarities(a, b)
    if positives is None:
        positives = torch.eye(len(a), len(b), dtype=torch.bool, device=a.device)
    return (soft_cross_entropy(logits, positives) + soft_cross_entropy(logits.T, positives.T)) / 2


def supervised_contrast(vectors: Tensor, labels: Tensor, scale: Tensor | float) -> Tensor:
    """Each of the unit ``vectors [n, d]`` should be nearest to those of the same ``labels [n]``, itself left out."""
    self_pair = torch.eye(len(vectors), dtype=torch.bool, device=vectors.device)
    logits = (scale * similarities(vectors, vectors)).masked_fill(self_pair, -1e4)
    return soft_cross_entropy(logits, (labels[:, None] == labels[None, :]) & ~self_pair)


def similarities(a: Tensor, b: Tensor) -> Tensor:
    """Inner products ``[n, m]`` in float32 also where autocast would take bfloat16, whose steps of 1/128 are too coarse."""
    with torch.autocast(a.device.type, enabled=False):
        return a.float() @ b.float().T


def soft_cross_entropy(logits: Tensor, positives: Tensor) -> Tensor:
    """Mean over the rows that have positives of the cross-entropy against equal shares among them; 0 without any."""
    counts = positives.sum(1)
    has = counts > 0
    log_probabilities = logits.log_softmax(1)
    share = positives.to(logits.dtype) / counts.clamp(min=1)[:, None]
    terms = -(share * log_probabilities).sum(1)
    return (terms * has).sum() / has.sum().clamp(min=1)
