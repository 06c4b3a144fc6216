"""One net that aligns, fuses and writes: its contract under every fusion, where its losses start, exact continuation."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from assay.data.batch import Batch, Part
from assay.data.media import Image
from assay.models.bpe import train_bpe
from assay.models.composed import Composed, ComposedSettings
from assay.models.encoders.tokens import TokenEncoder
from assay.models.fusion import FUSIONS
from assay.models.generation import Decoding
from assay.models.native import load_native
from assay.models.processor import Processor
from assay.recipes.composed import Captions, composed_losses, validate_composed
from assay.recipes.corpus import table
from assay.recipes.described import SHARES, Described, DescribedSource, held_answers
from assay.training.loop import train
from assay.training.optim import OptimSettings
from assay.training.recipe import Recipe
from assay.types import Sample

PX = 32
TEXTS = ["red apple", "dog face", "a flag", "苹果", "Describe the picture."]
BPE = train_bpe(TEXTS * 3, 280)
PROCESSOR = Processor(size_px=PX, longest_text=24, bpe=BPE)


def composed(fusion: str = "gated") -> Composed:
    torch.manual_seed(0)
    sizes = {"size_px": PX, "image_widths": (8, 16), "dim": 32, "text_width": 16, "text_layers": 1, "layers": 1}
    return Composed(ComposedSettings(BPE.size, ("describe", "name"), fusion=fusion, max_tokens=5, **sizes))


def batch(image: list[int], text: list[int], n: int = 4) -> Batch:
    pictures = torch.rand(n, 3, PX, PX, generator=torch.Generator().manual_seed(1))
    ids = BPE.batch(TEXTS[:n], 24)
    parts = {"image": (image, pictures), "text": (text, ids)}
    given = {name: Part(torch.tensor(rows), values[rows]) for name, (rows, values) in parts.items() if rows}
    return Batch(tuple("abcd"[:n]), given)


def described(n: int = 10) -> Described:
    pictures = torch.randint(0, 255, (2 * n, 3, PX, PX), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    answers = {kind: tuple(f"{kind[0]} {i}" for i in range(n)) for kind in SHARES}
    return Described(tuple(f"c{i}" for i in range(n)), table(pictures, [i // 2 for i in range(2 * n)], n), answers)


@pytest.fixture(params=list(FUSIONS))
def net(request: pytest.FixtureRequest) -> Composed:
    return composed(request.param)


def test_every_weight_learns_from_the_three_losses(net: Composed) -> None:
    made = described()
    losses = composed_losses(net, DescribedSource(made, BPE, 8, 0).draw(), Captions(made, BPE, 24))
    torch.stack(list(losses.values())).sum().backward()
    unmoved = {name for name, p in net.named_parameters() if p.grad is None}
    # What a fused vector adds to the aligned ones is no part of these losses.
    assert unmoved <= {"shift.weight", "shift.bias"}


def test_a_sample_alone_is_what_it_is_among_others_whatever_it_has(net: Composed) -> None:
    net.eval()
    given = batch([0, 2, 3], [1, 2, 3])
    together = net.embed(given)
    assert together.shape == (4, 32) and torch.allclose(together.norm(dim=1), torch.ones(4), atol=1e-5)
    answers = net.generate(given, Decoding(max_tokens=5))
    for i, (image, text) in enumerate([([0], []), ([], [1]), ([2], [2]), ([3], [3])]):
        whole = batch(image, text)
        parts = {name: Part(torch.tensor([0]), part.values) for name, part in whole.parts.items()}
        alone = Batch(("x",), parts)
        torch.testing.assert_close(net.embed(alone)[0], together[i], atol=1e-5, rtol=1e-4)
        assert net.generate(alone, Decoding(max_tokens=5))[0] == answers[i]
    assert torch.equal(net.embed(given), together)


def test_one_modality_lies_where_alignment_put_it_and_both_differ_from_their_mean() -> None:
    net = composed().eval()
    given = batch([0, 1], [0, 1], 2)
    image, text = (net.read(name, given.parts[name].values)[0] for name in ("image", "text"))
    torch.testing.assert_close(net.embed(batch([0, 1], [], 2)), image)
    mean = torch.nn.functional.normalize(image + text, dim=1)
    assert not torch.allclose(net.embed(given), mean, atol=1e-3)


def test_what_the_request_says_reaches_the_decoder_by_the_hint() -> None:
    net = composed().eval()
    one, other = (net._beside(batch([0], [i])) for i in (0, 1))
    assert one.shape == (4, 1, 32) and not torch.allclose(one, other)


def test_losses_start_where_they_should() -> None:
    net, made = composed(), described(40)
    with torch.no_grad():
        net.matches.weight.zero_()
        net.log_scale.fill_(-20.0)
    drawn = DescribedSource(made, BPE, 40, 0).draw()
    losses = composed_losses(net, drawn, Captions(made, BPE, 24))
    assert set(losses) == {"contrast", "matching", "words"}
    assert float(losses["contrast"].detach()) == pytest.approx(math.log(40), abs=1e-4)
    # Bias alone is left: ln 2 up to what it is drawn as.
    assert float(losses["matching"].detach()) == pytest.approx(math.log(2), abs=0.1)
    assert float(losses["words"].detach()) == pytest.approx(math.log(BPE.size), abs=0.3)


def test_bfloat16_stays_near_float32() -> None:
    net = composed().eval()
    given = batch([0, 1, 2, 3], [0, 1, 2, 3])
    with torch.autocast("cpu", torch.bfloat16):
        rough = net.embed(given)
    assert rough.dtype == torch.float32
    torch.testing.assert_close(rough, net.embed(given), atol=0.05, rtol=0.1)


def test_an_unknown_fusion_tells_the_nearest() -> None:
    with pytest.raises(ValueError, match="did you mean gated"):
        composed("gatet")


def test_a_text_transformer_does_not_see_padding_and_refuses_what_is_too_long() -> None:
    torch.manual_seed(0)
    encoder = TokenEncoder(8, vocabulary=BPE.size, width=16, longest=6).eval()
    short = torch.tensor([[5, 6, 0, 0]])
    torch.testing.assert_close(encoder(short), encoder(short[:, :2]))
    assert bool(torch.isfinite(encoder(torch.zeros(1, 3, dtype=torch.int64))).all())
    assert not torch.allclose(encoder(torch.tensor([[5, 6]])), encoder(torch.tensor([[6, 5]])))
    with pytest.raises(ValueError, match="at most 6 tokens, got 7"):
        encoder(torch.ones(1, 7, dtype=torch.int64))


def recipe(steps: int) -> Recipe:
    net, made = composed("cross_attention"), described()
    captions = Captions(made, BPE, 24)
    return Recipe(
        name="composed",
        settings={"steps": steps},
        net=net,
        processor=PROCESSOR,
        source=DescribedSource(made, BPE, 8, 0),
        losses=lambda net, drawn: composed_losses(net, drawn, captions),
        optim=OptimSettings(lr=0.01, steps=steps, average=0.8),
        precision="f32",
        checkpoint_every=4,
        validate=lambda net: validate_composed(net, made, captions, held_answers(made, BPE, "sort")),
        validate_every=steps,
    )


def test_it_is_kept_with_its_answers_and_a_cut_run_goes_on_to_the_bit(tmp_path: Path) -> None:
    class Cut(Exception):
        pass

    def cut(progress) -> None:
        if progress.step == 6:
            raise Cut

    train(recipe(9), out=tmp_path / "whole")
    with pytest.raises(Cut):
        train(recipe(9), out=tmp_path / "cut", on_progress=cut)
    train(recipe(9), out=tmp_path / "cut")
    whole, again = ((tmp_path / place / "model.safetensors").read_bytes() for place in ("whole", "cut"))
    assert whole == again
    model = load_native(tmp_path / "whole")
    assert model.method == "composed" and model.aligned_space and model.skills == ("describe", "name")
    picture = Image(np.full((40, 40, 3), 200, dtype=np.uint8), "grey")
    samples = [Sample("a", {"image": picture}), Sample("b", {"image": picture, "text": "red apple"})]
    model.save(tmp_path / "saved")
    kept = load_native(tmp_path / "saved")
    np.testing.assert_array_equal(kept.embed(samples), model.embed(samples))
    assert kept.generate(samples) == model.generate(samples)
    scores = model.score(samples, ["red apple", "a flag"])
    assert scores.shape == (2, 2) and np.allclose(np.exp(scores).sum(1), 1, atol=1e-5)
