"""Contrast between two sets of vectors: InfoNCE with any number of positives per row, in chunks, among all pairs of
modalities; its supervised form within one set; SigLIP.

Source: CLIP (Radford et al. 2021) for the symmetric loss; SupCon (Khosla et al. 2020) for several positives, whose
targets are the row-normalised relevance; SigLIP (Zhai et al. 2023); all pairs with one modality after ImageBind
(Girdhar et al. 2023); chunks in the spirit of gradient-cached contrast (Gao et al. 2021). With scale 0, or all vectors equal,
InfoNCE is exactly ln(columns) in each direction; ln N for an N x N batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
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


def chunked_info_nce(a: Tensor, b: Tensor, scale: Tensor | float, *, chunk: int = 1024) -> Tensor:
    """`info_nce` of the diagonal, ``chunk`` rows at a time: the same value and gradients, memory linear in the batch.

    The scores of a chunk are made again on the way back instead of being kept. ``a`` and ``b`` are ``[n, d]`` alike.

    >>> one, two = torch.nn.functional.normalize(torch.randn(2, 6, 4), dim=2)
    >>> bool(torch.isclose(chunked_info_nce(one, two, 5.0, chunk=4), info_nce(one, two, 5.0)))
    True
    """
    if a.shape != b.shape:
        raise ValueError(f"pairs of vectors were expected, not {tuple(a.shape)} with {tuple(b.shape)}")
    loss: Tensor = _Chunked.apply(a, b, torch.as_tensor(scale, dtype=torch.float32, device=a.device), chunk)
    return loss


class _Chunked(torch.autograd.Function):
    """Forward keeps only the log-sum-exp of each row and column; from these the gradient of a chunk is one formula."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, scale: Tensor, chunk: int) -> Tensor:
        x, y = a.float(), b.float()
        rows, columns = x.new_empty(len(x)), x.new_full((len(x),), -torch.inf)
        for start in range(0, len(x), chunk):
            logits = scale * (x[start : start + chunk] @ y.T)
            rows[start : start + chunk] = logits.logsumexp(1)
            columns = torch.logaddexp(columns, logits.logsumexp(0))
        ctx.save_for_backward(a, b, scale, rows, columns)
        ctx.chunk = chunk
        return (rows.mean() + columns.mean()) / 2 - scale * (x * y).sum() / len(x)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        a, b, scale, rows, columns = ctx.saved_tensors
        x, y = a.float(), b.float()
        to_a, to_b, to_scale = torch.empty_like(x), torch.zeros_like(y), torch.zeros_like(scale)
        factor = upstream[0] / (2 * len(x))
        for start in range(0, len(x), ctx.chunk):
            part = slice(start, start + ctx.chunk)
            cosines = x[part] @ y.T
            logits = scale * cosines
            share = (logits - rows[part, None]).exp_().add_((logits - columns).exp_())
            share[:, start : start + len(cosines)].diagonal().sub_(2)
            to_scale += (share * cosines).sum()
            to_a[part] = share @ y
            to_b += share.T @ x[part]
        step = factor * scale
        return (step * to_a).to(a.dtype), (step * to_b).to(b.dtype), factor * to_scale, None


def sigmoid_contrast(a: Tensor, b: Tensor, scale: Tensor | float, bias: Tensor | float) -> Tensor:
    """SigLIP: each pair of ``a [n, d]`` and ``b [n, d]`` is a yes/no question; summed over pairs and divided by n, not n².

    With orthogonal vectors, scale 10 and bias -10 the loss starts at softplus(10) + (n - 1) softplus(-10) = 10.0029
    for 64 pairs (where matched vectors are orthogonal too).

    >>> round(float(sigmoid_contrast(torch.eye(128)[:64], torch.eye(128)[64:], 10.0, -10.0)), 4)
    10.0029
    """
    logits = scale * similarities(a, b) + bias
    signs = 2 * torch.eye(len(a), len(b), device=a.device) - 1
    return F.softplus(-signs * logits).sum() / len(a)


def anchored_contrast(
    vectors: Mapping[str, Tensor], present: Mapping[str, Tensor], scale: Tensor | float, *, anchor: str = "image"
) -> dict[str, Tensor]:
    """InfoNCE of every modality with the ``anchor`` alone (ImageBind), a loss for each, over the samples that hold both.

    ``vectors [n, d]`` and ``present bool[n]`` by modality. Modalities that never meet are still aligned through the
    anchor. A pair of modalities that fewer than two samples hold has no loss. Raises `ValueError` without the anchor.
    """
    if anchor not in vectors:
        raise ValueError(f"the anchor {anchor!r} is none of the modalities {', '.join(sorted(vectors))}")
    losses = {}
    for name in sorted(set(vectors) - {anchor}):
        both = present[anchor] & present[name]
        if int(both.sum()) > 1:
            losses[f"{anchor}-{name}"] = info_nce(vectors[anchor][both], vectors[name][both], scale)
    return losses


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
