"""What recipes of nets that write share: a batch of pictures, requests and answers, its loss, and how answers are checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from assay.data.batch import Batch, Part
from assay.losses.caption import caption
from assay.models.bpe import END, PAD, START, Bpe, padded
from assay.models.composed import Composed
from assay.models.generation import Decoding
from assay.models.vlm import VisionLanguage, accompanied
from assay.recipes.readers import start_pictures

GROUPS = 3


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
    ids: Sequence[str], pictures: Tensor, picture_of: Tensor, texts: Sequence[tuple[str, ...]], bpe: Bpe
) -> Written:
    """The batch of ``texts``: a request and its answer, or a request, what the answer rests on, and the answer."""
    answers = padded([[token for part in parts for token in (*bpe.encode(part), END)] for _, *parts in texts])
    return Written(tuple(ids), pictures, picture_of, padded([bpe.encode(parts[0]) for parts in texts]), answers)


def joined(a: Written, b: Written) -> Written:
    """Both batches as one."""
    shown = torch.where(b.picture_of < 0, b.picture_of, b.picture_of + len(a.pictures))
    return Written(
        (*a.ids, *b.ids),
        torch.cat([a.pictures, b.pictures]),
        torch.cat([a.picture_of, shown]),
        *(padded([*x.tolist(), *y.tolist()]) for x, y in ((a.requests, b.requests), (a.answers, b.answers))),
    )


def before(answers: Tensor) -> Tensor:
    """What is read when each token of ``answers int64[n, t]`` but the first is foretold, ``[n, t - 1]``.

    The end of a part is read as the start of the next; nothing is read after the last.

    >>> before(torch.tensor([[7, 2, 8, 2, 0]])).tolist()
    [[7, 1, 8, 0]]
    """
    read, following = answers[:, :-1], answers[:, 1:]
    return torch.where(read == END, torch.where(following == PAD, PAD, START), read)


def writing_loss(
    net: VisionLanguage,
    drawn: Written,
    smoothing: float = 0.0,
    *,
    tokens: Tensor | None = None,
    beside: Tensor | None = None,
) -> Tensor:
    """The cross-entropy of every token of the answers, in nats a token.

    ``tokens`` are the pictures' where they are known, ``beside [n, e, dim]`` what each answer rests on besides.

    Each picture is read once. Answers go through the decoder in groups of alike length, and only what they hold becomes
    logits: padding would cost more than all else.
    """
    tokens = net.picture_tokens(drawn.pictures) if tokens is None else tokens
    lengths = (drawn.answers != PAD).sum(1)
    states, targets = [], []
    for rows in lengths.argsort(stable=True).chunk(GROUPS):
        answers = drawn.answers[rows, : int(lengths[rows].max())]
        requests = drawn.requests[rows]
        seen = net.pictured(tokens, len(rows), drawn.picture_of[rows])
        pictures = accompanied(seen, None if beside is None else beside[rows])
        states.append(net.answer_states(pictures, requests, before(answers))[answers != PAD])
        targets.append(answers[answers != PAD])
    return caption(net.decoder.logits(torch.cat(states)), torch.cat(targets), smoothing)


def start_reader(net: VisionLanguage, encoder: str) -> str:
    """Give the net's picture reader the weights of a shipped model's, or leave it as it is (``scratch``).

    Returns what it started from, with the fingerprint, for the run's settings. `ValueError` for anything else, and for a
    reader of other sizes.
    """
    return start_pictures(net.reader, encoder)


def exact_share(net: VisionLanguage | Composed, held: Written) -> float:
    """The share of answers that are written to the letter, whatever they are said to rest on."""
    n = len(held.answers)
    shown = torch.nonzero(held.picture_of >= 0)[:, 0]
    parts = {"text": Part(torch.arange(n), held.requests)}
    if len(shown):
        parts["image"] = Part(shown, held.pictures[held.picture_of[shown]])
    answers = net.generate(Batch(tuple(map(str, range(n))), parts), Decoding(max_tokens=net.settings.max_tokens))
    wanted = [last_part(row) for row in held.answers.tolist()]
    return sum(got == want for got, want in zip(answers, wanted, strict=True)) / max(n, 1)


def last_part(answer: Sequence[int]) -> list[int]:
    """The tokens between the last two ends.

    >>> last_part([7, 2, 8, 9, 2, 0]), last_part([8, 2])
    ([8, 9], [8])
    """
    told = [token for token in answer if token != PAD][:-1]
    return told[len(told) - told[::-1].index(END) :] if END in told else told
