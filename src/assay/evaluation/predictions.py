"""The journal's rows as one table: the key, the answer, and for what failed the error.

Columns: ``sample``, ``condition``, ``repeat``, ``answer`` (float32[n, d], NaN where there is none; or a text, empty where there is
none), ``error_kind`` and ``error`` (empty where there is an answer).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.evaluation.answers import WRITTEN
from assay.evaluation.plan import Pass
from assay.evaluation.store import Row, Store
from assay.table import Table
from assay.types import Verb


def predictions(store: Store, verb: Verb, *, first: int = 0, count: int | None = None) -> Table:
    """The stored rows in the plan's order, ``count`` of them from place ``first`` on; the answers are read into one array, row by row.

    Without a ``count`` all that are stored (of a shard: those that it has, wherever in the plan they stand).
    """
    if count is None:
        return table_of(store.rows(first), store.count(), verb, store.width())
    return table_of(store.rows(first, count), count, verb, store.width())


def failures_after(store: Store, verb: Verb, first: int) -> Table:
    """The stored rows from place ``first`` on that are errors."""
    failed = [row for row in store.rows(first) if row.payload is None]
    return table_of(failed, len(failed), verb, store.width())


def table_of(rows: Iterable[Row], count: int, verb: Verb, width: int | None) -> Table:
    """``count`` rows of the journal as a table."""
    written = verb in WRITTEN
    answer: NDArray[Any] = np.full((count, 0 if written else width or 0), np.nan, dtype=np.float32)
    if written:
        answer = np.full(count, "", dtype=object)
    repeat = np.zeros(count, dtype=np.int64)
    texts: dict[str, list[str]] = {name: [] for name in ("sample", "condition", "error_kind", "error")}
    for place, row in enumerate(rows):
        repeat[place] = row.key.repeat
        for name, text in zip(texts, (row.key.sample, row.key.condition, row.error_kind, row.error), strict=True):
            texts[name].append(text)
        if row.payload is not None:
            answer[place] = row.payload.decode("utf-8") if written else np.frombuffer(row.payload, dtype="<f4")
    columns: dict[str, NDArray[Any]] = {
        "sample": np.array(texts["sample"], dtype=str),
        "condition": np.array(texts["condition"], dtype=str),
        "repeat": repeat,
        "answer": answer,
        "error_kind": np.array(texts["error_kind"], dtype=str),
        # A message can be long and most are empty: fixed-width text would cost the longest one's length in every row.
        "error": np.array(texts["error"], dtype=object),
    }
    return Table(columns)


def by_pass(passes: Sequence[Pass], table: Table) -> list[tuple[Pass, Table]]:
    """The rows of each pass, where the table's first rows are theirs."""
    out, first = [], 0
    for asked in passes:
        out.append((asked, Table({name: column[first : first + len(asked)] for name, column in table.columns.items()})))
        first += len(asked)
    return out
