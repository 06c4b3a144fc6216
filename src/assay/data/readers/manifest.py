"""Rows of a CSV, TSV, JSONL, JSON or Parquet file as samples, by what their columns are called.

Recognised: ``id``; media ``image``, ``audio``, ``video`` (paths, relative to the manifest); ``text``, ``question``; what is
expected ``label``, ``answer``, ``answers``, ``caption``, ``captions``, ``reference``, ``references``; ``prediction`` (an answer
made elsewhere); every other column of texts or numbers is a group. Several values stand as a JSON list, or separated by ``|``.
``renamed`` says what a column is instead: ``{"image": "path"}`` takes the picture from the column ``path``.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.catalog import nearest
from assay.data.readers.jsonl import by_line, parsed, text_of

Row = dict[str, Any]

MEDIA = ("image", "audio", "video")
ALIASES: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "sample_id", "question_id"),
    "image": ("image", "image_path", "img", "picture", "file_name", "filename"),
    "audio": ("audio", "audio_path", "sound"),
    "video": ("video", "video_path"),
    "text": ("text", "question", "prompt", "sentence"),
    "label": ("label", "class", "target"),
    "references": (
        "references",
        "reference",
        "answers",
        "answer",
        "captions",
        "caption",
        "transcript",
        "transcription",
        "translation",
    ),
    "prediction": ("prediction", "predicted", "response", "output"),
}
SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet")


@dataclass(frozen=True)
class Records:
    """A manifest's rows with the place of each for messages (``line 7`` or ``row 7``)."""

    path: Path
    rows: Sequence[Row]
    places: Sequence[str]

    def error(self, row: int, problem: str) -> ValueError:
        """The error that names the file and the row."""
        return ValueError(f"{self.path}, {self.places[row]}: {problem}")


def read_rows(path: Path) -> Records:
    """The rows of a manifest. `ValueError` for a file that is missing, empty, of another kind or broken, with file and line."""
    suffix = path.suffix.lower()
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    if suffix not in SUFFIXES:
        raise ValueError(f"{path} is no manifest: expected one of {', '.join(SUFFIXES)}")
    if suffix == ".parquet":
        found = parquet_rows(path)
    elif suffix in (".csv", ".tsv"):
        found = separated_rows(path, "\t" if suffix == ".tsv" else ",")
    else:
        found = json_rows(path, lines=suffix != ".json")
    if not found.rows:
        raise ValueError(f"{path} holds no rows")
    return found


def separated_rows(path: Path, separator: str) -> Records:
    """A header and rows of as many cells; empty cells are absent."""
    reader = csv.reader(io.StringIO(text_of(path), newline=""), delimiter=separator, strict=True)
    rows, places = [], []
    try:
        header = next(reader, [])
        twice = {name for name in header if header.count(name) > 1}
        if not header or "" in header or twice:
            raise ValueError(f"{path}: a header with a name for each column was expected, got {header[:12]}")
        for cells in reader:
            if not any(cells):
                continue
            if len(cells) != len(header):
                raise ValueError(f"{path}, line {reader.line_num}: {len(header)} cells were expected, got {len(cells)}")
            rows.append({name: cell for name, cell in zip(header, cells, strict=True) if cell != ""})
            places.append(f"line {reader.line_num}")
    except csv.Error as error:
        raise ValueError(f"{path}, line {reader.line_num}: {error}") from error
    return Records(path, rows, places)


def json_rows(path: Path, *, lines: bool) -> Records:
    """One object a line, or one list of objects; null is absent."""
    if lines:
        given = by_line(text_of(path), path)
    else:
        whole = parsed(text_of(path), path)
        if not isinstance(whole, list):
            raise ValueError(f"{path}: a list of objects was expected, got {type(whole).__name__}")
        given = [(f"record {i}", one) for i, one in enumerate(whole)]
    rows = []
    for place, one in given:
        if not isinstance(one, dict):
            raise ValueError(f"{path}, {place}: an object was expected, got {type(one).__name__}")
        rows.append({str(key): value for key, value in one.items() if value is not None})
    return Records(path, rows, [place for place, _ in given])


def parquet_rows(path: Path) -> Records:
    """The rows of a Parquet file; null is absent."""
    import polars

    try:
        frame = polars.read_parquet(path)
    except Exception as error:
        raise ValueError(f"{path} cannot be read as Parquet: {error}") from error
    rows = [{key: value for key, value in row.items() if value is not None} for row in frame.to_dicts()]
    return Records(path, rows, [f"row {i}" for i in range(len(rows))])


def columns_of(records: Records, renamed: Mapping[str, str]) -> dict[str, str]:
    """For each role (a key of `ALIASES`) the column that plays it, where there is one.

    `ValueError` for a role or a column in ``renamed`` that is not there, with the nearest.
    """
    present = dict.fromkeys(name for row in records.rows for name in row)
    for role, column in renamed.items():
        if role not in ALIASES:
            raise ValueError(f"nothing is called {role!r}: {nearest(role, ALIASES)}")
        if column not in present:
            raise ValueError(f"{records.path} has no column {column!r}: {nearest(column, present)}")
    taken = set(renamed.values())
    found = dict(renamed)
    for role, names in ALIASES.items():
        usual = [name for name in names if name in present and name not in taken]
        if role not in found and usual:
            found[role] = usual[0]
            taken.add(usual[0])
    return found


def several(value: Any) -> tuple[str, ...]:
    """One value or several as texts: a list, a JSON list, texts separated by ``|``, VQA's ``[{"answer": …}]``.

    >>> several("a | b"), several('["x", "y"]'), several([{"answer": "yes"}]), several(3)
    (('a', 'b'), ('x', 'y'), ('yes',), ('3',))
    """
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except json.JSONDecodeError:
            return (value,)
    if isinstance(value, Mapping):
        value = value.get("answer", value.get("text", ""))
    if isinstance(value, list | tuple):
        return tuple(text for one in value for text in several(one))
    plain = written(value)
    return tuple(part.strip() for part in plain.split("|")) if "|" in plain else (plain,)


def written(value: Any) -> str:
    """A value as text: whole floats without their point, truth as true and false."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and math.isfinite(value) and value == int(value):
        return str(int(value))
    return str(value)
