"""What is kept of each input while everything is decoded once: digests, thumbnails, simple statistics."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.data.likeness import plain, thumbnail
from assay.types import FloatArray, Sample

SOUND_BANDS = 16
WORDS = 256
WIDTH = {"image": 192, "audio": SOUND_BANDS + 2, "video": 193, "text": 8}


@dataclass
class Seen:
    """Digests by sample and modality; of each distinct picture a thumbnail, of all content statistics ``float32[d]``."""

    digests: dict[str, dict[str, str]] = field(default_factory=dict)
    thumbs: dict[str, NDArray[np.uint8]] = field(default_factory=dict)
    told: dict[str, FloatArray] = field(default_factory=dict)

    def look(self, sample: Sample, modality: str, content: NDArray[Any] | str, digest: str) -> None:
        """Keeps what is to be known of one decoded input."""
        key = f"{modality}:{digest}"
        self.digests.setdefault(sample.id, {}).setdefault(modality, key)  # of an id that occurs twice the first one
        if key in self.told:
            return
        if isinstance(content, str):
            self.told[key] = of_text(content)
        elif modality == "image":
            self.thumbs[key] = thumbnail(content)
            self.told[key] = of_thumbnail(self.thumbs[key])
        elif modality == "audio":
            self.told[key] = of_sound(content)
        else:
            middle = of_thumbnail(thumbnail(content[len(content) // 2]))
            self.told[key] = np.append(middle, np.log(len(content))).astype(np.float32)

    def statistics(self, samples: Sequence[Sample]) -> dict[str, FloatArray]:
        """For each modality the scaled statistics of every sample ``[n, d]``; NaN in the rows of samples that lack it."""
        found = {}
        for modality, width in WIDTH.items():
            out = np.full((len(samples), width), np.nan, np.float32)
            for row, sample in enumerate(samples):
                if (key := self.digests.get(sample.id, {}).get(modality)) is not None:
                    out[row] = self.told[key]
            there: NDArray[np.bool_] = np.asarray(np.isfinite(out).all(axis=1))
            if there.any():
                found[modality] = out if modality in ("image", "video") else scaled(out, there)
        return found

    def features(self, samples: Sequence[Sample]) -> FloatArray:
        """What labels are looked at by: pictures if there are any, else films, sounds, and of texts the words ``[n, d]``."""
        kinds = self.statistics(samples)
        for modality in ("image", "video", "audio"):
            if modality in kinds:
                return kinds[modality]
        texts = [str(sample.inputs.get("text", "")) for sample in samples]
        return np.stack([words(text) for text in texts]) if texts else np.zeros((0, WORDS), np.float32)


def scaled(values: FloatArray, there: NDArray[np.bool_]) -> FloatArray:
    """Each column less its mean, over its spread; a column that is always the same becomes 0."""
    spread = values[there].std(axis=0)
    out: FloatArray = ((values - values[there].mean(axis=0)) / np.where(spread > 0, spread, 1)).astype(np.float32)
    return out


def of_thumbnail(thumb: NDArray[np.uint8]) -> FloatArray:
    """``float32[192]``: 8 x 8 means of the colours, in [0, 1]."""
    small: FloatArray = thumb.reshape(8, 2, 8, 2, 3).mean(axis=(1, 3), dtype=np.float32).ravel() / 255
    return small


def of_sound(sound: NDArray[Any]) -> FloatArray:
    """``float32[18]``: the logarithms of the power in 16 bands of equal width, of the length, of the power."""
    power = np.square(np.abs(np.fft.rfft(sound.astype(np.float64))))
    bands = [part.sum() for part in np.array_split(power, SOUND_BANDS)]
    total = float(np.square(sound, dtype=np.float64).mean())
    return np.log(np.maximum([*bands, len(sound), total], 1e-10)).astype(np.float32)


def of_text(text: str) -> FloatArray:
    """``float32[8]``: length, words, their mean length, shares of letters, digits, capitals, characters beyond ASCII, distinct ones."""
    n, parts = max(len(text), 1), text.split()
    counts = (sum(map(str.isalpha, text)), sum(map(str.isdigit, text)), sum(map(str.isupper, text)))
    beyond, distinct = sum(c > "\x7f" for c in text), len(set(text))
    lengths = [np.log(n), np.log1p(len(parts)), np.log1p(n / max(len(parts), 1))]
    return np.array([*lengths, *(c / n for c in counts), beyond / n, np.log(max(distinct, 1))], np.float32)


def words(text: str) -> FloatArray:
    """``float32[256]``: a text's words, hashed, of length 1; zeros for a text without."""
    out = np.zeros(WORDS, np.float32)
    for word in set(plain(text).split()):
        code = zlib.crc32(word.encode("utf-8", "surrogatepass"))
        out[code % WORDS] += 1 if code & 0x80000000 else -1
    length = float(np.linalg.norm(out))
    return out / length if length else out
