"""Our own nets as models, opened from their folders (`assay.models.folder`).

`load_native` opens such a folder, `load_shipped` one of the three that come with the package. The net runs in float32,
in eval mode, on the CPU's threads as torch has them; the same batch gives the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from assay.catalog import nearest
from assay.models.aligned import Aligned
from assay.models.folder import method_of, open_folder, save_native
from assay.models.layers import parameter_count
from assay.models.processor import Processor
from assay.types import Facts, Sample

SHIPPED = ("aligned", "joint", "fused")
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


def load_native(folder: str | Path, *, name: str | None = None) -> NativeModel:
    """The model kept in a folder. `ValueError` says what is missing, unreadable or does not fit."""
    net, processor, fingerprint = open_folder(folder)
    return NativeModel(name or Path(folder).resolve().name, net, processor, fingerprint)


def load_shipped(name: str) -> NativeModel:
    """One of the three models that come with the package: ``aligned``, ``joint``, ``fused`` (or ``assay:aligned`` …)."""
    short = name.removeprefix("assay:")
    if short not in SHIPPED:
        raise ValueError(f"unknown model {name!r}: {nearest(short, SHIPPED)}")
    return load_native(WEIGHTS / short, name=short)
