"""Our own nets as models, opened from their folders (`assay.models.folder`).

`load_native` opens such a folder, `load_shipped` one of those that come with the package. The net runs in float32,
in eval mode, on the CPU's threads as torch has them; the same batch gives the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from assay.catalog import nearest
from assay.data.batch import Batch
from assay.models import integrating, patching
from assay.models.aligned import Aligned
from assay.models.answering import as_float32, at_most_threads, batch_of, columns_of, guarded
from assay.models.composed import Composed
from assay.models.folder import method_of, open_folder, save_native
from assay.models.generative import GenerativeModel
from assay.models.layers import parameter_count
from assay.models.processor import Processor
from assay.models.vlm import VisionLanguage
from assay.models.vqa import Vqa
from assay.types import Facts, Sample

SHIPPED = ("aligned", "joint", "fused", "vqa", "captioner")
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
        return as_float32(guarded(self.name, self.net, lambda: self.net.embed(self._batch(samples, modality))))

    def score(self, samples: Sequence[Sample], choices: Sequence[str]) -> NDArray[np.float32]:
        """Log-probabilities ``float32[n, k]`` over the choices, in their order.

        `aligned` takes any choices (it compares with them as texts); `joint` and `fused` those they were trained on,
        else `ValueError` with the nearest ones.
        """
        columns = columns_of(self.name, self.classes, choices)
        if not samples:
            return np.zeros((0, len(choices)), dtype=np.float32)
        return as_float32(guarded(self.name, self.net, lambda: self._logits(samples, choices, columns).log_softmax(1)))

    def patch(
        self, samples: Sequence[Sample], donors: Sequence[Sample], choices: Sequence[str]
    ) -> dict[str, NDArray[np.float32]]:
        """For each part of the net by its name, in the order of computation: `score` of ``samples`` while the part gives what it gave
        for ``donors``, row by row. `ValueError` unless there are as many of both.
        """
        if len(samples) != len(donors):
            raise ValueError(f"as many donors as samples were expected, not {len(donors)} and {len(samples)}")
        columns = columns_of(self.name, self.classes, choices)

        def logs(of: Sequence[Sample]) -> Tensor:
            return self._logits(of, choices, columns).log_softmax(1)

        def patch_each() -> dict[str, NDArray[np.float32]]:
            given = patching.recorded(self.net, lambda: logs(donors), len(donors))
            own = patching.recorded(self.net, lambda: logs(samples), len(samples))
            out = {}
            for site in patching.shared(given, own):
                with patching.patched(self.net, site, given[site]):
                    out[site] = as_float32(logs(samples))
            return out

        found: dict[str, NDArray[np.float32]] = guarded(self.name, self.net, patch_each)
        return found

    def integrated(
        self,
        samples: tuple[Sample, Sample],
        choices: Sequence[str],
        place: int,
        *,
        grid: tuple[int, int],
        pieces: Sequence[str],
    ) -> tuple[dict[str, NDArray[np.float64]], float]:
        """Integrated gradients of the log-odds of a choice, from the second of two samples (nothing) to the first: by modality what each
        of the picture's cells ``[grid]`` and each piece of the text ``[pieces]`` adds; and the log-odds at the start. `ValueError` for a
        sample that holds a sound or a film, or for a net with a tokeniser or an encoder that was trained before.
        """
        sample = samples[0]
        beyond = [name for name in sample.modalities if name not in integrating.REACHED]
        if beyond or self.processor.bpe is not None or self.processor.pretrained:
            what = " and ".join(beyond) or "what this net prepares in a way of its own"
            raise ValueError(
                f"integrated gradients reach a picture's pixels and a text's words, not {what}: leave it out, or use occlusion"
            )
        columns = columns_of(self.name, self.classes, choices)
        whole, nothing = (self._batch([one], None) for one in samples)
        with at_most_threads(1):
            with torch.no_grad():
                logits = self._weigher(choices, columns)
            found, start = integrating.integrated(self.net, logits, whole, nothing, place)
        if "text" in found:
            found["text"] = integrating.over_pieces(found["text"], pieces)
        if "image" in found:
            picture = sample.inputs["image"]
            assert not isinstance(picture, str), "a picture is a medium, not a text"
            found["image"] = integrating.over_cells(found["image"], picture.load().shape[:2], grid)
        return found, start

    def facts(self) -> Facts:
        """Parameters, and bytes as kept on disk (float16)."""
        count = parameter_count(self.net)
        return Facts(parameters=count, bytes=2 * count)

    def save(self, folder: str | Path) -> Path:
        """Write the model so that `load_native` gives the same answers."""
        return save_native(folder, self.net, self.processor)

    def _logits(self, samples: Sequence[Sample], choices: Sequence[str], columns: list[int]) -> Tensor:
        return self._weigher(choices, columns)(self._batch(samples, None))

    def _weigher(self, choices: Sequence[str], columns: list[int]) -> Callable[[Batch], Tensor]:
        """What gives the choices' logits ``[n, k]`` of a batch."""
        net = self.net
        if isinstance(net, Aligned):
            if "text" not in net.modalities:
                raise ValueError(
                    f"{self.name} reads no words and cannot weigh choices: give it examples (assay.fewshot)"
                )
            phrases = net.vectors("text", self.processor.values("text", list(choices)))
            return lambda batch: net.class_logits(batch, phrases)
        return lambda batch: net(batch)[:, columns]

    def _batch(self, samples: Sequence[Sample], modality: str | None) -> Batch:
        return batch_of(self.name, self.processor, samples, self.net.modalities, modality)


def load_native(folder: str | Path, *, name: str | None = None) -> NativeModel | GenerativeModel:
    """The model kept in a folder: one that writes (`GenerativeModel`), else one that embeds and scores.

    `ValueError` says what is missing, unreadable or does not fit.
    """
    net, processor, fingerprint = open_folder(folder)
    kind = GenerativeModel if isinstance(net, Composed | Vqa | VisionLanguage) else NativeModel
    return kind(name or Path(folder).resolve().name, net, processor, fingerprint)


def load_shipped(name: str) -> NativeModel | GenerativeModel:
    """One of the models that come with the package: ``aligned``, ``joint``, ``fused`` … (or ``assay:aligned`` …)."""
    short = name.removeprefix("assay:")
    if short not in SHIPPED:
        raise ValueError(f"unknown model {name!r}: {nearest(short, SHIPPED)}")
    return load_native(WEIGHTS / short, name=short)
