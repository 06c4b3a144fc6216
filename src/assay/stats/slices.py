"""Parts of the rows by their groups, by name: ``all``, ``style=noto``, ``split=test & direction=image->text``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Column = Sequence[Any] | NDArray[Any]


def slices(
    columns: Mapping[str, Column], crossed: Sequence[tuple[str, ...]] = (), *, at_least: int = 1
) -> dict[str, NDArray[np.bool_]]:
    """A mask ``bool[n]`` for every part, ``all`` first, then by column and value, then the crossed columns' parts.

    A row whose group is ``None`` or empty belongs to no slice of that column. ``at_least`` leaves out parts with
    fewer rows. Raises `ValueError` when columns differ in length or ``crossed`` names one that is not there.

    >>> {name: mask.tolist() for name, mask in slices({"style": ["noto", "fluent", None]}).items()}
    {'all': [True, True, True], 'style=fluent': [False, True, False], 'style=noto': [True, False, False]}
    """
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) != 1:
        raise ValueError(f"slices need columns of one length, at least one; the lengths are {lengths}")
    unknown = sorted({name for names in crossed for name in names} - set(columns))
    if unknown:
        raise ValueError(f"slices cannot cross {', '.join(unknown)}: the columns are {', '.join(columns)}")
    parts = {name: _values(column) for name, column in columns.items()}
    out = {"all": np.ones(next(iter(lengths.values())), dtype=np.bool_)}
    for names in [*((name,) for name in columns), *crossed]:
        found = {"": out["all"]}
        for name in names:
            found = {
                f"{before} & {name}={value}" if before else f"{name}={value}": mask & part
                for before, mask in found.items()
                for value, part in parts[name].items()
                if (mask & part).any()
            }
        out.update((name, mask) for name, mask in found.items() if mask.sum() >= at_least)
    return out


def _values(column: Column) -> dict[str, NDArray[np.bool_]]:
    """Each value of a column, sorted, with the rows that have it."""
    texts = np.array(["" if value is None else str(value) for value in column], dtype=object)
    return {str(value): texts == value for value in sorted(set(texts) - {""})}
