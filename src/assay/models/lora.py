"""What is trained of a net that was trained before: nothing, its last blocks, or a low-rank change of some of its matrices (LoRA).

``y = W x + (alpha / rank) B A x`` with ``W`` frozen, ``A [rank, in]`` random and ``B [out, rank]`` zero, so that the net starts as it was.
`merged` adds the change to ``W``: the net is then as large and as fast as before.

Source: Hu et al. 2021.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from assay.catalog import nearest

ATTENTION = ("query", "value", "q_proj", "v_proj", "q_lin", "v_lin", "q", "v", "qkv")
"""What queries and values are called, which is where a low-rank change pays most (Hu et al. 2021, table 5)."""


class LowRank(nn.Module):
    """A linear layer ``[..., in]`` -> ``[..., out]``, frozen, with a low-rank change beside it."""

    def __init__(self, base: nn.Linear, rank: int, alpha: float) -> None:
        super().__init__()
        self.base = base.requires_grad_(False)
        self.scale = alpha / rank
        like = {"device": base.weight.device, "dtype": base.weight.dtype}
        self.down = nn.Parameter(torch.empty(rank, base.in_features, **like))
        self.up = nn.Parameter(torch.zeros(base.out_features, rank, **like))
        nn.init.kaiming_uniform_(self.down, a=math.sqrt(5))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.base(x) + F.linear(F.linear(x, self.down), self.up) * self.scale
        return out

    def merged(self) -> nn.Linear:
        """One linear layer that does the same."""
        with torch.no_grad():
            self.base.weight += self.scale * self.up @ self.down
        return self.base


def add_low_rank(net: nn.Module, rank: int, *, alpha: float | None = None, names: Sequence[str] = ATTENTION) -> int:
    """Freezes ``net`` and gives its linear layers of these names a low-rank change (``alpha`` defaults to twice the rank).

    How many layers were changed. `ValueError` for a rank below 1 and where no linear layer has such a name.
    """
    if rank < 1:
        raise ValueError(f"the rank must be at least 1, got {rank}")
    found = [
        (path, layer) for path, layer in net.named_modules() if isinstance(layer, nn.Linear) and _last(path) in names
    ]
    if not found:
        there = {_last(path) for path, layer in net.named_modules() if isinstance(layer, nn.Linear)}
        raise ValueError(f"no linear layer is called {' or '.join(names)}: {nearest(names[0], there)}")
    net.requires_grad_(False)
    for path, layer in found:
        _put(net, path, LowRank(layer, rank, 2 * rank if alpha is None else alpha))
    return len(found)


def merged(net: nn.Module) -> int:
    """Adds every low-rank change to the matrix that it changes, in place; how many there were."""
    found = [(path, layer) for path, layer in net.named_modules() if isinstance(layer, LowRank)]
    for path, layer in found:
        _put(net, path, layer.merged())
    return len(found)


def train_last(net: nn.Module, blocks: int) -> int:
    """Freezes all of ``net`` but its last ``blocks`` blocks and what comes after them; how many parameters are trained.

    The blocks are the longest list of modules in the net. `ValueError` where there is no such list, or not as many blocks.
    """
    lists = [(path, part) for path, part in net.named_modules() if isinstance(part, nn.ModuleList | nn.Sequential)]
    path, stack = max(lists, key=lambda one: len(one[1]), default=("", nn.ModuleList()))
    if not 0 <= blocks <= len(stack):
        raise ValueError(f"the net has {len(stack)} blocks, of which {blocks} cannot be trained")
    net.requires_grad_(False)
    if blocks:
        for block in list(stack)[-blocks:]:
            block.requires_grad_(True)
        for after in _after(net, path):
            after.requires_grad_(True)
    return sum(p.numel() for p in net.parameters() if p.requires_grad)


def _after(net: nn.Module, path: str) -> list[nn.Module]:
    """The modules that were defined after the one at ``path``, on its way down from the root: norms, as nets are written."""
    out: list[nn.Module] = []
    here = net
    for name in path.split("."):
        names = list(dict(here.named_children()))
        out += [part for key, part in here.named_children() if names.index(key) > names.index(name)]
        here = here.get_submodule(name)
    return out


def _last(path: str) -> str:
    return path.rpartition(".")[2]


def _put(net: nn.Module, path: str, layer: nn.Module) -> None:
    parent, _, name = path.rpartition(".")
    setattr(net.get_submodule(parent), name, layer)
