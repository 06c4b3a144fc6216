"""Inputs of single samples put together into batches: those alike in shape together, texts of like length beside each other.

Texts are padded to the left, so that what a model writes follows its prompt at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

TOKENWISE = ("input_ids", "attention_mask", "token_type_ids", "mm_token_type_ids", "position_ids")

Inputs = Mapping[str, Tensor]


def length(row: Inputs) -> int:
    """How many tokens a row's text has; 0 without one."""
    return row["input_ids"].shape[1] if "input_ids" in row else 0


def groups(rows: Sequence[Inputs], size: int, *, padded: bool) -> Iterator[list[int]]:
    """The places of at most ``size`` rows that may share a batch; with ``padded`` texts may differ in length.

    >>> rows = [{"input_ids": torch.zeros(1, n)} for n in (5, 3, 5)]
    >>> list(groups(rows, 8, padded=False)), list(groups(rows, 2, padded=True))
    ([[1], [0, 2]], [[1, 0], [2]])
    """
    kinds: dict[tuple[object, ...], list[int]] = {}
    for place in sorted(range(len(rows)), key=lambda place: length(rows[place])):
        row = rows[place]
        shapes = tuple(sorted((name, tuple(t.shape[1:])) for name, t in row.items() if name not in TOKENWISE))
        kinds.setdefault((shapes, 0 if padded else length(row)), []).append(place)
    for places in kinds.values():
        for start in range(0, len(places), size):
            yield places[start : start + size]


def collated(rows: Sequence[Inputs], pad: int) -> dict[str, Tensor]:
    """The rows under each other; texts are padded on their left with the token ``pad``, their masks with 0."""
    longest = max(map(length, rows))
    out = {}
    for name in rows[0]:
        parts = [row[name] for row in rows]
        if name in TOKENWISE:
            value = pad if name == "input_ids" else 0
            parts = [F.pad(part, (longest - part.shape[1], 0), value=value) for part in parts]
        out[name] = torch.cat(parts)
    return out
