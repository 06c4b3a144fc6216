"""Tables of other programs, Parquet files and Arrow streams, read in a process of its own: their readers can abort on a damaged file.

The child sends rows as JSON and, of a stream, the columns of bytes beside them; of a Parquet file it sends where there are bytes, and
these stretch by stretch when they are asked for (`assay.data.stored.Cell`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.data import decoder
from assay.types import MediaError

LIMITS: Mapping[str, float] = {"memory": 16 << 30, "cpu_s": 600, "wall_s": 1200}
KINDS = {"parquet": "Parquet", "stream": "an Arrow stream"}
Row = dict[str, Any]


@dataclass(frozen=True)
class Table:
    """``rows`` without what holds bytes; ``stored`` names the columns of bytes with the field that holds them (``""``: the cell itself).

    In a row such a cell is True where there are bytes, else the struct's path, or absent. ``blobs`` are a stream's bytes by column:
    one buffer and for each row where its bytes begin and end, or None. ``features`` are what Hugging Face's `datasets` noted.
    """

    rows: list[Row]
    stored: dict[str, str]
    blobs: dict[str, tuple[memoryview, list[tuple[int, int] | None]]]
    features: dict[str, Any]


def read_table(path: Path, kind: str) -> Table:
    """The table in a file; ``kind`` is ``parquet`` or ``stream``. Raises `ValueError` that names the file for what cannot be read."""
    told, content = _asked({"kind": kind, "path": str(path)}, f"{path} cannot be read as {KINDS[kind]}")
    buffer, split = memoryview(content), told["json"]
    rows: list[Row] = json.loads(bytes(buffer[:split]))
    blobs: dict[str, tuple[memoryview, list[tuple[int, int] | None]]] = {}
    for name, sizes in told["sizes"].items():
        places: list[tuple[int, int] | None] = []
        for size in sizes:
            places.append(None if size is None else (split, split + size))
            split += size or 0
        blobs[name] = (buffer, places)
    return Table(rows, told["stored"], blobs, told["features"])


def read_stretch(path: Path, column: str, field: str, start: int, count: int, source: str) -> list[bytes | None]:
    """The bytes of ``count`` cells of a Parquet file's column from row ``start`` on, None where there are none. Raises `MediaError`."""
    asked = {"kind": "stretch", "path": str(path), "column": column, "field": field, "start": start, "count": count}
    told, content = _asked(asked, f"{source}: {path.name} cannot be read as Parquet")
    out: list[bytes | None] = []
    at = 0
    for size in told["sizes"]:
        out.append(None if size is None else bytes(content[at : at + size]))
        at += size or 0
    return out


def _asked(asked: dict[str, Any], problem: str) -> tuple[dict[str, Any], bytearray]:
    try:
        return decoder.ask({**asked, "source": asked["path"], **LIMITS}, b"", LIMITS["wall_s"])
    except MediaError as error:
        raise MediaError(f"{problem}: {str(error).removeprefix(asked['path'] + ': ')}") from error


def answer(asked: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    """The child's side: what was asked for, or the error's words."""
    try:
        return stretch(asked) if asked["kind"] == "stretch" else table(asked)
    except BaseException as error:  # Polars' panics are no ordinary exceptions.
        return {"error": " ".join(str(error).split())[:500] or type(error).__name__}, b""


def table(asked: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    """The rows, and a stream's bytes."""
    import polars

    inside = asked["kind"] == "stream"
    if inside:
        with Path(asked["path"]).open("rb") as file:
            frame = polars.read_ipc_stream(file).lazy()
    else:
        frame = polars.scan_parquet(asked["path"])
    schema = frame.collect_schema()
    stored = {name: field for name, kind in schema.items() if (field := bytes_field(kind)) is not None}
    plain = [polars.col(name) for name in schema if name not in stored]
    flags = [_held(name, field).is_not_null().alias(name) for name, field in stored.items()]
    paths = {name: f"{name}.path" for name in stored if _has_path(schema[name])}
    named = [polars.col(name).struct.field("path").alias(alias) for name, alias in paths.items()]
    rows = frame.select(*plain, *flags, *named).collect().to_dicts()
    for row in rows:
        for name in stored:
            path = row.pop(paths[name], None) if name in paths else None
            row[name] = True if row[name] else path
    words = json.dumps(rows, default=str).encode()
    blobs = {}
    if inside and stored:
        held = frame.select(_held(name, field).alias(name) for name, field in stored.items()).collect()
        blobs = {name: held[name].to_list() for name in stored}
    sizes = {name: [None if cell is None else len(cell) for cell in cells] for name, cells in blobs.items()}
    told = {"json": len(words), "stored": stored, "sizes": sizes, "features": _features(asked)}
    return told, b"".join([words, *(cell for cells in blobs.values() for cell in cells if cell is not None)])


def stretch(asked: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    """The bytes of some cells."""
    import polars

    frame = polars.scan_parquet(asked["path"]).select(_held(asked["column"], asked["field"]).alias("cell"))
    cells = frame.slice(asked["start"], asked["count"]).collect()["cell"].to_list()
    return {"sizes": [None if c is None else len(c) for c in cells]}, b"".join(c for c in cells if c is not None)


def bytes_field(kind: Any) -> str | None:
    """Where a column's type holds bytes: ``""`` itself, or the name of a struct's field; ``None`` where it does not."""
    import polars

    if kind == polars.Binary:
        return ""
    if isinstance(kind, polars.Struct):
        return next((one.name for one in kind.fields if one.dtype == polars.Binary), None)
    return None


def _has_path(kind: Any) -> bool:
    return "path" in [one.name for one in getattr(kind, "fields", ())]


def _held(name: str, field: str) -> Any:
    import polars

    return polars.col(name).struct.field(field) if field else polars.col(name)


def _features(asked: Mapping[str, Any]) -> dict[str, Any]:
    import polars

    if asked["kind"] == "stream":
        return {}
    try:
        found = json.loads(polars.read_parquet_metadata(asked["path"])["huggingface"])["info"]["features"]
    except (ValueError, KeyError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}
