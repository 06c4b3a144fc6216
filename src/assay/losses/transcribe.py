"""Transcripts without alignment: connectionist temporal classification (Graves et al. 2006). Class 0 is the blank."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

BLANK = 0


def ctc(logits: Tensor, mask: Tensor, targets: Tensor) -> Tensor:
    """Minus the log-probability of each transcript over all alignments, per symbol, mean over the batch.

    ``logits [n, t, v]`` where ``mask bool[n, t]`` holds (from the start on), ``targets int64[n, s]`` with 0 after their end. A
    transcript that does not fit into its steps (one for each symbol, one more between equal neighbours) counts as 0.

    >>> import torch
    >>> round(float(ctc(torch.zeros(1, 2, 3), torch.ones(1, 2, dtype=torch.bool), torch.tensor([[2]]))), 4)   # 3 of 9 ways
    1.0986
    """
    lengths = (targets != BLANK).sum(1)
    return F.ctc_loss(
        logits.float().log_softmax(2).transpose(0, 1),
        targets,
        mask.sum(1),
        lengths,
        blank=BLANK,
        zero_infinity=True,
        reduction="mean",
    )
