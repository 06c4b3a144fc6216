"""A run's files beside the journal: each is written whole or not at all, and can be rebuilt from the journal.

A file is written under a temporary name in the same folder, synced, renamed, and the folder synced: whoever reads it finds the old
one or the new one. JSON is written the same to the byte for the same values: keys in the order given, Python's shortest exact floats,
``null`` for what is not finite, a newline at the end.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import polars
import polars.exceptions
from numpy.typing import NDArray

from assay.evaluation.errors import StoreError
from assay.table import Table

MANIFEST, ESTIMATES, TIMINGS = "manifest.json", "estimates.json", "timings.json"
PREDICTIONS, MEASUREMENTS = "predictions.parquet", "measurements.parquet"
FIGURES = "figures.parquet"
LONG = 100  # characters
ALL = (PREDICTIONS, MEASUREMENTS, TIMINGS, MANIFEST, ESTIMATES)


def write_json(path: Path, value: Any) -> None:
    """Writes JSON atomically; a file that already says the same is left alone."""
    text = as_json(value)
    with reachable(path):
        same = path.is_file() and path.read_bytes() == text
    if not same:
        write_atomically(path, lambda file: file.write(text))


def read_json(path: Path) -> Any:
    """What `write_json` wrote."""
    with reachable(path):
        return json.loads(path.read_text(encoding="utf-8"))


def write_table(path: Path, table: Table) -> None:
    """Writes a table as Parquet, atomically."""

    def write(file: BinaryIO) -> None:
        try:
            as_frame(table).write_parquet(file)
        except polars.exceptions.PolarsError as error:
            raise OSError(f"the table was not written: {error}") from error

    write_atomically(path, write)


def as_frame(table: Table) -> polars.DataFrame:
    """The table for Polars; arrays of any length in a column (the boxes of each picture) as the bytes of NumPy's own format."""
    cells = {
        name: [packed(cell) for cell in column]
        for name, column in table.columns.items()
        if column.dtype == object and any(isinstance(cell, np.ndarray) for cell in column)
    }
    frame = Table({name: np.zeros(len(table)) if name in cells else c for name, c in table.columns.items()}).to_polars()
    return frame.with_columns(polars.Series(name, values, dtype=polars.Binary) for name, values in cells.items())


def packed(cell: Any) -> bytes | None:
    """One array as bytes; ``None`` for what is none (the row is missing)."""
    if not isinstance(cell, np.ndarray):
        return None
    stream = io.BytesIO()
    np.lib.format.write_array(stream, cell, allow_pickle=False)
    return stream.getvalue()


def unpacked(cells: Sequence[bytes | None]) -> NDArray[Any]:
    """The arrays that `packed` made bytes of, one an element."""
    out = np.empty(len(cells), dtype=object)
    for place, cell in enumerate(cells):
        out[place] = None if cell is None else np.lib.format.read_array(io.BytesIO(cell), allow_pickle=False)
    return out


def read_table(path: Path) -> Table:
    """The table that `write_table` wrote: texts as ``str`` arrays, vectors as rows of one array."""
    with reachable(path):
        return Table({series.name: as_array(series) for series in polars.read_parquet(path)})


def as_array(series: polars.Series) -> NDArray[Any]:
    """A Polars column as numpy keeps it."""
    if series.dtype == polars.String:
        # Text of fixed width costs the longest one's length in every row: not for a column with long ones.
        longest = int(series.str.len_chars().max() or 0)  # type: ignore[arg-type]
        return np.array(series.to_list(), dtype=str if longest <= LONG else object)
    if series.dtype == polars.Binary:
        return unpacked(series.to_list())
    if isinstance(series.dtype, polars.List):
        width = 0 if len(series) == 0 else int(series.list.len()[0])
        return series.list.to_array(width).to_numpy()
    return series.to_numpy(writable=True)


def digest(path: Path) -> str | None:
    """SHA-256 of a file's bytes, ``None`` if it is not there."""
    with reachable(path):
        if not path.is_file():
            return None
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def reachable(path: Path) -> Iterator[None]:
    """Turns what a failing disk says into a `StoreError` that names the file."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"{path} cannot be reached: {error}. The answers are kept; mend the disk and run again."
        ) from error


def write_atomically(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Calls ``write`` with a temporary file beside ``path``, makes it durable and puts it in ``path``'s place."""
    temporary = path.with_name(f".{path.name}.partial")
    try:
        with temporary.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        discard(temporary)
        raise StoreError(
            f"{path} could not be written: {error}. The answers are kept; free the disk and run again."
        ) from error
    except BaseException:
        discard(temporary)
        raise


def discard(temporary: Path) -> None:
    """Removes a half-written file as well as the disk lets us: what stays is swept away by the next run."""
    with contextlib.suppress(OSError):
        temporary.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder durable."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def sweep(folder: Path) -> None:
    """Removes what a killed process left half-written. Only the holder of the folder's lock may call it."""
    with reachable(folder):
        for leftover in folder.glob(".*.partial"):
            leftover.unlink()


def as_json(value: Any) -> bytes:
    """The value as JSON in UTF-8, two spaces deep.

    >>> as_json([float("nan")])
    b'[\\n  null\\n]\\n'
    """
    text = json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    # A lone surrogate, which UTF-8 cannot hold, becomes the JSON escape that means it.
    return text.encode("utf-8", "backslashreplace")


def plain(value: Any) -> Any:
    """The value with numpy's scalars and arrays as Python's, and ``None`` for what is not finite."""
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(part) for part in value]
    return value
