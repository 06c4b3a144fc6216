"""From the bytes of a file to arrays: pictures, sounds, films; every failure is a `MediaError` with its source.

Pillow and PyAV and libsndfile each have their own idea of what a damaged file may still give. Here a file is
whole or refused: a film with fewer frames than its container says, or an Ogg stream without its last page, is broken.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

from assay.types import FloatArray, MediaError

SHOWN_IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
PLAYED_SOUNDS = frozenset({"audio/ogg", "audio/wav", "audio/flac", "audio/mpeg"})
PLAYED_FILMS = frozenset({"image/webp", "image/gif", "video/mp4", "video/webm"})
# Formats that need no other program to decode them, so that a file cannot start one.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "JPEG2000", "AVIF", "ICO", "TGA")
ADDRESS = re.compile(r"<[^<>]* at 0x[0-9a-fA-F]+>")
DEFAULT_FRAME_MS = 100  # what browsers show a frame for when an animation says nothing

Pixels = NDArray[np.uint8]


def mime(data: bytes) -> str:
    """The MIME type by the first bytes of a file; ``application/octet-stream`` if it is not one that is known.

    >>> mime(b"RIFF....WEBPVP8 ")
    'image/webp'
    """
    if data[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(data[8:12], "application/octet-stream")
    if data[4:8] == b"ftyp":
        return "video/mp4"
    starts = {
        b"\x89PNG\r\n\x1a\n": "image/png",
        b"\xff\xd8\xff": "image/jpeg",
        b"GIF8": "image/gif",
        b"OggS": "audio/ogg",
        b"fLaC": "audio/flac",
        b"ID3": "audio/mpeg",
        b"\xff\xfb": "audio/mpeg",
        b"\x1a\x45\xdf\xa3": "video/webm",
    }
    return next((kind for start, kind in starts.items() if data.startswith(start)), "application/octet-stream")


@cache
def _formats() -> tuple[str, ...]:
    """Those of `FORMATS` that the installed Pillow can open."""
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


@contextmanager
def _named(source: str, kind: str) -> Iterator[None]:
    """Turns whatever a decoder raises into one `MediaError` that names the source."""
    try:
        yield
    except (MediaError, MemoryError):
        raise
    except Exception as error:  # Decoders raise what they like: OSError, SyntaxError, struct.error, their own.
        raise MediaError(f"{source}: cannot be decoded as {kind} ({_reason(error)})") from error


def _reason(error: Exception) -> str:
    """What a decoder has to say, without the addresses of its objects: the same failure has the same words."""
    if isinstance(error, UnidentifiedImageError):
        return "it is none, or is damaged at its start"
    return " ".join(ADDRESS.sub("it", str(error)).split()) or type(error).__name__


def image(data: bytes, source: str, limit_pixels: int) -> Pixels:
    """``uint8[H, W, 3]`` RGB of a picture's first frame: upright, on white. Raises `MediaError`."""
    with (
        _named(source, "a picture (PNG, JPEG, WebP, GIF, BMP, TIFF …)"),
        Image.open(io.BytesIO(data), formats=_formats()) as picture,
    ):
        _within(source, "pixels", picture.width * picture.height, limit_pixels)
        picture.load()
        return _rgb(ImageOps.exif_transpose(picture), source)


def _within(source: str, unit: str, count: float, limit: float) -> None:
    if count > limit:
        raise MediaError(f"{source}: {count:g} {unit}, more than the limit of {limit:g}")


def _rgb(picture: Image.Image, source: str) -> Pixels:
    """The pixels of one frame on white; 16-bit greys are scaled, not clipped."""
    if picture.mode == "F":
        raise MediaError(f"{source}: holds floating-point pixels, which have no fixed white; save it with 8 or 16 bits")
    if picture.mode.startswith("I"):
        grey = np.asarray(picture).astype(np.float64) / 257
        return np.repeat(np.clip(grey.round(), 0, 255).astype(np.uint8)[..., None], 3, axis=2)
    if "A" in picture.getbands() or "transparency" in picture.info or picture.mode in ("La", "RGBa"):
        clear = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", clear.size, (255, 255, 255, 255)), clear)
    return np.array(picture.convert("RGB"))


def audio_rate_hz(data: bytes, source: str) -> int:
    """Samples per second, from the header alone. Raises `MediaError`."""
    import soundfile

    with _named(source, "a sound"):
        return int(soundfile.info(io.BytesIO(data)).samplerate)


def audio(data: bytes, source: str, limit_seconds: float) -> tuple[FloatArray, int]:
    """``float32[n]`` in [-1, 1], the mean of all channels, and its rate in Hz. Raises `MediaError`."""
    import soundfile

    with _named(source, "a sound (WAV, FLAC, Ogg, MP3)"):
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            promised, rate_hz, log = file.frames, int(file.samplerate), str(file.extra_info)
            _within(source, "seconds", promised / rate_hz, limit_seconds)
            sound = file.read(dtype="float32", always_2d=True)
        # libsndfile repairs a WAV header that says more than the file holds, and says so only in its log.
        if len(sound) < promised or ("data : " in log and "should be" in log.split("data : ", 1)[1].split("\n")[0]):
            raise MediaError(f"{source}: is truncated (its header promises more than the file holds)")
        if data.startswith(b"OggS") and not _ends_as_ogg(data):
            raise MediaError(f"{source}: is truncated (its last Ogg page is missing)")
    return checked_sound(sound.mean(axis=1, dtype=np.float32), source), rate_hz


def _ends_as_ogg(data: bytes) -> bool:
    """Whether the pages of an Ogg file follow one another to its end and the last one closes its stream."""
    at, last = 0, 0
    while at + 27 <= len(data) and data[at : at + 4] == b"OggS":
        segments = data[at + 26]
        last = data[at + 5]
        at += 27 + segments + sum(data[at + 27 : at + 27 + segments])
    return at == len(data) and bool(last & 4)


def checked_sound(sound: FloatArray, source: str) -> FloatArray:
    """The sound, clipped to [-1, 1]. Raises `MediaError` if it is empty or holds a value that is no number."""
    if len(sound) == 0:
        raise MediaError(f"{source}: holds no samples of sound")
    if not np.isfinite(sound).all():
        raise MediaError(f"{source}: holds {int((~np.isfinite(sound)).sum())} samples that are NaN or infinite")
    return np.clip(sound, -1, 1)


def resampled(sound: FloatArray, from_hz: int, to_hz: int) -> FloatArray:
    """``float32[m]`` at another rate, by polyphase filtering.

    >>> len(resampled(np.zeros(441, np.float32), 44100, 16000))
    160
    """
    from scipy.signal import resample_poly

    divisor = int(np.gcd(from_hz, to_hz))
    return np.clip(resample_poly(sound, to_hz // divisor, from_hz // divisor), -1, 1).astype(np.float32)


def video(data: bytes, source: str, limit_frames: int, limit_pixels: int) -> tuple[Pixels, float]:
    """``uint8[T, H, W, 3]`` RGB and frames per second. Raises `MediaError`."""
    with _named(source, "a film"):
        if mime(data).startswith("image/"):
            return _animation(data, source, limit_frames, limit_pixels)
        return _container(data, source, limit_frames, limit_pixels)


def _animation(data: bytes, source: str, limit_frames: int, limit_pixels: int) -> tuple[Pixels, float]:
    with Image.open(io.BytesIO(data), formats=_formats()) as film:
        count = int(getattr(film, "n_frames", 1))
        _within(source, "frames", count, limit_frames)
        _within(source, "pixels in all frames", count * film.width * film.height, limit_pixels)
        frames, length_ms = [], 0.0
        for frame in ImageSequence.Iterator(film):
            frame.load()
            frames.append(_rgb(frame, source))
            length_ms += frame.info.get("duration") or DEFAULT_FRAME_MS
    if len(frames) != count:
        raise MediaError(f"{source}: is truncated ({len(frames)} of {count} frames)")
    return np.stack(frames), 1000 * count / length_ms


def _container(data: bytes, source: str, limit_frames: int, limit_pixels: int) -> tuple[Pixels, float]:
    import av

    with av.open(io.BytesIO(data)) as container:
        if not container.streams.video:
            raise MediaError(f"{source}: holds no film")
        stream = container.streams.video[0]
        promised, rate = stream.frames, stream.average_rate or stream.guessed_rate
        if not rate:
            raise MediaError(f"{source}: does not say how many frames a second holds")
        _within(source, "frames", promised, limit_frames)
        frames = Frames(promised, limit_pixels)
        ends_s = 0.0
        for frame in container.decode(stream):
            _within(source, "frames", len(frames) + 1, limit_frames)
            _within(source, "pixels in all frames", (len(frames) + 1) * frame.width * frame.height, limit_pixels)
            frames.append(frame.to_ndarray(format="rgb24"))
            ends_s = max(ends_s, (frame.time or 0.0) + 1 / float(rate))
        lasts_s = _seconds(stream.metadata.get("DURATION", ""))
    if not len(frames) or (len(frames) < promised and _packets(data) < promised):
        raise MediaError(f"{source}: is truncated ({len(frames)} of {promised or 'at least 1'} frames)")
    if ends_s + 2 / float(rate) < lasts_s:
        raise MediaError(f"{source}: is truncated ({ends_s:.2f} of {lasts_s:.2f} seconds)")
    return frames.stacked(), float(rate)


class Frames:
    """Frames of one size, put where they belong as they come: a film that is held twice would need twice the memory.

    ``expected`` is how many the container promises, of which no more are believed than ``limit_pixels`` hold; it grows where more come.
    """

    def __init__(self, expected: int, limit_pixels: int) -> None:
        self.count, self.expected, self.limit_pixels = 0, expected, limit_pixels
        self.held: Pixels | None = None

    def __len__(self) -> int:
        return self.count

    def append(self, frame: Pixels) -> None:
        """Another frame. `ValueError` for one of another size."""
        if self.held is None:
            believed = min(self.expected, self.limit_pixels // (frame.shape[0] * frame.shape[1]))
            self.held = np.empty((max(believed, 1), *frame.shape), np.uint8)
        if frame.shape != self.held.shape[1:]:
            raise ValueError(
                f"its frames change from {self.held.shape[2]} x {self.held.shape[1]} to {frame.shape[1]} x {frame.shape[0]}"
            )
        if self.count == len(self.held):
            more = np.empty((len(self.held) + max(len(self.held) // 2, 8), *frame.shape), np.uint8)
            more[: self.count] = self.held
            self.held = more
        self.held[self.count] = frame
        self.count += 1

    def stacked(self) -> Pixels:
        """``uint8[T, H, W, 3]``."""
        assert self.held is not None, "a film has frames"
        return self.held[: self.count]


def _packets(data: bytes) -> int:
    """How many frames a container holds in truth. A trimmed film shows fewer: its edit list hides some."""
    import av

    options = {"ignore_editlist": "1"} if mime(data) == "video/mp4" else {}
    with av.open(io.BytesIO(data), options=options) as container:
        return sum(packet.size > 0 for packet in container.demux(video=0))


def _seconds(clock: str) -> float:
    """Seconds of the ``HH:MM:SS.fraction`` that Matroska and WebM keep for a stream; 0 if there is none.

    >>> _seconds("00:01:02.500000000"), _seconds("")
    (62.5, 0.0)
    """
    matched = re.fullmatch(r"(\d+):(\d+):(\d+(?:\.\d+)?)", clock)
    return (
        sum(float(part) * unit for part, unit in zip(matched.groups(), (3600, 60, 1), strict=True)) if matched else 0.0
    )
