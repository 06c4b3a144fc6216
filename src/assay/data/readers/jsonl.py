"""JSON Lines and JSON as files: one value a line or one document, gzip or plain, with errors that name file and line.

Blank lines, carriage returns and a byte-order mark are no part of a value. NaN and infinities are no JSON and are refused.
"""

from __future__ import annotations

import difflib
import gzip
import io
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

HALF_CHARACTER = re.compile("[\ud800-\udfff]")
LARGEST = 4 << 30
"""Bytes that a file may hold, once it is decompressed."""

GZIP = b"\x1f\x8b"

Numbered = Sequence[tuple[str, Any]]
"""JSON values and where in the file each of them stands (``line 7``)."""


def parsed(where: Path) -> Numbered:
    """The values of a JSONL or JSON file. A JSON list is its elements; another JSON document is one value."""
    if where.is_dir():
        raise ValueError(f"{where} is a folder: a file of predictions was expected.")
    data = opened(where)
    first = data.lstrip()[:1]
    if first == b"[":
        whole = decoded(data, where, "")
        return [(f"record {place}", value) for place, value in enumerate(whole)]
    lines = [(number, line) for number, line in enumerate(io.BytesIO(data), 1) if line.strip()]
    if first == b"{" and len(lines) > 1 and not lines[0][1].rstrip().endswith(b"}"):
        return [("the file", decoded(data, where, ""))]
    return [(f"line {number}", decoded(line, where, f"line {number}")) for number, line in lines]


def opened(where: Path) -> bytes:
    """The bytes of a file, decompressed if it is gzip, without a byte-order mark. `FileNotFoundError` tells its neighbours."""
    if not where.exists():
        there = [path.name for path in where.parent.iterdir()] if where.parent.is_dir() else []
        near = difflib.get_close_matches(where.name, there, n=1)
        raise FileNotFoundError(f"{where}: there is no such file{f'; did you mean {near[0]}?' if near else '.'}")
    with where.open("rb") as file:
        packed = file.read(2) == GZIP
    try:
        with gzip.open(where) if packed else where.open("rb") as stream:
            data: bytes = stream.read(LARGEST + 1)
    except (gzip.BadGzipFile, EOFError) as error:
        raise ValueError(f"{where}: this is no whole gzip file: {error}") from error
    if len(data) > LARGEST:
        raise ValueError(f"{where}: it holds more than {LARGEST >> 30} GiB; score it in parts.")
    return data.removeprefix(b"\xef\xbb\xbf")


def decoded(data: bytes, where: Path, place: str) -> Any:
    """A JSON value; `ValueError` that says where for what is none, NaN and infinities included."""
    at = f"{where}, {place}" if place else f"{where}"

    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{at}: {constant} is no JSON value; write null for what is missing.")

    try:
        return json.loads(data.decode("utf-8"), parse_constant=refuse)
    except UnicodeDecodeError as error:
        raise ValueError(f"{at}: this is no UTF-8: {error.reason} at byte {error.start}.") from error
    except RecursionError:
        raise ValueError(f"{at}: this is nested too deep.") from None
    except json.JSONDecodeError as error:
        spot = f" at column {error.colno}" if place else f" at line {error.lineno}, column {error.colno}"
        raise ValueError(f"{at}: this is no JSON: {error.msg}{spot}.") from error


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
