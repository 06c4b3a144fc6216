"""From samples to tensors: what a net was trained to see. Kept beside the weights as ``processor.json``.

A picture is padded to a square on white and resized to ``size_px``; a sound becomes 16 kHz and a levelled log-mel
spectrogram; a text becomes hashed words or, where there is a trained tokeniser, its tokens. Each depends on its sample
alone, never on the rest of the batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image as Pillow
from torch import Tensor

from assay.data.batch import Batch, Part
from assay.data.media import Audio
from assay.models.bpe import Bpe
from assay.models.encoders.audio import RATE_HZ, log_mel, resample
from assay.models.encoders.pretrained import values_of
from assay.models.encoders.text import text_tensor
from assay.types import Media, Sample


@dataclass(frozen=True)
class Processor:
    """How inputs are prepared; the values are part of the model. ``bpe`` is kept in a file of its own. ``pretrained`` names the
    modalities that are prepared for an encoder trained before: ``image=efficientnet-lite0``.
    """

    size_px: int = 48
    buckets: int = 12288
    longest_text: int = 64
    frames: int = 8
    bpe: Bpe | None = None
    pretrained: Sequence[str] = ()

    def sizes(self) -> dict[str, Any]:
        """What ``processor.json`` holds."""
        plain = {
            "size_px": self.size_px,
            "buckets": self.buckets,
            "longest_text": self.longest_text,
            "frames": self.frames,
        }
        return {**plain, "pretrained": list(self.pretrained)} if self.pretrained else plain

    def batch(self, samples: Sequence[Sample], modalities: Sequence[str]) -> Batch:
        """The named modalities of the samples as one `Batch`. A broken medium raises `MediaError`."""
        parts: dict[str, Part] = {}
        for name in modalities:
            rows = [i for i, sample in enumerate(samples) if name in sample.inputs]
            if rows:
                contents = [samples[i].inputs[name] for i in rows]
                parts[name] = Part(torch.tensor(rows), self.values(name, contents))
        return Batch(tuple(sample.id for sample in samples), parts)

    def values(self, modality: str, contents: Sequence[Media | str]) -> Tensor:
        """One modality's contents as one tensor (picture ``float[m, 3, h, w]``, sound ``float[m, 64, t]``, text ids:
        ``int64[m, words, parts]`` of hashed words, ``int64[m, t]`` of tokens, film ``float[m, frames, 3, h, w]``)."""
        for named in self.pretrained:
            kind, _, name = named.partition("=")
            if kind == modality:
                return values_of(name, kind)(contents)
        if modality == "text":
            if self.bpe is not None:
                return self.bpe.batch([str(content) for content in contents], self.longest_text)
            return text_tensor([str(content) for content in contents], self.buckets)
        if modality == "image":
            return torch.stack([self.picture(content) for content in contents]).float() / 255
        if modality == "video":
            return torch.stack([self.film(content) for content in contents]).float() / 255
        return torch.stack([sound(content) for content in contents])

    def film(self, content: Media | str) -> Tensor:
        """``uint8[frames, 3, size, size]``: as many frames, from the middles of equal stretches of time."""
        assert not isinstance(content, str), "a film is a medium, not a text"
        shown = content.load()
        at = ((np.arange(self.frames) + 0.5) * len(shown) / self.frames).astype(int)
        return torch.stack([self._squared(shown[i]) for i in at])

    def picture(self, content: Media | str) -> Tensor:
        """``uint8[3, size, size]``."""
        assert not isinstance(content, str), "a picture is a medium, not a text"
        return self._squared(content.load())

    def _squared(self, picture: NDArray[Any]) -> Tensor:
        square = pad_to_square(picture)
        if len(square) != self.size_px:
            resized = Pillow.fromarray(square).resize((self.size_px, self.size_px), Pillow.Resampling.LANCZOS)
            square = np.array(resized)
        return torch.from_numpy(np.ascontiguousarray(square.transpose(2, 0, 1)))


def pad_to_square(picture: NDArray[Any]) -> NDArray[Any]:
    """``uint8[s, s, 3]``: the picture in the middle of a white square."""
    height, width = picture.shape[:2]
    if height == width:
        return picture
    side = max(height, width)
    square = np.full((side, side, 3), 255, dtype=np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = picture
    return square


def sound(content: Media | str) -> Tensor:
    """The log-mel spectrogram ``float[64, t]`` of a sound; kept with the decoded sound where the data set keeps those."""
    assert not isinstance(content, str), "a sound is a medium, not a text"
    if isinstance(content, Audio) and content.kept is not None:
        return torch.tensor(content.kept.get((content, "log-mel"), lambda: spectrogram(content).numpy()))
    return spectrogram(content)


def spectrogram(content: Media) -> Tensor:
    """The same, computed now."""
    rate_hz = getattr(content, "rate_hz", RATE_HZ)
    return log_mel(resample(np.asarray(content.load(), dtype=np.float32), int(rate_hz)))
