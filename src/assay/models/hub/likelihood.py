"""How likely a model is to write each of some choices, and nothing more.

The score of a choice is the sum of its tokens' log-probabilities after the prompt and, where the model ends its answers,
that of ending there (any of its ends): the probability of just this answer. ``mean`` divides by the number of these terms, so
that long choices are not at a disadvantage. The prompt is computed once for all choices; rows of a batch have prompts of
one length, so that nothing is padded before an answer and no row depends on another.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from assay.models.hub.collate import Inputs


@dataclass(frozen=True)
class Choices:
    """The tokens of each choice, the tokens that end an answer (none where ends are not weighed), ``sum`` or ``mean``."""

    tokens: tuple[tuple[int, ...], ...]
    ends: tuple[int, ...] = ()
    mean: bool = False

    def part(self, start: int, size: int) -> Choices:
        """Some of the choices."""
        return Choices(self.tokens[start : start + size], self.ends, self.mean)

    def padded(self) -> Tensor:
        """``int64[k, longest]``, at least one wide, padded on the right with 0."""
        width = max(1, *(len(row) for row in self.tokens))
        return torch.tensor([[*row, *[0] * (width - len(row))] for row in self.tokens])


def after_prompt(net: nn.Module, prompt: Inputs, choices: Choices, *, rows: int) -> Tensor:
    """``float32[n, k]`` from a decoder-only net for ``n`` prompts of one length; at most about ``rows`` rows at once."""
    begun: Any = net(**prompt, use_cache=True)
    first = begun.logits[:, -1:].float()
    n, k = len(first), len(choices.tokens)
    size = max(1, rows // n)
    parts = []
    for start in range(0, k, size):
        some = choices.part(start, size)
        count = len(some.tokens)
        tokens = some.padded().to(first.device).repeat(n, 1)
        cache = copy.deepcopy(begun.past_key_values)
        cache.batch_repeat_interleave(count)
        later = net(input_ids=tokens, past_key_values=cache, use_cache=True).logits.float()
        logits = torch.cat([first.repeat_interleave(count, 0), later], 1)
        parts.append(likelihoods(logits, tokens, some).view(n, count))
    return torch.cat(parts, 1)


def decoded(
    decode: Callable[[Tensor, Tensor], Tensor], n: int, starts: Sequence[int], choices: Choices, *, rows: int
) -> Tensor:
    """``float32[n, k]`` from a decoder that looks at encoded inputs.

    ``decode(tokens, index)`` gives logits ``[m, t, v]`` of tokens ``[m, t]`` for the inputs at ``index [m]``; an answer
    follows the tokens ``starts``.
    """
    parts = []
    size = max(1, rows // n)
    for start in range(0, len(choices.tokens), size):
        some = choices.part(start, size)
        count = len(some.tokens)
        tokens = some.padded().repeat(n, 1)
        head = torch.tensor(list(starts)).expand(len(tokens), -1)
        index = torch.arange(n).repeat_interleave(count)
        logits = decode(torch.cat([head, tokens], 1), index).float()[:, len(starts) - 1 :]
        parts.append(likelihoods(logits, tokens.to(logits.device), some).view(n, count))
    return torch.cat(parts, 1)


def likelihoods(logits: Tensor, tokens: Tensor, choices: Choices) -> Tensor:
    """``float32[m]``: ``logits [m, t + 1, v]`` are those of each token of ``tokens [m, t]`` and of what follows the last."""
    lengths = torch.tensor([len(row) for row in choices.tokens], device=tokens.device)
    lengths = lengths.repeat(len(tokens) // len(lengths))
    logs = logits.log_softmax(2)
    picked = logs[:, :-1].gather(2, tokens[..., None])[..., 0]
    there = torch.arange(tokens.shape[1], device=tokens.device) < lengths[:, None]
    total = torch.where(there, picked, 0.0).sum(1)
    terms = lengths
    if choices.ends:
        last = logs[torch.arange(len(tokens), device=tokens.device), lengths]
        total = total + last[:, list(choices.ends)].logsumexp(1)
        terms = terms + 1
    return total / terms.clamp(min=1) if choices.mean else total
