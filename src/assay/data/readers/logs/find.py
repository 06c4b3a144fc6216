"""Which harness wrote a file, by its content."""

from __future__ import annotations

import zipfile
from pathlib import Path

from assay.data.readers.jsonl import Numbered, values
from assay.data.readers.logs import batch, evalscope, helm, inspect, lmms, tables
from assay.data.readers.logs.log import Log


def log_in(where: Path) -> Log | None:
    """The log in a file that is no JSON, ``None`` for what may be JSON. `ValueError` for one that cannot be read."""
    if tables.is_table(where):
        return tables.read(where)
    if where.is_file() and zipfile.is_zipfile(where):
        return inspect.read_archive(where)
    return None


def log_of(where: Path, content: Numbered) -> Log | None:
    """The log that the JSON values of a file are, ``None`` for what is nobody's."""
    first = content[0][1] if content else None
    if not isinstance(first, dict):
        return None
    if inspect.is_inspect(first) and len(content) == 1:
        return inspect.read_document(first)
    for known, read in (
        (lmms.is_lmms, lmms.read),
        (evalscope.is_evalscope, evalscope.read),
        (helm.is_helm, helm.read),
        (batch.is_batch, batch.read),
    ):
        if known(first):
            return read(where, objects(where, content))
    return None


def objects(where: Path, content: Numbered) -> Numbered:
    """The values, which must all be objects."""
    for place, value in content:
        if not isinstance(value, dict):
            raise ValueError(f"{where}, {place}: an object was expected, not {value!r:.60}")
    return content


def contents(where: Path) -> tuple[Numbered, Log | None]:
    """The records of a file of answers, and the log that they are, if they are one. A folder stands for HELM's file in it."""
    if where.is_dir() and (where / helm.FILE).is_file():
        where = where / helm.FILE
    found = log_in(where)
    if found is None:
        content = values(where)
        found = log_of(where, content)
        if found is None:
            return content, None
    return found.records, found
