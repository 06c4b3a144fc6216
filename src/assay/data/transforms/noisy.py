"""Noise of five severities for every modality: Gaussian noise in pictures and films, typing errors in texts, white noise in sounds.

Pictures: the standard deviations of ImageNet-C's Gaussian noise (Hendrycks & Dietterich 2019). Texts: each letter of words of
four letters or more is dropped, doubled, or changes places with the next, at a rate (after Liang et al. 2021). Sounds: at a ratio
of signal to noise in dB. The draws are the same at every severity, so that what a lower one does a higher one does more of.
"""

from __future__ import annotations

import re

import numpy as np

from assay.data.media import Audio, Image, Video
from assay.types import Media, Sample

DEVIATION = (0.08, 0.12, 0.18, 0.26, 0.38)
TYPOS = (0.03, 0.06, 0.12, 0.2, 0.3)
RATIO_DB = (20.0, 10.0, 5.0, 0.0, -5.0)
SEVERITIES = (1, 2, 3, 4, 5)
LONG = re.compile(r"\w{4,}")


def noisy(sample: Sample, rng: np.random.Generator, *, modality: str, severity: int) -> Sample:
    """The sample with noise in one modality. Raises `MediaError` for a medium that cannot be read, `ValueError` for another severity."""
    if severity not in SEVERITIES:
        raise ValueError(f"a severity of 1 to {SEVERITIES[-1]} was expected, not {severity}")
    if modality not in sample.inputs:
        return sample
    return sample.with_inputs({**sample.inputs, modality: _noisy(sample.inputs[modality], rng, severity - 1)})


def _noisy(content: Media | str, rng: np.random.Generator, level: int) -> Media | str:
    if isinstance(content, str):
        return typos(content, rng, TYPOS[level])
    array = np.asarray(content.load())
    if isinstance(content, Audio):
        wave = array.astype(np.float64)
        loud = float(np.sqrt(np.mean(wave**2))) if len(wave) else 0.0
        added = rng.normal(0.0, 1.0, len(wave)) * loud / 10 ** (RATIO_DB[level] / 20)
        return Audio(np.clip(wave + added, -1, 1).astype(np.float32), content.source, given_rate_hz=content.rate_hz)
    noise = rng.normal(0.0, 1.0, array.shape) * DEVIATION[level] * 255
    pixels = np.clip(np.rint(array + noise), 0, 255).astype(np.uint8)
    return (
        Video(pixels, content.source, given_fps=content.fps)
        if isinstance(content, Video)
        else Image(pixels, content.source)
    )


def typos(text: str, rng: np.random.Generator, rate: float) -> str:
    """The text with typing errors in words of four letters or more, never in a first letter.

    >>> typos("a plain sentence", np.random.default_rng(0), 0.3)
    'a paliin senecee'
    """

    def mistyped(found: re.Match[str]) -> str:
        letters, chance, kinds = list(found[0]), rng.random(len(found[0])), rng.integers(0, 3, len(found[0]))
        out, place = letters[:1], 1
        while place < len(letters):
            letter, kind = letters[place], kinds[place]
            last = place + 1 == len(letters)
            if chance[place] >= rate or (kind == 2 and last):
                out.append(letter)
            elif kind == 1:
                out += [letter, letter]
            elif kind == 2:
                out += [letters[place + 1], letter]
                place += 1
            place += 1
        return "".join(out)

    return LONG.sub(mistyped, text)
