"""Our own nets that answer in words, as a `Model` that generates, scores and embeds.

What a net was trained to do on request are its ``skills``: ``ask`` (questions), ``describe``, ``name``, ``sort``
(`assay.data.requests`). The text of a sample is the request; a sample without one is asked to describe its picture, if
the net can.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from assay.data.batch import Batch
from assay.data.requests import DESCRIBE, request
from assay.models.answering import as_float32, batch_of, columns_of, guarded
from assay.models.composed import Composed
from assay.models.folder import method_of, save_native
from assay.models.generation import Decoding
from assay.models.layers import parameter_count
from assay.models.processor import Processor
from assay.models.vlm import VisionLanguage
from assay.models.vqa import Vqa
from assay.stats.streams import stream
from assay.types import Facts, Media, Sample


class GenerativeModel:
    """A trained net with its processor. ``decoding`` says how it writes; it is part of what decides the answers."""

    def __init__(
        self,
        name: str,
        net: Vqa | VisionLanguage | Composed,
        processor: Processor,
        fingerprint: str,
        *,
        decoding: Decoding | None = None,
    ) -> None:
        self.name = name
        self.net = net.eval()
        self.processor = processor
        self.decoding = decoding or _usual(net)
        self.weights_fingerprint = fingerprint
        self.modalities = frozenset(net.modalities)
        self.skills: tuple[str, ...] = net.skills
        self.classes: tuple[str, ...] = net.settings.classes if isinstance(net, Vqa) else ()

    @property
    def fingerprint(self) -> str:
        """A hash of the files and of how answers are decoded."""
        return hashlib.sha256(f"{self.weights_fingerprint}/{self.decoding}".encode()).hexdigest()

    @property
    def aligned_space(self) -> bool:
        """Whether vectors of different modalities may be compared, as retrieval does."""
        return isinstance(self.net, Composed)

    @property
    def method(self) -> str:
        """``vlm``, ``vqa`` or ``composed``."""
        return method_of(self.net)

    def renamed(self, name: str) -> GenerativeModel:
        """The same model under another name."""
        return GenerativeModel(name, self.net, self.processor, self.weights_fingerprint, decoding=self.decoding)

    def decoded(self, decoding: Decoding) -> GenerativeModel:
        """The same model, writing in another way."""
        return GenerativeModel(self.name, self.net, self.processor, self.weights_fingerprint, decoding=decoding)

    def generate(self, samples: Sequence[Sample], modality: str = "text") -> list[str | Media]:
        """One answer for each sample. Raises as `embed`, and `ValueError` for another modality than text."""
        if modality != "text":
            raise ValueError(f"{self.name} writes text, not {modality}")
        if not samples:
            return []
        return guarded(self.name, self.net, lambda: self._write(samples))

    def evidence(self, samples: Sequence[Sample]) -> list[str]:
        """What each sample's answer rests on, in the model's words; empty from a model that answers at once."""
        net = self.net
        if not samples or not isinstance(net, VisionLanguage):
            return [""] * len(samples)
        batch = self._batch([self._requested(sample) for sample in samples], None)
        return [self._text(tokens) for tokens in guarded(self.name, net, lambda: net.with_evidence(batch)[0])]

    def score(self, samples: Sequence[Sample], choices: Sequence[str]) -> NDArray[np.float32]:
        """Log-probabilities ``float32[n, k]`` among the choices, in their order.

        A `vlm` weighs any choices, by the probability of writing each; a `vqa` net those that it was trained on, else
        `ValueError` with the nearest ones.
        """
        columns = columns_of(self.name, self.classes, choices)
        if not samples:
            return np.zeros((0, len(choices)), dtype=np.float32)
        return as_float32(guarded(self.name, self.net, lambda: self._scores(samples, choices, columns).log_softmax(1)))

    def embed(self, samples: Sequence[Sample], modality: str | None = None) -> NDArray[np.float32]:
        """Unit vectors ``float32[n, d]``: of one modality, or of all that is present.

        Raises `ValueError` naming a sample that lacks the modality (or has nothing that the model takes), `MediaError`
        for a broken medium, `MemoryError` when there is not enough memory.
        """
        if not samples:
            return np.zeros((0, self.net.settings.dim), dtype=np.float32)
        return as_float32(guarded(self.name, self.net, lambda: self.net.embed(self._batch(samples, modality))))

    def facts(self) -> Facts:
        """Parameters, and bytes as kept on disk (float16)."""
        count = parameter_count(self.net)
        return Facts(parameters=count, bytes=2 * count)

    def save(self, folder: str | Path) -> Path:
        """Write the model so that `load_native` gives the same answers."""
        return save_native(folder, self.net, self.processor)

    def _write(self, samples: Sequence[Sample]) -> list[str | Media]:
        batch = self._batch([self._requested(sample) for sample in samples], None)
        if isinstance(self.net, Vqa):
            return [self.classes[i] for i in self.net(batch).argmax(1).tolist()]
        drawn = self.decoding.temperature > 0
        generators = [_generator(self.decoding.seed, sample.id) for sample in samples] if drawn else []
        return [self._text(tokens) for tokens in self.net.generate(batch, self.decoding, generators)]

    def _text(self, tokens: Sequence[int]) -> str:
        """The text of tokens. Bytes that are no text, which an untrained net may write, must not travel further."""
        assert self.processor.bpe is not None, "a model that writes has a tokeniser"
        return self.processor.bpe.decode(tokens).encode("utf-8", "replace").decode().strip()

    def _scores(self, samples: Sequence[Sample], choices: Sequence[str], columns: list[int]) -> Tensor:
        batch = self._batch([self._requested(sample) for sample in samples], None)
        if isinstance(self.net, Vqa):
            scores: Tensor = self.net(batch)[:, columns]
            return scores
        assert self.processor.bpe is not None, "a model that writes has a tokeniser"
        return self.net.choice_scores(batch, [self.processor.bpe.encode(choice) for choice in choices])

    def _requested(self, sample: Sample) -> Sample:
        """The sample with the usual request where it has none for its picture."""
        if "text" in sample.inputs or "image" not in sample.inputs or DESCRIBE not in self.skills:
            return sample
        return sample.with_inputs({"text": request(DESCRIBE), **sample.inputs})

    def _batch(self, samples: Sequence[Sample], modality: str | None) -> Batch:
        return batch_of(self.name, self.processor, samples, self.net.modalities, modality)


def _usual(net: Vqa | VisionLanguage | Composed) -> Decoding:
    """By as many beams and tokens as the net was made for."""
    if isinstance(net, Vqa):
        return Decoding()
    return Decoding(beams=net.settings.beams, max_tokens=net.settings.max_tokens)


def _generator(seed: int, sample: str) -> Generator:
    """A row's own generator, so that what is drawn for a sample depends on no other."""
    return torch.Generator().manual_seed(int(stream(seed, "decoding", sample).integers(2**62)))
