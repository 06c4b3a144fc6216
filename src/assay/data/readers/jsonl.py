"""JSON Lines and JSON as files: one value a line or one document, gzip or plain, with errors that name file and line.

Blank lines, carriage returns and a byte-order mark are no part of a value. NaN and infinities are no JSON and are refused.
"""

from __future__ import annotations

import difflib
import gzip
import json
import re
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HALF_CHARACTER = re.compile("[\ud800-\udfff]")
LARGEST = 4 << 30
"""Bytes that a file may hold, once it is decompressed."""

SMALL, PACKED_AT_MOST = 64 << 20, 200
"""What gzip packs more tightly than so, and is not small, is made to fill a memory."""

GZIP, BYTE_ORDER_MARK = b"\x1f\x8b", b"\xef\xbb\xbf"

Numbered = Sequence[tuple[str, Any]]
"""JSON values and where in the file each of them stands (``line 7``)."""


class _Constant(Exception):
    """NaN or an infinity among JSON."""


def _refused(name: str) -> None:
    raise _Constant(name)


class _Twice(Exception):
    """A key that occurs twice in one object of JSON."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise _Twice(next(name for name in found if names.count(name) > 1))
    return found


# Made once: `json.loads` makes one for every line as soon as it is told anything.
DECODER = json.JSONDecoder(parse_constant=_refused, object_pairs_hook=_object)


def values(where: Path) -> Numbered:
    """The values of a JSONL or JSON file. A JSON list is its elements; another JSON document is one value."""
    text = text_of(where)
    first, head = text.lstrip()[:1], text.strip().partition("\n")
    if first == "[":
        return [(f"record {place}", value) for place, value in enumerate(parsed(text, where))]
    if first == "{" and head[1] and not head[0].rstrip().endswith("}"):
        return [("the file", parsed(text, where))]
    return by_line(text, where)


def by_line(text: str, where: Path) -> Numbered:
    """The values of a text with one in each line; ``where`` is for messages."""
    # Split at line feeds only: JSON may hold other line separators inside its strings.
    lines = [(f"line {number}", line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    return [(place, parsed(line, where, place)) for place, line in lines]


def text_of(where: Path) -> str:
    """A file as text: UTF-8, with or without a byte-order mark, plain or gzip. `FileNotFoundError` tells its neighbours."""
    if where.is_dir():
        raise ValueError(f"{where} is a folder: a file was expected.")
    if not where.exists():
        there = [path.name for path in where.parent.iterdir()] if where.parent.is_dir() else []
        near = difflib.get_close_matches(where.name, there, n=1)
        raise FileNotFoundError(f"{where}: there is no such file{f'; did you mean {near[0]}?' if near else '.'}")
    data = unpacked(where)
    try:
        return data.removeprefix(BYTE_ORDER_MARK).decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{where}, line {line}: is not UTF-8 (byte {error.start}): save it as UTF-8.") from error


def unpacked(where: Path) -> bytes:
    """The bytes of a file, decompressed if it is gzip."""
    with where.open("rb") as file:
        packed = file.read(2) == GZIP
    most = min(LARGEST, max(SMALL, PACKED_AT_MOST * where.stat().st_size)) if packed else LARGEST
    try:
        with gzip.open(where) if packed else where.open("rb") as stream:
            data: bytes = stream.read(most + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"{where}: this is no whole gzip file: {error}") from error
    if len(data) > most and most < LARGEST:
        raise ValueError(f"{where}: it unpacks to more than {PACKED_AT_MOST} times its size, as no table does.")
    if len(data) > LARGEST:
        raise ValueError(f"{where}: it holds more than {LARGEST >> 30} GiB; cut it in parts.")
    return data


def parsed(text: str, where: Path, place: str = "") -> Any:
    """A JSON value; `ValueError` that says where for what is none, NaN and infinities included."""
    at = f"{where}, {place}" if place else f"{where}"
    try:
        return DECODER.decode(text)
    except _Constant as error:
        raise ValueError(f"{at}: {error} is no JSON value; write null for what is missing.") from None
    except _Twice as error:
        raise ValueError(f"{at}: {str(error)!r:.80} occurs twice in one object; which of the two counts?") from None
    except RecursionError:
        raise ValueError(f"{at}: is not JSON: it is nested too deeply.") from None
    except json.JSONDecodeError as error:
        spot = f"column {error.colno}" if place else f"line {error.lineno}, column {error.colno}"
        raise ValueError(f"{at}: is not JSON: {error.msg} at {spot}.") from error
    except ValueError as error:  # a number of thousands of digits
        raise ValueError(f"{at}: is not JSON that can be read: {error}") from error


def whole(value: Any) -> Any:
    """A JSON value whose texts are valid Unicode.

    >>> whole(["a", {"b": chr(0xD800)}])
    ['a', {'b': '�'}]
    """
    if isinstance(value, str):
        return HALF_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, list):
        return [whole(one) for one in value]
    if isinstance(value, dict):
        return {whole(name): whole(one) for name, one in value.items()}
    return value
