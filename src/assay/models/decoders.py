"""A causal Transformer that writes: token by token, seeing what was written and, by attention or as a prefix, a picture.

Pre-norm blocks (Vaswani et al. 2017, Xiong et al. 2020); the table of tokens is also the output layer (Press & Wolf
2017), small at the start, so that the first loss is about ln(vocabulary). Keys and values of what was read are kept
(`Cache`): a step then costs one token. Which positions hold something says a mask; a token's place is counted among
those, so padding anywhere changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from assay.models.bpe import PAD
from assay.models.layers import attention_bias, expect_shape

KeyValue = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Cache:
    """What a decoder keeps of each row: keys and values ``[n, heads, t, dim / heads]`` of every layer, of what was read
    (``seen bool[n, t]``) and of what is attended to (``memory_seen bool[n, m]``, where there is such)."""

    read: tuple[KeyValue, ...]
    seen: Tensor
    memory: tuple[KeyValue, ...] = ()
    memory_seen: Tensor | None = None

    def rows(self, index: Tensor) -> Cache:
        """The same for some rows ``int64[m]``, each as often as it is named: what beams and finished rows need."""
        return Cache(
            tuple((k[index], v[index]) for k, v in self.read),
            self.seen[index],
            tuple((k[index], v[index]) for k, v in self.memory),
            None if self.memory_seen is None else self.memory_seen[index],
        )


class DecoderBlock(nn.Module):
    """Self-attention over what came before, attention to a memory (where ``cross``), and a two-layer perceptron."""

    def __init__(self, dim: int, heads: int, *, cross: bool = False, expansion: int = 4, dropout: float = 0.0) -> None:
        super().__init__()
        if dim % heads:
            raise ValueError(f"DecoderBlock expects a width that its heads divide, got {dim} and {heads} heads")
        self.heads = heads
        self.attention_norm = nn.LayerNorm(dim)
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)
        self.cross_norm = nn.LayerNorm(dim) if cross else None
        self.cross_query = nn.Linear(dim, dim) if cross else None
        self.cross_kv = nn.Linear(dim, 2 * dim) if cross else None
        self.cross_out = nn.Linear(dim, dim) if cross else None
        self.mlp_norm = nn.LayerNorm(dim)
        self.widen = nn.Linear(dim, expansion * dim)
        self.narrow = nn.Linear(expansion * dim, dim)
        self.dropout = nn.Dropout(dropout)

    def remember(self, memory: Tensor) -> KeyValue:
        """Keys and values of a memory ``[n, m, dim]``."""
        assert self.cross_kv is not None, "this block attends to no memory"
        k, v = self.cross_kv(memory).chunk(2, -1)
        return self._split(k), self._split(v)

    def forward(
        self, x: Tensor, bias: Tensor, past: KeyValue | None, memory: KeyValue | None, memory_bias: Tensor | None
    ) -> tuple[Tensor, KeyValue]:
        """``x [n, t, dim]`` after the block, and the keys and values of all that was read so far."""
        q, k, v = (self._split(part) for part in self.qkv(self.attention_norm(x)).chunk(3, -1))
        if past is not None:
            k, v = torch.cat([past[0], k], 2), torch.cat([past[1], v], 2)
        x = x + self.dropout(self.out(_attend(q, k, v, bias)))
        if memory is not None and memory_bias is not None and self.cross_query is not None:
            q = self._split(self.cross_query(self.cross_norm(x)))
            x = x + self.dropout(self.cross_out(_attend(q, *memory, memory_bias)))
        return x + self.dropout(self.narrow(F.gelu(self.widen(self.mlp_norm(x))))), (k, v)

    def _split(self, x: Tensor) -> Tensor:
        n, t, d = x.shape
        return x.view(n, t, self.heads, d // self.heads).transpose(1, 2)


class CausalDecoder(nn.Module):
    """Embeddings ``[n, t, dim]`` -> states ``[n, t, dim]`` -> logits ``[n, t, vocabulary]``; at most ``length`` positions."""

    def __init__(
        self,
        vocabulary: int,
        dim: int,
        *,
        layers: int = 3,
        heads: int = 4,
        length: int = 96,
        cross: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.length, self.cross = length, cross
        self.table = nn.Embedding(vocabulary, dim, padding_idx=PAD)
        nn.init.normal_(self.table.weight, std=0.02)
        self.positions = nn.Parameter(torch.randn(length, dim) * 0.02)
        self.blocks = nn.ModuleList(DecoderBlock(dim, heads, cross=cross, dropout=dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(dim)

    def forward(
        self,
        x: Tensor,
        seen: Tensor,
        *,
        memory: Tensor | None = None,
        memory_seen: Tensor | None = None,
        cache: Cache | None = None,
    ) -> tuple[Tensor, Cache]:
        """The states of ``x`` (embeddings, ``seen bool[n, t]``), read after what ``cache`` holds.

        A ``memory [n, m, dim]`` is given with the first call and kept in the cache. `ValueError` beyond ``length``.
        """
        expect_shape(self, x, ("n", "t", self.positions.shape[1]))
        whole = seen if cache is None else torch.cat([cache.seen, seen], 1)
        x = x + self._positions(whole, x.shape[1])
        bias = _causal_bias(whole, x.shape[1], x.dtype)[:, None]
        kept = cache.memory if cache is not None else self._remember(memory)
        kept_seen = cache.memory_seen if cache is not None else _all_seen(memory, memory_seen)
        memory_bias = None if kept_seen is None else attention_bias(kept_seen, x.dtype)[:, None, None]
        read = []
        for i, block in enumerate(self.blocks):
            past = None if cache is None else cache.read[i]
            x, pair = block(x, bias, past, kept[i] if kept else None, memory_bias)
            read.append(pair)
        return self.norm(x), Cache(tuple(read), whole, kept, kept_seen)

    def embed(self, ids: Tensor) -> Tensor:
        """The vectors ``[n, t, dim]`` of tokens ``int64[n, t]``."""
        out: Tensor = self.table(ids)
        return out

    def logits(self, states: Tensor) -> Tensor:
        """``float[..., vocabulary]`` of states ``[..., dim]``."""
        return F.linear(states, self.table.weight).float()

    def _remember(self, memory: Tensor | None) -> tuple[KeyValue, ...]:
        if memory is None:
            return ()
        if not self.cross:
            raise ValueError("CausalDecoder was built without cross attention and cannot attend to a memory")
        return tuple(block.remember(memory) for block in self.blocks)

    def _positions(self, whole: Tensor, new: int) -> Tensor:
        places = (whole.cumsum(1) - 1).clamp(min=0)[:, whole.shape[1] - new :]
        last = int(places.max()) if places.numel() else 0
        if last >= self.length:
            raise ValueError(f"CausalDecoder reads and writes at most {self.length} positions, got {last + 1}")
        return self.positions[places]


def _all_seen(memory: Tensor | None, seen: Tensor | None) -> Tensor | None:
    if memory is None or seen is not None:
        return seen
    return torch.ones(memory.shape[:2], dtype=torch.bool, device=memory.device)


def _causal_bias(whole: Tensor, new: int, dtype: torch.dtype) -> Tensor:
    """``[n, new, t]``: what each of the last ``new`` of ``whole bool[n, t]`` may look at, itself and what came before."""
    t = whole.shape[1]
    earlier = torch.arange(t)[None, :] <= torch.arange(t - new, t)[:, None]
    return attention_bias(whole[:, None, :] & earlier, dtype)


def _attend(q: Tensor, k: Tensor, v: Tensor, bias: Tensor) -> Tensor:
    """``[n, t, dim]``: each query's mixture of the values."""
    n, heads, t, d = q.shape
    mixed = ((q * d**-0.5) @ k.transpose(-2, -1) + bias).softmax(-1) @ v
    return mixed.transpose(1, 2).reshape(n, t, heads * d)
