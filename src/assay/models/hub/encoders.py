"""Encoders of one modality by ``embed``: ViT, DINOv2, ConvNeXt; BERT, sentence encoders; wav2vec 2.0, AST.

A text's vector is the mean of its tokens' last states (or the first token's, where a sentence encoder's pooling says so);
a picture's what the net pools, else the mean of its places; a sound's the mean over time.

Source of the pooling of texts: Reimers & Gurevych 2019.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch.nn.functional as F
from torch import Tensor

from assay.catalog import nearest
from assay.models.answering import as_float32
from assay.models.hub.checkpoint import Checkpoint
from assay.models.hub.collate import collated, groups
from assay.models.hub.processors import (
    expect,
    feature_extractor_of,
    image_processor_of,
    picture,
    sound,
    tokenizer_of,
    whole_text,
)
from assay.models.hub.towers import TAKES
from assay.types import Facts, FloatArray, Sample

POOLING = Path("1_Pooling") / "config.json"


def encodes(kind: str) -> bool:
    """Whether the class is an encoder without a head, of one modality that is known here."""
    import transformers
    from transformers.models.auto.modeling_auto import MODEL_MAPPING_NAMES

    plain = {name for names in MODEL_MAPPING_NAMES.values() for name in ((names,) if isinstance(names, str) else names)}
    return kind in plain and getattr(transformers, kind).main_input_name in TAKES


class Encoder:
    """An encoder as a `Model` that embeds its one modality."""

    aligned_space = False

    def __init__(self, checkpoint: Checkpoint) -> None:
        if checkpoint.config.is_encoder_decoder:
            raise ValueError(f"{checkpoint.name} is an encoder with a decoder but without a head: give one that writes")
        self.checkpoint = checkpoint
        self.name = checkpoint.name
        self.fingerprint = checkpoint.fingerprint()
        self.modality = TAKES[str(checkpoint.net.main_input_name)]
        self.modalities = frozenset({self.modality})
        load = {"image": image_processor_of, "text": tokenizer_of, "audio": feature_extractor_of}[self.modality]
        self.extractor = load(checkpoint.folder)
        self.first = self.modality == "text" and _takes_first(checkpoint.folder)

    def embed(self, samples: Sequence[Sample], modality: str | None = None) -> FloatArray:
        """Unit vectors ``float32[n, d]``.

        `ValueError` for another modality and for a sample without it, `MediaError` for a broken medium, `MemoryError` with a
        batch size.
        """
        if modality not in (None, self.modality):
            raise ValueError(f"{self.name} does not take {modality!r}: {nearest(str(modality), self.modalities)}")
        expect(self.name, samples, [self.modality])
        rows = [self._embedded(some) for some in self.checkpoint.windows(samples)]
        return np.concatenate(rows) if rows else np.zeros((0, 1), np.float32)

    def facts(self) -> Facts:
        """Parameters and bytes in memory."""
        return self.checkpoint.facts()

    def _embedded(self, samples: Sequence[Sample]) -> FloatArray:
        rows = [self._inputs(sample) for sample in samples]
        out: dict[int, FloatArray] = {}
        for places in groups(rows, self.checkpoint.options.batch, padded=False):
            placed = self.checkpoint.placed(collated([rows[place] for place in places], 0))
            vectors = self.checkpoint.run(len(places), lambda placed=placed: self._pooled(placed))
            out.update(zip(places, as_float32(vectors), strict=True))
        return np.stack([out[place] for place in range(len(rows))])

    def _inputs(self, sample: Sample) -> dict[str, Tensor]:
        if self.modality == "image":
            came = self.extractor([picture(sample)], return_tensors="pt")
        elif self.modality == "text":
            longest = min(
                self.extractor.model_max_length, getattr(self.checkpoint.config, "max_position_embeddings", 512)
            )
            came = self.extractor(
                [whole_text(sample.inputs["text"])], truncation=True, max_length=int(longest), return_tensors="pt"
            )
        else:
            rate = int(self.extractor.sampling_rate)
            came = self.extractor(sound(sample, rate), sampling_rate=rate, return_tensors="pt")
        return {name: value for name, value in came.items() if isinstance(value, Tensor)}

    def _pooled(self, placed: dict[str, Tensor]) -> Tensor:
        came: Any = self.checkpoint.net(**placed)
        states = came.last_hidden_state
        if self.modality == "image":
            pooled = getattr(came, "pooler_output", None)
            # Convolutional nets give [n, d, h, w], the others [n, t, d].
            vectors = states.mean(1 if states.ndim == 3 else (2, 3)) if pooled is None else pooled.flatten(1)
        else:
            vectors = states[:, 0] if self.first else states.mean(1)
        return F.normalize(vectors.float(), dim=1).cpu()


def _takes_first(folder: Path) -> bool:
    """Whether a sentence encoder's files say that its first token stands for the text."""
    path = folder / POOLING
    return path.is_file() and bool(json.loads(path.read_bytes()).get("pooling_mode_cls_token"))
