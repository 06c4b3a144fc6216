"""Speech and sounds: a log-mel spectrogram and a small convolutional net that keeps the order of what is heard.

The spectrogram is 64 mel bands (60 … 7,600 Hz, Slaney's scale), windows of 25 ms every 10 ms, natural logarithm,
levelled per clip (mean 0 over the heard frames, spread 1), so that loudness does not matter.
"""

from __future__ import annotations

import functools
import math

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from assay.models.layers import AttentionPool, TransformerBlock, expect_shape

RATE_HZ = 16_000
WINDOW = 400
HOP = 160
BANDS = 64
FRAMES = 192
PEAK = 0.5
LOW_HZ, HIGH_HZ = 60.0, 7_600.0


@functools.cache
def mel_filters(bands: int = BANDS, bins: int = 257, rate_hz: int = RATE_HZ) -> Tensor:
    """Triangular filters ``[bands, bins]``, evenly spaced on the mel scale 2595 log10(1 + f / 700)."""
    low, high = (2595 * math.log10(1 + f / 700) for f in (LOW_HZ, HIGH_HZ))
    edges = 700 * (10 ** (torch.linspace(low, high, bands + 2, dtype=torch.float64) / 2595) - 1)
    hertz = torch.linspace(0, rate_hz / 2, bins, dtype=torch.float64)
    rise = (hertz - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - hertz) / (edges[2:] - edges[1:-1])[:, None]
    return torch.minimum(rise, fall).clamp(min=0).float()


@functools.cache
def window() -> Tensor:
    """Hann's, ``float[WINDOW]``."""
    return torch.hann_window(WINDOW)


def resample(wave: NDArray[np.float32], rate_hz: int) -> NDArray[np.float32]:
    """The same sound at 16 kHz, by cutting or padding its spectrum (exact for what lies below both limits)."""
    if rate_hz == RATE_HZ or not len(wave):
        return wave
    n = max(round(len(wave) * RATE_HZ / rate_hz), 1)
    spectrum = np.fft.rfft(wave)
    kept = np.zeros(n // 2 + 1, dtype=spectrum.dtype)
    shared = min(len(kept), len(spectrum))
    kept[:shared] = spectrum[:shared]
    return (np.fft.irfft(kept, n) * (n / len(wave))).astype(np.float32)


def log_mel(wave: NDArray[np.float32]) -> Tensor:
    """``float[bands, FRAMES]`` of a 16 kHz sound: silence at the ends cut, the rest levelled, zeros after its end."""
    samples = torch.tensor(np.asarray(wave), dtype=torch.float32)
    if len(samples) < WINDOW:
        samples = F.pad(samples, (0, WINDOW - len(samples)))
    # One peak for all, so that the logarithm's floor lies equally deep under loud and soft recordings.
    samples = samples * (PEAK / samples.abs().max().clamp(min=1e-5))
    waves = torch.stft(samples, 512, HOP, WINDOW, window(), return_complex=True)
    mel = (mel_filters() @ (waves.real**2 + waves.imag**2)).clamp(min=1e-8).log()
    loud = torch.nonzero(mel.amax(0) > mel.amax() - 10.0)[:, 0]
    mel = mel[:, int(loud[0]) : int(loud[-1]) + 1][:, :FRAMES]
    mel = (mel - mel.mean()) / mel.std(correction=0).clamp(min=1e-3)
    return F.pad(mel, (0, FRAMES - mel.shape[1]))


class SoundTokens(nn.Module):
    """``float[n, 64, 192]`` -> tokens ``[n, 24, dim]`` (80 ms each) and the mask of those that hold sound.

    Convolutions along time with the bands as channels (as Whisper begins): half the cost of a picture-like net here.
    After its end the levelled spectrogram is exactly 0: that is how the end is known.
    """

    shrink = 8

    def __init__(self, dim: int, width: int = 128) -> None:
        super().__init__()
        self.halve = nn.Sequential(
            *_convolve(BANDS, width, stride=2), *_convolve(width, width, stride=2), *_convolve(width, dim, stride=2)
        )
        self.along = nn.Sequential(*_convolve(dim, dim, stride=1))
        self.positions = nn.Parameter(torch.randn(FRAMES // self.shrink, dim) * 0.02)

    def forward(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        expect_shape(self, mel, ("n", BANDS, FRAMES))
        heard = F.max_pool1d((mel != 0).any(1).float()[:, None], self.shrink)[:, 0] > 0
        x = self.halve(mel)
        x = (x + self.along(x)).transpose(1, 2)
        return x + self.positions, heard


def _convolve(channels_in: int, channels_out: int, *, stride: int) -> tuple[nn.Module, ...]:
    """Convolution over five frames, norm, ReLU."""
    convolution = nn.Conv1d(channels_in, channels_out, 5, stride, 2, bias=False)
    return convolution, nn.BatchNorm1d(channels_out), nn.ReLU()


class AudioEncoder(nn.Module):
    """``float[n, 64, 192]`` -> one vector ``[n, dim]``."""

    def __init__(self, dim: int, *, heads: int = 4, dropout: float = 0.0) -> None:
        super().__init__()
        self.tokens = SoundTokens(dim)
        self.channels = dim
        self.mix = TransformerBlock(dim, heads, expansion=2, dropout=dropout)
        self.pool = AttentionPool(dim, heads)
        self.project = nn.Sequential(nn.LayerNorm(dim), nn.Dropout(dropout), nn.Linear(dim, dim))

    def features(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        """One token per 80 ms, ``[n, 24, channels]``, and which hold sound ``bool[n, 24]``."""
        tokens, heard = self.tokens(mel)
        return self.mix(tokens, heard), heard

    def summary(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """One vector ``[n, dim]`` from `features`."""
        out: Tensor = self.project(self.pool(tokens, mask))
        return out

    def forward(self, mel: Tensor) -> Tensor:
        return self.summary(*self.features(mel))
