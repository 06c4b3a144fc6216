"""Texts cut into tokens: a recurrent net that reads them from both ends (GRU: Cho et al. 2014; LSTM: Hochreiter &
Schmidhuber 1997)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from assay.catalog import nearest
from assay.models.bpe import PAD
from assay.models.layers import expect_shape

CELLS: Mapping[str, Callable[..., nn.GRU | nn.LSTM]] = {"gru": nn.GRU, "lstm": nn.LSTM}


class RecurrentEncoder(nn.Module):
    """Tokens ``int64[n, t]``, 0 after their end -> one vector ``[n, dim]`` of both directions' last states.

    Padding has no influence; a text without tokens gives a constant.
    """

    def __init__(
        self, dim: int, *, vocabulary: int, width: int = 64, cell: str = "gru", layers: int = 1, dropout: float = 0.0
    ) -> None:
        super().__init__()
        if cell not in CELLS:
            raise ValueError(f"unknown recurrent cell {cell!r}: {nearest(cell, CELLS)}")
        self.table = nn.Embedding(vocabulary, width, padding_idx=PAD)
        self.layers = CELLS[cell](width, width, layers, batch_first=True, bidirectional=True)
        self.channels = 2 * width
        self.project = nn.Sequential(nn.Dropout(dropout), nn.Linear(2 * width, dim))

    def features(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """The states ``[n, t, channels]`` from both ends at each token, and which are there ``bool[n, t]``."""
        expect_shape(self, ids, ("n", "t"))
        mask = ids != PAD
        mask[:, 0] = True  # a text without tokens is one blank
        packed = pack_padded_sequence(self.table(ids), mask.sum(1), batch_first=True, enforce_sorted=False)
        states, _ = pad_packed_sequence(self.layers(packed)[0], batch_first=True, total_length=ids.shape[1])
        return states, mask

    def summary(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """One vector ``[n, dim]`` from `features`: the last state of each direction."""
        forth, back = tokens.chunk(2, 2)
        last = mask.sum(1) - 1
        out: Tensor = self.project(torch.cat([forth[torch.arange(len(last)), last], back[:, 0]], 1))
        return out

    def forward(self, ids: Tensor) -> Tensor:
        return self.summary(*self.features(ids))
