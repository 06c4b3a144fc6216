"""Nets with a head of classes, of pictures, texts or sounds: ViT, ResNet, BERT, wav2vec 2.0 … by ``score``.

The choices are found among the checkpoint's labels to the letter, else but for case, underscores and hyphens, else as one
of a label's synonyms (ImageNet's "tabby, tabby cat"), as long as that names one class. ``?labels=cat,dog`` renames them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
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


class Classifier:
    """A checkpoint with classes of its own as a `Model` that scores them. ``modality`` is what it looks at."""

    def __init__(self, checkpoint: Checkpoint, modality: str) -> None:
        self.checkpoint = checkpoint
        self.name = checkpoint.name
        self.fingerprint = checkpoint.fingerprint()
        self.modality = modality
        self.modalities = frozenset({modality})
        self.classes = class_names(checkpoint)
        load = {"image": image_processor_of, "text": tokenizer_of, "audio": feature_extractor_of}[modality]
        self.extractor = load(checkpoint.folder)

    def score(self, samples: Sequence[Sample], choices: Sequence[str]) -> FloatArray:
        """Log-probabilities ``float32[n, k]`` among the choices, in their order.

        `ValueError` for a choice that is no class of the checkpoint's (with the nearest) and for a sample without the
        modality, `MediaError` for a broken medium, `MemoryError` with a batch size.
        """
        columns = self.columns(choices)
        expect(self.name, samples, [self.modality])
        rows = [self._logits(some)[:, columns].log_softmax(1) for some in self.checkpoint.batches(samples)]
        return as_float32(torch.cat(rows)) if rows else np.zeros((0, len(choices)), np.float32)

    def columns(self, choices: Sequence[str]) -> list[int]:
        """The head's columns for the choices."""
        if not choices:
            raise ValueError(f"{self.name} was given no choices to score")
        return [column_of(self.name, self.classes, choice) for choice in choices]

    def facts(self) -> Facts:
        """Parameters and bytes in memory."""
        return self.checkpoint.facts()

    def _logits(self, samples: Sequence[Sample]) -> Tensor:
        placed = self.checkpoint.placed(self._inputs(samples))
        logits: Tensor = self.checkpoint.run(
            len(samples), lambda: self.checkpoint.net(**placed).logits.float().cpu().reshape(len(samples), -1)
        )
        return logits

    def _inputs(self, samples: Sequence[Sample]) -> Any:
        if self.modality == "image":
            return self.extractor([picture(sample) for sample in samples], return_tensors="pt")
        if self.modality == "text":
            texts = [whole_text(sample.inputs["text"]) for sample in samples]
            longest = min(
                self.extractor.model_max_length, getattr(self.checkpoint.config, "max_position_embeddings", 512)
            )
            return self.extractor(texts, padding=True, truncation=True, max_length=int(longest), return_tensors="pt")
        rate = int(self.extractor.sampling_rate)
        sounds = [sound(sample, rate) for sample in samples]
        return self.extractor(sounds, sampling_rate=rate, padding=True, return_tensors="pt")


def class_names(checkpoint: Checkpoint) -> tuple[str, ...]:
    """The classes in the order of the head. `ValueError` where other names are given, but not as many."""
    named = checkpoint.config.id2label
    own = tuple(str(named[i]) for i in sorted(named))
    given = checkpoint.options.labels
    if given and len(given) != len(own):
        raise ValueError(f"{checkpoint.name} has {len(own)} classes, ?labels= names {len(given)}")
    return given or own


def column_of(name: str, classes: Sequence[str], choice: str) -> int:
    """The place of the one class that a choice names.

    >>> column_of("vit", ("tabby, tabby cat", "race_car"), "Race car"), column_of("vit", ("tabby, tabby cat",), "tabby cat")
    (1, 0)
    """
    if choice in classes:
        return classes.index(choice)
    for spelt in (lambda label: [_plain(label)], lambda label: [_plain(one) for one in label.split(",")]):
        found = [place for place, label in enumerate(classes) if _plain(choice) in spelt(label)]
        if len(found) == 1:
            return found[0]
    raise ValueError(
        f"{name} does not know the class {choice!r}: {nearest(choice, classes)} (?labels=… gives its classes other names)"
    )


def _plain(label: str) -> str:
    return " ".join(label.casefold().replace("_", " ").replace("-", " ").split())
