"""Whisper's weights out of CTranslate2's ``model.bin``, as the Transformers library names them.

The file (version 6): the specification's name and revision, then each variable: name, dimensions, number format, bytes; then
aliases. There, queries, keys and values are one matrix (in cross-attention keys and values), and keys have a bias of zeros.

Source: the layout as OpenNMT's CTranslate2 writes it (``python/ctranslate2/specs/model_spec.py``).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

FORMATS: Mapping[int, str] = {0: "<f4", 1: "<i1", 2: "<i2", 3: "<i4", 4: "<f2"}
VERSION = 6
SPEC = "WhisperSpec"
STEMS: Mapping[str, str] = {
    "position_encodings/encodings": "embed_positions.weight",
    "embeddings/weight": "embed_tokens.weight",
    "conv1/weight": "conv1.weight",
    "conv1/bias": "conv1.bias",
    "conv2/weight": "conv2.weight",
    "conv2/bias": "conv2.bias",
    "layer_norm/gamma": "layer_norm.weight",
    "layer_norm/beta": "layer_norm.bias",
}
BLOCK: Mapping[str, tuple[str, ...]] = {
    "self_attention/layer_norm": ("self_attn_layer_norm",),
    "self_attention/linear_0": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    "self_attention/linear_1": ("self_attn.out_proj",),
    "attention/layer_norm": ("encoder_attn_layer_norm",),
    "attention/linear_0": ("encoder_attn.q_proj",),
    "attention/linear_1": ("encoder_attn.k_proj", "encoder_attn.v_proj"),
    "attention/linear_2": ("encoder_attn.out_proj",),
    "ffn/layer_norm": ("final_layer_norm",),
    "ffn/linear_0": ("fc1",),
    "ffn/linear_1": ("fc2",),
}
KINDS = {"weight": "weight", "bias": "bias", "gamma": "weight", "beta": "bias"}


def read_variables(path: Path) -> dict[str, Tensor]:
    """Every variable of the file by its name. `ValueError` for another version, specification or number format."""
    data = path.read_bytes()
    place = 0

    def number(kind: str) -> int:
        nonlocal place
        (value,) = struct.unpack_from(f"<{kind}", data, place)
        place += struct.calcsize(kind)
        return int(value)

    def text() -> str:
        nonlocal place
        size = number("H")
        place += size
        return data[place - size : place - 1].decode()

    try:
        version, spec, _, count = number("I"), text(), number("I"), number("I")
        if (version, spec) != (VERSION, SPEC):
            raise ValueError(f"{path}: expected version {VERSION} of {SPEC}, got version {version} of {spec}")
        found = {}
        for _ in range(count):
            name = text()
            shape = [number("I") for _ in range(number("B"))]
            kind, size = number("B"), number("I")
            array = np.frombuffer(data, FORMATS[kind], size // np.dtype(FORMATS[kind]).itemsize, place)
            found[name] = torch.from_numpy(array.reshape(shape).copy())
            place += size
    except (struct.error, KeyError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no CTranslate2 model that can be read here: {error}") from error
    return found


def whisper_state(variables: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state of a `WhisperForConditionalGeneration`; what is no weight (heads, switches) is left out."""
    state = {}
    for name, value in variables.items():
        side, _, rest = name.partition("/")
        if not value.is_floating_point() or value.ndim == 0:
            continue
        if not rest.startswith("layer_") or rest.startswith("layer_norm"):
            state[f"model.{side}.{STEMS[rest]}"] = value
            continue
        block, _, rest = rest.partition("/")
        stem, _, kind = rest.rpartition("/")
        names = BLOCK[stem]
        for part, one in zip(names, value.chunk(len(names)), strict=True):
            if not (part.endswith("k_proj") and kind == "bias"):
                layer = block.removeprefix("layer_")
                state[f"model.{side}.layers.{layer}.{part}.{KINDS[kind]}"] = one.contiguous()
    state["proj_out.weight"] = state["model.decoder.embed_tokens.weight"]
    return state
