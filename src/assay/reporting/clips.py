"""Media of samples as clips that a page can hold: small files that browsers show and play, and a still frame of what moves."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from assay.data import encode
from assay.data.media import Audio, Image, Video
from assay.reporting.content import Clip
from assay.types import Media, MediaError

KEPT_BYTES = 60_000  # a file up to this size is embedded as it is
SIDE_PX = 320
FILM_SIDE_PX = 160
FRAMES = 48
SECONDS = 20


def clip(media: Media, alt: str) -> Clip:
    """A medium as the page holds it. Raises `MediaError` when it cannot be decoded.

    Large pictures are scaled to 320 px, long sounds cut to 20 s and made Ogg, long films cut to 48 frames of 160 px.
    """
    try:
        if isinstance(media, Image):
            return Clip(_picture(media), alt)
        if isinstance(media, Audio):
            return Clip(_sound(media), alt)
        if isinstance(media, Video):
            return _film(media, alt)
    except (OSError, ValueError) as error:
        raise MediaError(f"{media.source}: cannot be shown ({error})") from error
    raise MediaError(f"{media.source}: a {type(media).__name__} is not an Image, Audio or Video of assay.data.media")


def _picture(image: Image) -> bytes:
    data, _ = image.bytes_and_mime()
    return data if len(data) <= KEPT_BYTES else _webp(image.load(), SIDE_PX)


def _sound(audio: Audio) -> bytes:
    import soundfile

    data, _ = audio.bytes_and_mime()
    if len(data) <= KEPT_BYTES:
        return data
    out = io.BytesIO()
    start = audio.load()[: SECONDS * audio.rate_hz]
    soundfile.write(out, start, audio.rate_hz, format="OGG", subtype="VORBIS")
    return out.getvalue()


def _film(video: Video, alt: str) -> Clip:
    """The film as an animated WebP, with its first frame."""
    frames = video.load()
    data, mime = video.bytes_and_mime()
    if len(data) > 2 * KEPT_BYTES or not mime.startswith("image/"):
        step = max(1, -(-max(frames.shape[1:3]) // FILM_SIDE_PX))
        data = encode.animated_webp(np.ascontiguousarray(frames[:FRAMES, ::step, ::step]), video.fps)
    return Clip(data, alt, _webp(frames[0], FILM_SIDE_PX))


def _webp(pixels: NDArray[np.uint8], side_px: int) -> bytes:
    picture = Pillow.fromarray(pixels)
    picture.thumbnail((side_px, side_px))
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=80)
    return out.getvalue()
