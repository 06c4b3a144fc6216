"""From what a manifest says of a picture, a sound or a film (a path, a ``data:`` address, bytes) to a lazy medium, decoded apart."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from pathlib import Path

from assay.data.kept import Kept
from assay.data.media import APART, Audio, Content, Image, Video
from assay.data.stored import Stored, digest_of, file_stamp
from assay.types import Media

KINDS: Mapping[str, tuple[str, ...]] = {
    "image": (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".jp2", ".ppm"),
    "audio": (".wav", ".flac", ".ogg", ".opus", ".mp3"),
    "video": (".mp4", ".webm", ".mkv", ".mov", ".avi"),
}
BY_SUFFIX = {suffix: kind for kind, suffixes in KINDS.items() for suffix in suffixes}
LONGEST_NAME = 120


def kind_of_file(name: str) -> str | None:
    """``image``, ``audio`` or ``video`` by the ending of a file's name, ``None`` for others.

    >>> kind_of_file("a/B.JPG"), kind_of_file("notes.txt")
    ('image', None)
    """
    return BY_SUFFIX.get(Path(name).suffix.lower())


def medium(modality: str, content: Content, source: str, kept: Kept | None = None) -> Media:
    """The content as a lazy medium of a modality, decoded in a process of its own; ``kept`` keeps what was decoded."""
    if modality == "image":
        return Image(content, source=source, kept=kept, limits=APART)
    if modality == "audio":
        return Audio(content, source=source, kept=kept, limits=APART)
    return Video(content, source=source, kept=kept, limits=APART)


def named_medium(modality: str, name: str, folder: Path, kept: Kept | None = None) -> Media:
    """The medium of a path that stands in a manifest in ``folder``, or of a ``data:`` address.

    An address of a network is no file: it is refused when the medium is loaded. Paths may be absolute or lead out of the folder,
    since the manifest is the user's; `assay.data.clean` tells which do. Raises `ValueError` for a broken ``data:`` address.
    """
    if name.startswith("data:"):
        return medium(modality, inline(name), f"{name[:24]}…", kept)
    if "://" in name:
        return medium(modality, name, name, kept)
    return medium(modality, folder / name, name, kept)


def inline(address: str) -> bytes:
    """The bytes of a ``data:`` address. `ValueError` unless it is in base64.

    >>> inline("data:text/plain;base64,aGk=")
    b'hi'
    """
    head, comma, body = address.partition(",")
    if not comma or not head.endswith(";base64"):
        raise ValueError(f"a data: address in base64 was expected, got {address[:60]!r}")
    return from_base64(body)


def from_base64(text: str) -> bytes:
    """The bytes of a text in base64 (line ends do not matter). `ValueError` for what is none.

    >>> from_base64("aGk=")
    b'hi'
    """
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"base64 was expected, got {text[:60]!r} ({error})") from error


def stamp(content: Media | str) -> bytes:
    """What identifies an input without reading it: a text, or a file's name, size and time, or bytes that are held already."""
    if isinstance(content, str):
        return content.encode("utf-8", "surrogatepass") + b"\0"
    assert isinstance(content, Image | Audio | Video), "readers make media of files and bytes"
    held = content.content
    if isinstance(held, Path):
        return f"{content.source}\0{file_stamp(held)}\0".encode("utf-8", "surrogatepass")
    if isinstance(held, Stored):
        return f"{content.source}\0{held.stamp()}\0".encode("utf-8", "surrogatepass")
    assert isinstance(held, bytes | str), "readers make no media of arrays"
    return digest_of(content.source, held).encode()


def outside(content: Media | str, folder: Path) -> bool:
    """Whether a medium's file lies outside a folder, links followed."""
    held = getattr(content, "content", None)
    if not isinstance(held, Path):
        return False
    try:
        return not held.resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError, RuntimeError):  # a loop of links, a name that no file can have
        return True
