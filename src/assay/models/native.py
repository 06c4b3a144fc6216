"""Our own nets as models: a folder with ``config.json``, ``model.safetensors`` (float16) and ``processor.json``.

`load_native` opens such a folder, `load_shipped` one of the three that come with the package. The net runs in float32,
in eval mode, on the CPU's threads as torch has them; the same batch gives the same bits.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from assay.catalog import nearest
from assay.models.aligned import Aligned, AlignedSettings
from assay.models.fused import Fused, FusedSettings
from assay.models.joint import Joint, JointSettings
from assay.models.layers import parameter_count
from assay.models.processor import Processor
from assay.types import Facts, Sample

METHODS: Mapping[str, tuple[type[nn.Module], type]] = {
    "aligned": (Aligned, AlignedSettings),
    "joint": (Joint, JointSettings),
    "fused": (Fused, FusedSettings),
}
SHIPPED = tuple(METHODS)
FILES = ("config.json", "model.safetensors", "processor.json")
WEIGHTS = Path(__file__).parent / "weights"


class NativeModel:
    """A trained net with its processor, as a `Model` that embeds and scores."""

    def __init__(self, name: str, net: nn.Module, processor: Processor, fingerprint: str) -> None:
        self.name = name
        self.net = net.eval()
        self.processor = processor
        self.fingerprint = fingerprint
        self.modalities = frozenset(net.modalities)
        self.classes: tuple[str, ...] = getattr(net.settings, "classes", ())

    @property
    def method(self) -> str:
        """``aligned``, ``joint`` or ``fused``."""
        return method_of(self.net)

    @property
    def aligned_space(self) -> bool:
        """Whether vectors of different modalities may be compared, as retrieval does."""
        return self.method == "aligned"

    def renamed(self, name: str) -> NativeModel:
        """The same model under another name."""
        return NativeModel(name, self.net, self.processor, self.fingerprint)

    def embed(self, samples: Sequence[Sample], modality: str | None = None) -> NDArray[np.float32]:
        """Unit vectors ``float32[n, d]``: of one modality, or of all that is present.

        Raises `ValueError` naming a sample that lacks the modality (or has nothing that the model takes), `MediaError`
        for a broken medium, `MemoryError` when there is not enough memory.
        """
        if not samples:
            return np.zeros((0, self.net.settings.dim), dtype=np.float32)
        return _guarded(self.name, lambda: self.net.embed(self._batch(samples, modality)))

    def score(self, samples: Sequence[Sample], choices: Sequence[str]) -> NDArray[np.float32]:
        """Log-probabilities ``float32[n, k]`` over the choices, in their order.

        `aligned` takes any choices (it compares with them as texts); `joint` and `fused` those they were trained on,
        else `ValueError` with the nearest ones.
        """
        columns = _columns(self.name, self.classes, choices)
        if not samples:
            return np.zeros((0, len(choices)), dtype=np.float32)
        return _guarded(self.name, lambda: self._logits(samples, choices, columns).log_softmax(1))

    def facts(self) -> Facts:
        """Parameters, and bytes as kept on disk (float16)."""
        count = parameter_count(self.net)
        return Facts(parameters=count, bytes=2 * count)

    def save(self, folder: str | Path) -> Path:
        """Write the model so that `load_native` gives the same answers."""
        return save_native(folder, self.net, self.processor)

    def _logits(self, samples: Sequence[Sample], choices: Sequence[str], columns: list[int]) -> Tensor:
        batch = self._batch(samples, None)
        if isinstance(self.net, Aligned):
            phrases = self.net.vectors("text", self.processor.values("text", list(choices)))
            return self.net.class_logits(batch, phrases)
        logits: Tensor = self.net(batch)[:, columns]
        return logits

    def _batch(self, samples: Sequence[Sample], modality: str | None) -> Any:
        if modality is not None and modality not in self.modalities:
            raise ValueError(f"{self.name} does not take {modality!r}: {nearest(modality, self.modalities)}")
        wanted = tuple(self.net.modalities) if modality is None else (modality,)
        for sample in samples:
            if not any(name in sample.inputs for name in wanted):
                has = ", ".join(sample.modalities) or "nothing"
                raise ValueError(f"sample {sample.id!r} has {has}, {self.name} needs {' or '.join(wanted)}")
        return self.processor.batch(samples, wanted)


def _columns(name: str, classes: Sequence[str], choices: Sequence[str]) -> list[int]:
    """The head's columns for the choices; empty for a model without a head, which takes any."""
    if not choices:
        raise ValueError(f"{name} was given no choices to score")
    for choice in choices if classes else ():
        if choice not in classes:
            raise ValueError(f"{name} does not know the class {choice!r}: {nearest(choice, classes)}")
    return [classes.index(choice) for choice in choices] if classes else []


def _guarded(name: str, compute: Callable[[], Tensor]) -> NDArray[np.float32]:
    """Run without gradients, and turn torch's way of saying "out of memory" into Python's."""
    try:
        with torch.inference_mode():
            out: NDArray[np.float32] = compute().numpy().astype(np.float32, copy=False)
    except RuntimeError as error:
        if "memory" in str(error).lower():
            raise MemoryError(f"{name}: {error}") from error
        raise
    return out


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
    (target / "processor.json").write_text(json.dumps(asdict(processor), indent=1) + "\n", encoding="utf-8")
    return target


def load_native(folder: str | Path, *, name: str | None = None) -> NativeModel:
    """The model kept in a folder. `ValueError` says what is missing, unreadable or does not fit."""
    source = Path(folder)
    missing = [file for file in FILES if not (source / file).is_file()]
    if missing:
        raise ValueError(f"{source} is not a saved model: it lacks {', '.join(missing)}")
    content = {file: (source / file).read_bytes() for file in FILES}
    try:
        config, sizes = json.loads(content["config.json"]), json.loads(content["processor.json"])
        net = _build(config)
        tensors = load_tensors(content["model.safetensors"])
        processor = Processor(**sizes)
    except (KeyError, TypeError, json.JSONDecodeError, SafetensorError) as error:
        raise ValueError(f"{source} cannot be read as a saved model: {error}") from error
    _fill(net, tensors, source)
    digest = hashlib.sha256(b"\0".join(content[file] for file in FILES)).hexdigest()
    return NativeModel(name or source.resolve().name, net, processor, digest)


def load_shipped(name: str) -> NativeModel:
    """One of the three models that come with the package: ``aligned``, ``joint``, ``fused`` (or ``assay:aligned`` …)."""
    short = name.removeprefix("assay:")
    if short not in SHIPPED:
        raise ValueError(f"unknown model {name!r}: {nearest(short, SHIPPED)}")
    return load_native(WEIGHTS / short, name=short)


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
