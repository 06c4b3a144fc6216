"""Transcripts: the loss is the sum over all alignments, prefixes find the likeliest text, a small net learns to read digits."""

import itertools
import math

import pytest
import torch
from torch import Tensor, nn

from assay import metrics
from assay.data.bundled import load
from assay.losses.transcribe import ctc
from assay.models.heads.transcripts import TranscriptHead, collapsed, transcribe


def likelihood(logits: Tensor, text: list[int]) -> float:
    """The probability of a text by adding up every way in which steps can say it."""
    costs = logits.log_softmax(1)
    ways = itertools.product(range(logits.shape[1]), repeat=len(logits))
    return sum(
        math.exp(sum(float(costs[i, s]) for i, s in enumerate(way))) for way in ways if collapsed(list(way)) == text
    )


@pytest.mark.parametrize("text", [[1], [1, 2], [2, 2], [1, 2, 1]])
def test_the_loss_adds_up_every_alignment(text: list[int]) -> None:
    logits = torch.randn(1, 5, 3, generator=torch.Generator().manual_seed(len(text)))
    loss = ctc(logits, torch.ones(1, 5, dtype=torch.bool), torch.tensor([text]))
    assert float(loss) == pytest.approx(-math.log(likelihood(logits[0], text)) / len(text), rel=1e-5)


@pytest.mark.parametrize("seed", range(6))
def test_enough_beams_find_the_likeliest_text(seed: int) -> None:
    logits = torch.randn(1, 4, 3, generator=torch.Generator().manual_seed(seed))
    texts = [list(t) for n in range(4) for t in itertools.product((1, 2), repeat=n)]
    best = max(texts, key=lambda text: likelihood(logits[0], text))
    assert transcribe(logits, torch.ones(1, 4, dtype=torch.bool), beams=50) == [best]


def test_what_lies_after_the_end_says_nothing() -> None:
    logits = torch.full((1, 4, 3), -5.0)
    logits[0, range(4), [1, 0, 1, 2]] = 5.0
    mask = torch.tensor([[True, True, True, False]])
    assert transcribe(logits, mask) == [[1, 1]] == transcribe(logits, mask, beams=4)
    longer = logits.clone()
    longer[0, 3] = 9.0
    targets = torch.tensor([[1, 1]])
    assert float(ctc(logits, mask, targets)) == float(ctc(longer, mask, targets))


def test_what_does_not_fit_into_its_steps_does_not_count() -> None:
    loss = ctc(torch.zeros(1, 2, 3), torch.ones(1, 2, dtype=torch.bool), torch.tensor([[1, 1]]))
    assert float(loss) == 0.0  # two equal symbols need a blank between them
    with pytest.raises(ValueError, match="at least 1 beam"):
        transcribe(torch.zeros(1, 2, 3), torch.ones(1, 2, dtype=torch.bool), beams=0)


class Reader(nn.Module):
    """Columns of pixels in their neighbours' light."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.along = nn.Sequential(
            nn.Conv1d(8, 48, 5, padding=2), nn.ReLU(), nn.Conv1d(48, 48, 5, padding=2), nn.ReLU()
        )
        self.head = TranscriptHead(48, 4)

    def forward(self, lines: Tensor) -> Tensor:
        return self.head(self.along(lines).transpose(1, 2))


def lines(n: int, split: str) -> tuple[Tensor, Tensor, Tensor]:
    """Two or three digits (of 0 … 3) beside each other: ``[n, 8, 24]``, which columns are there, and the digits plus 1."""
    draw = torch.Generator().manual_seed(len(split))
    few = [s for s in load("digits", split).samples if int(s.target) < 4]
    shown = torch.stack([torch.from_numpy(s.inputs["image"].load().copy())[..., 0].float() / 255 for s in few])
    true = torch.tensor([int(s.target) + 1 for s in few])
    chosen = torch.randint(len(few), (n, 3), generator=draw)
    columns = shown[chosen].permute(0, 2, 1, 3).reshape(n, 8, 24)
    targets, mask = true[chosen], torch.ones(n, 24, dtype=torch.bool)
    targets[::2, 2], mask[::2, 16:] = 0, False
    return columns * mask[:, None], mask, targets


def test_a_small_net_learns_to_read_digits_nobody_cut_apart() -> None:
    net, (columns, mask, targets) = Reader(), lines(256, "train")
    optimiser = torch.optim.AdamW(net.parameters(), lr=0.01)
    first = float(ctc(net(columns), mask, targets).detach())
    for _ in range(100):
        loss = ctc(net(columns), mask, targets)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert float(loss.detach()) < 0.3 * first
    columns, mask, targets = lines(100, "test")
    with torch.inference_mode():
        told = transcribe(net(columns), mask)
    as_text = [" ".join(map(str, row)) for row in told]
    true = [" ".join(str(t) for t in row if t) for row in targets.tolist()]
    assert metrics.wer(as_text, true).value < 0.25
