"""One training run in several processes, started by ``torchrun``: the data are shared out, the gradients are summed.

The net, the losses and the recipe know nothing of it. Every process draws the same batches in the same order and learns from its own
share of them: a run by w processes takes the batches that one process would take with ``accumulate`` times w, and adds
up the same gradients, so that both have the same loss curve up to the order of additions (nets without batch norm; dropout
draws other numbers in each process). Gradients travel in one flat piece with the flag of an interruption.

Contrast over all processes' vectors is `gathered`'s business, not done unless a loss asks for it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.nn.functional import all_gather


@contextlib.contextmanager
def processes(backend: str = "gloo") -> Iterator[int]:
    """Inside, the processes that ``torchrun`` started know each other; gives their number, 1 where this is the only one.

    A group that is open already is used and left open.
    """
    if dist.is_initialized() or int(os.environ.get("WORLD_SIZE", "1")) < 2:
        yield count()
        return
    dist.init_process_group(backend)
    try:
        yield count()
    finally:
        dist.destroy_process_group()


def count() -> int:
    """How many processes train together."""
    return dist.get_world_size() if dist.is_initialized() else 1


def rank() -> int:
    """Which of them this is, from 0."""
    return dist.get_rank() if dist.is_initialized() else 0


def leads() -> bool:
    """Whether this process is the one that writes files and speaks. True for a single process, also before they know each other."""
    return rank() == 0 if dist.is_initialized() else os.environ.get("RANK", "0") == "0"


def wait() -> None:
    """Until all processes are here."""
    if count() > 1:
        dist.barrier()


def sum_gradients(parameters: Iterable[nn.Parameter], *, flag: bool = False) -> bool:
    """Every parameter's gradient becomes the sum over all processes; whether any of them raised the ``flag``.

    A parameter without a gradient here may have one elsewhere: it counts as 0, and all processes end up with the same ones.
    """
    if count() == 1:
        return flag
    learnt = [p for p in parameters if p.requires_grad]
    pieces = [torch.zeros_like(p) if p.grad is None else p.grad for p in learnt]
    has = torch.tensor([float(p.grad is not None) for p in learnt] + [float(flag)])
    flat = torch.cat([*(piece.reshape(-1).float() for piece in pieces), has])
    dist.all_reduce(flat)
    start = 0
    for p, there in zip(learnt, flat[-len(has) : -1].tolist(), strict=True):
        own = flat[start : start + p.numel()].view_as(p).to(p.dtype)
        p.grad = own.clone() if there else None
        start += p.numel()
    return bool(flat[-1])


def mean_values(values: Sequence[float]) -> list[float]:
    """The means over all processes of as many numbers in each."""
    if count() == 1:
        return list(values)
    total = torch.tensor(values, dtype=torch.float64)
    dist.all_reduce(total)
    return [float(value) for value in total / count()]


@torch.no_grad()
def mean_buffers(net: nn.Module) -> None:
    """The running statistics of norms become the means over all processes; what is no fraction stays each one's own."""
    kept = [buffer for buffer in net.buffers() if buffer.is_floating_point()]
    if count() == 1 or not kept:
        return
    flat = torch.cat([buffer.reshape(-1).float() for buffer in kept])
    dist.all_reduce(flat)
    start = 0
    for buffer in kept:
        mean = flat[start : start + buffer.numel()] / count()
        buffer.copy_(mean.view_as(buffer))
        start += buffer.numel()


def gathered(vectors: Tensor) -> Tensor:
    """The ``vectors [n, d]`` of all processes ``[w · n, d]``, in the order of ranks, through which gradients flow back.

    A contrastive loss over gathered vectors has all processes' samples as negatives. As every process computes the whole
    loss and gradients are summed over processes, it must be divided by their number.
    """
    return vectors if count() == 1 else torch.cat(all_gather(vectors))


def everyones(value: Any) -> list[Any]:
    """Each process's value, in the order of ranks."""
    if count() == 1:
        return [value]
    found: list[Any] = [None] * count()
    dist.all_gather_object(found, value)
    return found
