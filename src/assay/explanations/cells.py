"""A sample in cells that can be taken away one by one: patches, words, time-frequency cells, stretches of frames.

A picture's cells become grey (128); words are left out; a cell of the short-time Fourier transform (256 ms windows) becomes silent; frames
become grey. Bands of a sound are equal in octaves, from 1/64 of the highest frequency on; the lowest also holds all below it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from assay.data.media import Audio, Image, Video
from assay.types import MODALITIES, Media, Sample

GREY = 128
WORD = re.compile(r"\s*(?:[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\s\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+)")
"""A word with the white space before it; Chinese, Japanese and Korean characters are words of their own."""
MOST_WORDS = 48
WINDOW_S = 0.256
OCTAVES = 6.0

Kept = NDArray[np.bool_]


@dataclass(frozen=True)
class Grid:
    """A modality's cells: ``shape`` is ``(rows, columns)`` of a picture, ``(bands, stretches)`` of a sound (the lowest band first),
    ``(1, n)`` of words and frames. ``labels`` are the words.
    """

    modality: str
    shape: tuple[int, int]
    labels: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """How many cells."""
        return self.shape[0] * self.shape[1]


def grids(sample: Sample, side: int) -> tuple[Grid, ...]:
    """The cells of everything that a sample holds: ``side`` x ``side`` of a picture (at most its pixels), every word (in at most
    `MOST_WORDS` groups), ``side`` stretches of four bands of a sound, ``side`` stretches of frames. Raises `MediaError`.

    >>> grids(Sample("a", {"text": "a red apple", "image": Image(np.zeros((8, 8, 3), np.uint8))}), 4)[1].shape
    (4, 4)
    """
    return tuple(_grid(name, sample.inputs[name], side) for name in MODALITIES if name in sample.inputs)


def _grid(modality: str, content: Media | str, side: int) -> Grid:
    if isinstance(content, str):
        words = tuple(part.strip() for part in words_of(content))
        return Grid(modality, (1, len(words)), words)
    array = content.load()
    if modality == "image":
        return Grid(modality, (min(side, array.shape[0]), min(side, array.shape[1])))
    return Grid(modality, (4 if modality == "audio" else 1, max(1, min(side, len(array)))))


def words_of(text: str) -> list[str]:
    """The text's words, each with the white space before it, in at most `MOST_WORDS` groups; a text without words is one.

    >>> words_of("a red 苹果")
    ['a', ' red', ' 苹', '果']
    """
    found = WORD.findall(text) or [text]
    groups = np.array_split(np.arange(len(found)), min(len(found), MOST_WORDS))
    return ["".join(found[i] for i in group) for group in groups]


def masker(sample: Sample, cells: tuple[Grid, ...]) -> Callable[[Kept], Sample]:
    """A function that gives the sample with only those cells that are kept (``bool[all cells]``, in the order of ``cells``)."""
    removers = [(grid, _remover(sample.inputs[grid.modality], grid)) for grid in cells]

    def masked(kept: Kept) -> Sample:
        inputs, first = dict(sample.inputs), 0
        for grid, without in removers:
            here = kept[first : first + grid.count]
            first += grid.count
            if not here.all():
                inputs[grid.modality] = without(here.reshape(grid.shape))
        return sample.with_inputs(inputs)

    return masked


def _remover(content: Media | str, grid: Grid) -> Callable[[Kept], Media | str]:
    """What makes of a content the one with only the kept cells (``bool[shape]``)."""
    if isinstance(content, str):
        words = words_of(content)
        return lambda kept: "".join(word for word, stays in zip(words, kept[0], strict=True) if stays).strip()
    array = content.load()
    if isinstance(content, Audio):
        return _sound_remover(np.asarray(array, dtype=np.float32), content.rate_hz, content.source, grid.shape)
    if grid.modality == "video":
        film = content.fps if isinstance(content, Video) else 1.0
        frames = edges(len(array), grid.shape[1])
        return lambda kept: Video(_greyed(array, np.repeat(kept[0], np.diff(frames))), content.source, given_fps=film)
    rows, columns = (edges(size, count) for size, count in zip(array.shape[:2], grid.shape, strict=True))

    def picture(kept: Kept) -> Image:
        pixels = np.repeat(np.repeat(kept, np.diff(rows), axis=0), np.diff(columns), axis=1)
        return Image(_greyed(array, pixels), content.source)

    return picture


def edges(size: int, count: int) -> NDArray[np.intp]:
    """Where ``count`` stretches of ``size`` begin, and the end.

    >>> edges(10, 4).tolist()
    [0, 2, 5, 7, 10]
    """
    return np.asarray(np.linspace(0, size, count + 1).astype(np.intp))


def _greyed(array: NDArray[np.uint8], kept: Kept) -> NDArray[np.uint8]:
    out = array.copy()
    out[~kept] = GREY
    return out


def spectrum(sound: NDArray[np.float32], rate_hz: int) -> NDArray[np.complex64]:
    """The short-time Fourier transform ``complex[frequencies, times]``, half-overlapping Hann windows of `WINDOW_S`, at most a quarter
    of the sound."""
    return np.asarray(signal.stft(sound, nperseg=_window(len(sound), rate_hz))[2])


def _window(length: int, rate_hz: int) -> int:
    return max(2, min(int(WINDOW_S * rate_hz), length // 4) // 2 * 2)


def bands(frequencies: int, count: int) -> NDArray[np.intp]:
    """Where each band begins among the transform's frequencies, and the end; distinct as far as there are enough.

    >>> bands(129, 4).tolist()
    [0, 5, 16, 45, 129]
    """
    inner = [frequencies * 2.0 ** (-OCTAVES * (1 - k / count)) for k in range(1, count)]
    return np.array([0, *(math.floor(edge) for edge in inner), frequencies], dtype=np.intp)


def _sound_remover(
    sound: NDArray[np.float32], rate_hz: int, source: str, shape: tuple[int, int]
) -> Callable[[Kept], Audio]:
    window = _window(len(sound), rate_hz)
    of_sound = spectrum(sound, rate_hz) if len(sound) >= window else None

    def without(kept: Kept) -> Audio:
        if of_sound is None:  # a sound of one value: all or nothing
            return Audio(sound * kept.any(), source, given_rate_hz=rate_hz)
        rows, columns = (np.diff(bands(of_sound.shape[0], shape[0])), np.diff(edges(of_sound.shape[1], shape[1])))
        mask = np.repeat(np.repeat(kept, rows, axis=0), columns, axis=1)
        back = np.asarray(signal.istft(of_sound * mask, nperseg=window)[1])[: len(sound)]
        return Audio(np.clip(back, -1, 1).astype(np.float32), source, given_rate_hz=rate_hz)

    return without
