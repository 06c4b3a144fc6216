"""Which rows belong to one unit: numbers for labels, sums per unit, equal rows found; units left out one by one."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay.stats.inputs import listed

Index = NDArray[np.intp]
Labels = Sequence[Any] | NDArray[Any]


class LeftOut(NamedTuple):
    """A jackknife: the values with one unit (or one group of units) left out, how many units each of them stands for,
    and how many of the values, in order, belong to each stratum.
    """

    values: NDArray[np.float64]
    counts: NDArray[np.int64]
    strata: tuple[int, ...]


def codes(unit: Labels | None, n: int, name: str = "unit") -> Index:
    """For each of ``n`` rows the number of its unit, 0 … ; every row is its own unit when ``unit`` is None.

    Raises `ValueError` when there is not one label a row.
    """
    if unit is None:
        return np.arange(n)
    listed(unit, name)
    if len(unit) != n:
        raise ValueError(f"one {name} a row was expected: {n} rows, {len(unit)} {name}s")
    labels = unit if isinstance(unit, np.ndarray) else _as_array(unit)
    if labels.ndim != 1:
        raise ValueError(f"one {name} a row was expected, not an array of shape {labels.shape}")
    if labels.dtype.kind in "iub":
        return _coded(labels)[0]
    odd = [row for row, label in enumerate(labels) if not isinstance(label, Hashable)]
    if odd:
        raise ValueError(f"row {odd[0]}: a label was expected as its {name}, not {labels[odd[0]]!r:.60}")
    missing = [place for place, label in enumerate(labels.tolist()) if label is None or label != label]
    if missing:
        raise ValueError(f"the {name} of row {missing[0]} is missing ({unit[missing[0]]!r})")
    return _coded(labels)[0]


def _as_array(labels: Labels) -> NDArray[Any]:
    """Labels of one kind as numpy has them, of several kinds as objects: a number does not become a text beside one."""
    if len({str if isinstance(label, str) else type(label) for label in labels}) == 1:
        found = np.asarray(labels)
        if found.ndim == 1:
            return found
    out = np.empty(len(labels), dtype=object)
    out[:] = list(labels)
    return out


def by_stratum(index: Index, stratum: Labels | None) -> tuple[Index, Index | None]:
    """The units renumbered so that each stratum's come in a row, and each unit's stratum; as they are without strata.

    Raises `ValueError` for a unit whose rows are of two strata.

    >>> index, strata = by_stratum(np.array([0, 1, 2]), ["b", "a", "b"])
    >>> index.tolist(), strata.tolist()
    ([1, 0, 2], [0, 1, 1])
    """
    if stratum is None:
        return index, None
    of = codes(stratum, len(index), "stratum")
    units = int(index.max(initial=-1)) + 1
    strata = np.zeros(units, dtype=np.intp)
    strata[index] = of
    torn = np.flatnonzero(strata[index] != of)
    if len(torn):
        raise ValueError(
            f"every unit lies in one stratum, but the unit of row {torn[0]} is in {stratum[int(torn[0])]!r} and in another"
        )
    order = np.argsort(strata, kind="stable")
    place = np.empty(units, dtype=np.intp)
    place[order] = np.arange(units)
    return place[index], strata[order]


def unit_sums(matrix: NDArray[np.float64], index: Index) -> NDArray[np.float64]:
    """The sum ``[U, k]`` over each unit of the rows of ``matrix[n, k]``."""
    if len(matrix) and index.max() + 1 == len(matrix) and bool((index == np.arange(len(matrix))).all()):
        return matrix
    order = np.argsort(index, kind="stable")
    starts = np.searchsorted(index[order], np.arange(index.max() + 1))
    return np.asarray(np.add.reduceat(matrix[order], starts, axis=0))


def distinct(columns: Sequence[NDArray[Any]], limit: int) -> tuple[Index, NDArray[np.int64]] | None:
    """The first row of each set of equal rows and the size of the set; None when there are more than ``limit``.

    The sets are ordered by the first column, then the second … Rows that hold records of several numbers (arrays as
    objects) are taken for different.
    """
    if any(are_records(column) for column in columns):
        return None
    code = np.zeros(len(columns[0]), dtype=np.intp)
    for column in columns:
        for part in column.reshape(len(column), -1).T:
            inverse, found = _coded(part)
            if found > limit:
                return None
            code, found = _coded(code * found + inverse)
            if found > limit:
                return None
    _, first, counts = np.unique(code, return_index=True, return_counts=True)
    return first, counts.astype(np.int64)


def are_records(column: NDArray[Any]) -> bool:
    """Whether each row of a column is an array of its own (the boxes of an image), in rows whose order may matter."""
    return column.dtype.kind == "O" and len(column) > 0 and isinstance(column[0], np.ndarray)


def _coded(values: NDArray[Any]) -> tuple[Index, int]:
    """For each value its number among the sorted distinct ones, and how many these are."""
    if values.dtype.kind in "iu" and len(values):
        low, high = int(values.min()), int(values.max())
        if high - low < 2 * len(values) and high < 1 << 62:  # a table over the range instead of sorting
            place = values.astype(np.intp) - low
            there = np.zeros(high - low + 1, dtype=np.bool_)
            there[place] = True
            return (np.cumsum(there) - 1)[place], int(there.sum())
    if values.dtype.kind == "O":  # labels of several kinds, which cannot be ordered as they are
        names = sorted(set(values.tolist()), key=lambda label: (type(label).__name__, str(label)))
        number = {label: place for place, label in enumerate(names)}
        return np.array([number[label] for label in values.tolist()], dtype=np.intp), len(names)
    found, inverse = np.unique(values, return_inverse=True)
    return np.asarray(inverse, dtype=np.intp), len(found)
