"""What recipes of nets that write share: a batch of pictures, requests and answers, its loss, and how answers are checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from assay.losses.caption import caption
from assay.models.aligned import Aligned
from assay.models.bpe import END, PAD, Bpe, padded
from assay.models.encoders.cnn import ImageEncoder
from assay.models.native import load_shipped
from assay.models.vlm import VisionLanguage

GROUPS = 3
SCRATCH, SHIPPED = "scratch", "assay:aligned"


@dataclass(frozen=True)
class Written:
    """A training batch: ``pictures float[b, 3, size, size]``; for each of n answers its picture (-1: none), the request
    ``int64[n, r]`` and the answer ``int64[n, t]`` in tokens, each answer with its end."""

    ids: tuple[str, ...]
    pictures: Tensor
    picture_of: Tensor
    requests: Tensor
    answers: Tensor


def written(
    ids: Sequence[str], pictures: Tensor, picture_of: Tensor, texts: Sequence[tuple[str, str]], bpe: Bpe
) -> Written:
    """The batch of requests and answers as ``texts``."""
    answers = padded([[*bpe.encode(answer), END] for _, answer in texts])
    return Written(tuple(ids), pictures, picture_of, padded([bpe.encode(request) for request, _ in texts]), answers)


def writing_loss(net: VisionLanguage, drawn: Written, smoothing: float = 0.0) -> Tensor:
    """The cross-entropy of every token of the answers, in nats a token.

    Each picture is read once. Answers go through the decoder in groups of alike length, and only what they hold becomes
    logits: padding would cost more than all else.
    """
    tokens = net.picture_tokens(drawn.pictures)
    lengths = (drawn.answers != PAD).sum(1)
    states, targets = [], []
    for rows in lengths.argsort(stable=True).chunk(GROUPS):
        answers = drawn.answers[rows, : int(lengths[rows].max())]
        requests = drawn.requests[rows]
        pictures = net.pictured(tokens, len(rows), drawn.picture_of[rows])
        before = answers[:, :-1].masked_fill(answers[:, :-1] == END, PAD)
        states.append(net.answer_states(pictures, requests, before)[answers != PAD])
        targets.append(answers[answers != PAD])
    return caption(net.decoder.logits(torch.cat(states)), torch.cat(targets), smoothing)


def start_reader(net: VisionLanguage, encoder: str) -> str:
    """Give the net's picture reader the weights of a shipped model's, or leave it as it is (``scratch``).

    Returns what it started from, with the fingerprint, for the run's settings. `ValueError` for anything else, and for a
    reader of other sizes.
    """
    if encoder == SCRATCH:
        return encoder
    if encoder != SHIPPED:
        raise ValueError(f"encoder is {SHIPPED} or {SCRATCH}, not {encoder!r}")
    model = load_shipped(encoder)
    assert isinstance(model.net, Aligned), "it is trained by contrast"
    tower = model.net.towers["image"]
    assert isinstance(tower, ImageEncoder) and isinstance(net.reader, nn.Module)
    kept = tower.grid.state_dict()
    expected = net.reader.state_dict()
    wrong = [name for name in {*kept, *expected} if kept.get(name, PAD) is PAD or name not in expected]
    wrong += [name for name in expected if name in kept and kept[name].shape != expected[name].shape]
    if wrong:
        raise ValueError(
            f"the picture reader of {encoder} does not fit: {sorted(wrong)[0]} differs; use encoder={SCRATCH}"
        )
    net.reader.load_state_dict(kept)
    return f"{encoder}@{model.fingerprint[:12]}"


def exact_share(net: VisionLanguage, held: Written, bpe: Bpe) -> float:
    """The share of answers that are written to the letter."""
    from assay.data.batch import Batch, Part
    from assay.models.generation import Decoding

    n = len(held.answers)
    shown = torch.nonzero(held.picture_of >= 0)[:, 0]
    parts = {"text": Part(torch.arange(n), held.requests)}
    if len(shown):
        parts["image"] = Part(shown, held.pictures[held.picture_of[shown]])
    answers = net.generate(Batch(tuple(map(str, range(n))), parts), Decoding(max_tokens=net.settings.max_tokens))
    wanted = [[token for token in row if token not in (END, PAD)] for row in held.answers.tolist()]
    return sum(got == want for got, want in zip(answers, wanted, strict=True)) / max(n, 1)
