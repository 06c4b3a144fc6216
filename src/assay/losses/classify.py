"""Classification: cross-entropy with label smoothing. At random start it is about ln(classes)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def classify(logits: Tensor, labels: Tensor, smoothing: float = 0.0, rows: Tensor | None = None) -> Tensor:
    """The mean cross-entropy of ``logits [n, k]`` against ``labels int64[n]``, over the ``rows`` (``bool[n]``) if given.

    >>> import torch, math
    >>> math.isclose(float(classify(torch.zeros(5, 9), torch.arange(5))), math.log(9), rel_tol=1e-6)
    True
    """
    terms = F.cross_entropy(logits, labels, label_smoothing=smoothing, reduction="none")
    if rows is None:
        return terms.mean()
    return (terms * rows).sum() / rows.sum().clamp(min=1)
