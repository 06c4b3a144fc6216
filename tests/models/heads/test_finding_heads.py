"""Boxes, masks and spans: what cells speak for, where losses start, and that a small net learns each from drawn scenes."""

import math

import pytest
import torch
from torch import Tensor, nn

from assay import metrics
from assay.data.bundled import load
from assay.losses.locate import boxes_loss, cells_of, masks_loss, spans_loss
from assay.models.encoders.cnn import PictureGrid
from assay.models.heads.boxes import RARE, BoxHead, Found, GroundingHead, distinct, found
from assay.models.heads.masks import MaskHead
from assay.models.heads.spans import SpanHead, found_spans
from assay.models.heads.transcripts import TranscriptHead
from assay.models.layers import TransformerBlock

PX, SIDE = 32, 8
DRAWN = (0, 1, 7)


def digits() -> Tensor:
    """Some training digits of three classes, ``[3, 12, 8, 8]`` in [0, 1]."""
    several: dict[int, list[Tensor]] = {digit: [] for digit in DRAWN}
    for sample in load("digits", "train").samples:
        digit = int(sample.target)
        if digit in several and len(several[digit]) < 12:
            several[digit].append(torch.from_numpy(sample.inputs["image"].load().copy())[..., 0].float() / 255)
    return torch.stack([torch.stack(own) for own in several.values()])


def scenes(n: int, seed: int) -> tuple[Tensor, list[tuple[Tensor, Tensor]], Tensor]:
    """Two digits each on black: pictures ``[n, 3, 32, 32]``, boxes with classes, and each pixel's class (0: ground)."""
    draw, own = torch.Generator().manual_seed(seed), digits()
    pictures, classes, targets = torch.zeros(n, 3, PX, PX), torch.zeros(n, PX, PX).long(), []
    for i in range(n):
        boxes, labels = [], []
        for half in (0, 16):
            kind = int(torch.randint(3, (1,), generator=draw))
            one = own[kind, int(torch.randint(12, (1,), generator=draw))]
            y, x = torch.randint(0, 25, (1,), generator=draw), half + torch.randint(0, 9, (1,), generator=draw)
            pictures[i, :, y : y + 8, x : x + 8] = one
            classes[i, y : y + 8, x : x + 8] = torch.where(one > 0.3, kind + 1, 0)
            boxes.append(torch.cat([x, y, x + 8, y + 8]) / PX)
            labels.append(kind)
        targets.append((torch.stack(boxes), torch.tensor(labels)))
    return pictures, targets, classes


class Finder(nn.Module):
    """A small net with all heads of pictures."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.grid = PictureGrid((16, 32))
        self.boxes, self.masks = BoxHead(32, 3, side=SIDE), MaskHead(32, 4, side=SIDE, size_px=PX)
        self.phrases, self.ground = nn.Embedding(3, 8), GroundingHead(32, 8, side=SIDE)

    def cells(self, pictures: Tensor) -> Tensor:
        return self.grid(pictures).flatten(2).transpose(1, 2)


def test_a_small_net_learns_to_find_and_to_ground() -> None:
    net, (pictures, targets, _) = Finder().train(), scenes(40, 0)
    optimiser = torch.optim.AdamW(net.parameters(), lr=0.01)
    asked = torch.stack([labels[:1] for _, labels in targets])[:, 0]
    meant = [
        (boxes[labels == labels[0]], torch.zeros(int((labels == labels[0]).sum())).long()) for boxes, labels in targets
    ]
    for _ in range(110):
        cells = net.cells(pictures)
        losses = {f"box/{k}": v for k, v in boxes_loss(*net.boxes(cells), targets, SIDE).items()}
        grounded = net.ground(cells, net.phrases(asked))
        losses |= {f"ground/{k}": v for k, v in boxes_loss(*grounded, meant, SIDE).items()}
        optimiser.zero_grad()
        torch.stack(list(losses.values())).sum().backward()
        optimiser.step()
    pictures, targets, _ = scenes(40, 1)
    net.eval()
    with torch.inference_mode():
        cells = net.cells(pictures)
        told = found(*net.boxes(cells))
        asked = torch.stack([labels[:1] for _, labels in targets])[:, 0]
        best = net.ground.best(*net.ground(cells, net.phrases(asked)))
    figures = metrics.detection(
        [in_pixels(one) for one in told], [in_pixels(Found(*one, torch.ones(2))) for one in targets]
    )
    assert figures["map_50"].value > 0.3  # nothing at all before
    inside = [
        bool(((middle(box) >= own[:, :2]) & (middle(box) <= own[:, 2:])).all(1)[labels == labels[0]].any())
        for box, (own, labels) in zip(best, targets, strict=True)
    ]
    assert sum(inside) / len(inside) > 0.7


def test_a_small_net_learns_to_outline() -> None:
    net, (pictures, _, classes) = Finder().train(), scenes(24, 0)
    optimiser = torch.optim.AdamW(net.parameters(), lr=0.02)
    for _ in range(140):
        losses = masks_loss(net.masks(net.cells(pictures)), classes)
        optimiser.zero_grad()
        torch.stack(list(losses.values())).sum().backward()
        optimiser.step()
    with torch.inference_mode():
        drawn = net.masks(net.cells(pictures)).argmax(1)
    seen = classes > 0
    assert float((drawn == classes)[seen].float().mean()) > 0.5
    assert float((drawn == classes)[~seen].float().mean()) > 0.9


def middle(box: Tensor) -> Tensor:
    return (box[:2] + box[2:]) / 2


def in_pixels(one: Found) -> dict[str, list]:
    boxes = torch.cat([one.boxes[:, :2], one.boxes[:, 2:] - one.boxes[:, :2]], 1) * PX
    return {"boxes": boxes.tolist(), "labels": one.labels.tolist(), "scores": one.scores.tolist()}


def test_cells_speak_for_the_smallest_box_that_they_lie_in() -> None:
    boxes = torch.tensor([[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 0.5, 0.5], [0.9, 0.9, 0.92, 0.92]])
    owners = cells_of(boxes, 4).view(4, 4)
    assert owners[1, 1] == 1 and owners[2, 2] == 0
    assert owners[0, 0] == 1 and owners[0, 3] == -1
    assert owners[3, 3] == 2  # smaller than a cell, it has the cell in which it lies
    assert (cells_of(torch.zeros(0, 4), 4) == -1).all()


def test_losses_of_an_untrained_net() -> None:
    head = BoxHead(8, 3, side=4)
    logits, boxes = head(torch.randn(2, 16, 8))
    assert float(logits.detach().sigmoid().mean()) == pytest.approx(RARE, rel=0.2)
    assert bool((boxes[..., 2:] > boxes[..., :2]).all())
    nothing = (torch.zeros(0, 4), torch.zeros(0).long())
    assert set(boxes_loss(logits, boxes, [nothing, nothing], 4)) == {"classes"}
    loss = masks_loss(torch.zeros(2, 5, 6, 6), torch.randint(0, 5, (2, 6, 6)))
    assert float(loss["pixels"]) == pytest.approx(math.log(5))
    unknown = torch.full((1, 2, 2), -1)
    assert float(masks_loss(torch.randn(1, 3, 2, 2), unknown)["pixels"]) == 0.0


def test_perfect_answers_cost_nothing() -> None:
    _, targets, classes = scenes(3, 2)
    owners = torch.stack([cells_of(boxes, SIDE) for boxes, _ in targets])
    boxes, logits = torch.zeros(3, SIDE**2, 4), torch.full((3, SIDE**2, 3), -20.0)
    for i, (own, labels) in enumerate(targets):
        cells = owners[i] >= 0
        boxes[i, cells] = own[owners[i, cells]]
        logits[i, torch.nonzero(cells)[:, 0], labels[owners[i, cells]]] = 20.0
    losses = boxes_loss(logits, boxes, targets, SIDE)
    assert all(float(loss) == pytest.approx(0, abs=1e-4) for loss in losses.values())
    told = found(logits, boxes)
    for one, (own, labels) in zip(told, targets, strict=True):
        assert sorted(map(tuple, one.boxes.tolist())) == sorted(map(tuple, own.tolist())) and len(one.labels) == len(
            labels
        )
    sure = 40.0 * nn.functional.one_hot(classes, 4).permute(0, 3, 1, 2).float()
    assert all(float(loss) == pytest.approx(0, abs=1e-4) for loss in masks_loss(sure, classes).values())


def test_overlapping_boxes_of_a_class_are_one() -> None:
    boxes = torch.tensor([[0.0, 0, 1, 1], [0.0, 0, 1, 0.9], [0.5, 0.5, 0.9, 0.9]])
    assert distinct(boxes, torch.zeros(3).long(), 0.5) == [0, 2]
    assert distinct(boxes, torch.zeros(3).long(), 0.99) == [0, 1, 2]
    assert found(torch.full((1, 4, 2), -9.0), torch.zeros(1, 4, 4))[0].boxes.shape == (0, 4)


class Watcher(nn.Module):
    """Tokens along time in the light of each other, and their spans."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.into = nn.Conv1d(64, 16, 9, padding=4)
        self.block, self.head = TransformerBlock(16, 2, expansion=2), SpanHead(16, 3)

    def forward(self, films: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        return self.head(
            self.block(
                self.into(films.transpose(1, 2)).transpose(1, 2) + torch.linspace(-1, 1, films.shape[1])[:, None], mask
            )
        )


def films(n: int, seed: int) -> tuple[Tensor, Tensor, list[tuple[Tensor, Tensor]]]:
    """Films of 16 steps in which one digit is shown for some steps; the last two steps of every second one are not there."""
    draw, own = torch.Generator().manual_seed(seed), digits()
    shown, mask, targets = 0.2 * torch.rand(n, 16, 64, generator=draw), torch.ones(n, 16, dtype=torch.bool), []
    mask[::2, 14:] = False
    for i in range(n):
        start, length = (int(torch.randint(*ends, (1,), generator=draw)) for ends in ((0, 8), (3, 7)))
        kind = int(torch.randint(3, (1,), generator=draw))
        shown[i, start : start + length] += own[kind, int(torch.randint(12, (1,), generator=draw))].flatten()
        targets.append((torch.tensor([[float(start), start + length]]), torch.tensor([kind])))
    return shown, mask, targets


def test_a_small_net_learns_when_something_is_shown() -> None:
    net = Watcher()
    shown, mask, targets = films(96, 0)
    optimiser = torch.optim.AdamW(net.parameters(), lr=0.01)
    for _ in range(150):
        losses = spans_loss(*net(shown, mask), mask, targets)
        optimiser.zero_grad()
        torch.stack(list(losses.values())).sum().backward()
        optimiser.step()
    shown, mask, targets = films(60, 1)
    with torch.inference_mode():
        told = found_spans(*net(shown, mask), mask)
    right = 0
    for one, (spans, labels) in zip(told, targets, strict=True):
        if len(one.labels):
            overlap = float(
                (torch.minimum(one.boxes[0, 1], spans[0, 1]) - torch.maximum(one.boxes[0, 0], spans[0, 0])).clamp(min=0)
            )
            whole = float(torch.maximum(one.boxes[0, 1], spans[0, 1]) - torch.minimum(one.boxes[0, 0], spans[0, 0]))
            right += int(one.labels[0] == labels[0] and overlap / whole > 0.5)
    assert right / 60 > 0.7
    assert spans_loss(*net(shown, mask), mask, [(torch.zeros(0, 2), torch.zeros(0).long())] * 60).keys() == {"classes"}


HEADS = {
    "boxes": (lambda: BoxHead(16, 3, side=4), (16, 16)),
    "masks": (lambda: MaskHead(16, 3, side=4, size_px=16), (16, 16)),
    "spans": (lambda: SpanHead(16, 3), (10, 16)),
    "transcripts": (lambda: TranscriptHead(16, 5), (10, 16)),
}


@pytest.mark.parametrize("name", list(HEADS))
def test_the_contract_of_heads(name: str) -> None:
    torch.manual_seed(0)
    make, shape = HEADS[name]
    head, x = make(), torch.randn(3, *shape)

    def outputs(values: Tensor) -> list[Tensor]:
        out = head(values)
        return list(out) if isinstance(out, tuple) else [out]

    whole = outputs(x)
    torch.stack([out.square().sum() for out in whole]).sum().backward()
    assert all(p.grad is not None for p in head.parameters())
    for together, alone in zip(whole, outputs(x[1:2]), strict=True):
        torch.testing.assert_close(alone[0], together[1], atol=1e-5, rtol=1e-4)
    again = make()
    again.load_state_dict(head.state_dict())
    assert all(torch.equal(a, b) for a, b in zip(whole, outputs(x), strict=True))
    with torch.autocast("cpu", torch.bfloat16):
        rough = outputs(x)
    assert all(out.dtype == torch.float32 for out in rough)
    with pytest.raises(ValueError, match=f"{type(head).__name__} expects a tensor"):
        head(torch.randn(3, 16))


def test_pixels_that_cannot_be_reached_are_told() -> None:
    with pytest.raises(ValueError, match="doubles 4 cells"):
        MaskHead(16, 3, side=4, size_px=24)
