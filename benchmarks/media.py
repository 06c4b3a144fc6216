"""Media: a mel spectrogram beside Whisper's own extractor, decoding in a process of its own beside decoding here."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
from PIL import Image as Pillow

from assay.data import decoder
from assay.data.media import APART, Image
from assay.data.transforms.preprocess_audio import log_mel
from benchmarks.pairing import Pairing, pair

MINUTES, RATE_HZ = 10, 16_000
PICTURES = 100


def mel() -> Pairing:
    """Ten minutes of sound in 80 bands, as Whisper takes it."""
    from transformers import WhisperFeatureExtractor

    sound = 0.1 * np.random.default_rng(0).standard_normal(60 * MINUTES * RATE_HZ, dtype=np.float32)
    theirs = WhisperFeatureExtractor(chunk_length=60 * MINUTES)
    assert np.allclose(log_mel(sound), theirs(sound, sampling_rate=RATE_HZ).input_features[0], atol=1e-3)

    def extract() -> None:
        theirs(sound, sampling_rate=RATE_HZ)

    return pair(f"log-mel of {MINUTES} minutes at 16 kHz", lambda: log_mel(sound), "Whisper's extractor", extract)


def apart() -> Pairing:
    """JPEGs of 640 x 480, decoded in a child and here: what safety costs."""
    smooth = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    out = io.BytesIO()
    Pillow.fromarray(smooth).resize((640, 480), Pillow.Resampling.BICUBIC).save(out, "JPEG")
    data = out.getvalue()
    decoder.close()

    def in_a_child() -> None:
        for _ in range(PICTURES):
            Image(data, limits=APART).load()

    def here() -> None:
        for _ in range(PICTURES):
            Image(data).load()

    return pair(f"{PICTURES} JPEGs of 640 x 480, decoded apart", in_a_child, "decoded here", here)


def pairings() -> Iterator[Pairing]:
    """Both."""
    yield mel()
    yield apart()
