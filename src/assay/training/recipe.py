"""What a training run is made of. A recipe is a function with keyword-only hyper-parameters that returns a `Recipe`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from torch import Tensor, nn

from assay.models.processor import Processor
from assay.training.balance import Balance
from assay.training.optim import OptimSettings

Losses = Callable[[Any, Any], Mapping[str, Tensor]]


class Drawn(Protocol):
    """A training batch of any form that knows its samples, so that a bad one can be named."""

    @property
    def ids(self) -> tuple[str, ...]:
        """The samples' ids."""


class Source(Protocol):
    """An endless, resumable stream of training batches."""

    def draw(self) -> Drawn:
        """The next batch, augmented."""

    def state(self) -> dict[str, Any]:
        """Tensors and plain values from which `restore` goes on to the bit."""

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a kept state."""


@dataclass(frozen=True)
class Recipe:
    """A run: the net and its processor, where batches come from, what is minimised, and how.

    ``settings`` are the plain values that decide the run (resuming with others is refused). ``losses`` gives named
    scalars whose sum is minimised, or what a ``balance`` makes of them. ``validate`` gives named figures of a net in
    eval mode, for the history. With ``patience`` the run ends after so many validations without a better (higher; with
    a name that starts with ``-``, lower) figure ``watch``, and gives back the weights of the best one. ``export`` takes out of
    the trained net what is kept as the model, where only a part of it is.
    """

    name: str
    settings: Mapping[str, str | int | float]
    net: nn.Module
    processor: Processor
    source: Source
    losses: Losses
    optim: OptimSettings
    seed: int = 0
    precision: str = "bf16"
    validate: Callable[[nn.Module], Mapping[str, float]] | None = None
    validate_every: int = 0
    checkpoint_every: int = 200
    balance: Balance | None = None
    patience: int = 0
    watch: str = ""
    export: Callable[[Any], nn.Module] | None = None
    about: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Progress:
    """Where a run is: ``losses`` of this step, the latest validation ``figures`` (empty before the first)."""

    step: int
    steps: int
    losses: Mapping[str, float]
    figures: Mapping[str, float]
    rate_per_s: float
