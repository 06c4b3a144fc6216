"""Random changes to samples for training, one family for each modality; the generator that is passed in decides everything.

Pictures: crop, flip, turn, colour, erase (Zhong et al. 2020). Texts: words dropped, neighbours swapped (Wei and Zou 2019). Sounds: gain,
shift, speed, noise, silenced stretches. Films: a stretch of time, and the changes of pictures, alike in every frame. Nets that train on
whole batches of tensors have `assay.training.augment`; these work on samples, whatever reads them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from PIL import Image as Pillow

from assay.data.transforms.held import Pixels, whole, with_audio, with_image, with_text, with_video
from assay.data.transforms.preprocess_image import scaled
from assay.types import FloatArray, Sample, Transform

Range = tuple[float, float]
WHITE = (255, 255, 255)


def share(name: str, value: float) -> float:
    """A probability or part. `ValueError` outside of 0 to 1."""
    if not 0 <= value <= 1:
        raise ValueError(f"{name} from 0 to 1 was expected, got {value}")
    return value


def ordered(name: str, values: Range, least: float) -> Range:
    """A range. `ValueError` unless ``least`` <= first <= second."""
    if not least <= values[0] <= values[1] < float("inf"):
        raise ValueError(f"{name}: (low, high) with {least:g} <= low <= high was expected, got {values}")
    return values


def crop(area: Range = (0.5, 1.0), aspect: Range = (0.75, 4 / 3)) -> Transform:
    """A random part of a picture (of films: of every frame) of so much of its area and such a shape, at its old size.

    `ValueError` for ranges that are none.
    """
    ordered("area", area, 1e-6)
    ordered("aspect", aspect, 1e-6)
    if area[1] > 1:
        raise ValueError(f"area: at most 1 was expected, got {area}")
    return partial(_crop, area=area, aspect=aspect)


def _crop(sample: Sample, rng: np.random.Generator, area: Range, aspect: Range) -> Sample:
    part, shape = rng.uniform(*area), float(np.exp(rng.uniform(*np.log(aspect))))
    x, y = rng.random(2)

    def cut(pixels: Pixels) -> Pixels:
        h, w = pixels.shape[:2]
        height = min(max(round(h * float(np.sqrt(part / shape))), 1), h)
        width = min(max(round(w * float(np.sqrt(part * shape))), 1), w)
        top, left = round(y * (h - height)), round(x * (w - width))
        return scaled(np.ascontiguousarray(pixels[top : top + height, left : left + width]), h, w)

    return _pictures(sample, cut)


def flip(probability: float = 0.5) -> Transform:
    """Left and right exchanged, by chance."""
    return partial(_flip, probability=share("probability", probability))


def _flip(sample: Sample, rng: np.random.Generator, probability: float) -> Sample:
    return _pictures(sample, lambda pixels: pixels[:, ::-1]) if rng.random() < probability else sample


def turn(degrees: float = 15.0) -> Transform:
    """Turned by up to so many degrees either way, on white. `ValueError` below 0."""
    ordered("degrees", (degrees, degrees), 0)
    return partial(_turn, degrees=degrees)


def _turn(sample: Sample, rng: np.random.Generator, degrees: float) -> Sample:
    angle = float(rng.uniform(-degrees, degrees))
    bicubic = Pillow.Resampling.BICUBIC
    return _pictures(
        sample, lambda pixels: np.asarray(Pillow.fromarray(pixels).rotate(angle, bicubic, fillcolor=WHITE))
    )


def colour(brightness: float = 0.2, contrast: float = 0.2, saturation: float = 0.2) -> Transform:
    """Brightness, contrast and saturation times a factor within 1 ± each. `ValueError` outside of 0 to 1."""
    strengths = (share("brightness", brightness), share("contrast", contrast), share("saturation", saturation))
    return partial(_colour, strengths=strengths)


def _colour(sample: Sample, rng: np.random.Generator, strengths: tuple[float, ...]) -> Sample:
    light, contrast, saturation = (1 + rng.uniform(-1, 1) * strength for strength in strengths)

    def tinted(pixels: Pixels) -> Pixels:
        x = pixels.astype(np.float32) * np.float32(light)
        grey = x @ np.array([0.299, 0.587, 0.114], np.float32)
        x = grey[..., None] + (x - grey[..., None]) * np.float32(saturation)
        x = grey.mean() + (x - grey.mean()) * np.float32(contrast)
        return whole(x)

    return _pictures(sample, tinted)


def erase(area: Range = (0.02, 0.2)) -> Transform:
    """One rectangle of so much of the area covered with noise, in films at one place in every frame. `ValueError` for no range."""
    ordered("area", area, 0)
    share("area", area[1])
    return partial(_erase, area=area)


def _erase(sample: Sample, rng: np.random.Generator, area: Range) -> Sample:
    side = float(np.sqrt(rng.uniform(*area)))
    x, y = rng.random(2)
    seed = int(rng.integers(1 << 62))

    def covered(pixels: Pixels) -> Pixels:
        h, w = pixels.shape[:2]
        height, width = max(round(h * side), 1), max(round(w * side), 1)
        top, left = round(y * (h - height)), round(x * (w - width))
        out = pixels.copy()
        noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
        out[top : top + height, left : left + width] = noise
        return out

    return _pictures(sample, covered)


def _pictures(sample: Sample, change: Callable[[Pixels], Pixels]) -> Sample:
    sample = with_image(sample, change)
    return with_video(sample, lambda frames, fps: (np.stack([change(one) for one in frames]), fps))


def drop_words(probability: float = 0.1) -> Transform:
    """Each word left out by chance, never all of them. `ValueError` outside of 0 to 1."""
    return partial(_drop_words, probability=share("probability", probability))


def _drop_words(sample: Sample, rng: np.random.Generator, probability: float) -> Sample:
    def fewer(text: str) -> str:
        words = text.split()
        if not words:
            return text
        kept = rng.random(len(words)) >= probability
        kept[int(rng.integers(len(words)))] |= not kept.any()
        return " ".join(word for word, stays in zip(words, kept.tolist(), strict=True) if stays)

    return with_text(sample, fewer)


def swap_words(probability: float = 0.1) -> Transform:
    """Each word exchanged with the next one by chance. `ValueError` outside of 0 to 1."""
    return partial(_swap_words, probability=share("probability", probability))


def _swap_words(sample: Sample, rng: np.random.Generator, probability: float) -> Sample:
    def mixed(text: str) -> str:
        words = text.split()
        for place in np.flatnonzero(rng.random(max(len(words) - 1, 0)) < probability).tolist():
            words[place], words[place + 1] = words[place + 1], words[place]
        return " ".join(words)

    return with_text(sample, mixed)


def gain(decibels: Range = (-6.0, 6.0)) -> Transform:
    """Sounds louder or softer. `ValueError` for no range."""
    ordered("decibels", decibels, -200)
    return partial(_gain, decibels=decibels)


def _gain(sample: Sample, rng: np.random.Generator, decibels: Range) -> Sample:
    factor = np.float32(10 ** (rng.uniform(*decibels) / 20))
    return with_audio(sample, lambda wave, rate_hz: (wave * factor, rate_hz))


def shift(seconds: float = 0.1) -> Transform:
    """Sounds earlier or later by up to so much; what leaves one end is silence at the other. `ValueError` below 0."""
    ordered("seconds", (seconds, seconds), 0)
    return partial(_shift, seconds=seconds)


def _shift(sample: Sample, rng: np.random.Generator, seconds: float) -> Sample:
    part = rng.uniform(-1, 1) * seconds

    def moved(wave: FloatArray, rate_hz: int) -> tuple[FloatArray, int]:
        by = round(part * rate_hz)
        out = np.zeros_like(wave)
        kept = max(len(wave) - abs(by), 0)
        out[max(by, 0) : max(by, 0) + kept] = wave[max(-by, 0) : max(-by, 0) + kept]
        return out, rate_hz

    return with_audio(sample, moved)


def speed(factor: Range = (0.9, 1.1)) -> Transform:
    """Sounds played faster or slower, pitch and all, by linear interpolation. `ValueError` for no range above 0."""
    ordered("factor", factor, 0.1)
    return partial(_speed, factor=factor)


def _speed(sample: Sample, rng: np.random.Generator, factor: Range) -> Sample:
    faster = rng.uniform(*factor)

    def played(wave: FloatArray, rate_hz: int) -> tuple[FloatArray, int]:
        times = np.arange(max(int(len(wave) / faster), 1)) * faster
        return np.interp(times, np.arange(len(wave)), wave).astype(np.float32), rate_hz

    return with_audio(sample, played)


def hiss(signal_to_noise_db: Range = (10.0, 30.0)) -> Transform:
    """White noise added, so many decibels below the sound; to silence none. `ValueError` for no range."""
    ordered("signal_to_noise_db", signal_to_noise_db, -100)
    return partial(_hiss, decibels=signal_to_noise_db)


def _hiss(sample: Sample, rng: np.random.Generator, decibels: Range) -> Sample:
    below = 10 ** (-rng.uniform(*decibels) / 20)

    def noisy(wave: FloatArray, rate_hz: int) -> tuple[FloatArray, int]:
        loud = float(np.sqrt(np.square(wave, dtype=np.float64).mean()))
        return wave + np.float32(loud * below) * rng.standard_normal(len(wave), dtype=np.float32), rate_hz

    return with_audio(sample, noisy)


def silence(longest: float = 0.2) -> Transform:
    """One stretch of up to such a part of a sound silenced. `ValueError` outside of 0 to 1."""
    return partial(_silence, longest=share("longest", longest))


def _silence(sample: Sample, rng: np.random.Generator, longest: float) -> Sample:
    part, place = rng.random() * longest, rng.random()

    def cut(wave: FloatArray, rate_hz: int) -> tuple[FloatArray, int]:
        n = round(part * len(wave))
        start = round(place * (len(wave) - n))
        out = wave.copy()
        out[start : start + n] = 0
        return out, rate_hz

    return with_audio(sample, cut)


def stretch_of_time(least: float = 0.5) -> Transform:
    """A random stretch of a film, at least such a part of it, at its frame rate. `ValueError` outside of 0 to 1."""
    return partial(_stretch_of_time, least=share("least", least))


def _stretch_of_time(sample: Sample, rng: np.random.Generator, least: float) -> Sample:
    part, place = rng.uniform(least, 1), rng.random()

    def shorter(frames: Pixels, fps: float) -> tuple[Pixels, float]:
        n = max(round(part * len(frames)), 1)
        start = round(place * (len(frames) - n))
        return frames[start : start + n], fps

    return with_video(sample, shorter)
