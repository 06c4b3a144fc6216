"""Activation patching: a net's answers to some samples while one of its parts gives what it gave for others.

A site is a module whose output is one tensor with a row for each sample. Sites are found by running the net: those that are called, in the
order of their calls, and whose outputs have the same shape for both sets of samples.
Source: Vig et al. 2020; Meng et al. 2022.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from torch import Tensor, nn

DEEPEST = 2
"""Names with more parts than this (``encoders.image.stages``) are no sites of their own."""


def recorded(net: nn.Module, run: Callable[[], Tensor], rows: int) -> dict[str, Tensor]:
    """What every site of a net gives while ``run`` runs it on ``rows`` samples, by the site's name."""
    found: dict[str, Tensor] = {}

    def keeper(name: str) -> Callable[..., None]:
        def keep(module: nn.Module, given: Any, came: Any) -> None:
            if isinstance(came, Tensor) and came.ndim >= 2 and len(came) == rows:
                found.pop(name, None)  # one that is called again stands where it was called last
                found[name] = came.detach().clone()

        return keep

    handles = [module.register_forward_hook(keeper(name)) for name, module in candidates(net)]
    try:
        run()
    finally:
        for handle in handles:
            handle.remove()
    return found


def candidates(net: nn.Module) -> list[tuple[str, nn.Module]]:
    """The modules that may be sites."""
    return [(name, module) for name, module in net.named_modules() if name and name.count(".") < DEEPEST]


@contextlib.contextmanager
def patched(net: nn.Module, site: str, values: Tensor) -> Iterator[None]:
    """Within, the module of that name gives ``values`` whatever it is given."""
    module = dict(candidates(net))[site]
    handle = module.register_forward_hook(lambda module, given, came: values)
    try:
        yield
    finally:
        handle.remove()


def shared(first: dict[str, Tensor], second: dict[str, Tensor]) -> Sequence[str]:
    """The sites of two records whose outputs have one shape, in the order of the first."""
    return [name for name, value in first.items() if name in second and value.shape == second[name].shape]
