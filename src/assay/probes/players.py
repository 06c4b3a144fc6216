"""Contents in parts that can be taken away one by one: words, patches, stretches of sound, frames.

A text's words (in at most `MOST` groups) are left out; a picture's patches, ceil(sqrt(number of words)) on each side and
covering it to the edge, become black; a sound's stretches and a film's frames, as many as words, become silent and black.
Without a text there are nine parts of each.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.data.media import Audio, Image, Video
from assay.stats.shapley import orders
from assay.stats.streams import stream
from assay.types import Media, Sample

MOST = 16
"""Parts of a modality at most."""
WITHOUT_TEXT = 9


@dataclass(frozen=True)
class Parts:
    """How many parts each modality of a sample has, in the order in which they are numbered."""

    counts: tuple[tuple[str, int], ...]

    @property
    def total(self) -> int:
        """All parts together."""
        return sum(count for _, count in self.counts)

    def of(self, modality: str) -> NDArray[np.bool_]:
        """Which parts are a modality's."""
        return np.repeat([name == modality for name, _ in self.counts], [count for _, count in self.counts])


def parts(sample: Sample, modalities: tuple[str, ...]) -> Parts:
    """The parts of a sample's modalities.

    >>> parts(Sample("a", {"text": "a red apple", "image": Image(np.zeros((4, 4, 3), np.uint8))}), ("text", "image")).counts
    (('text', 3), ('image', 4))
    """
    held = [m for m in modalities if m in sample.inputs]
    words = min(len(str(sample.inputs["text"]).split()), MOST) if "text" in held else 0
    of_text = max(words, 1)
    like_text = of_text if "text" in held else WITHOUT_TEXT
    side = min(math.ceil(math.sqrt(like_text)), math.isqrt(MOST))
    counts = {"text": of_text, "image": side * side, "audio": like_text, "video": like_text}
    return Parts(tuple((m, counts[m]) for m in held))


def masked(sample: Sample, kept: NDArray[np.bool_], modalities: tuple[str, ...]) -> Sample:
    """The sample with those parts taken away that are not ``kept``. Raises `MediaError` for a medium that cannot be read."""
    inputs, first = dict(sample.inputs), 0
    for modality, count in parts(sample, modalities).counts:
        here = kept[first : first + count]
        first += count
        if not here.all():
            inputs[modality] = without(inputs[modality], here)
    return sample.with_inputs(inputs)


def without(content: Media | str, kept: NDArray[np.bool_]) -> Media | str:
    """A content with the parts that are not ``kept`` taken away.

    >>> without("a red apple", np.array([True, False, True]))
    'a apple'
    """
    if isinstance(content, str):
        groups = np.array_split(np.array(content.split(), dtype=object), len(kept))
        return " ".join(word for group, stays in zip(groups, kept, strict=True) if stays for word in group)
    array = np.array(content.load())
    if isinstance(content, Audio):
        for stretch, stays in zip(np.array_split(np.arange(len(array)), len(kept)), kept, strict=True):
            array[stretch] = array[stretch] if stays else 0.0
        return Audio(array.astype(np.float32), content.source, given_rate_hz=content.rate_hz)
    if isinstance(content, Video):
        for frames, stays in zip(np.array_split(np.arange(len(array)), len(kept)), kept, strict=True):
            array[frames] = array[frames] if stays else 0
        return Video(array, content.source, given_fps=content.fps)
    side = math.isqrt(len(kept))
    rows, columns = (np.linspace(0, size, side + 1).astype(int) for size in array.shape[:2])
    for patch in np.flatnonzero(~kept).tolist():
        i, j = divmod(patch, side)
        array[rows[i] : rows[i + 1], columns[j] : columns[j + 1]] = 0
    return Image(array, content.source)


def order_of(sample: Sample, count: int, number: int, seed: int) -> NDArray[np.intp]:
    """The ``number``-th order in which a sample's ``count`` parts come true; every second one is the reverse of the one before."""
    rng = stream(seed, "parts", sample.id, str(number // 2))
    return list(orders(count, 2, rng))[number % 2]
