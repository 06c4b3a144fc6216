"""Pictures, sounds and films that are decoded when asked for and not before.

Each is made from a path, from the bytes of a file, or from an array; ``load`` gives the array that
`assay.types` promises (image ``uint8[H, W, 3]``, audio ``float32[n]``, video ``uint8[T, H, W, 3]``) or raises
`MediaError` with the source and the reason. Nothing is fetched from a network.
"""

from __future__ import annotations

import os
import stat
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.data import decode, decoder, encode
from assay.data.kept import Kept
from assay.data.stored import Stored
from assay.types import FloatArray, MediaError

Content = Path | str | bytes | Stored | NDArray[Any]
Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Limits:
    """What is refused before it is decoded, so that one hostile or mistaken file cannot fill the memory.

    ``pixels`` bounds one picture, ``film_pixels`` all frames of a film together. With ``apart`` a file is decoded in a process of
    its own (`assay.data.decoder`), which may take ``memory`` bytes, and for a file ``cpu_s`` seconds of processor time and ``wall_s``
    on the clock.
    """

    bytes: int = 1_000_000_000
    pixels: int = 64_000_000
    seconds: float = 3_600.0
    frames: int = 20_000
    film_pixels: int = 400_000_000
    apart: bool = False
    memory: int = 2 << 30
    cpu_s: float = 10.0
    wall_s: float = 60.0


LIMITS = Limits()
APART = Limits(apart=True)
"""For files that somebody brings: whatever is in them, they cannot harm the run."""


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """A picture. Transparency is shown on white, EXIF orientation is applied, only a first frame is seen.

    With ``kept`` the decoded array stays in memory for the next `load`, read-only, as long as there is room.

    >>> Image(np.zeros((2, 3, 3), np.uint8)).load().shape
    (2, 3, 3)
    """

    content: Content = field(repr=False)
    source: str = ""
    limits: Limits = field(default=LIMITS, repr=False)
    kept: Kept | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "source", self.source or _described(self.content))
        if isinstance(self.content, np.ndarray):
            _expect(self, self.content.dtype == np.uint8 and self.content.ndim == 3, "uint8[H, W, 3]")
            _expect(self, self.content.shape[2] == 3 and self.content.size > 0, "uint8[H, W, 3] with pixels in it")

    @property
    def modality(self) -> str:
        """Always ``image``."""
        return "image"

    def load(self) -> Pixels:
        """The pixels ``uint8[H, W, 3]`` RGB. Raises `MediaError`."""
        if isinstance(self.content, np.ndarray):
            return self.content
        return self._decoded() if self.kept is None else self.kept.get(self, self._decoded)

    def _decoded(self) -> Pixels:
        data = read_bytes(self)
        if self.limits.apart:
            return decoder.apart("image", data, self.source, asdict(self.limits))[0]
        return decode.image(data, self.source, self.limits.pixels)

    def bytes_and_mime(self) -> tuple[bytes, str]:
        """A file that a browser shows, and its MIME type: the original where possible, else PNG."""
        if not isinstance(self.content, np.ndarray):
            data = read_bytes(self)
            mime = decode.mime(data)
            if mime in decode.SHOWN_IMAGES:
                return data, mime
        return encode.png(self.load()), "image/png"


@dataclass(frozen=True, slots=True, eq=False)
class Audio:
    """A sound, mixed down to one channel. An array needs ``given_rate_hz``; files know their own rate.

    >>> sound = Audio(np.zeros(8000, np.float32), given_rate_hz=16000)
    >>> sound.rate_hz, len(sound.load(rate_hz=8000))
    (16000, 4000)
    """

    content: Content = field(repr=False)
    source: str = ""
    given_rate_hz: int | None = None
    limits: Limits = field(default=LIMITS, repr=False)
    kept: Kept | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "source", self.source or _described(self.content))
        if isinstance(self.content, np.ndarray):
            _expect(self, self.content.dtype == np.float32 and self.content.ndim == 1, "float32[n]")
            _expect(self, (self.given_rate_hz or 0) > 0, "given_rate_hz, samples per second, beside an array")

    @property
    def modality(self) -> str:
        """Always ``audio``."""
        return "audio"

    @property
    def rate_hz(self) -> int:
        """Samples per second of ``load()``; reads the file's header if the rate was not given. Raises `MediaError`."""
        if self.given_rate_hz is not None:
            return self.given_rate_hz
        data = read_bytes(self)
        if self.limits.apart:
            return int(decoder.apart("rate", data, self.source, asdict(self.limits))[1] or 0)
        return decode.audio_rate_hz(data, self.source)

    def load(self, rate_hz: int | None = None) -> FloatArray:
        """The samples ``float32[n]`` in [-1, 1], at ``rate_hz`` if it is given. Raises `MediaError`."""
        sound = self._decoded() if self.kept is None else self.kept.get(self, self._decoded)
        if rate_hz is None or rate_hz == (held_hz := self.rate_hz):
            return sound
        return decode.resampled(sound, held_hz, rate_hz)

    def _decoded(self) -> FloatArray:
        if isinstance(self.content, np.ndarray):
            return decode.checked_sound(self.content, self.source)
        data = read_bytes(self)
        sound: FloatArray
        if self.limits.apart:
            sound, rate = decoder.apart("audio", data, self.source, asdict(self.limits))
            held_hz = int(rate or 0)
        else:
            sound, held_hz = decode.audio(data, self.source, self.limits.seconds)
        if self.given_rate_hz not in (None, held_hz):
            raise MediaError(f"{self.source}: is at {held_hz} Hz, but {self.given_rate_hz} Hz was declared")
        return sound

    def bytes_and_mime(self) -> tuple[bytes, str]:
        """A file that a browser plays, and its MIME type: the original where possible, else FLAC."""
        if not isinstance(self.content, np.ndarray):
            data = read_bytes(self)
            mime = decode.mime(data)
            if mime in decode.PLAYED_SOUNDS:
                return data, mime
        return encode.flac(self.load(), self.rate_hz), "audio/flac"


@dataclass(frozen=True, slots=True, eq=False)
class Video:
    """A film without its sound: animated WebP or GIF, or a container (MP4, WebM …). An array needs ``given_fps``.

    >>> Video(np.zeros((2, 4, 4, 3), np.uint8), given_fps=10).fps
    10
    """

    content: Content = field(repr=False)
    source: str = ""
    given_fps: float | None = None
    limits: Limits = field(default=LIMITS, repr=False)
    kept: Kept | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "source", self.source or _described(self.content))
        if isinstance(self.content, np.ndarray):
            _expect(self, self.content.dtype == np.uint8 and self.content.ndim == 4, "uint8[T, H, W, 3]")
            _expect(self, self.content.shape[3] == 3 and self.content.size > 0, "uint8[T, H, W, 3] with frames in it")
            _expect(self, (self.given_fps or 0) > 0, "given_fps, frames per second, beside an array")

    @property
    def modality(self) -> str:
        """Always ``video``."""
        return "video"

    @property
    def fps(self) -> float:
        """Frames per second; decodes the film if the rate was not given. Raises `MediaError`."""
        if self.given_fps is not None:
            return self.given_fps
        return self._decoded()[1] if self.kept is None else float(self.kept.get((self, "fps"), self._rate)[0])

    def load(self) -> Pixels:
        """The frames ``uint8[T, H, W, 3]`` RGB. Raises `MediaError`."""
        if isinstance(self.content, np.ndarray):
            return self.content
        return self._decoded()[0] if self.kept is None else self.kept.get(self, self._frames)

    def _frames(self) -> Pixels:
        frames, fps = self._decoded()
        if self.kept is not None:
            self.kept.get((self, "fps"), lambda: np.array([fps]))
        return frames

    def _rate(self) -> NDArray[np.float64]:
        return np.array([self._decoded()[1]])

    def _decoded(self) -> tuple[Pixels, float]:
        data = read_bytes(self)
        if self.limits.apart:
            frames, fps = decoder.apart("video", data, self.source, asdict(self.limits))
            return frames, float(fps or 0)
        return decode.video(data, self.source, self.limits.frames, self.limits.film_pixels)

    def bytes_and_mime(self) -> tuple[bytes, str]:
        """A file that a browser plays, and its MIME type: the original where possible, else animated WebP.

        ``image/…`` types belong into an ``img`` element, ``video/…`` into a ``video`` element.
        """
        if not isinstance(self.content, np.ndarray):
            data = read_bytes(self)
            mime = decode.mime(data)
            if mime in decode.PLAYED_FILMS:
                return data, mime
        return encode.animated_webp(self.load(), self.fps), "image/webp"


Medium = Image | Audio | Video


def read_bytes(medium: Medium) -> bytes:
    """The bytes of a medium's file. Raises `MediaError` if it is not an ordinary, readable, non-empty file."""
    content = medium.content
    assert not isinstance(content, np.ndarray), "an array has no file"
    if isinstance(content, Stored):
        data = content.read(medium.source, medium.limits.bytes)
    else:
        data = content if isinstance(content, bytes) else _read_file(content, medium.source, medium.limits.bytes)
    if len(data) > medium.limits.bytes:
        raise MediaError(f"{medium.source}: {len(data)} bytes, more than the limit of {medium.limits.bytes}")
    if not data:
        raise MediaError(f"{medium.source}: is empty")
    return data


def _read_file(path: Path | str, source: str, limit: int) -> bytes:
    if isinstance(path, str) and "://" in path:
        raise MediaError(f"{source}: is a URL; only local files are read. Download it first")
    try:
        # O_NONBLOCK: opening a named pipe must not wait for a writer that never comes.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except (OSError, ValueError) as error:
        raise MediaError(f"{source}: cannot be opened ({getattr(error, 'strerror', None) or error})") from error
    try:
        status = os.fstat(handle)
        if stat.S_ISDIR(status.st_mode):
            raise MediaError(f"{source}: is a folder, not a file")
        if not stat.S_ISREG(status.st_mode):
            raise MediaError(f"{source}: is a device or a pipe, not an ordinary file")
        if status.st_size > limit:
            raise MediaError(f"{source}: {status.st_size} bytes, more than the limit of {limit}")
        with open(handle, "rb", closefd=False) as file:
            return file.read()
    except OSError as error:
        raise MediaError(f"{source}: cannot be read ({error.strerror})") from error
    finally:
        os.close(handle)


def _expect(medium: Medium, fulfilled: bool, expected: str) -> None:
    if not fulfilled:
        content = medium.content
        assert isinstance(content, np.ndarray)
        raise MediaError(f"{medium.source}: expected {expected}, not {content.dtype}{list(content.shape)}")


def _described(content: Content) -> str:
    if isinstance(content, np.ndarray):
        return "an array"
    if isinstance(content, Stored):
        return content.stamp()
    return f"{len(content)} bytes" if isinstance(content, bytes) else str(content)
