"""Writing: the cross-entropy of each token given what came before. At random start it is about ln(vocabulary)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

PAD = 0


def caption(logits: Tensor, targets: Tensor, smoothing: float = 0.0) -> Tensor:
    """The mean over all tokens of ``targets int64[n, t]`` (0 after their end) under ``logits [n, t, v]``, in nats a token.

    >>> import torch, math
    >>> math.isclose(float(caption(torch.zeros(2, 3, 50), torch.tensor([[4, 2, 0], [7, 8, 2]]))), math.log(50), rel_tol=1e-6)
    True
    """
    return F.cross_entropy(
        logits.flatten(0, -2).float(), targets.flatten(), ignore_index=PAD, label_smoothing=smoothing
    )
