"""How a transform changes one modality of a sample; a sample that lacks it stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.data.media import Audio, Image, Video
from assay.types import FloatArray, Sample

Pixels = NDArray[np.uint8]


def with_image(sample: Sample, change: Callable[[Pixels], Pixels]) -> Sample:
    """The sample with its picture ``uint8[H, W, 3]`` changed."""
    picture = sample.inputs.get("image")
    if picture is None or isinstance(picture, str):
        return sample
    return changed(sample, "image", Image(whole(change(picture.load())), source=picture.source))


def with_audio(sample: Sample, change: Callable[[FloatArray, int], tuple[FloatArray, int]]) -> Sample:
    """The sample with its sound ``float32[n]`` and its rate changed; what is louder than 1 is cut."""
    sound = sample.inputs.get("audio")
    if not isinstance(sound, Audio):
        return sample
    wave, rate_hz = change(sound.load(), sound.rate_hz)
    wave = np.ascontiguousarray(np.clip(wave, -1, 1), dtype=np.float32)
    return changed(sample, "audio", Audio(wave, source=sound.source, given_rate_hz=rate_hz))


def with_video(sample: Sample, change: Callable[[Pixels, float], tuple[Pixels, float]]) -> Sample:
    """The sample with its frames ``uint8[T, H, W, 3]`` and their rate changed."""
    film = sample.inputs.get("video")
    if not isinstance(film, Video):
        return sample
    frames, fps = change(film.load(), film.fps)
    return changed(sample, "video", Video(whole(frames), source=film.source, given_fps=fps))


def with_text(sample: Sample, change: Callable[[str], str]) -> Sample:
    """The sample with its text changed."""
    text = sample.inputs.get("text")
    return changed(sample, "text", change(text)) if isinstance(text, str) else sample


def changed(sample: Sample, modality: str, content: Any) -> Sample:
    """The sample with one input in place of another."""
    return sample.with_inputs({**sample.inputs, modality: content})


def whole(pixels: NDArray[Any]) -> Pixels:
    """Pixels as whole numbers from 0 to 255, next to one another in memory."""
    if pixels.dtype != np.uint8:
        pixels = np.clip(np.rint(pixels), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(pixels)
