"""Vectors in chunks: the full batch's value and gradients to 1e-5, with no more activations kept than a chunk's."""

import pytest
import torch
from torch import nn

from assay.losses.contrastive import info_nce
from assay.models.encoders.text import TextEncoder, text_tensor
from assay.models.encoders.vit import VisionTransformer
from assay.training.chunks import by_length, in_chunks

TEXTS = ["red apple", "dog face", "a flag", "green tree", "blue sea", "one more", "and another"]


class Towers(nn.Module):
    """Two towers without batch norm."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        self.image = VisionTransformer(8, size_px=16, patch_px=8, width=16, layers=2, heads=2, dropout=dropout)
        self.text = TextEncoder(8, buckets=128, width=16, dropout=dropout)


def gradients(net: Towers, size: int) -> tuple[float, dict[str, torch.Tensor]]:
    pictures = torch.rand(7, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    vectors = (in_chunks(net.image, pictures, size), in_chunks(net.text, text_tensor(TEXTS, 128), size))
    loss = info_nce(*(nn.functional.normalize(v, dim=1) for v in vectors), 10.0)
    net.zero_grad()
    loss.backward()
    return float(loss.detach()), {name: p.grad.clone() for name, p in net.named_parameters()}


@pytest.mark.parametrize("size", [1, 3, 7])
def test_value_and_gradients_are_those_of_the_whole_batch(size: int) -> None:
    torch.manual_seed(0)
    net = Towers()
    whole, chunked = gradients(net, 100), gradients(net, size)
    assert chunked[0] == pytest.approx(whole[0], abs=1e-6)
    for name, gradient in whole[1].items():
        torch.testing.assert_close(chunked[1][name], gradient, atol=1e-5, rtol=1e-5)


def test_what_dropout_drew_is_drawn_again_on_the_way_back() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5))
    values = torch.randn(6, 4)
    torch.manual_seed(1)
    in_chunks(net, values, 2).sum().backward()
    torch.manual_seed(1)
    kept = torch.cat([net[1](torch.ones(2, 4)) for _ in range(3)])
    torch.testing.assert_close(net[0].bias.grad, kept.sum(0))


def test_activations_of_a_chunk_only_are_kept() -> None:
    net = nn.Sequential(nn.Linear(8, 64), nn.GELU(), nn.Linear(64, 4))
    values = torch.randn(32, 8)

    def kept(size: int) -> int:
        total = 0

        def pack(x: torch.Tensor) -> torch.Tensor:
            nonlocal total
            total += x.numel() * (x.shape[:1] not in [(64,), (4,)])
            return x

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
            in_chunks(net, values, size).sum()
        return total

    assert kept(4) < kept(32) / 4


def test_rows_of_alike_length_give_the_same_vectors_and_gradients() -> None:
    torch.manual_seed(0)
    encoder, ids = TextEncoder(8, buckets=128, width=16), text_tensor([*TEXTS, "", "one two three four five"], 128)
    found = []
    for read in (encoder, lambda some: by_length(encoder, some, groups=3)):
        encoder.zero_grad()
        vectors = read(ids)
        vectors.square().sum().backward()
        found.append((vectors.detach(), [p.grad.clone() for p in encoder.parameters()]))
    torch.testing.assert_close(found[1][0], found[0][0], atol=1e-6, rtol=1e-5)
    for one, other in zip(found[0][1], found[1][1], strict=True):
        torch.testing.assert_close(other, one, atol=1e-5, rtol=1e-4)


def test_a_chunk_without_rows_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 row, got 0"):
        in_chunks(nn.Identity(), torch.ones(2, 2), 0)
