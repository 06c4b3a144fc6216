"""Two towers with one space: CLIP, SigLIP, ALIGN, Chinese CLIP … (pictures and texts), CLAP (sounds and texts).

``embed`` gives each tower's unit vectors; of several modalities their mean, made unit again. ``score`` compares a sample
with the choices as texts: the logarithm of a softmax over scaled cosines, by its picture or sound where it has one, else
by its text. (A bias of all pairs, as SigLIP has, does not change a softmax.)

Source: Radford et al. 2021; Zhai et al. 2023; Wu et al. 2023 (CLAP).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from assay.catalog import nearest
from assay.models.answering import as_float32
from assay.models.hub.checkpoint import Checkpoint
from assay.models.hub.processors import (
    expect,
    feature_extractor_of,
    image_processor_of,
    picture,
    sound,
    tokenizer_of,
    whole_text,
)
from assay.types import Facts, FloatArray, Sample

SCALES = ("logit_scale", "logit_scale_a")
LONGEST = 77  # tokens of a text, where neither tokeniser nor configuration says


class ContrastiveModel:
    """A contrastive checkpoint as a `Model` that embeds and scores any choices."""

    aligned_space = True

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint
        self.name = checkpoint.name
        self.fingerprint = checkpoint.fingerprint()
        self.other = "image" if callable(getattr(checkpoint.net, "get_image_features", None)) else "audio"
        self.modalities = frozenset({"text", self.other})
        self.tokenizer = tokenizer_of(checkpoint.folder)
        load = image_processor_of if self.other == "image" else feature_extractor_of
        self.extractor = load(checkpoint.folder)

    def embed(self, samples: Sequence[Sample], modality: str | None = None) -> FloatArray:
        """Unit vectors ``float32[n, d]``: of one modality, or the mean of those that are present.

        `ValueError` naming a sample that lacks the modality, `MediaError` for a broken medium, `MemoryError` with a batch size.
        """
        if modality is not None and modality not in self.modalities:
            raise ValueError(f"{self.name} does not take {modality!r}: {nearest(modality, self.modalities)}")
        wanted = sorted(self.modalities) if modality is None else [modality]
        expect(self.name, samples, wanted)
        parts = [self._embedded(some, wanted) for some in self.checkpoint.batches(samples)]
        return np.concatenate(parts) if parts else np.zeros((0, 1), np.float32)

    def score(self, samples: Sequence[Sample], choices: Sequence[str]) -> FloatArray:
        """Log-probabilities ``float32[n, k]`` over the choices, in their order. Raises as `embed`."""
        if not choices:
            raise ValueError(f"{self.name} was given no choices to score")
        expect(self.name, samples, sorted(self.modalities))
        put = [self.checkpoint.options.put(choice) for choice in choices]
        phrases = np.concatenate([self._texts(some) for some in self.checkpoint.batches(put)])
        rows = np.zeros((len(samples), len(choices)), np.float32)
        for modality in (self.other, "text"):
            held = [
                i
                for i, s in enumerate(samples)
                if modality in s.inputs and (modality != "text" or self.other not in s.inputs)
            ]
            if held:
                cosines = self.embed([samples[i] for i in held], modality) @ phrases.T
                rows[held] = as_float32(torch.from_numpy(self._scale() * cosines).log_softmax(1))
        return rows

    def facts(self) -> Facts:
        """Parameters and bytes in memory."""
        return self.checkpoint.facts()

    def _embedded(self, samples: Sequence[Sample], wanted: Sequence[str]) -> FloatArray:
        total = np.zeros((len(samples), 0), np.float32)
        for modality in wanted:
            held = [i for i, sample in enumerate(samples) if modality in sample.inputs]
            if not held:
                continue
            some = [samples[i] for i in held]
            vectors = self._texts([str(s.inputs["text"]) for s in some]) if modality == "text" else self._media(some)
            total = total if total.shape[1] else np.zeros((len(samples), vectors.shape[1]), np.float32)
            total[held] += vectors
        return as_float32(F.normalize(torch.from_numpy(total), dim=1))

    def _texts(self, texts: Sequence[str]) -> FloatArray:
        longest = self._longest()
        whole = str(self.checkpoint.config.model_type).startswith("siglip")
        tokens = self.tokenizer(
            list(map(whole_text, texts)),
            # SigLIP learned texts padded to one length.
            padding="max_length" if whole else True,
            max_length=longest,
            truncation=True,
            return_tensors="pt",
        )
        return self._vectors("get_text_features", tokens)

    def _longest(self) -> int:
        config = getattr(self.checkpoint.config, "text_config", self.checkpoint.config)
        known = [getattr(config, "max_position_embeddings", LONGEST), self.tokenizer.model_max_length]
        return int(min(known))

    def _media(self, samples: Sequence[Sample]) -> FloatArray:
        if self.other == "image":
            inputs = self.extractor([picture(sample) for sample in samples], return_tensors="pt")
            return self._vectors("get_image_features", inputs)
        rate = int(self.extractor.sampling_rate)
        inputs = self.extractor(
            [sound(sample, rate) for sample in samples], sampling_rate=rate, padding=True, return_tensors="pt"
        )
        return self._vectors("get_audio_features", inputs)

    def _vectors(self, tower: str, inputs: Mapping[str, Any]) -> FloatArray:
        placed = self.checkpoint.placed(inputs)

        def compute() -> Tensor:
            came = getattr(self.checkpoint.net, tower)(**placed)
            features = came if isinstance(came, Tensor) else came.pooler_output
            return F.normalize(features.float(), dim=-1).cpu()

        return as_float32(self.checkpoint.run(len(next(iter(placed.values()))), compute))

    def _scale(self) -> float:
        """What cosines are multiplied by."""
        net = self.checkpoint.net
        found = next((getattr(net, name) for name in SCALES if isinstance(getattr(net, name, None), Tensor)), None)
        if found is not None:
            return float(found.detach().exp())
        temperature = getattr(net, "temperature", None)
        return 1.0 if temperature is None else 1.0 / float(temperature)
