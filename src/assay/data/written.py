"""Data written to a folder again: a manifest that `assay.data.readers.folder` reads, and a table of reasons beside it.

Media that are files stay where they are and are named by their path from the folder; media that lie inside another file (a tar, a
Parquet file, the package) are written under ``media``. Files are written whole or not at all.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from assay.data.dataset import Dataset
from assay.data.media import Audio, Image, Video
from assay.types import Media, Sample

MANIFEST = "manifest.jsonl"
REASONS = "reasons"
ENDINGS = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "audio/ogg": ".ogg",
    "audio/wav": ".wav",
    "audio/flac": ".flac",
    "audio/mpeg": ".mp3",
    "video/mp4": ".mp4",
    "video/webm": ".webm",
}
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so would be computed by a spreadsheet."""

COLUMNS = {"sample": str, "reason": str, "detail": str, "other": str, "score": float, "rejected": bool}


def write_data(dataset: Dataset, folder: Path) -> Path:
    """Writes ``folder/manifest.jsonl``; its path. Raises `ValueError` where the folder cannot be made."""
    make(folder)
    lines = [json.dumps(row_of(sample, number, folder)) for number, sample in enumerate(dataset.samples)]
    return put(folder / MANIFEST, ("\n".join(lines) + "\n").encode())


def row_of(sample: Sample, number: int, folder: Path) -> dict[str, Any]:
    """A sample as a row of a manifest; groups whose names would be read as something else get ``group_`` before."""
    from assay.data.readers.manifest import ALIASES, FILES

    row: dict[str, Any] = {"id": sample.id}
    for modality, content in sample.inputs.items():
        row[modality] = content if isinstance(content, str) else path_of(content, number, folder)
    if isinstance(sample.target, str | int | float):
        row["label"] = sample.target
    elif sample.target is not None:
        row["annotation"] = sample.target
    if sample.references and sample.references != (sample.target,):
        row["references"] = list(sample.references)
    taken = {name for names in ALIASES.values() for name in names} | set(FILES)
    for name, value in sample.groups.items():
        row[f"group_{name}" if name.lower() in taken else name] = value
    return row


def path_of(content: Media, number: int, folder: Path) -> str:
    """Where a medium is, from the folder; one that is no file is written there."""
    assert isinstance(content, Image | Audio | Video), "data sets hold media of this package"
    if isinstance(content.content, Path):
        return os.path.relpath(content.content.absolute(), folder.absolute())
    data, mime = content.bytes_and_mime()
    name = f"media/{number:07d}-{content.modality}{ENDINGS[mime]}"
    make(folder / "media")
    put(folder / name, data)
    return name


def write_reasons(rows: Sequence[Mapping[str, Any]], folder: Path) -> tuple[Path, Path]:
    """Writes ``reasons.parquet`` and ``reasons.csv``; their paths. No cell of the CSV begins a formula."""
    import polars

    make(folder)
    kinds = {str: polars.String, float: polars.Float64, bool: polars.Boolean}
    schema = {name: kinds[kind] for name, kind in COLUMNS.items()}
    table = io.BytesIO()
    polars.DataFrame([{name: row[name] for name in COLUMNS} for row in rows], schema=schema).write_parquet(table)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([["" if row[name] is None else harmless(row[name]) for name in COLUMNS] for row in rows])
    plain = text.getvalue().encode("utf-8", "replace")
    return put(folder / f"{REASONS}.parquet", table.getvalue()), put(folder / f"{REASONS}.csv", plain)


def harmless(value: Any) -> Any:
    """A cell that no spreadsheet computes.

    >>> harmless("=1+1"), harmless("plain"), harmless(-2.0)
    ("'=1+1", 'plain', -2.0)
    """
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def make(folder: Path) -> None:
    """Makes a folder. `ValueError` where something else is in its place."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError, PermissionError) as error:
        raise ValueError(f"{folder} cannot be made: {error.strerror}. Choose another.") from error


def put(path: Path, data: bytes) -> Path:
    """Writes a file whole, or not at all."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(data)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return path
