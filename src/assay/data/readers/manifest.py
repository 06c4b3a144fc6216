"""Rows of a CSV, TSV, JSONL, JSON or Parquet file as samples, by what their columns are called.

Recognised, in any case: ``id``; media ``image``, ``audio``, ``video`` (paths, relative to the manifest); ``text``, ``question``;
what is expected ``label``, ``answer``, ``answers``, ``caption``, ``captions``, ``reference``, ``references``; ``prediction`` (an
answer made elsewhere); every other column of texts or numbers is a group. A column ``file_name``, ``file`` or ``path`` is what its
files are. Several values stand as a JSON list, or separated by ``|``. ``renamed`` says what a column is instead: ``{"image":
"path"}`` takes the picture from the column ``path``. A cell that is empty, null or NaN is absent.
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
from assay.data.readers.inputs import kind_of_file
from assay.data.readers.jsonl import by_line, text_of, values, whole
from assay.data.stored import Cell
from assay.data.tables import Table, read_table

Row = dict[str, Any]

MEDIA = ("image", "audio", "video")
ALIASES: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "sample_id", "question_id"),
    "image": ("image", "image_path", "img", "picture"),
    "audio": ("audio", "audio_path", "sound"),
    "video": ("video", "video_path"),
    "text": ("text", "prompt", "sentence"),
    "question": ("question",),
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
FILES = ("file_name", "filename", "file", "path")
"""Columns of files that are pictures, sounds or films by their endings."""

SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet")
LONGEST_CELL = 1 << 30


@dataclass(frozen=True)
class Records:
    """A manifest's rows with the place of each for messages (``line 7`` or ``row 7``)."""

    path: Path
    rows: Sequence[Row]
    places: Sequence[str]

    def error(self, row: int, problem: str) -> ValueError:
        """The error that names the file and the row."""
        return ValueError(f"{self.path}, {self.places[row]}: {problem}")


def kind_of(path: Path) -> str:
    """The ending of a manifest's name, without ``.gz``.

    >>> kind_of(Path("a.JSONL.gz")), kind_of(Path("b.csv"))
    ('.jsonl', '.csv')
    """
    return Path(path.name.lower().removesuffix(".gz")).suffix


def read_rows(path: Path) -> Records:
    """The rows of a manifest. `ValueError` for a file that is missing, empty, of another kind or broken, with file and line."""
    suffix = kind_of(path)
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    if suffix not in SUFFIXES:
        raise ValueError(f"{path} is no manifest: expected one of {', '.join(SUFFIXES)}")
    if suffix == ".parquet":
        found = parquet_rows(path)
    elif suffix in (".csv", ".tsv"):
        found = separated_rows(path, "\t" if suffix == ".tsv" else ",")
    else:
        found = json_rows(path)
    if not found.rows:
        raise ValueError(f"{path} holds no rows")
    return found


def separated_rows(path: Path, separator: str) -> Records:
    """A header and rows of as many cells; empty cells are absent. Semicolons separate where the header has nothing else."""
    text = text_of(path)
    first = text.partition("\n")[0]
    if separator == "," and "," not in first and ";" in first:
        separator = ";"
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows, places = [], []
    usual = csv.field_size_limit(LONGEST_CELL)
    try:
        header = [name.strip() for name in next(reader, [])]
        twice = {name for name in header if header.count(name) > 1} if len(header) < 10_000 else set()
        if not header or "" in header or twice:
            raise ValueError(f"{path}: a header with a name for each column was expected, got {header[:12]}")
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                raise ValueError(f"{path}, line {reader.line_num}: {len(header)} cells were expected, got {len(cells)}")
            rows.append({name: cell for name, cell in zip(header, cells, strict=True) if cell.strip() != ""})
            places.append(f"line {reader.line_num}")
    except csv.Error as error:
        raise ValueError(f"{path}, line {reader.line_num}: {error}") from error
    finally:
        csv.field_size_limit(usual)
    return Records(path, rows, places)


def json_rows(path: Path) -> Records:
    """One object a line, or (in a ``.json`` file) one list of objects or several lines; null is absent."""
    text = text_of(path)
    given = values(path) if kind_of(path) == ".json" else by_line(text, path)
    if "\\ud" in text or "\\uD" in text:  # half a character, which no file could keep
        given = [(place, whole(one)) for place, one in given]
    if kind_of(path) == ".json" and len(given) == 1 and not given[0][0].startswith("record"):
        raise ValueError(f"{path}: a list of objects was expected, got {type(given[0][1]).__name__}")
    rows = []
    for place, one in given:
        if not isinstance(one, dict):
            raise ValueError(f"{path}, {place}: an object was expected, got {type(one).__name__}")
        rows.append({str(key): value for key, value in one.items() if value is not None})
    return Records(path, rows, [place for place, _ in given])


def parquet_rows(path: Path) -> Records:
    """The rows of a Parquet file; null and NaN are absent. Cells of bytes are not read, but where they are is noted (`Cell`)."""
    return table_rows(path, read_table(path, "parquet"))


def table_rows(path: Path, table: Table) -> Records:
    """The rows of a table, with where their bytes are."""
    rows = []
    for number, row in enumerate(table.rows):
        for name, field in table.stored.items():
            if row[name] is True:
                row[name] = Cell(path, name, number, field)
        rows.append({key: value for key, value in row.items() if not absent(value)})
    return Records(path, rows, [f"row {i}" for i in range(len(rows))])


def absent(value: Any) -> bool:
    """Whether a cell says nothing: null, or NaN."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def columns_of(records: Records, renamed: Mapping[str, str]) -> dict[str, str]:
    """For each role (a key of `ALIASES`) the column that plays it, where there is one; the case of its name does not matter.

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
    folded = {name.strip().lower(): name for name in reversed(present)} | {name: name for name in present}
    for role, names in ALIASES.items():
        usual = [folded[name] for name in names if name in folded and folded[name] not in taken]
        if role not in found and usual:
            found[role] = usual[0]
            taken.add(usual[0])
    for column in (folded[name] for name in FILES if name in folded and folded[name] not in taken):
        kind = kind_of_file(str(next(row[column] for row in records.rows if column in row)))
        if kind is not None and kind not in found:
            found[kind] = column
            taken.add(column)
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
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and math.isfinite(value) and value == int(value):
        return str(int(value))
    return str(value)
