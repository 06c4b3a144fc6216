"""Tables for whoever goes on with Polars or pandas: answers, measurements, estimates, comparisons, standings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from assay.catalog import nearest
from assay.table import Table

LIBRARIES = ("polars", "pandas")
LEFT_OUT = ("items",)  # per-unit values are no figure


def frame(rows: Table | Sequence[Any], library: str = "polars") -> Any:
    """A table (``run.predictions``), or data classes of one kind (``run.estimates``, ``comparison.rows``), as a frame.

    ``library`` is ``polars`` or ``pandas``. Raises `ValueError` for another one and for rows that are no data classes of one kind.

    >>> from assay.types import Estimate
    >>> frame([Estimate("accuracy", 0.5, 0.2, 0.8, 10)])["metric"].to_list()
    ['accuracy']
    """
    if library not in LIBRARIES:
        raise ValueError(f"frames are made by polars or pandas, not by {library!r}: {nearest(library, LIBRARIES)}")
    if isinstance(rows, Table):
        return rows.to_polars() if library == "polars" else rows.to_pandas()
    kinds = {type(row) for row in rows}
    if len(kinds) > 1 or not all(is_dataclass(kind) for kind in kinds):
        given = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise ValueError(
            f"a frame is made of a table or of data classes of one kind, such as estimates; not of {given}."
        )
    names = [item.name for kind in kinds for item in fields(kind) if item.name not in LEFT_OUT]
    columns = {name: [getattr(row, name) for row in rows] for name in names}
    if library == "pandas":
        import pandas

        return pandas.DataFrame(columns)
    import polars

    return polars.DataFrame(columns, strict=False)
