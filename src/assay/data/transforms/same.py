"""Changes that leave the meaning as it is: what a person would not call another picture, sound or text.

``recase``, ``respace``, ``punctuate`` a text; ``nudge``, ``brighten``, ``reencode`` a picture or a film (by a fiftieth of its
width, a twentieth of the range, to few levels of colour); ``quieter``, ``delay`` a sound. None is random.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.data.media import Audio, Image, Video
from assay.types import Condition, Media, Sample

Pixels = NDArray[np.uint8]
SHIFT, LIGHT, LEVELS = 50, 13, 32
QUIETER, DELAY_S = 0.5, 0.05


def recase(text: str) -> str:
    """In capitals; what is in capitals already, in small letters.

    >>> recase("A dog"), recase("NO")
    ('A DOG', 'no')
    """
    return text.lower() if text.isupper() else text.upper()


def respace(text: str) -> str:
    """With two spaces between words and one at either end."""
    return f" {'  '.join(text.split())} "


def punctuate(text: str) -> str:
    """With a full stop at its end, or without where there was one; a question keeps its mark and gets a space before it.

    >>> punctuate("a dog"), punctuate("a dog."), punctuate("a dog?")
    ('a dog.', 'a dog', 'a dog ?')
    """
    plain = text.rstrip()
    if plain.endswith("?"):
        return f"{plain[:-1].rstrip()} ?"
    return plain[:-1] if plain.endswith(".") else f"{plain}."


def nudge(pixels: Pixels) -> Pixels:
    """Moved to the right by a fiftieth of the width (at least a pixel), the edge repeated."""
    width = pixels.shape[-2]
    by = max(1, width // SHIFT)
    return np.concatenate([np.repeat(pixels[..., :1, :], by, axis=-2), pixels[..., : width - by, :]], axis=-2)


def brighten(pixels: Pixels) -> Pixels:
    """Lighter by a twentieth of the range."""
    return np.clip(pixels.astype(np.int16) + LIGHT, 0, 255).astype(np.uint8)


def reencode(pixels: Pixels) -> Pixels:
    """In so many levels of each colour as a poor encoder keeps."""
    step = 256 // LEVELS
    return (pixels // step * step + step // 2).astype(np.uint8)


def quieter(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """At half the amplitude (6 dB less)."""
    return (sound * QUIETER).astype(np.float32)


def delay(sound: NDArray[np.float32], rate_hz: int) -> NDArray[np.float32]:
    """After a twentieth of a second of silence."""
    return np.concatenate([np.zeros(int(DELAY_S * rate_hz), np.float32), sound])


WRITTEN: Mapping[str, Callable[[str], str]] = {"recase": recase, "respace": respace, "punctuate": punctuate}
SEEN: Mapping[str, Callable[[Pixels], Pixels]] = {"nudge": nudge, "brighten": brighten, "reencode": reencode}
HEARD = ("quieter", "delay")
KINDS: Mapping[str, tuple[str, ...]] = {
    "text": tuple(WRITTEN),
    "image": tuple(SEEN),
    "audio": HEARD,
    "video": tuple(SEEN),
}
"""The changes of each modality."""


def same(kind: str, modality: str) -> Condition:
    """The condition under which a modality is changed in a way that leaves its meaning. `ValueError` for a kind that it has not."""
    if kind not in KINDS.get(modality, ()):
        raise ValueError(
            f"unknown change {kind!r} of {modality}; there is {', '.join(KINDS.get(modality, ())) or 'none'}"
        )
    return Condition(f"{kind}:{modality}", partial(changed, kind=kind, modality=modality))


def changed(sample: Sample, rng: np.random.Generator, kind: str, modality: str) -> Sample:
    """The sample with one modality changed. The generator is not used. Raises `MediaError` for a medium that cannot be read."""
    if modality not in sample.inputs:
        return sample
    return sample.with_inputs({**sample.inputs, modality: _changed(sample.inputs[modality], kind)})


def _changed(content: Media | str, kind: str) -> Media | str:
    if isinstance(content, str):
        return WRITTEN[kind](content)
    array: NDArray[Any] = np.asarray(content.load())
    if isinstance(content, Audio):
        rate_hz = content.rate_hz
        sound = quieter(array) if kind == "quieter" else delay(array, rate_hz)
        return Audio(sound, content.source, given_rate_hz=rate_hz)
    pixels = SEEN[kind](array)
    return (
        Video(pixels, content.source, given_fps=content.fps)
        if isinstance(content, Video)
        else Image(pixels, content.source)
    )
