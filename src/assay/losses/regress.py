"""Numbers and boxes: regression, box regression, focal classification for detection.

Sources: generalised IoU (Rezatofighi et al. 2019), focal loss (Lin et al. 2017), DETR's box loss (Carion et al. 2020).
Boxes are ``[n, 4]`` as x0, y0, x1, y1.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def regress(predicted: Tensor, target: Tensor, *, delta: float | None = None) -> Tensor:
    """The mean squared error, or with ``delta`` Huber's loss; targets that are NaN (unknown) do not count."""
    known = ~torch.isnan(target)
    aim = torch.where(known, target, predicted.detach()).float()
    if delta is None:
        terms = F.mse_loss(predicted.float(), aim, reduction="none")
    else:
        terms = F.huber_loss(predicted.float(), aim, reduction="none", delta=delta)
    return (terms * known).sum() / known.sum().clamp(min=1)


def generalised_iou(a: Tensor, b: Tensor) -> Tensor:
    """``[n]``: IoU less the share of the enclosing box that neither covers; in (-1, 1], 1 for equal boxes.

    >>> box = torch.tensor([[0.0, 0.0, 2.0, 2.0]])
    >>> float(generalised_iou(box, box)), round(float(generalised_iou(box, box + 4)), 4)
    (1.0, -0.7778)
    """
    low, high = torch.maximum(a[:, :2], b[:, :2]), torch.minimum(a[:, 2:], b[:, 2:])
    inside = (high - low).clamp(min=0).prod(1)
    union = (a[:, 2:] - a[:, :2]).prod(1) + (b[:, 2:] - b[:, :2]).prod(1) - inside
    hull = (torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])).prod(1)
    return inside / union.clamp(min=1e-7) - (hull - union) / hull.clamp(min=1e-7)


def locate(predicted: Tensor, target: Tensor, *, corners: float = 5.0, overlap: float = 2.0) -> Tensor:
    """DETR's box loss: ``corners`` times the L1 distance plus ``overlap`` times 1 - generalised IoU, mean over boxes."""
    near = F.l1_loss(predicted.float(), target.float(), reduction="none").sum(1).mean()
    return corners * near + overlap * (1 - generalised_iou(predicted.float(), target.float())).mean()


def focal(logits: Tensor, targets: Tensor, *, alpha: float = 0.25, gamma: float = 2.0) -> Tensor:
    """The focal loss of yes/no ``logits`` against ``targets`` in {0, 1} of one shape, summed over all and divided by the
    number of positives (at least 1). With gamma 0 and alpha 0.5 it is half the cross-entropy.
    """
    targets = targets.to(logits.dtype)
    terms = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    right = torch.where(targets > 0.5, logits.sigmoid(), 1 - logits.sigmoid())
    weight = torch.where(targets > 0.5, alpha, 1 - alpha)
    return (weight * (1 - right) ** gamma * terms).sum() / targets.sum().clamp(min=1)
