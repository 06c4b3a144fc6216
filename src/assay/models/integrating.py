"""Integrated gradients of a native net's log-odds, over the pixels of a picture and the words of a text.

The path runs straight from nothing (a grey picture; word vectors of zeros, as many as there are words) to the sample, through the
tensors that the net is given; the integral is the mean gradient at the middles of `STEPS` equal stretches. What the pixels and
words get sums to the difference of the log-odds at both ends, up to the error of that mean.
Source: Sundararajan, Taly & Yan 2017.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from assay.data.batch import Batch, Part
from assay.models.encoders.text import WordTokens, words_of

STEPS, AT_ONCE = 128, 32
REACHED = ("text", "image")


@dataclass
class Path:
    """The ends of the path through each tensor, ``[1, ...]``; ``masks`` beside word vectors. The hook of `WordTokens` reads ``now``."""

    start: Mapping[str, Tensor]
    end: Mapping[str, Tensor]
    now: Tensor = field(default_factory=lambda: torch.empty(0))


def integrated(
    net: nn.Module, logits: Callable[[Batch], Tensor], whole: Batch, nothing: Batch, place: int
) -> tuple[dict[str, NDArray[np.float64]], float]:
    """What each pixel ``[h, w]`` and each of the net's words ``[words]`` adds, and the log-odds of nothing, where the path starts.

    ``whole`` and ``nothing`` are batches of one sample, of the modalities `REACHED`; ``logits`` are the choices', ``place`` the one that is
    explained. `ValueError` for a net that reads words in another way than by `WordTokens`.
    """
    tokens = word_tokens(net) if "text" in whole.parts else None
    with torch.no_grad():
        words, mask = (
            tokens(whole.parts["text"].values) if tokens is not None else (torch.zeros(1, 0, 1), torch.zeros(1, 0))
        )
    start, end = {"text": torch.zeros_like(words)}, {"text": words}
    if "image" in whole.parts:
        start["image"], end["image"] = nothing.parts["image"].values, whole.parts["image"].values
    path = Path(start, end)
    handle = None
    if tokens is not None:
        handle = tokens.register_forward_hook(lambda module, given, came: (path.now, mask.expand(len(path.now), -1)))
    try:
        at = (torch.arange(STEPS) + 0.5) / STEPS
        means = _mean_gradients(path, whole, at, lambda batch: log_odds(logits(batch), place))
        with torch.no_grad():
            path.now = path.start["text"]
            first = float(log_odds(logits(_batch(path, whole, path.start)), place)[0])
    finally:
        if handle is not None:
            handle.remove()
    given = {name: ((end[name] - start[name]) * means[name])[0] for name in means}
    out = {"text": given["text"].sum(-1)} if tokens is not None else {}
    if "image" in given:
        out["image"] = given["image"].sum(0)
    return {name: values.double().numpy() for name, values in out.items()}, first


def _mean_gradients(path: Path, whole: Batch, at: Tensor, value: Callable[[Batch], Tensor]) -> dict[str, Tensor]:
    total = {name: torch.zeros_like(tensor) for name, tensor in path.end.items()}
    for some in at.split(AT_ONCE):
        here = {}
        for name, end in path.end.items():
            share = some.view(-1, *[1] * (end.ndim - 1))
            here[name] = (path.start[name] + share * (end - path.start[name])).requires_grad_()
        path.now = here["text"]
        with torch.enable_grad():
            slopes = torch.autograd.grad(
                value(_batch(path, whole, here)).sum(), list(here.values()), materialize_grads=True
            )
        for name, slope in zip(here, slopes, strict=True):
            total[name] = total[name] + slope.sum(0, keepdim=True) / len(at)
    return total


def _batch(path: Path, whole: Batch, here: Mapping[str, Tensor]) -> Batch:
    """The points of the path as a batch; words go in by the hook, their numbers only say how many there are."""
    n = len(here["text"])
    parts = {}
    for name, part in whole.parts.items():
        values = here["image"] if name == "image" else part.values.expand(n, *part.values.shape[1:])
        parts[name] = Part(torch.arange(n), values)
    return Batch(whole.ids * n, parts)


def log_odds(logits: Tensor, place: int) -> Tensor:
    """The log-odds ``[n]`` of one of the choices against all others."""
    others = torch.cat([logits[:, :place], logits[:, place + 1 :]], 1)
    return logits[:, place] - others.logsumexp(1)


def word_tokens(net: nn.Module) -> WordTokens:
    """The one place where a net turns words into vectors. `ValueError` where it has none, or several."""
    found = [module for module in net.modules() if isinstance(module, WordTokens)]
    if len(found) != 1:
        raise ValueError("integrated gradients reach hashed words only, which this net does not read: use occlusion.")
    return found[0]


def over_pieces(values: NDArray[np.float64], pieces: Sequence[str]) -> NDArray[np.float64]:
    """What the net's words got, for each piece of the text ``[pieces]``; a piece that holds none of them gets 0.

    >>> over_pieces(np.array([1.0, 2.0]), ["a", " red", " apple!"]).tolist()
    [0.0, 1.0, 2.0]
    """
    # From behind: whether "a" is an article depends on what follows.
    left = [len(words_of("".join(pieces[i:]))) for i in range(len(pieces) + 1)]
    ends = [left[0] - count for count in left]
    return np.array([values[a:b].sum() for a, b in itertools.pairwise(ends)])


def over_cells(values: NDArray[np.float64], shape: tuple[int, int], grid: tuple[int, int]) -> NDArray[np.float64]:
    """What the pixels of the net's square got, for each cell of a picture of ``shape`` that was padded to a square, ``[rows, columns]``.

    >>> over_cells(np.ones((4, 4)), (8, 8), (2, 2)).tolist()
    [[4.0, 4.0], [4.0, 4.0]]
    """
    side, cells = max(shape), []
    for size, pixels, count in zip(shape, values.shape, grid, strict=True):
        centres = (np.arange(pixels) + 0.5) * side / pixels - (side - size) // 2
        ends = np.linspace(0, size, count + 1).astype(int)
        cells.append(np.clip(np.searchsorted(ends, centres, side="right") - 1, 0, count - 1))
    out = np.zeros(grid)
    np.add.at(out, (cells[0][:, None], cells[1][None, :]), values)
    return out
