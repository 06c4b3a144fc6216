"""Bytes that lie inside another file: a member of a tar, a cell of a Parquet file. Nothing is read before it is asked for."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Protocol, runtime_checkable

from assay.types import MediaError

STRETCH = 32
"""Rows of a Parquet file that are read at once: neighbours are asked for after one another."""

KEPT_STRETCHES = 4


@runtime_checkable
class Stored(Protocol):
    """Where some bytes are, and how to get them."""

    def read(self, source: str, limit: int) -> bytes:
        """The bytes. Raises `MediaError` that begins with ``source`` for more than ``limit``, and for what cannot be read."""

    def stamp(self) -> str:
        """What identifies the bytes without reading them."""


@dataclass(frozen=True, slots=True)
class Piece:
    """``size`` bytes of a file from ``offset`` on."""

    path: Path
    offset: int
    size: int

    def read(self, source: str, limit: int) -> bytes:
        """The bytes; `MediaError` when the file is shorter, is gone or the piece is beyond the limit."""
        if self.size > limit:
            raise MediaError(f"{source}: {self.size} bytes, more than the limit of {limit}")
        try:
            with self.path.open("rb") as file:
                file.seek(self.offset)
                data = file.read(self.size)
        except OSError as error:
            raise MediaError(f"{source}: {self.path} cannot be read ({error.strerror})") from error
        if len(data) < self.size:
            raise MediaError(f"{source}: {self.path} ends before its {self.size} bytes do")
        return data

    def stamp(self) -> str:
        """The file's name, and the place in it."""
        return f"{self.path.name}@{self.offset}+{self.size}"


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a Parquet file's column of bytes, or of structs with the field ``bytes`` (as Hugging Face's ``datasets`` writes)."""

    path: Path
    column: str
    row: int
    field: str = ""

    def read(self, source: str, limit: int) -> bytes:
        """The bytes; `MediaError` for a cell that holds none."""
        value = _stretch(self, source)[self.row % STRETCH]
        if value is None:
            raise MediaError(f"{source}: {self.path.name} holds no bytes in row {self.row} of {self.column!r}")
        if len(value) > limit:
            raise MediaError(f"{source}: {len(value)} bytes, more than the limit of {limit}")
        return value

    def stamp(self) -> str:
        """The file's name, and the place in it."""
        return f"{self.path.name}@{self.column}:{self.row}"


_lock = Lock()
_stretches: OrderedDict[tuple[Any, ...], list[bytes | None]] = OrderedDict()


def _stretch(cell: Cell, source: str) -> list[bytes | None]:
    """Some rows of one column; the last few stretches are kept, since a data set is read in its order."""
    from assay.data.tables import read_stretch

    number = cell.row // STRETCH
    key = (cell.path, file_stamp(cell.path), cell.column, number)
    with _lock:
        if key in _stretches:
            _stretches.move_to_end(key)
            return _stretches[key]
    values = read_stretch(cell.path, cell.column, cell.field, number * STRETCH, STRETCH, source)
    values += [None] * (STRETCH - len(values))
    with _lock:
        _stretches[key] = values
        while len(_stretches) > KEPT_STRETCHES:
            _stretches.popitem(last=False)
    return values


def file_stamp(path: Path) -> str:
    """A file's name, size and time of change; ``missing`` where it is not there."""
    try:
        about = path.stat()
    except (OSError, ValueError):
        return "missing"
    return f"{about.st_size}\0{about.st_mtime_ns}"


def digest_of(*parts: str | bytes) -> str:
    """SHA-256 of some parts, each told apart from the next."""
    found = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        found.update(len(data).to_bytes(8, "big") + data)
    return found.hexdigest()
