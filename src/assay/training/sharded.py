"""A net whose weights are shared out over processes (FSDP2: Zhao et al. 2023), for nets that are too large for one.

`assay.training.loop` keeps the whole net in every process (`assay.training.distributed`); what is here is for a loop of one's own, with
an optimiser that works element by element (AdamW, SGD, Lion; Muon needs whole matrices). Every process takes its own part
of a batch; gradients are averaged over processes, as FSDP does.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard, register_fsdp_forward_method
from torch.distributed.tensor import DTensor

from assay.models.decoders import DecoderBlock
from assay.models.layers import CrossBlock, TransformerBlock

BLOCKS = (TransformerBlock, CrossBlock, DecoderBlock)


def shard(net: nn.Module, methods: Sequence[str] = (), *, blocks: tuple[type[nn.Module], ...] = BLOCKS) -> nn.Module:
    """The same net with each process holding its part of every weight; blocks are put together one at a time when they work.

    ``methods`` are those besides ``forward`` through which it is used. To be called in every process, after the group is open
    (`assay.training.distributed.processes`) and before the optimiser is made; `ValueError` in a single process.
    """
    if not dist.is_initialized() or dist.get_world_size() < 2:
        raise ValueError("a net is shared out among several processes: start them with torchrun, inside `processes()`")
    mesh = init_device_mesh("cpu", (dist.get_world_size(),))
    for module in net.modules():
        if isinstance(module, blocks):
            fully_shard(module, mesh=mesh)
    fully_shard(net, mesh=mesh)
    for name in methods:
        register_fsdp_forward_method(net, name)
    return net


def whole_weights(net: nn.Module) -> dict[str, Tensor]:
    """The state of a shared-out net with every weight whole, in every process: what `load_state_dict` of the plain net takes."""
    return {
        name: value.full_tensor() if isinstance(value, DTensor) else value for name, value in net.state_dict().items()
    }
