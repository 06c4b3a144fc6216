"""Tables of answers: VLMEvalKit's results (``MODEL_DATASET.xlsx`` or ``.tsv`` with ``index``, ``answer``, ``prediction``, and once
they are judged ``hit``, ``score`` or ``eval_score``), and any CSV, TSV, Excel or Parquet file with an id, a prediction and references.
"""

from __future__ import annotations

import string
from pathlib import Path
from typing import Any

from assay.data.readers.logs.log import Log, Record, figure, several
from assay.data.readers.logs.workbook import first_sheet
from assay.data.readers.manifest import columns_of, kind_of, read_rows, written

ENDINGS = (".csv", ".tsv", ".parquet")
WORKBOOK = ".xlsx"
JUDGED = ("hit", "score", "eval_score")


def is_table(where: Path) -> bool:
    """Whether a file is a table by the ending of its name."""
    return where.is_file() and (kind_of(where) in ENDINGS or where.suffix.lower() == WORKBOOK)


def read(where: Path) -> Log:
    """The rows of a table. `ValueError` for one without predictions."""
    given = first_sheet(where) if where.suffix.lower() == WORKBOOK else read_rows(where)
    columns = columns_of(given, {})
    present = dict.fromkeys(name for row in given.rows for name in row)
    identity = "index" if "index" in present and "id" not in columns else columns.get("id")
    if "prediction" not in columns:
        raise ValueError(f"{where} has no column 'prediction'; it has {', '.join(present)}.")
    known = {*columns.values(), identity, *JUDGED, *string.ascii_uppercase}
    kept = [name for name in present if name not in known]
    records = [
        (place, record_of(row, columns, identity, kept)) for place, row in zip(given.places, given.rows, strict=True)
    ]
    return Log(where.stem, where.stem.rpartition("_")[2] if "index" in present else "table", records)


def record_of(row: dict[str, Any], columns: dict[str, str], identity: str | None, kept: list[str]) -> Record:
    """One row; an empty prediction is missing."""
    record: Record = {name: written(row[name]) for name in kept if isinstance(row.get(name), str | int | float)}
    came = row.get(columns["prediction"])
    record["prediction"] = None if came is None else came if isinstance(came, str) else written(came)
    if identity is not None and identity in row:
        record["id"] = written(row[identity])
    expected = columns.get("references") or columns.get("label")
    if expected is not None and expected in row:
        record["references"] = several(row[expected] if isinstance(row[expected], list) else written(row[expected]))
    options = [written(row[letter]) for letter in string.ascii_uppercase if letter in row]
    if len(options) > 1:
        record["options"] = options
    record["scores"] = {name: number for name in JUDGED if (number := judged(row.get(name))) is not None}
    return record


def judged(value: Any) -> float | None:
    """A figure from a cell, which may hold it as a text.

    >>> judged("1"), judged("True"), judged("A"), judged(0.5)
    (1.0, 1.0, None, 0.5)
    """
    if isinstance(value, str):
        truth = {"true": 1.0, "false": 0.0}.get(value.strip().lower())
        if truth is not None:
            return truth
        try:
            return figure(float(value))
        except ValueError:
            return None
    return figure(value)
