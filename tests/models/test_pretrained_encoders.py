"""Encoders that were trained before inside our nets: frozen, partly frozen, with a low-rank change."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers as hf
from torch import Tensor, nn

from assay.data.media import Audio, Image
from assay.models.attention import MultiModalTransformer
from assay.models.encoders.pretrained import PretrainedEncoder, backbone
from assay.models.lora import LowRank, add_low_rank, merged, train_last

SIZES = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2}
DIM = 6


@pytest.fixture(scope="module")
def vit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vit")
    torch.manual_seed(0)
    hf.ViTForImageClassification(hf.ViTConfig(**SIZES, image_size=32, patch_size=8)).save_pretrained(folder)
    hf.ViTImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bert")
    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "red", "blue", "cat"]))
    torch.manual_seed(1)
    hf.BertModel(hf.BertConfig(**SIZES, vocab_size=8), add_pooling_layer=False).save_pretrained(folder)
    hf.BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def whisper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whisper")
    torch.manual_seed(2)
    sizes = dict.fromkeys(("encoder_layers", "decoder_layers"), 2) | dict.fromkeys(
        ("encoder_attention_heads", "decoder_attention_heads"), 2
    )
    config = hf.WhisperConfig(
        **sizes, d_model=16, encoder_ffn_dim=32, decoder_ffn_dim=32, num_mel_bins=16, max_source_positions=100,
        vocab_size=60, pad_token_id=0, bos_token_id=1, eos_token_id=2, decoder_start_token_id=1,
    )  # fmt: skip
    hf.WhisperForConditionalGeneration(config).save_pretrained(folder)
    hf.WhisperFeatureExtractor(feature_size=16, chunk_length=2).save_pretrained(folder)
    return folder


def media(modality: str, n: int = 3) -> list:
    rng = np.random.default_rng(0)
    if modality == "text":
        return ["red cat", "blue", "cat cat red blue"][:n]
    if modality == "audio":
        return [Audio((rng.normal(size=4000 * (i + 1)) * 0.1).astype(np.float32), "", 16000) for i in range(n)]
    return [Image(rng.integers(0, 255, (20, 24 + i, 3), dtype=np.uint8)) for i in range(n)]


def encoder(request: pytest.FixtureRequest, kind: str, **how: int) -> PretrainedEncoder:
    torch.manual_seed(3)
    return PretrainedEncoder(DIM, backbone(f"hf:{request.getfixturevalue(kind)}"), **how)


KINDS = [("vit", "image"), ("bert", "text"), ("whisper", "audio")]


@pytest.mark.parametrize(("kind", "modality"), KINDS)
@pytest.mark.parametrize("how", [{}, {"last": 1}, {"rank": 2}])
def test_the_contract_of_encoders(
    kind: str, modality: str, how: dict[str, int], request: pytest.FixtureRequest
) -> None:
    net = encoder(request, kind, **how)
    values = net.values(media(modality))
    out = net(values)
    assert out.shape == (3, DIM) and out.dtype == torch.float32
    tokens, mask = net.features(values)
    assert tokens.shape[2] == net.channels == 16 and mask.shape == tokens.shape[:2]
    alone = torch.cat([net(net.values([one])) for one in media(modality)])
    torch.testing.assert_close(alone, out, atol=1e-5, rtol=1e-5)
    net.train()
    torch.testing.assert_close(net(values), out)
    out.square().sum().backward()
    trained = {name for name, p in net.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0}
    inside = {name for name in trained if name.startswith("net.")}
    assert any(name.startswith("project.") for name in trained)
    assert bool(inside) == bool(how)
    again = encoder(request, kind, **how)
    again.load_state_dict(net.state_dict())
    torch.testing.assert_close(again(values), net(values))


@pytest.mark.parametrize("how", [{"last": 1}, {"rank": 2}])
def test_only_what_is_to_be_trained_is_trained(how: dict[str, int], request: pytest.FixtureRequest) -> None:
    net = encoder(request, "vit", **how)
    before = {name: p.detach().clone() for name, p in net.named_parameters()}
    values, target = net.values(media("image")), torch.randn(3, DIM, generator=torch.Generator().manual_seed(4))
    optimiser = torch.optim.Adam([p for p in net.parameters() if p.requires_grad], lr=0.02)
    losses = []
    for _ in range(30):
        optimiser.zero_grad()
        loss = (net(values) - target).square().mean()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]
    changed = {name for name, p in net.named_parameters() if not torch.equal(p, before[name])}
    inside = {name for name in changed if name.startswith("net.")}
    if "rank" in how:
        assert inside and all(name.endswith((".up", ".down")) for name in inside)
    else:
        assert inside and not any(".0." in name or ".1." in name or "embeddings" in name for name in inside)


def test_tokens_are_those_of_the_library(vit: Path, bert: Path, whisper: Path) -> None:
    net = PretrainedEncoder(DIM, backbone(f"hf:{bert}")).eval()
    tokens, mask = net.features(net.values(["red cat", "cat cat red blue"]))
    plain = hf.BertModel.from_pretrained(bert).eval()
    told = hf.AutoTokenizer.from_pretrained(bert)("red cat", return_tensors="pt")
    torch.testing.assert_close(tokens[0, :4], plain(**told).last_hidden_state[0], atol=1e-5, rtol=1e-5)
    assert mask.sum(1).tolist() == [4, 6]
    heard = PretrainedEncoder(DIM, backbone(f"hf:{whisper}")).eval()
    features = heard.values(media("audio", 1))
    whole = hf.WhisperModel.from_pretrained(whisper).eval()
    torch.testing.assert_close(heard.features(features)[0], whole.encoder(features).last_hidden_state)
    seen = PretrainedEncoder(DIM, backbone(f"hf:{vit}")).eval()
    pixels = seen.values(media("image", 1))
    expected = hf.ViTModel.from_pretrained(vit).eval()((pixels - 0.5) / 0.5).last_hidden_state
    torch.testing.assert_close(seen.features(pixels)[0], expected)


def test_a_text_of_nothing_gives_numbers(bert: Path) -> None:
    net = PretrainedEncoder(DIM, backbone(f"hf:{bert}"))
    assert torch.isfinite(net(torch.zeros(2, 3, dtype=torch.int64))).all()


def test_inside_a_fusion_net(vit: Path, bert: Path) -> None:
    image, text = (PretrainedEncoder(16, backbone(f"hf:{folder}")) for folder in (vit, bert))
    layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
    net = MultiModalTransformer(image, text, nn.TransformerEncoder(layer, 1), nn.Linear(16, 3))
    assert net(image.values(media("image")), text.values(media("text"))).shape == (3, 3)


def test_a_low_rank_change_starts_as_nothing_and_can_be_merged() -> None:
    torch.manual_seed(0)
    net = nn.ModuleDict({"q_proj": nn.Linear(5, 4), "other": nn.Linear(5, 4)})
    x = torch.randn(3, 5)
    before = net["q_proj"](x)
    assert add_low_rank(net, 2) == 1 and isinstance(net["q_proj"], LowRank)
    torch.testing.assert_close(net["q_proj"](x), before, rtol=0, atol=0)
    nn.init.normal_(net["q_proj"].up)
    changed = net["q_proj"](x)
    assert not torch.allclose(changed, before)
    assert merged(net) == 1 and isinstance(net["q_proj"], nn.Linear)
    torch.testing.assert_close(net["q_proj"](x), changed)


def test_what_cannot_be_trained_is_told(vit: Path) -> None:
    with pytest.raises(ValueError, match="at least 1, got 0"):
        add_low_rank(nn.Linear(2, 2), 0)
    with pytest.raises(ValueError, match="no linear layer is called query or value"):
        add_low_rank(nn.ModuleDict({"dense": nn.Linear(2, 2)}), 1)
    with pytest.raises(ValueError, match="has 3 blocks, of which 4 cannot be trained"):
        PretrainedEncoder(DIM, backbone(f"hf:{vit}"), last=4)
    with pytest.raises(ValueError, match="not both"):
        PretrainedEncoder(DIM, backbone(f"hf:{vit}"), last=1, rank=1)
    with pytest.raises(ValueError, match="did you mean minilm"):
        backbone("minlm")
    with pytest.raises(ValueError, match="no encoder of audio"):
        backbone(f"hf:{vit}", "audio")
    with pytest.raises(ValueError, match=r"expects a tensor \[n, 3, height, width\]"):
        PretrainedEncoder(DIM, backbone(f"hf:{vit}"))(torch.zeros(2, 1, 32, 32))
    assert train_last(nn.Linear(2, 2), 0) == 0


@pytest.mark.skipif(importlib.util.find_spec("efficientnet_lite_pytorch") is None, reason="needs assay[pretrained]")
def test_tokens_of_real_weights_are_those_of_their_classifier() -> None:
    held = backbone("efficientnet-lite0")
    net = PretrainedEncoder(DIM, held)
    values = net.values(media("image"))
    tokens, _ = net.features(values)
    assert tokens.shape == (3, 49, 1280)
    logits: Tensor = held.net((values * 255 - 127) / 128)
    torch.testing.assert_close(held.net._fc(tokens.mean(1)), logits, atol=1e-4, rtol=1e-4)
