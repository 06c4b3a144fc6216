"""Rows keyed by (sample, condition, repeat): what predictions, measurements and timings are kept as.

Inside, a table is a dict of numpy arrays of one length; Polars is met only at the edge (`Table.to_polars`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import polars

KEY = ("sample", "condition", "repeat")


class Key(NamedTuple):
    """What makes a row unique."""

    sample: str
    condition: str = "clean"
    repeat: int = 0


@dataclass(frozen=True)
class Table:
    """Columns of one length; the first three are the key.

    >>> t = Table({"sample": np.array(["a", "b"]), "condition": np.array(["clean"] * 2), "repeat": np.zeros(2, int)})
    >>> len(t), [k.sample for k in t.keys()]
    (2, ['a', 'b'])
    """

    columns: Mapping[str, NDArray[Any]]

    def __post_init__(self) -> None:
        missing = [name for name in KEY if name not in self.columns]
        assert not missing, f"a table needs the key columns {KEY}, missing {missing}"
        lengths = {len(column) for column in self.columns.values()}
        assert len(lengths) == 1, f"columns of different lengths: {sorted(lengths)}"

    def __len__(self) -> int:
        return len(self.columns["sample"])

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.columns[name]

    def keys(self) -> Iterator[Key]:
        """The rows' keys, in order."""
        for sample, condition, repeat in zip(*(self.columns[name] for name in KEY), strict=True):
            yield Key(str(sample), str(condition), int(repeat))

    def where(self, mask: NDArray[np.bool_]) -> Table:
        """The rows for which ``mask`` holds."""
        return Table({name: column[mask] for name, column in self.columns.items()})

    def to_polars(self) -> polars.DataFrame:
        """The same columns as a Polars frame (a column of vectors becomes a list column)."""
        import polars

        series = (polars.Series(name, column) for name, column in self.columns.items())
        return polars.DataFrame([s.arr.to_list() if isinstance(s.dtype, polars.Array) else s for s in series])

    def to_pandas(self) -> Any:
        """The same columns as a pandas frame (a column of vectors holds an array in each row). Needs pandas."""
        import pandas

        return pandas.DataFrame({name: list(c) if c.ndim > 1 else c for name, c in self.columns.items()})


def unit_index(values: Sequence[str] | NDArray[Any]) -> tuple[NDArray[np.intp], int]:
    """For every row the number of its unit (0 … n_units - 1, in order of first appearance), and how many there are."""
    numbers: dict[Any, int] = {}
    index = np.fromiter((numbers.setdefault(v, len(numbers)) for v in values), dtype=np.intp, count=len(values))
    return index, len(numbers)
