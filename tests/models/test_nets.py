"""One contract over all encoders, fusions and methods: shapes, gradients, missing modalities, batches, bits, types."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from assay.data.batch import Batch, Part
from assay.models.aligned import Aligned, AlignedSettings
from assay.models.encoders.audio import FRAMES, AudioEncoder
from assay.models.encoders.cnn import ImageEncoder
from assay.models.encoders.discriminator import Discriminator, DiscriminatorEncoder, Generator
from assay.models.encoders.spectrogram import SpectrogramTransformer
from assay.models.encoders.text import TextEncoder, text_tensor, words_of
from assay.models.encoders.video import FrameVideoEncoder, TubeletVideoEncoder
from assay.models.fused import Fused, FusedSettings
from assay.models.fusion import FUSIONS, TOKEN_FUSIONS
from assay.models.joint import Joint, JointSettings
from assay.models.layers import parameter_count

CLASSES = ("animals", "food", "flags")
TEXTS = ["red apple", "dog face", "flag: Chad | sahel", "苹果"]


def pictures(n: int) -> Tensor:
    return torch.rand(n, 3, 48, 48, generator=torch.Generator().manual_seed(1))


def sounds(n: int) -> Tensor:
    mel = torch.randn(n, 64, FRAMES, generator=torch.Generator().manual_seed(2))
    mel[:, :, 120:] = 0
    return mel


def films(n: int) -> Tensor:
    return torch.rand(n, 8, 3, 48, 48, generator=torch.Generator().manual_seed(4))


def texts(n: int) -> Tensor:
    return text_tensor(TEXTS[:n], 512)


def batch(image: list[int], text: list[int], audio: list[int], n: int = 4) -> Batch:
    values = {"image": (image, pictures), "text": (text, texts), "audio": (audio, sounds)}
    parts = {name: Part(torch.tensor(rows), make(n)[rows]) for name, (rows, make) in values.items() if rows}
    return Batch(tuple("abcd"[:n]), parts)


def full() -> Batch:
    return batch([0, 1, 2, 3], [0, 1, 2, 3], [0, 1, 2, 3])


def aligned() -> Aligned:
    return Aligned(AlignedSettings(dim=32, image_widths=(16, 16, 32, 32), buckets=512, text_width=32))


def joint() -> Joint:
    return Joint(JointSettings(CLASSES, dim=32, layers=2, image_widths=(16, 16, 32), buckets=512, text_width=32))


def fused(fusion: str) -> Fused:
    settings = FusedSettings(CLASSES, fusion=fusion, dim=32, image_widths=(16, 16, 32, 32), buckets=512, text_width=32)
    return Fused(settings)


def vectors_of(net: nn.Module, given: Batch) -> Tensor:
    """A smooth path through all of the net, the encoders' lone answers included."""
    if isinstance(net, Fused):
        return torch.cat([net(given), net.alone(net.encode(given).vectors).flatten(1)], 1)
    return net.embed(given) if isinstance(net, Aligned) else net(given)


METHODS: dict[str, Callable[[], nn.Module]] = {
    "aligned": aligned,
    "joint": joint,
    **{f"fused-{name}": (lambda name=name: fused(name)) for name in FUSIONS},
}
ENCODERS: dict[str, tuple[Callable[[], nn.Module], Callable[[int], Tensor]]] = {
    "image": (lambda: ImageEncoder(16, widths=(8, 16, 16)), pictures),
    "text": (lambda: TextEncoder(16, buckets=512, width=32), texts),
    "audio": (lambda: AudioEncoder(16), sounds),
    "spectrogram": (lambda: SpectrogramTransformer(16, layers=2), sounds),
    "video by frames": (lambda: FrameVideoEncoder(16, widths=(8, 16, 16)), films),
    "video by tubelets": (lambda: TubeletVideoEncoder(16, layers=2), films),
    "discriminator": (lambda: DiscriminatorEncoder(Discriminator(3, 8), 16), pictures),
}


@pytest.fixture(params=list(METHODS))
def net(request: pytest.FixtureRequest) -> nn.Module:
    torch.manual_seed(0)
    return METHODS[request.param]()


@pytest.mark.parametrize("name", list(ENCODERS))
def test_encoders_give_one_vector_and_a_gradient_to_every_weight(name: str) -> None:
    torch.manual_seed(0)
    make, values = ENCODERS[name]
    encoder = make()
    out = encoder(values(4))
    assert out.shape == (4, 16) and out.dtype == torch.float32
    out.square().sum().backward()
    assert [n for n, p in encoder.named_parameters() if p.requires_grad and p.grad is None] == []


@pytest.mark.parametrize("name", list(ENCODERS))
def test_an_encoder_gives_one_sample_what_it_gives_it_in_a_batch(name: str) -> None:
    torch.manual_seed(0)
    make, values = ENCODERS[name]
    encoder = make().eval()
    together = encoder(values(4))
    alone = torch.cat([encoder(values(4)[i : i + 1]) for i in range(4)])
    torch.testing.assert_close(alone, together, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", ["video by frames", "video by tubelets"])
def test_hidden_frames_have_no_influence(name: str) -> None:
    torch.manual_seed(0)
    encoder = ENCODERS[name][0]().eval()
    video, mask = films(2), torch.ones(2, 8, dtype=torch.bool)
    mask[:, 6:] = False
    changed = video.clone()
    changed[:, 6:] = 1.0
    torch.testing.assert_close(encoder(video, mask), encoder(changed, mask))
    assert float((encoder(video, mask) - encoder(video)).detach().abs().max()) > 1e-6
    assert bool(torch.isfinite(encoder(video, torch.zeros_like(mask))).all())


def test_films_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="9 frames .* knows 4"):
        FrameVideoEncoder(16, widths=(8, 16), frames=4)(torch.zeros(1, 9, 3, 48, 48))
    with pytest.raises(ValueError, match="6 frames .* made for 8"):
        TubeletVideoEncoder(16)(torch.zeros(1, 6, 3, 48, 48))
    with pytest.raises(ValueError, match="do not divide"):
        TubeletVideoEncoder(16, size_px=50)


def test_silence_after_the_end_does_not_count() -> None:
    torch.manual_seed(0)
    encoder = SpectrogramTransformer(16).eval()
    mel = sounds(2)  # silent from frame 120 on
    _, mask = encoder.features(mel)
    assert int(mask[0].sum()) == 1 + 4 * 8


def test_a_discriminator_stays_frozen_while_the_rest_trains() -> None:
    torch.manual_seed(0)
    encoder = DiscriminatorEncoder(Discriminator(3, 8), 16)
    before = {k: v.clone() for k, v in encoder.discriminator.state_dict().items()}
    encoder.train()
    encoder(pictures(2)).sum().backward()
    assert all(torch.equal(before[k], v) for k, v in encoder.discriminator.state_dict().items())


def test_generators_make_what_discriminators_judge() -> None:
    torch.manual_seed(0)
    made = Generator(1, 64, 192, noise=8, features=16)(torch.randn(2, 8))
    assert made.shape == (2, 1, 64, 192) and float(made.detach().abs().max()) <= 1
    assert Discriminator(1, 8)(made).shape == (2,)
    with pytest.raises(ValueError, match="divisible by 16"):
        Generator(1, 50, 64)


def test_every_weight_learns(net: nn.Module) -> None:
    given = full()
    out = vectors_of(net, given)
    weights = torch.linspace(1, 2, out.numel()).view_as(out)
    (out * weights).sum().backward()
    still = {n.split(".")[0] for n, p in net.named_parameters() if p.grad is None}
    # Scales belong to the loss.
    assert still <= {"log_scale", "log_class_scale"}


def test_output_shape_and_type(net: nn.Module) -> None:
    net.eval()
    embedded = net.embed(full())
    assert embedded.shape == (4, 32) and embedded.dtype == torch.float32
    torch.testing.assert_close(embedded.norm(dim=1), torch.ones(4))
    if not isinstance(net, Aligned):
        assert net(full()).shape == (4, len(CLASSES))


@pytest.mark.parametrize("only", ["image", "text", "audio"])
def test_one_modality_is_enough(net: nn.Module, only: str) -> None:
    net.eval()
    given = full()
    out = net.embed(Batch(given.ids, {only: given.parts[only]}))
    assert bool(torch.isfinite(out).all())
    assert float((out[0] - out[1]).detach().abs().max()) > 1e-6


def test_each_sample_may_have_its_own_modalities(net: nn.Module) -> None:
    net.eval()
    mixed = net.embed(batch([0, 2], [1, 2], [2, 3]))
    lone = [
        ({"image": [0]}, 0),
        ({"text": [1]}, 1),
        ({"image": [2], "text": [2], "audio": [2]}, 2),
        ({"audio": [3]}, 3),
    ]
    for rows, i in lone:
        parts = {name: Part(torch.tensor([0]), full().parts[name].values[own]) for name, own in rows.items()}
        torch.testing.assert_close(net.embed(Batch(("x",), parts))[0], mixed[i], atol=1e-5, rtol=1e-4)


def test_what_is_hidden_has_no_influence(net: nn.Module) -> None:
    net.eval()
    given = batch([0, 1], [0, 1, 2, 3], [3])
    other = dict(given.parts)
    other["image"] = Part(given.parts["image"].rows, given.parts["image"].values.flip(0))
    out, changed = net.embed(given), net.embed(Batch(given.ids, other))
    assert torch.equal(out[2:], changed[2:])
    assert not torch.equal(out[:2], changed[:2])


def test_the_same_batch_gives_the_same_bits(net: nn.Module) -> None:
    net.eval()
    with torch.inference_mode():
        assert torch.equal(net.embed(full()), net.embed(full()))


def test_bfloat16_stays_near_float32(net: nn.Module) -> None:
    net.eval()
    with torch.inference_mode():
        exact = net.embed(full())
        with torch.autocast("cpu", torch.bfloat16):
            rough = net.embed(full())
    assert rough.dtype == torch.float32
    assert float((exact * rough).sum(1).min()) > 0.99


def fusion_inputs(name: str, n: int = 5) -> tuple[Tensor, Tensor]:
    """Random vectors (or sequences of four tokens) of three modalities, all there."""
    shape = (n, 3, 4, 16) if name in TOKEN_FUSIONS else (n, 3, 16)
    values = torch.randn(shape, generator=torch.Generator().manual_seed(3))
    return values, torch.ones(shape[:-1], dtype=torch.bool)


@pytest.mark.parametrize("name", list(FUSIONS))
def test_fusions_ignore_what_the_mask_hides(name: str) -> None:
    torch.manual_seed(0)
    fusion = FUSIONS[name](3, 16)
    values, mask = fusion_inputs(name)
    mask[:, 2] = False
    changed = values.clone()
    changed[:, 2] = 100.0
    torch.testing.assert_close(fusion(values, mask), fusion(changed, mask), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", list(FUSIONS))
def test_every_modality_has_influence_and_every_weight_a_gradient(name: str) -> None:
    torch.manual_seed(0)
    fusion = FUSIONS[name](3, 16)
    values, mask = fusion_inputs(name)
    out = fusion(values, mask)
    for i in range(3):
        changed = values.clone()
        changed[:, i] = changed[:, i].flip(0) + torch.arange(16.0)
        assert float((fusion(changed, mask) - out).detach().abs().max()) > 1e-4
    if name == "average":
        assert not list(fusion.parameters())
        return
    (out * torch.linspace(1, 2, out.numel()).view_as(out)).sum().backward()
    mask[0, 0] = False  # `concat` learns its stand-in only where something is missing
    fusion(values, mask).square().sum().backward()
    assert [n for n, p in fusion.named_parameters() if p.grad is None] == []


@pytest.mark.parametrize("name", list(FUSIONS))
def test_fusions_stay_finite_without_anything(name: str) -> None:
    fusion = FUSIONS[name](3, 16)
    values, mask = fusion_inputs(name, 2)
    out = fusion(torch.zeros_like(values), torch.zeros_like(mask))
    assert out.shape == (2, 16) and bool(torch.isfinite(out).all())


@pytest.mark.parametrize("name", sorted(TOKEN_FUSIONS))
def test_a_hidden_token_has_no_influence(name: str) -> None:
    torch.manual_seed(0)
    fusion = FUSIONS[name](2, 16)
    values, mask = torch.randn(3, 2, 4, 16), torch.ones(3, 2, 4, dtype=torch.bool)
    mask[:, 1, 3] = False
    changed = values.clone()
    changed[:, 1, 3] = 50.0
    torch.testing.assert_close(fusion(values, mask), fusion(changed, mask), atol=1e-5, rtol=1e-5)


def test_weighted_fusion_with_equal_coefficients_is_the_average() -> None:
    values, mask = fusion_inputs("weighted")
    mask[1, 2] = False
    torch.testing.assert_close(FUSIONS["weighted"](3, 16)(values, mask), FUSIONS["average"](3, 16)(values, mask))


def test_an_expert_that_is_sure_decides() -> None:
    fusion = FUSIONS["product_of_experts"](2, 4)
    with torch.no_grad():
        for layer in (*fusion.means, *fusion.precisions):
            layer.weight.zero_()
        for i, (mean, precision) in enumerate(((1.0, 10.0), (-1.0, -10.0))):
            fusion.means[i].bias.fill_(mean)
            fusion.precisions[i].bias.fill_(precision)
    out = fusion(torch.zeros(1, 2, 4), torch.ones(1, 2, dtype=torch.bool))
    torch.testing.assert_close(out, torch.full((1, 4), 10 / 11), atol=1e-3, rtol=1e-3)


def test_an_unknown_fusion_tells_the_nearest() -> None:
    with pytest.raises(ValueError, match="gated"):
        fused("gatd")


def test_shipped_sizes_fit_six_megabytes_as_float16() -> None:
    nets = [Aligned(), Joint(JointSettings(("a",) * 9)), Fused(FusedSettings(("a",) * 9))]
    assert all(2 * parameter_count(net) <= 6_000_000 for net in nets)


def test_words_in_many_scripts() -> None:
    assert words_of("हँसता चेहरा") == ("हँसता", "चेहरा")
    assert words_of("O'Brien & co.") == ("o", "brien", "co")
    assert words_of("a + b") == ("a", "+", "b")
    assert words_of("a picture of the red fruit") == ("picture", "of", "red", "fruit")
    assert words_of("A button") == ("a", "button") and words_of("a") == ("a",) and words_of("the the") == ("the",)
    assert words_of("  ") == ()


def test_a_text_without_words_is_one_empty_row() -> None:
    ids = text_tensor(["", "cat"], 512)
    assert ids.shape[1] == 1 and int(ids[0].sum()) == 0
    encoder = TextEncoder(8, buckets=512, width=32).eval()
    assert bool(torch.isfinite(encoder(ids)).all())
