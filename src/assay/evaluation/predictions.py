"""The journal's rows as one table: the key, the answer, and for what failed the error.

Columns: ``sample``, ``condition``, ``repeat``, ``answer`` (float32[n, d], NaN where there is none; or a text, empty where there is
none), ``error_kind`` and ``error`` (empty where there is an answer).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.evaluation.answers import WRITTEN
from assay.evaluation.plan import Pass, Plan
from assay.evaluation.store import Store
from assay.table import Table
from assay.types import Verb


def predictions(store: Store, verb: Verb) -> Table:
    """All stored rows in the plan's order; the answers are read into one array, row by row."""
    count, written = store.count(), verb in WRITTEN
    answer: NDArray[Any] = np.full((count, 0 if written else store.width() or 0), np.nan, dtype=np.float32)
    if written:
        answer = np.full(count, "", dtype=object)
    repeat = np.zeros(count, dtype=np.int64)
    texts: dict[str, list[str]] = {name: [] for name in ("sample", "condition", "error_kind", "error")}
    for place, row in enumerate(store.rows()):
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


def by_pass(plan: Plan, table: Table) -> list[tuple[Pass, Table]]:
    """The rows of each pass."""
    out, first = [], 0
    for asked in plan.passes:
        out.append((asked, Table({name: column[first : first + len(asked)] for name, column in table.columns.items()})))
        first += len(asked)
    return out
