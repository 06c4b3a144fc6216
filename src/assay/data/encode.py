"""From arrays to the bytes of files that browsers show and play. Nothing in them depends on the clock or on chance."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from assay.types import FloatArray

Pixels = NDArray[np.uint8]


def png(pixels: Pixels) -> bytes:
    """A PNG of ``uint8[H, W, 3]``."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG", optimize=True)
    return out.getvalue()


def flac(sound: FloatArray, rate_hz: int) -> bytes:
    """A 16-bit FLAC of ``float32[n]`` in [-1, 1]."""
    import soundfile

    out = io.BytesIO()
    soundfile.write(out, sound, rate_hz, format="FLAC", subtype="PCM_16")
    return out.getvalue()


def animated_webp(frames: Pixels, fps: float, quality: int = 80) -> bytes:
    """An animated WebP of ``uint8[T, H, W, 3]``, shown without end. Equal neighbours may be merged into one frame."""
    out = io.BytesIO()
    first, *rest = (Image.fromarray(frame) for frame in frames)
    first.save(out, "WEBP", save_all=True, append_images=rest, duration=round(1000 / fps), loop=0, quality=quality)
    return out.getvalue()
