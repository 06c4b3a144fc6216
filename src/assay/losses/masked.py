"""Masked modelling: what was hidden of a picture, a sentence or a spectrogram is to be told from what is left.

Sources: MAE (He et al. 2022), SimMIM (Xie et al. 2022), BERT (Devlin et al. 2019); masked spectrograms after
Audio-MAE (Huang et al. 2022). Shapes: pictures ``[n, c, h, w]``; patches ``[n, t, p·p·c]``; masks true where hidden.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Generator, Tensor


def patches(pictures: Tensor, size: int) -> Tensor:
    """``[n, c, h, w]`` cut into ``[n, (h / size)(w / size), size · size · c]``, row by row, pixel by pixel, colours last.

    >>> patches(torch.arange(16.0).view(1, 1, 4, 4), 2)[0, 1].tolist()
    [2.0, 3.0, 6.0, 7.0]
    """
    n, c, h, w = pictures.shape
    if h % size or w % size:
        raise ValueError(f"pictures of {h} x {w} pixels do not divide into patches of {size}")
    cut = pictures.reshape(n, c, h // size, size, w // size, size)
    return cut.permute(0, 2, 4, 3, 5, 1).reshape(n, (h // size) * (w // size), size * size * c)


def unpatched(values: Tensor, size: int, height: int, width: int) -> Tensor:
    """The inverse of `patches`: ``[n, t, size · size · c]`` -> ``[n, c, height, width]``."""
    n, _, d = values.shape
    c = d // (size * size)
    whole = values.reshape(n, height // size, width // size, size, size, c)
    return whole.permute(0, 5, 1, 3, 2, 4).reshape(n, c, height, width)


def random_mask(n: int, positions: int, share: float, generator: Generator) -> Tensor:
    """``bool[n, positions]`` with exactly ``round(share · positions)`` hidden in every row, each row drawn by itself."""
    hidden = round(share * positions)
    order = torch.rand(n, positions, generator=generator).argsort(1)
    return torch.zeros(n, positions, dtype=torch.bool).scatter(1, order[:, :hidden], True)


def masked_patches(predicted: Tensor, target: Tensor, hidden: Tensor, *, normalised: bool = True) -> Tensor:
    """MAE: the mean squared error over the hidden patches only. ``predicted`` and ``target [n, t, d]``, ``hidden [n, t]``.

    With ``normalised`` each target patch is brought to mean 0 and (unbiased) variance 1, so that predicting 0
    everywhere costs (d - 1) / d. Nothing hidden gives 0.

    >>> loss = masked_patches(torch.zeros(2, 9, 48), torch.randn(2, 9, 48), torch.ones(2, 9, dtype=torch.bool))
    >>> abs(float(loss) - 47 / 48) < 1e-4
    True
    """
    target = target.float()
    if normalised:
        target = (target - target.mean(2, keepdim=True)) / (target.var(2, keepdim=True) + 1e-6).sqrt()
    errors = (predicted.float() - target).square().mean(2)
    return (errors * hidden).sum() / hidden.sum().clamp(min=1)


def masked_pixels(predicted: Tensor, pictures: Tensor, hidden: Tensor) -> Tensor:
    """SimMIM: the mean absolute error over hidden pixels. Pictures ``[n, c, h, w]``, ``hidden bool[n, h, w]``."""
    errors = (predicted.float() - pictures.float()).abs() * hidden[:, None]
    return errors.sum() / (hidden.sum() + 1e-5) / pictures.shape[1]


def hide_tokens(
    ids: Tensor, *, mask_id: int, vocabulary: int, generator: Generator, share: float = 0.15, special: int = 0
) -> tuple[Tensor, Tensor]:
    """BERT's corruption of ``ids int64[n, t]``: the corrupted ids, and which positions are to be told (``bool[n, t]``).

    Of the chosen positions 80 % become ``mask_id``, 10 % a random token, 10 % stay. Ids below ``special`` (padding,
    start …) are never chosen, and no random token is one of them.
    """
    chosen = (torch.rand(ids.shape, generator=generator) < share) & (ids >= special)
    how = torch.rand(ids.shape, generator=generator)
    random = torch.randint(special, vocabulary, ids.shape, generator=generator)
    corrupted = torch.where(chosen & (how < 0.8), mask_id, ids)
    return torch.where(chosen & (how >= 0.9), random, corrupted), chosen


def masked_tokens(logits: Tensor, ids: Tensor, hidden: Tensor) -> Tensor:
    """The mean cross-entropy of ``logits [n, t, v]`` against ``ids [n, t]`` over the hidden positions; 0 without any.

    With equal logits it is ln v.
    """
    terms = F.cross_entropy(logits.transpose(1, 2).float(), ids, reduction="none")
    return (terms * hidden).sum() / hidden.sum().clamp(min=1)
