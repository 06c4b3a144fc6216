"""Sounds made ready: resampled, levelled, trimmed, of one length; spectrograms in mel bands and cepstra, without torch.

A frame is ``window`` samples under Hann's window, every ``hop`` samples, transformed over ``n_fft``. Mel scales: Slaney's (linear below
1,000 Hz; triangles of equal area) and HTK's 2595 log10(1 + f / 700) (triangles of height 1). With the usual settings `log_mel` is
Whisper's input; with ``scale="htk"`` and `decibels` it is what most others call log-mel. Frames are centred: the sound is mirrored at its
ends by half a window. Cepstra (MFCC): the discrete cosine transform (type II, orthonormal) of the decibels (Davis and Mermelstein 1980).
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from assay.catalog import nearest
from assay.data.decode import resampled
from assay.data.transforms.held import with_audio
from assay.types import FloatArray, Sample, Transform

LEAST_POWER = 1e-10
BLOCK = 2048
SCALES = ("slaney", "htk")
LINEAR_HZ = 200 / 3  # a mel of Slaney's scale below 1,000 Hz
BREAK_HZ = 1000.0
STEP = math.log(6.4) / 27


@dataclass(frozen=True)
class Mel:
    """How a spectrogram is made. ``high_hz`` None is half the rate, ``n_fft`` None the window."""

    rate_hz: int = 16_000
    window: int = 400
    hop: int = 160
    n_fft: int | None = None
    bands: int = 80
    low_hz: float = 0.0
    high_hz: float | None = None
    scale: str = "slaney"

    def __post_init__(self) -> None:
        if self.scale not in SCALES:
            raise ValueError(f"unknown scale {self.scale!r}: {nearest(self.scale, SCALES)}")
        if min(self.rate_hz, self.window, self.hop, self.bands) < 1 or self.size < self.window:
            raise ValueError(f"a rate, window, hop and bands of at least 1, n_fft of at least the window: got {self}")
        if not 0 <= self.low_hz < self.top_hz <= self.rate_hz / 2:
            raise ValueError(f"0 <= low_hz < high_hz <= {self.rate_hz / 2:g} was expected, got {self}")

    @property
    def size(self) -> int:
        """Samples over which a frame is transformed."""
        return self.window if self.n_fft is None else self.n_fft

    @property
    def top_hz(self) -> float:
        """Where the last band ends."""
        return self.rate_hz / 2 if self.high_hz is None else self.high_hz


USUAL = Mel()


def resample(rate_hz: int) -> Transform:
    """Sounds at another rate, by polyphase filtering. `ValueError` for a rate below 1."""
    if rate_hz < 1:
        raise ValueError(f"a rate of at least 1 Hz was expected, got {rate_hz}")
    return partial(_resample, rate_hz=rate_hz)


def _resample(sample: Sample, rng: np.random.Generator, rate_hz: int) -> Sample:
    return with_audio(sample, lambda wave, held: (wave if held == rate_hz else resampled(wave, held, rate_hz), rate_hz))


def level(peak: float | None = None, rms_db: float | None = None) -> Transform:
    """Sounds as loud as each other: by their largest value, or by their mean power in decibels below full scale (clipped there).

    `ValueError` unless one of the two is given. Silence stays silent.

    >>> from assay.data.media import Audio
    >>> quiet = Sample("a", {"audio": Audio(np.array([0.1, -0.05], np.float32), given_rate_hz=8000)})
    >>> level(peak=1.0)(quiet, np.random.default_rng(0)).inputs["audio"].load().tolist()
    [1.0, -0.5]
    """
    if (peak is None) == (rms_db is None):
        raise ValueError("give peak or rms_db, one of the two")
    return partial(_level, peak=peak, rms_db=rms_db)


def _level(sample: Sample, rng: np.random.Generator, peak: float | None, rms_db: float | None) -> Sample:
    def louder(wave: FloatArray, rate_hz: int) -> tuple[FloatArray, int]:
        if peak is not None:
            now, wanted = float(np.abs(wave).max()), peak
        else:
            now, wanted = float(np.sqrt(np.square(wave, dtype=np.float64).mean())), 10 ** ((rms_db or 0.0) / 20)
        return (wave if now == 0 else wave * np.float32(wanted / now)), rate_hz

    return with_audio(sample, louder)


def trim(below_db: float = 40.0, frame_s: float = 0.02) -> Transform:
    """Sounds without what is quieter at their ends than ``below_db`` under their loudest frame. `ValueError` for settings below 0."""
    if below_db <= 0 or frame_s <= 0:
        raise ValueError(f"below_db and frame_s above 0 were expected, got {below_db} and {frame_s}")
    return partial(_trim, below_db=below_db, frame_s=frame_s)


def _trim(sample: Sample, rng: np.random.Generator, below_db: float, frame_s: float) -> Sample:
    def loud(wave: FloatArray, rate_hz: int) -> tuple[FloatArray, int]:
        size = max(round(frame_s * rate_hz), 1)
        power = np.add.reduceat(np.square(wave, dtype=np.float64), np.arange(0, len(wave), size))
        heard = np.flatnonzero(power >= power.max() * 10 ** (-below_db / 10))
        return (wave if power.max() == 0 else wave[heard[0] * size : (heard[-1] + 1) * size]), rate_hz

    return with_audio(sample, loud)


def fit_length(seconds: float) -> Transform:
    """Sounds of one length: the first so many seconds, silence after what is shorter. `ValueError` for 0 or less."""
    if seconds <= 0:
        raise ValueError(f"seconds above 0 were expected, got {seconds}")
    return partial(_fit_length, seconds=seconds)


def _fit_length(sample: Sample, rng: np.random.Generator, seconds: float) -> Sample:
    def fitted(wave: FloatArray, rate_hz: int) -> tuple[FloatArray, int]:
        n = max(round(seconds * rate_hz), 1)
        return np.pad(wave[:n], (0, max(n - len(wave), 0))), rate_hz

    return with_audio(sample, fitted)


def to_mel(hertz: NDArray[np.float64], scale: str) -> NDArray[np.float64]:
    """Frequencies on a mel scale."""
    if scale == "htk":
        return np.asarray(2595 * np.log10(1 + hertz / 700))
    above = BREAK_HZ / LINEAR_HZ + np.log(np.maximum(hertz, BREAK_HZ) / BREAK_HZ) / STEP
    return np.where(hertz < BREAK_HZ, hertz / LINEAR_HZ, above)


def to_hertz(mel: NDArray[np.float64], scale: str) -> NDArray[np.float64]:
    """The inverse of `to_mel`."""
    if scale == "htk":
        return np.asarray(700 * (10 ** (mel / 2595) - 1))
    knee = BREAK_HZ / LINEAR_HZ
    return np.where(mel < knee, mel * LINEAR_HZ, BREAK_HZ * np.exp(STEP * (np.maximum(mel, knee) - knee)))


@functools.lru_cache(maxsize=16)
def mel_filters(mel: Mel = USUAL) -> FloatArray:
    """Triangles ``float32[bands, n_fft // 2 + 1]``, evenly spaced on the scale; Slaney's of equal area, HTK's of height 1."""
    ends = to_mel(np.array([mel.low_hz, mel.top_hz]), mel.scale)
    edges = to_hertz(np.linspace(ends[0], ends[1], mel.bands + 2), mel.scale)
    hertz = np.linspace(0, mel.rate_hz / 2, mel.size // 2 + 1)
    rise = (hertz - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - hertz) / (edges[2:] - edges[1:-1])[:, None]
    filters = np.maximum(np.minimum(rise, fall), 0)
    if mel.scale == "slaney":
        filters *= (2 / (edges[2:] - edges[:-2]))[:, None]
    return filters.astype(np.float32)


def mel_power(sound: FloatArray, mel: Mel = USUAL) -> FloatArray:
    """``float32[bands, 1 + n // hop]``: the power of ``float32[n]`` in mel bands. `ValueError` for no samples, or other shapes."""
    from scipy.fft import rfft

    wave = np.asarray(sound, np.float32)
    if wave.ndim != 1 or not len(wave):
        raise ValueError(f"a sound float32[n] with samples was expected, not of shape {wave.shape}")
    half = mel.size // 2
    wave = np.pad(wave, half, mode="reflect") if len(wave) > half else np.pad(np.pad(wave, (0, half)), half, "reflect")
    count = 1 + len(sound) // mel.hop
    frames = np.lib.stride_tricks.sliding_window_view(wave, mel.size)[:: mel.hop][:count]
    left = (mel.size - mel.window) // 2
    window = np.zeros(mel.size, np.float32)
    window[left : left + mel.window] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(mel.window) / mel.window)
    out = np.empty((mel.bands, len(frames)), np.float32)
    filters = mel_filters(mel)
    for start in range(0, len(frames), BLOCK):
        spectrum = rfft(frames[start : start + BLOCK] * window, axis=1, overwrite_x=True)
        power = np.square(spectrum.real) + np.square(spectrum.imag)
        np.matmul(filters, power.T, out=out[:, start : start + BLOCK])
    return out


def decibels(power: FloatArray, range_db: float | None = 80.0) -> FloatArray:
    """10 log10 of the power, no deeper than ``range_db`` below the loudest."""
    db: FloatArray = 10 * np.log10(np.maximum(power, np.float32(LEAST_POWER)))
    return db if range_db is None else np.maximum(db, db.max() - np.float32(range_db))


def log_mel(sound: FloatArray, mel: Mel = USUAL) -> FloatArray:
    """``float32[bands, n // hop]`` as Whisper takes it: log10, at most 8 below the loudest, (x + 4) / 4, without the last frame.

    >>> log_mel(np.zeros(1600, np.float32)).shape
    (80, 10)
    """
    power = mel_power(sound, mel)
    logs = np.log10(np.maximum(power[:, : max(power.shape[1] - 1, 1)], np.float32(LEAST_POWER)))
    levelled: FloatArray = (np.maximum(logs, logs.max() - np.float32(8)) + np.float32(4)) / np.float32(4)
    return levelled


def mfcc(sound: FloatArray, mel: Mel = USUAL, coefficients: int = 13) -> FloatArray:
    """``float32[coefficients, 1 + n // hop]``: cepstra of the decibels. `ValueError` for more coefficients than bands, or none."""
    from scipy.fft import dct

    if not 1 <= coefficients <= mel.bands:
        raise ValueError(f"1 to {mel.bands} coefficients were expected, got {coefficients}")
    cepstra: FloatArray = dct(decibels(mel_power(sound, mel)), axis=0, norm="ortho")[:coefficients]
    return cepstra
