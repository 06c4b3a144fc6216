"""Transcripts by connectionist temporal classification: each step says a symbol or nothing (the blank, 0).

Repeats without a blank between them are one symbol. Decoding: the likeliest symbol of each step, or a beam over prefixes, whose
alignments are added up (Graves & Jaitly 2014; Hannun et al. 2014).
"""

from __future__ import annotations

import math
from collections import defaultdict

from torch import Tensor, nn

from assay.losses.transcribe import BLANK
from assay.models.layers import expect_shape


class TranscriptHead(nn.Module):
    """Tokens ``[n, t, channels]`` -> logits ``[n, t, 1 + symbols]``; column 0 is the blank."""

    def __init__(self, channels: int, symbols: int) -> None:
        super().__init__()
        self.out = nn.Sequential(nn.LayerNorm(channels), nn.Linear(channels, 1 + symbols))

    def forward(self, tokens: Tensor) -> Tensor:
        expect_shape(self, tokens, ("n", "t", "channels"))
        logits: Tensor = self.out(tokens)
        return logits.float()


def transcribe(logits: Tensor, mask: Tensor, *, beams: int = 1) -> list[list[int]]:
    """The symbols (1 …) of each row of ``logits [n, t, v]`` where ``mask bool[n, t]`` holds (from the start on).

    >>> import torch
    >>> steps = torch.tensor([[0.0, 9, 0], [0, 9, 0], [9, 0, 0], [0, 9, 0], [0, 0, 9]])
    >>> transcribe(steps[None], torch.ones(1, 5, dtype=torch.bool))
    [[1, 1, 2]]
    """
    if beams < 1:
        raise ValueError(f"at least 1 beam was expected, got {beams}")
    rows = zip(logits.float().log_softmax(2), mask.sum(1).tolist(), strict=True)
    if beams > 1:
        return [_by_prefixes(row[:length].tolist(), beams) for row, length in rows]
    return [collapsed(row[:length].argmax(1).tolist()) for row, length in rows]


def collapsed(steps: list[int]) -> list[int]:
    """What steps say: repeats once, blanks not at all.

    >>> collapsed([0, 3, 3, 0, 3, 2])
    [3, 3, 2]
    """
    return [now for before, now in zip([BLANK, *steps], steps, strict=False) if now not in (before, BLANK)]


def _by_prefixes(steps: list[list[float]], beams: int) -> list[int]:
    """The prefix whose alignments have the highest probability together, among ``beams`` at a time."""
    # Of each prefix the log-probability of the alignments that end with a blank, and of those that end with its last symbol.
    kept: dict[tuple[int, ...], tuple[float, float]] = {(): (0.0, -math.inf)}
    for costs in steps:
        grown: dict[tuple[int, ...], list[float]] = defaultdict(lambda: [-math.inf, -math.inf])
        for prefix, (blank, symbol) in kept.items():
            either = _add(blank, symbol)
            grown[prefix][0] = _add(grown[prefix][0], either + costs[BLANK])
            if prefix:
                grown[prefix][1] = _add(grown[prefix][1], symbol + costs[prefix[-1]])
            for token in range(1, len(costs)):
                longer = (*prefix, token)
                before = blank if prefix and prefix[-1] == token else either
                grown[longer][1] = _add(grown[longer][1], before + costs[token])
        ordered = sorted(grown.items(), key=lambda item: -_add(*item[1]))[:beams]
        kept = {prefix: (ends[0], ends[1]) for prefix, ends in ordered}
    best, _ = max(kept.items(), key=lambda item: _add(*item[1]))
    return list(best)


def _add(a: float, b: float) -> float:
    """ln(eᵃ + eᵇ)."""
    if a < b:
        a, b = b, a
    return a if b == -math.inf else a + math.log1p(math.exp(b - a))
