"""Losses for labels that may be wrong, inputs that were changed to mislead, and pairs that differ in what matters only.

Sources: generalised cross-entropy (Zhang & Sabuncu 2018), small losses as a sign of right labels (co-teaching: Han et al. 2018), the fast
gradient sign and its iteration (Goodfellow et al. 2015; Madry et al. 2018), counterfactual pairs (Teney et al. 2020).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Generator, Tensor


def forgiving(logits: Tensor, labels: Tensor, *, q: float = 0.7) -> Tensor:
    """``(1 - pᵠ) / q`` with p the probability of the label, mean over rows: cross-entropy for q near 0, mean absolute error for 1.

    What is far from its label pulls less than in cross-entropy, so that wrong labels are not learnt by heart.

    >>> import torch
    >>> round(float(forgiving(torch.zeros(3, 4), torch.arange(3), q=1.0)), 4)
    0.75
    """
    if not 0 < q <= 1:
        raise ValueError(f"q lies in (0, 1], got {q}")
    right = logits.float().log_softmax(1).gather(1, labels[:, None])[:, 0]
    return ((1 - (q * right).exp()) / q).mean()


def believable(terms: Tensor, share: float) -> Tensor:
    """``bool[n]``: the ``share`` of rows whose loss ``terms [n]`` is smallest, at least one; what co-teaching learns from.

    >>> import torch
    >>> believable(torch.tensor([0.1, 9.0, 0.3, 7.0]), 0.5).tolist()
    [True, False, True, False]
    """
    kept = max(round(share * len(terms)), 1)
    return torch.zeros(len(terms), dtype=torch.bool).scatter(0, terms.detach().argsort()[:kept], True)


def mislead(
    loss: Callable[[Tensor], Tensor],
    inputs: Tensor,
    *,
    reach: float,
    steps: int = 1,
    generator: Generator | None = None,
) -> Tensor:
    """Inputs in [0, 1] changed by at most ``reach`` each so that ``loss(inputs)`` grows: by the sign of the gradient.

    One step is the fast gradient sign method. Several are projected gradient descent, each of 2.5 ``reach`` / ``steps``,
    from a random place within reach where a ``generator`` is given. The net's own gradients are left alone.
    """
    if reach < 0 or steps < 1:
        raise ValueError(f"a reach of 0 or more and at least 1 step were expected, got {reach} and {steps}")
    start = inputs.detach()
    x = start
    if generator is not None:
        x = x + reach * (2 * torch.rand(x.shape, generator=generator) - 1)
    stride = reach if steps == 1 else 2.5 * reach / steps
    for _ in range(steps):
        x = x.clamp(0, 1).requires_grad_()
        (slope,) = torch.autograd.grad(loss(x), x)
        x = (x.detach() + stride * slope.sign()).clamp(start - reach, start + reach)
    return x.clamp(0, 1)


def counterfactual(logits: Tensor, twin: Tensor, labels: Tensor, twin_labels: Tensor, *, margin: float = 1.0) -> Tensor:
    """The cross-entropy of both members of a pair, and that each label should score higher on its own member by a ``margin``.

    ``logits [n, k]`` and ``twin [n, k]`` are of inputs that differ in little but what changes the answer. Pairs whose labels are equal have
    no second term.
    """
    both = (F.cross_entropy(logits.float(), labels) + F.cross_entropy(twin.float(), twin_labels)) / 2
    differ = labels != twin_labels
    if not bool(differ.any()):
        return both
    terms = []
    for own, other, label in ((logits, twin, labels), (twin, logits, twin_labels)):
        gap = (own - other).float().gather(1, label[:, None])[:, 0]
        terms.append(F.softplus(margin - gap)[differ].mean())
    return both + torch.stack(terms).mean()
