"""Texts cut into tokens: a recurrent net that reads them from both ends (GRU: Cho et al. 2014; LSTM: Hochreiter &
Schmidhuber 1997)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

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
        self.project = nn.Sequential(nn.Dropout(dropout), nn.Linear(2 * width, dim))

    def forward(self, ids: Tensor) -> Tensor:
        expect_shape(self, ids, ("n", "t"))
        lengths = (ids != PAD).sum(1).clamp(min=1)
        packed = pack_padded_sequence(self.table(ids), lengths, batch_first=True, enforce_sorted=False)
        _, last = self.layers(packed)
        hidden = last[0] if isinstance(last, tuple) else last
        out: Tensor = self.project(torch.cat([hidden[-2], hidden[-1]], 1))
        return out
