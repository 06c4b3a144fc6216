"""Several losses, one net: how much each counts, and what happens when their gradients disagree.

A `Balance` does a step's backward pass from named losses. `Fixed` weights (Caruana 1997: hard sharing), `Uncertainty`
(Kendall et al. 2018: learned log-variances), `GradNorm` (Chen et al. 2018: gradients of one size, faster tasks slowed
down), `PCGrad` (Yu et al. 2020: what conflicts is projected away). Each keeps its state for an exact resume.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from assay.catalog import nearest

Losses = Mapping[str, Tensor]


class Balance(Protocol):
    """What turns a step's losses into gradients."""

    def backward(self, losses: Losses, net: nn.Module) -> None:
        """Add to the gradients of ``net``'s parameters."""

    def state(self) -> dict[str, Any]:
        """Tensors and plain values from which `restore` goes on to the bit."""

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a kept state."""


class Fixed:
    """Each loss times its weight (1 where none is given)."""

    def __init__(self, weights: Mapping[str, float] | None = None) -> None:
        self.weights = dict(weights or {})

    def backward(self, losses: Losses, net: nn.Module) -> None:
        """The gradient of the weighted sum."""
        total = torch.stack([self.weights.get(name, 1.0) * loss.float() for name, loss in losses.items()]).sum()
        total.backward()  # type: ignore[no-untyped-call]

    def state(self) -> dict[str, Any]:
        """Nothing changes."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Nothing to restore."""


class Uncertainty:
    """``e^-s L + s / 2`` for each loss with a learned s = ln σ²; squared errors (``regressions``) count half of that.

    s starts at 0 and has its own Adam; at its optimum a loss weighs the inverse of its size. The sum may become negative.
    """

    def __init__(self, names: Sequence[str], *, regressions: Sequence[str] = (), lr: float = 1e-2) -> None:
        self.names, self.regressions = tuple(names), frozenset(regressions)
        self.log_variances = torch.zeros(len(self.names), requires_grad=True)
        self.optimiser = torch.optim.Adam([self.log_variances], lr=lr)

    def total(self, losses: Losses) -> Tensor:
        """The weighted sum. Raises `ValueError` for a loss that was not announced."""
        terms = []
        for name, loss in losses.items():
            if name not in self.names:
                raise ValueError(
                    f"the loss {name!r} was not announced to the balance: it knows {', '.join(self.names)}"
                )
            s = self.log_variances[self.names.index(name)]
            terms.append((0.5 if name in self.regressions else 1.0) * torch.exp(-s) * loss.float() + s / 2)
        return torch.stack(terms).sum()

    def backward(self, losses: Losses, net: nn.Module) -> None:
        """The gradient of the weighted sum, and a step of the weights."""
        self.optimiser.zero_grad()
        self.total(losses).backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()

    def state(self) -> dict[str, Any]:
        """The log-variances and their optimiser."""
        return {"log_variances": self.log_variances.detach().clone(), "optimiser": self.optimiser.state_dict()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a kept state."""
        with torch.no_grad():
            self.log_variances.copy_(state["log_variances"])
        self.optimiser.load_state_dict(state["optimiser"])


class GradNorm:
    """Weights under which each task's gradient on ``shared`` has a common size, larger for tasks that learn slowly.

    The target size of task k is ``mean · (relative inverse rate)^alpha``; only the weights follow it (the target is held
    fixed), and they keep their sum. ``alpha`` 1.5 suits tasks that differ much, .12 such as are alike.
    """

    def __init__(
        self, names: Sequence[str], shared: Sequence[nn.Parameter], *, alpha: float = 1.5, lr: float = 2.5e-2
    ) -> None:
        self.names, self.shared, self.alpha = tuple(names), list(shared), alpha
        self.weights = torch.ones(len(self.names), requires_grad=True)
        self.optimiser = torch.optim.Adam([self.weights], lr=lr)
        self.first: Tensor | None = None

    def backward(self, losses: Losses, net: nn.Module) -> None:
        """The gradient of the weighted sum, and a step of the weights. Every announced loss is needed each time."""
        missing = [name for name in self.names if name not in losses]
        if missing:
            raise ValueError(f"GradNorm compares all tasks in every step: {', '.join(missing)} is missing")
        values = torch.stack([losses[name].float() for name in self.names])
        if self.first is None:
            self.first = values.detach().clone()
        sizes = torch.stack([self._size(value) for value in values]).detach()
        (self.weights.detach() * values).sum().backward()  # type: ignore[no-untyped-call]
        weighted = self.weights * sizes
        rates = values.detach() / self.first.clamp(min=1e-12)
        target = weighted.mean().detach() * (rates / rates.mean().clamp(min=1e-12)) ** self.alpha
        self.optimiser.zero_grad()
        (weighted - target).abs().sum().backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        with torch.no_grad():
            self.weights.clamp_(min=1e-3)
            self.weights.mul_(len(self.names) / self.weights.sum())

    def _size(self, loss: Tensor) -> Tensor:
        gradients = torch.autograd.grad(loss, self.shared, retain_graph=True, allow_unused=True)
        return torch.stack([g.float().square().sum() for g in gradients if g is not None]).sum().sqrt()

    def state(self) -> dict[str, Any]:
        """The weights, their optimiser, the first losses."""
        return {
            "weights": self.weights.detach().clone(),
            "optimiser": self.optimiser.state_dict(),
            "first": self.first,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a kept state."""
        with torch.no_grad():
            self.weights.copy_(state["weights"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.first = state["first"]


class PCGrad:
    """Each task's gradient without its components against the others', in random order; then their sum."""

    def __init__(self, generator: torch.Generator) -> None:
        self.generator = generator

    def backward(self, losses: Losses, net: nn.Module) -> None:
        """Sum the projected gradients into those of ``net``'s parameters."""
        parameters = [p for p in net.parameters() if p.requires_grad]
        flat = torch.stack([self._gradient(loss, parameters) for loss in losses.values()])
        summed = without_conflicts(flat, self.generator).sum(0)
        start = 0
        for p in parameters:
            own = summed[start : start + p.numel()].view_as(p).to(p.dtype)
            p.grad = own.clone() if p.grad is None else p.grad + own
            start += p.numel()

    def _gradient(self, loss: Tensor, parameters: Sequence[nn.Parameter]) -> Tensor:
        found = torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
        return torch.cat(
            [
                torch.zeros(p.numel()) if g is None else g.float().reshape(-1)
                for p, g in zip(parameters, found, strict=True)
            ]
        )

    def state(self) -> dict[str, Any]:
        """The generator of the order."""
        return {"generator": self.generator.get_state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a kept state."""
        self.generator.set_state(state["generator"])


def without_conflicts(gradients: Tensor, generator: torch.Generator) -> Tensor:
    """``[k, p]``: each row less its projections on those other (original) rows with which its product is negative.

    >>> without_conflicts(torch.tensor([[1.0, 0.0], [-1.0, 1.0]]), torch.Generator().manual_seed(0)).tolist()
    [[0.5, 0.5], [0.0, 1.0]]
    """
    out = gradients.clone()
    for i in range(len(gradients)):
        for j in torch.randperm(len(gradients), generator=generator).tolist():
            product = out[i] @ gradients[j]
            if j != i and product < 0:
                out[i] -= product / gradients[j].square().sum().clamp(min=1e-12) * gradients[j]
    return out


BALANCES = ("fixed", "uncertainty", "gradnorm", "pcgrad")


def named(name: str, losses: Sequence[str], net: nn.Module, *, seed: int = 0) -> Balance:
    """A balance by name, for losses of these names; GradNorm looks at the parameters that two or more losses may share.

    Raises `ValueError` for an unknown name.
    """
    if name == "fixed":
        return Fixed()
    if name == "uncertainty":
        return Uncertainty(losses)
    if name == "gradnorm":
        return GradNorm(losses, [p for p in net.parameters() if p.requires_grad and p.ndim > 1])
    if name == "pcgrad":
        return PCGrad(torch.Generator().manual_seed(seed))
    raise ValueError(f"unknown balance {name!r}: {nearest(name, BALANCES)}")
