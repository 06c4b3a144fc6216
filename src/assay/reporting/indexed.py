"""The index of runs as text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from assay.reporting import notation
from assay.reporting.grids import cell, console_of, fitted, grid, text_of
from assay.reporting.terminal import WIDTH
from assay.reporting.text import one_line

Row = Mapping[str, Any]


def runs(rows: Sequence[Row], store: str, *, width: int = WIDTH) -> str:
    """Every run with its headline."""
    if not rows:
        return (
            f"no runs in {store}; `assay evaluate` notes what it makes, `assay runs add FOLDER` what is there already."
        )
    table = grid("Key", "Model", "Task", "Data", "Headline", "n", "Status", colour=False)
    for row in rows:
        head = "" if row["metric"] is None else f"{row['metric']} {value(row)}"
        n = "" if row["n"] is None else f"{row['n']:,}"
        table.add_row(*map(cell, (row["id"], row["model"], row["task"], row["data"], head, n, row["status"])))
    return printed(table, width)


def run(row: Row, *, width: int = WIDTH) -> str:
    """One run with all its figures."""
    head = [
        f"{row['id']}  {row['model']}: {row['task']} on {row['data']}, {row['status']}",
        f"in {row['folder']} on {row['machine']}, noted {row['noted']}",
    ]
    table = grid("Metric", "Value", "n", "Missing", "Slice", "Condition", colour=False)
    for one in row["estimates"]:
        figure = (one["metric"], value(one), f"{one['n']:,}", f"{one['n_missing']:,}", one["slice"], one["condition"])
        table.add_row(*map(cell, figure))
    return "\n".join([*(one_line(line, 300) for line in head), printed(table, width)])


def value(row: Row) -> str:
    """A figure with its interval."""
    given, low, high = (math.nan if row[name] is None else row[name] for name in ("value", "low", "high"))
    bounds = notation.bounds(row["metric"])
    return f"{notation.number(given, bounds)} {notation.interval(low, high, bounds, given)}"


def printed(table: Table, width: int) -> str:
    """A table as text."""
    console = console_of(width, False)
    console.print(fitted(table, width))
    return text_of(console).rstrip("\n")
