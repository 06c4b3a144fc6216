"""Nets on disk: a folder with ``config.json``, ``model.safetensors`` (float16), ``processor.json`` and, where texts are cut
by a trained tokeniser, ``tokenizer.json``. `assay.models.native.load_native` makes a model of what `open_folder` reads.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from assay.catalog import nearest
from assay.models.aligned import Aligned, AlignedSettings
from assay.models.bpe import read_bpe
from assay.models.composed import Composed, ComposedSettings
from assay.models.fused import Fused, FusedSettings
from assay.models.joint import Joint, JointSettings
from assay.models.processor import Processor
from assay.models.tuned import Tuned, TunedSettings
from assay.models.vlm import VisionLanguage, VlmSettings
from assay.models.vqa import Vqa, VqaSettings

METHODS: Mapping[str, tuple[type[nn.Module], type]] = {
    "aligned": (Aligned, AlignedSettings),
    "composed": (Composed, ComposedSettings),
    "joint": (Joint, JointSettings),
    "fused": (Fused, FusedSettings),
    "tuned": (Tuned, TunedSettings),
    "vlm": (VisionLanguage, VlmSettings),
    "vqa": (Vqa, VqaSettings),
}
FILES = ("config.json", "model.safetensors", "processor.json")
TOKENIZER = "tokenizer.json"


class Opened(NamedTuple):
    """What a folder holds: the net with its weights, how inputs are prepared, and the hash of the files."""

    net: nn.Module
    processor: Processor
    fingerprint: str


def method_of(net: nn.Module) -> str:
    """The name under which a net's class is known."""
    return next(name for name, (kind, _) in METHODS.items() if type(net) is kind)


def save_native(
    folder: str | Path, net: nn.Module, processor: Processor, *, about: Mapping[str, Any] | None = None
) -> Path:
    """Write ``net`` to a folder: float16 weights, the sizes that rebuild it, how inputs are prepared."""
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    tensors = {
        name: (value.half() if value.is_floating_point() else value).contiguous()
        for name, value in net.state_dict().items()
    }
    config = {"format": 1, "method": method_of(net), "settings": asdict(net.settings), "about": dict(about or {})}
    (target / "model.safetensors").write_bytes(save_tensors(tensors))
    (target / "config.json").write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
    return write_processor(target, processor)


def write_processor(folder: str | Path, processor: Processor) -> Path:
    """Write how inputs are prepared: ``processor.json`` and, where there is a trained tokeniser, ``tokenizer.json``."""
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    if processor.bpe is None:
        (target / TOKENIZER).unlink(missing_ok=True)
    else:
        (target / TOKENIZER).write_text(processor.bpe.to_json(), encoding="utf-8")
    (target / "processor.json").write_text(json.dumps(processor.sizes(), indent=1) + "\n", encoding="utf-8")
    return target


def read_processor(folder: str | Path) -> Processor:
    """What `write_processor` wrote. `ValueError` says what is missing or unreadable."""
    source = Path(folder)
    if not (source / "processor.json").is_file():
        raise ValueError(f"{source} holds no saved model or processor: it lacks processor.json")
    try:
        sizes = json.loads((source / "processor.json").read_bytes())
        tokenizer = source / TOKENIZER
        return Processor(**sizes, bpe=read_bpe(tokenizer.read_text(encoding="utf-8")) if tokenizer.is_file() else None)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{source} cannot be read as a saved processor: {error}") from error


def open_folder(folder: str | Path) -> Opened:
    """What `save_native` wrote. `ValueError` says what is missing, unreadable or does not fit."""
    source = Path(folder)
    missing = [file for file in FILES if not (source / file).is_file()]
    if missing:
        raise ValueError(f"{source} is not a saved model: it lacks {', '.join(missing)}")
    present = (*FILES, TOKENIZER) if (source / TOKENIZER).is_file() else FILES
    content = {file: (source / file).read_bytes() for file in present}
    try:
        config, sizes = json.loads(content["config.json"]), json.loads(content["processor.json"])
        net = _build(config)
        tensors = load_tensors(content["model.safetensors"])
        bpe = read_bpe(content[TOKENIZER].decode("utf-8")) if TOKENIZER in content else None
        processor = Processor(**sizes, bpe=bpe)
    except (KeyError, TypeError, ValueError, SafetensorError) as error:
        raise ValueError(f"{source} cannot be read as a saved model: {error}") from error
    _fill(net, tensors, source)
    digest = hashlib.sha256(b"\0".join(content.values())).hexdigest()
    return Opened(net, processor, digest)


def _build(config: Mapping[str, Any]) -> nn.Module:
    method = config["method"]
    if method not in METHODS:
        raise KeyError(f"unknown method {method!r}: {nearest(str(method), METHODS)}")
    kind, settings = METHODS[method]
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in config["settings"].items()}
    return kind(settings(**values))


def _fill(net: nn.Module, tensors: Mapping[str, Tensor], source: Path) -> None:
    """Put the weights in, each of the expected name and shape."""
    expected = net.state_dict()
    wrong = [
        f"{key}: expected {_shape(expected.get(key))}, got {_shape(tensors.get(key))}"
        for key in sorted({*expected, *tensors})
        if _shape(expected.get(key)) != _shape(tensors.get(key))
    ]
    if wrong:
        more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise ValueError(f"{source}/model.safetensors does not fit its config.json: {'; '.join(wrong[:5])}{more}")
    net.load_state_dict({key: value.to(expected[key].dtype) for key, value in tensors.items()})


def _shape(tensor: Tensor | None) -> str:
    return "nothing" if tensor is None else str(tuple(tensor.shape))
