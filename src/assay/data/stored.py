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
        value = _stretch(self.path, self.column, self.row // STRETCH, source)[self.row % STRETCH]
        if isinstance(value, dict):
            value = value.get(self.field)
        if not isinstance(value, bytes):
            raise MediaError(f"{source}: {self.path.name} holds no bytes in row {self.row} of {self.column!r}")
        if len(value) > limit:
            raise MediaError(f"{source}: {len(value)} bytes, more than the limit of {limit}")
        return value

    def stamp(self) -> str:
        """The file's name, and the place in it."""
        return f"{self.path.name}@{self.column}:{self.row}"


_lock = Lock()
_stretches: OrderedDict[tuple[Any, ...], list[Any]] = OrderedDict()


def _stretch(path: Path, column: str, number: int, source: str) -> list[Any]:
    """Some rows of one column; the last few stretches are kept, since a data set is read in its order."""
    import polars

    try:
        about = path.stat()
        key = (path, about.st_mtime_ns, about.st_size, column, number)
        with _lock:
            if key in _stretches:
                _stretches.move_to_end(key)
                return _stretches[key]
        rows = polars.scan_parquet(path).select(column).slice(number * STRETCH, STRETCH).collect()
    except Exception as error:  # Polars raises what it likes for a damaged file.
        raise MediaError(f"{source}: {path.name} cannot be read as Parquet ({' '.join(str(error).split())})") from error
    values = rows[column].to_list()
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
