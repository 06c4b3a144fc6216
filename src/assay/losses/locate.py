"""Finding things: in a picture's cells (boxes), in its pixels (masks), in a film's frames or a sound's steps (spans).

Sources: FCOS (Tian et al. 2019: every cell inside a box tells how far its sides are), focal loss (Lin et al. 2017), Dice
(Milletari et al. 2016); spans of time in the same way (ActionFormer: Zhang et al. 2022). With logits of 0 a mask's
cross-entropy is ln(classes).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from assay.losses.regress import focal, locate

INNER = 0.6  # the share of a box, each way, whose cells speak for it


def centres(side: int) -> Tensor:
    """The middles ``[side · side, 2]`` (x, y in shares of the picture) of a grid's cells, row by row.

    >>> centres(2).tolist()
    [[0.25, 0.25], [0.75, 0.25], [0.25, 0.75], [0.75, 0.75]]
    """
    at = (torch.arange(side) + 0.5) / side
    return torch.stack([at.repeat(side), at.repeat_interleave(side)], 1)


def cells_of(boxes: Tensor, side: int) -> Tensor:
    """For each cell the number of the box ``[k, 4]`` (x0, y0, x1, y1 in shares) that it speaks for, -1 for none: ``int64[side²]``.

    A cell speaks for the smallest box in whose middle part it lies; the cell in which a box's own middle lies always does.
    """
    middles = centres(side)
    out = torch.full((side * side,), -1)
    sizes = (boxes[:, 2:] - boxes[:, :2]).clamp(min=0)
    for i in sizes.prod(1).argsort(descending=True, stable=True).tolist():
        middle = (boxes[i, :2] + boxes[i, 2:]) / 2
        own = ((middles - middle).abs() <= sizes[i] * INNER / 2).all(1)
        x, y = (middle * side).long().clamp(0, side - 1).tolist()
        own[y * side + x] = True
        out[own] = i
    return out


def boxes_loss(logits: Tensor, boxes: Tensor, targets: Sequence[tuple[Tensor, Tensor]], side: int) -> dict[str, Tensor]:
    """Which class each cell sees (focal) and where its box is (`locate`), for ``logits [n, side², k]`` and ``boxes [n, side², 4]``.

    ``targets`` are for each picture its boxes ``[m, 4]`` and their classes ``int64[m]``; m may be 0.
    """
    wanted = torch.zeros_like(logits)
    owners = [cells_of(own, side) for own, _ in targets]
    for i, (owner, (_, labels)) in enumerate(zip(owners, targets, strict=True)):
        cells = torch.nonzero(owner >= 0)[:, 0]
        wanted[i, cells, labels[owner[cells]]] = 1.0
    found = {"classes": focal(logits, wanted)}
    there = torch.stack(owners) >= 0
    if bool(there.any()):
        true = torch.cat([own[owner[owner >= 0]] for owner, (own, _) in zip(owners, targets, strict=True)])
        found["places"] = locate(boxes[there], true, corners=1.0)
    return found


def masks_loss(logits: Tensor, classes: Tensor) -> dict[str, Tensor]:
    """The cross-entropy of every pixel, and one minus Dice's overlap over the classes that are there.

    ``logits [n, k, h, w]``, ``classes int64[n, h, w]`` with negative numbers for pixels that do not count.
    """
    known = classes >= 0
    pixels = F.cross_entropy(logits.float(), classes.clamp(min=0), reduction="none")
    shares = logits.float().softmax(1) * known[:, None]
    true = F.one_hot(classes.clamp(min=0), logits.shape[1]).permute(0, 3, 1, 2) * known[:, None]
    both, all_ = (shares * true).sum((0, 2, 3)), (shares + true).sum((0, 2, 3))
    there = true.sum((0, 2, 3)) > 0
    dice = (2 * both / all_.clamp(min=1e-6))[there]
    overlap = 1 - (dice.mean() if bool(there.any()) else logits.new_ones(()))
    return {"pixels": (pixels * known).sum() / known.sum().clamp(min=1), "overlap": overlap}


def spans_loss(
    logits: Tensor, reach: Tensor, mask: Tensor, targets: Sequence[tuple[Tensor, Tensor]]
) -> dict[str, Tensor]:
    """Which class each step sees (focal) and how far its span reaches (1 - overlap), for ``logits [n, t, k]``, ``reach [n, t, 2]``.

    ``targets`` are for each film its spans ``[m, 2]`` (first and last in steps, 0 … t) and classes ``int64[m]``; ``mask
    bool[n, t]`` says which steps are there. ``reach`` is how many steps before and after the step's middle.
    """
    n, t = mask.shape
    at = torch.arange(t) + 0.5
    owner = torch.full((n, t), -1)
    for i, (spans, _) in enumerate(targets):
        for j in (spans[:, 1] - spans[:, 0]).argsort(descending=True, stable=True).tolist():
            owner[i, (at >= spans[j, 0]) & (at <= spans[j, 1]) & mask[i]] = j
    rows, steps = torch.nonzero(owner >= 0, as_tuple=True)
    wanted = torch.zeros_like(logits)
    labels = [int(targets[i][1][int(owner[i, s])]) for i, s in zip(rows.tolist(), steps.tolist(), strict=True)]
    wanted[rows, steps, torch.tensor(labels, dtype=torch.int64)] = 1.0
    found = {"classes": focal(logits[mask], wanted[mask])}
    if len(rows):
        true = torch.stack(
            [targets[i][0][int(owner[i, s])] for i, s in zip(rows.tolist(), steps.tolist(), strict=True)]
        )
        before, after = at[steps] - true[:, 0], true[:, 1] - at[steps]
        told = reach[rows, steps]
        inside = torch.minimum(told[:, 0], before) + torch.minimum(told[:, 1], after)
        union = torch.maximum(told[:, 0], before) + torch.maximum(told[:, 1], after)
        found["places"] = (1 - inside / union.clamp(min=1e-6)).mean()
    return found
