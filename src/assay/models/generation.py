"""Decoding: the tokens that a model writes, greedily, by beams or by drawing. A row never depends on the batch's others.

Drawing takes one generator for each row and looks at the smallest set of tokens that holds ``top_p`` of the probability
(nucleus sampling: Holtzman et al. 2020). Beams keep finished answers among them; the best by log-probability divided by
length to the power of ``length_penalty`` wins (Wu et al. 2016, without its constant).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from assay.models.bpe import END, PAD
from assay.models.decoders import Cache

Step = Callable[[Tensor, Cache], tuple[Tensor, Cache]]
"""The next logits ``[n, vocabulary]`` and cache, from the tokens ``int64[n]`` just written and what is kept."""


@dataclass(frozen=True)
class Decoding:
    """How to decode: greedily (one beam, temperature 0), by ``beams``, or drawn at a ``temperature`` above 0.

    >>> Decoding(beams=4, temperature=0.5)
    Traceback (most recent call last):
    ValueError: beams and a temperature exclude each other: got 4 beams at temperature 0.5
    """

    beams: int = 1
    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 48
    length_penalty: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.beams < 1 or self.max_tokens < 1:
            raise ValueError(f"expected at least 1 beam and 1 token, got {self.beams} and {self.max_tokens}")
        if not self.temperature >= 0:
            raise ValueError(f"temperature must be 0 or more, got {self.temperature}")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top_p must lie in (0, 1], got {self.top_p}")
        if self.beams > 1 and self.temperature > 0:
            raise ValueError(
                f"beams and a temperature exclude each other: got {self.beams} beams at temperature {self.temperature}"
            )


def decode(
    logits: Tensor, cache: Cache, step: Step, how: Decoding, generators: Sequence[Generator] = ()
) -> list[list[int]]:
    """The tokens of each row up to its end, the end left out; at most ``how.max_tokens``.

    ``logits [n, vocabulary]`` are those of the first token. `ValueError` when drawing is asked for without one generator
    for each row.
    """
    if how.beams > 1:
        return _beams(logits, cache, step, how)
    if how.temperature > 0 and len(generators) != len(logits):
        raise ValueError(f"drawing needs a generator for each of {len(logits)} rows, got {len(generators)}")
    out: list[list[int]] = [[] for _ in range(len(logits))]
    rows = torch.arange(len(logits))
    for _ in range(how.max_tokens):
        tokens = _chosen(logits, how, [generators[i] for i in rows.tolist()] if how.temperature > 0 else [])
        going = tokens != END
        if not bool(going.all()):
            rows, tokens, cache = rows[going], tokens[going], cache.rows(going.nonzero()[:, 0])
        if not len(rows):
            break
        for row, token in zip(rows.tolist(), tokens.tolist(), strict=True):
            out[row].append(token)
        if len(out[int(rows[0])]) < how.max_tokens:
            logits, cache = step(tokens, cache)
    return out


def _chosen(logits: Tensor, how: Decoding, generators: Sequence[Generator]) -> Tensor:
    """The next tokens ``int64[n]``; padding is never written."""
    logits = logits.index_fill(1, torch.tensor([PAD]), float("-inf"))
    if how.temperature == 0:
        return logits.argmax(1)
    probabilities = nucleus((logits / how.temperature).softmax(1), how.top_p)
    drawn = [torch.multinomial(row, 1, generator=g) for row, g in zip(probabilities, generators, strict=True)]
    return torch.cat(drawn)


def nucleus(probabilities: Tensor, top_p: float) -> Tensor:
    """``[n, v]`` with 0 outside each row's smallest set of likeliest tokens that holds ``top_p``, made to sum to 1.

    >>> nucleus(torch.tensor([[0.5, 0.1, 0.4]]), 0.6).round(decimals=3).tolist()
    [[0.5559999942779541, 0.0, 0.4440000057220459]]
    """
    ordered, order = probabilities.sort(dim=1, descending=True, stable=True)
    before = ordered.cumsum(1) - ordered
    # Whatever rounding does to the sums, the likeliest token stays.
    before[:, 0] = 0.0
    kept = torch.zeros_like(probabilities).scatter(1, order, ordered * (before < top_p))
    return kept / kept.sum(1, keepdim=True)


def _beams(logits: Tensor, cache: Cache, step: Step, how: Decoding) -> list[list[int]]:
    """Beam search over all rows at once; a finished beam writes padding at no cost until all are finished."""
    n, vocabulary = logits.shape
    beams = how.beams
    origin = torch.arange(n).repeat_interleave(beams)
    cache = cache.rows(origin)
    scores = torch.full((n, beams), float("-inf"))
    scores[:, 0] = 0.0  # all beams are equal at first: only one of them goes on
    written = torch.zeros(n, beams, 0, dtype=torch.int64)
    done = torch.zeros(n, beams, dtype=torch.bool)
    logits = logits.repeat_interleave(beams, 0)
    for place in range(how.max_tokens):
        costs = logits.index_fill(1, torch.tensor([PAD]), float("-inf")).log_softmax(1).view(n, beams, vocabulary)
        only_padding = torch.full((vocabulary,), float("-inf"))
        only_padding[PAD] = 0.0
        totals = scores[:, :, None] + torch.where(done[:, :, None], only_padding, costs)
        scores, best = totals.view(n, -1).topk(beams, dim=1)
        parent, token = best // vocabulary, best % vocabulary
        written = torch.cat([written.gather(1, parent[:, :, None].expand(-1, -1, place)), token[:, :, None]], 2)
        done = done.gather(1, parent) | (token == END)
        if bool(done.all()) or place + 1 == how.max_tokens:
            break
        cache = cache.rows((torch.arange(n)[:, None] * beams + parent).view(-1))
        logits, cache = step(token.view(-1), cache)
    lengths = ((written != PAD) & (written != END)).sum(2)
    best_beam = (scores / lengths.clamp(min=1).to(scores.dtype) ** how.length_penalty).argmax(1)
    chosen = written[torch.arange(n), best_beam].tolist()
    return [[token for token in row if token not in (PAD, END)] for row in chosen]
