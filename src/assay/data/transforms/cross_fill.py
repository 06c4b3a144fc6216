"""Transforms that leave a modality's place filled and take its content: a constant, or noise.

A constant is a plain picture, silence, an empty text, a film of plain frames. Noise has the size of what it replaces:
uniform pixels, a sound of the same loudness, as many words of random letters.
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping
from functools import partial

import numpy as np

from assay.data.media import Audio, Image, Video
from assay.types import Condition, Media, Sample

GREY, BLACK = 128, 0
SIDE_PX = 64
FRAMES = 8
QUIET_S, RATE_HZ = 1.0, 16_000
CONSTANTS: Mapping[str, Mapping[str, Media | str]] = {
    level: {
        "text": "",
        "image": Image(np.full((SIDE_PX, SIDE_PX, 3), shade, np.uint8), f"a {level} picture"),
        "audio": Audio(np.zeros(int(QUIET_S * RATE_HZ), np.float32), "silence", given_rate_hz=RATE_HZ),
        "video": Video(np.full((FRAMES, SIDE_PX, SIDE_PX, 3), shade, np.uint8), f"{level} frames", given_fps=FRAMES),
    }
    for level, shade in (("grey", GREY), ("black", BLACK))
}
"""What a modality becomes: text and sound are the same in both."""


def constant(modalities: Iterable[str], *, level: str = "grey", name: str) -> Condition:
    """The condition under which those of ``modalities`` that a sample holds are constant: ``grey`` (or ``black``), silent, empty."""
    return Condition(name, partial(filled, values={one: CONSTANTS[level][one] for one in modalities}))


def noise(modality: str, *, name: str) -> Condition:
    """The condition under which a modality is noise of the size of what it replaces."""
    return Condition(name, partial(drowned, modality=modality))


def filled(sample: Sample, rng: np.random.Generator, values: Mapping[str, Media | str]) -> Sample:
    """The sample with constants in place of what it holds. The generator is not used."""
    return sample.with_inputs({m: values.get(m, content) for m, content in sample.inputs.items()})


def drowned(sample: Sample, rng: np.random.Generator, modality: str) -> Sample:
    """The sample with noise in place of one modality.

    >>> drowned(Sample("a", {"text": "two words"}), np.random.default_rng(0), "text").inputs["text"]
    'qnhibba vqx'
    """
    if modality not in sample.inputs:
        return sample
    return sample.with_inputs({**sample.inputs, modality: noise_like(sample.inputs[modality], rng)})


def noise_like(content: Media | str, rng: np.random.Generator) -> Media | str:
    """Noise of the size of ``content``. Raises `MediaError` for a medium that cannot be read."""
    if isinstance(content, str):
        letters = np.array(list(string.ascii_lowercase))
        return " ".join("".join(rng.choice(letters, rng.integers(2, 9))) for _ in content.split())
    array = content.load()
    if isinstance(content, Audio):
        loud = float(np.sqrt(np.mean(np.square(array)))) if len(array) else 0.0
        sound = np.clip(rng.normal(0.0, loud, len(array)), -1, 1).astype(np.float32)
        return Audio(sound, "noise", given_rate_hz=content.rate_hz)
    pixels = rng.integers(0, 256, array.shape, dtype=np.uint8)
    return Video(pixels, "noise", given_fps=content.fps) if isinstance(content, Video) else Image(pixels, "noise")
