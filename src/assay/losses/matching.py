"""Do these two belong together? A yes/no head over fused pairs, taught with hard negatives.

Source: ALBEF (Li et al. 2021), BLIP (Li et al. 2022): for each pair one negative picture for its text and one negative
text for its picture, drawn with probability proportional to their similarity. At random start the loss is about ln 2
with logits near 0.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Generator, Tensor


def hard_negatives(similarity: Tensor, generator: Generator, same: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """For each row of ``similarity [n, n]`` a wrong column, and for each column a wrong row: ``int64[n]`` each.

    Drawn from softmax(similarity) + 1e-4, so that what looks alike comes often. ``same bool[n, n]`` marks pairs that are
    not wrong (equal captions); by default only the diagonal. A row without any wrong partner is a `ValueError`.

    >>> rows, columns = hard_negatives(torch.zeros(4, 4), torch.Generator().manual_seed(0))
    >>> bool((rows != torch.arange(4)).all() and (columns != torch.arange(4)).all())
    True
    """
    n = len(similarity)
    right = torch.eye(n, dtype=torch.bool) if same is None else same | torch.eye(n, dtype=torch.bool)
    if bool(right.all(1).any() or right.all(0).any()):
        raise ValueError(f"hard negatives need a wrong partner for every sample: a batch of {n} has some without")
    scores = similarity.detach().float()
    rows = (scores.softmax(1) + 1e-4).masked_fill(right, 0)
    columns = (scores.T.softmax(1) + 1e-4).masked_fill(right.T, 0)
    drawn = [torch.multinomial(weights, 1, generator=generator)[:, 0] for weights in (rows, columns)]
    return drawn[0], drawn[1]


def match(positive: Tensor, negative: Tensor) -> Tensor:
    """The cross-entropy of two-way logits: ``positive [n, 2]`` should say 1, ``negative [m, 2]`` 0.

    >>> round(float(match(torch.zeros(3, 2), torch.zeros(6, 2))), 4)     # ln 2
    0.6931
    """
    labels = torch.cat([torch.ones(len(positive)), torch.zeros(len(negative))]).long().to(positive.device)
    return F.cross_entropy(torch.cat([positive, negative]).float(), labels)
