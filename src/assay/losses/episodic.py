"""Learning from a few examples at a time: the prototype loss of an episode, and a net adapted to a task by gradient.

Sources: prototypical networks (Snell et al. 2017: squared Euclidean distances); MAML (Finn et al. 2017) with its
first-order form. An untrained net's prototype loss is near ln(way) where its vectors are nearly equal, else above.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

Parameters = Mapping[str, Tensor]


def prototypes(vectors: Tensor, labels: Tensor, way: int) -> Tensor:
    """The mean of each class's vectors: ``[n, d]`` with ``labels int64[n]`` in 0 … way - 1 -> ``[way, d]``.

    Raises `ValueError` for a class without any example.
    """
    counts = torch.bincount(labels, minlength=way)
    if len(counts) > way or bool((counts == 0).any()):
        raise ValueError(f"at least one example of each of {way} classes was expected, got {counts.tolist()}")
    sums = vectors.new_zeros(way, vectors.shape[1]).index_add(0, labels, vectors)
    return sums / counts[:, None]


def prototype_logits(query: Tensor, centres: Tensor) -> Tensor:
    """Minus the squared Euclidean distances ``[n, way]`` of ``query [n, d]`` to ``centres [way, d]``."""
    return 2 * query @ centres.T - query.square().sum(1, keepdim=True) - centres.square().sum(1)


def episode_loss(support: Tensor, support_labels: Tensor, query: Tensor, query_labels: Tensor) -> Tensor:
    """The cross-entropy of the query vectors ``[n, d]`` against prototypes of the support ``[m, d]``.

    >>> import math
    >>> same = torch.ones(4, 3)
    >>> math.isclose(float(episode_loss(same, torch.arange(4), same, torch.arange(4))), math.log(4), rel_tol=1e-6)
    True
    """
    way = int(support_labels.max()) + 1
    return F.cross_entropy(prototype_logits(query, prototypes(support, support_labels, way)), query_labels)


def adapted(
    net: nn.Module,
    loss: Callable[[Callable[..., Tensor]], Tensor],
    *,
    lr: float,
    steps: int = 1,
    first_order: bool = False,
) -> dict[str, Tensor]:
    """The parameters of ``net`` after ``steps`` of gradient descent on ``loss`` (MAML's inner loop), by name.

    ``loss`` is given the net as a function with the current parameters. Gradients flow through the steps to the net's
    own parameters; with ``first_order`` the inner gradients count as constants. Evaluate the adapted net by
    `called_with`. Batch norm uses the batch's statistics in train mode, which makes an evaluation transductive.
    """
    current: dict[str, Tensor] = dict(net.named_parameters())
    for _ in range(steps):
        value = loss(called_with(net, current))
        gradients = torch.autograd.grad(value, list(current.values()), create_graph=not first_order, allow_unused=True)
        current = {
            name: p if g is None else p - lr * g for (name, p), g in zip(current.items(), gradients, strict=True)
        }
    return current


def called_with(net: nn.Module, parameters: Parameters) -> Callable[..., Tensor]:
    """``net`` as a function that uses ``parameters`` in the place of its own."""

    def call(*inputs: Tensor) -> Tensor:
        out: Tensor = functional_call(net, dict(parameters), inputs)
        return out

    return call
