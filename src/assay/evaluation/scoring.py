"""From measurements to estimates, without a model: every metric over every slice under every condition.

Missing rows take no part in a value. They are counted in ``n_missing``: the units of the slice of which something was
planned and failed. A unit of which something else was answered counts in ``n`` as well, so ``n_missing`` above 0 always
means "incomplete".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay import metrics, stats
from assay.evaluation.tasks.family import groups_of, rows_of
from assay.metrics.metric import Metric
from assay.table import Table, unit_index
from assay.types import CLEAN, Estimate

Masks = dict[str, NDArray[np.bool_]]
Crossed = Sequence[tuple[str, str]]
BROAD = ("split", "direction")
ELSEWHERE = ("split",)  # what conditions other than clean are broken down by


def estimates(
    given: Sequence[Metric], table: Table, *, unit: str, crossed: Crossed = (), seed: int = 0
) -> list[Estimate]:
    """All estimates; the first is the first metric over all rows under ``clean`` (or the first condition that there is)."""
    out: list[Estimate] = []
    for condition in conditions(table):
        rows = table.where(table["condition"] == condition)
        out += condition_estimates(given, rows, masks(rows, crossed), condition, unit=unit, seed=seed)
    return out


def condition_estimates(
    given: Sequence[Metric], table: Table, parts: Masks, condition: str, *, unit: str, seed: int
) -> list[Estimate]:
    """The estimates under one condition, slice by slice, the broad slices first."""
    there = ~table["missing"]
    rows, units = rows_of(table.where(there)), table["unit"][there]
    found: list[Estimate] = []
    for fine in (False, True):
        # A statistic that is no mean of rows says little of a small part (the macro-F1 within one class), and takes long.
        chosen = [metric for metric in given if metric.item is not None or not fine]
        slices = {name: mask[there] for name, mask in parts.items() if is_fine(name) == fine}
        if chosen and slices:
            found += metrics.estimates(
                chosen, rows, units, slices=slices, seed=seed, condition=condition, unit_name=unit
            )
    named = {metric.name: metric for metric in given}
    missing = {name: len(np.unique(table["unit"][mask & ~there])) for name, mask in parts.items()}
    galleries = {name: gallery(table, mask & there) for name, mask in parts.items()}
    return [
        replace(one, n_missing=missing[one.slice], signature=signature(named[one.metric], galleries[one.slice]))
        for one in found
    ]


def is_fine(name: str) -> bool:
    """Whether a slice is finer than the whole, a split, a direction, or a direction in a split.

    >>> is_fine("split=test & direction=image->text"), is_fine("style=noto")
    (False, True)
    """
    return name != "all" and any(part.partition("=")[0] not in BROAD for part in name.split(" & "))


def conditions(table: Table) -> list[str]:
    """The conditions in a table, ``clean`` first, else as they come."""
    found = list(dict.fromkeys(table["condition"].tolist()))
    return sorted(found, key=lambda name: name != CLEAN.name)


def masks(table: Table, crossed: Crossed) -> Masks:
    """The slices of the rows of one condition: ``all``; under ``clean`` every group that has more than one value, and what is crossed."""
    columns: dict[str, NDArray[Any]] = {
        **groups_of(table),
        **{n: c for n, c in table.columns.items() if n == "direction"},
    }
    clean = len(table) == 0 or table["condition"][0] == CLEAN.name
    chosen = {n: c for n, c in columns.items() if len(np.unique(c)) > 1 and (clean or n in ELSEWHERE)}
    if not chosen:
        return {"all": np.ones(len(table), dtype=np.bool_)}
    return stats.slices(chosen, [pair for pair in crossed if set(pair) <= set(chosen)])


def gallery(table: Table, mask: NDArray[np.bool_]) -> tuple[int, int] | None:
    """The smallest and the largest number of candidates that a query of the slice was ranked against."""
    if "candidates" not in table.columns or not mask.any():
        return None
    found = table["candidates"][mask]
    return int(found.min()), int(found.max())


def signature(metric: Metric, sizes: tuple[int, int] | None) -> str:
    """How the figure was made; for rankings with the sizes of the galleries, on which it depends."""
    if sizes is None:
        return metric.signature
    low, high = sizes
    return metric.signed(f"gallery:{low}" if low == high else f"gallery:{low}-{high}").signature


def with_items(
    found: Sequence[Estimate], table: Table, named: Mapping[str, Metric], crossed: Crossed
) -> list[Estimate]:
    """Estimates that were read from a file, with their per-unit values taken from the measurements. A probe's stay as they are."""
    own = {one.condition for one in found if one.metric in named}
    parts = {condition: with_masks(table.where(table["condition"] == condition), crossed) for condition in own}
    return [
        replace(one, items=items_of(named[one.metric], one, *parts[one.condition])) if one.metric in named else one
        for one in found
    ]


def with_masks(rows: Table, crossed: Crossed) -> tuple[Table, Masks]:
    """The rows of one condition with their slices."""
    return rows, masks(rows, crossed)


def items_of(metric: Metric, one: Estimate, rows: Table, parts: Masks) -> NDArray[np.float64] | None:
    """The per-unit values behind an estimate; `None` where the metric is no mean."""
    if metric.item is None:
        return None
    there = ~rows["missing"] & parts[one.slice]
    return unit_means(rows_of(rows.where(there))[metric.item], rows["unit"][there])


def unit_means(values: NDArray[Any], unit: NDArray[Any]) -> NDArray[np.float64]:
    """The mean of each unit's defined values, in the order of the units' labels' first appearance.

    >>> unit_means(np.array([1.0, 0.0, 1.0, np.nan]), np.array(["a", "b", "a", "c"])).tolist()
    [1.0, 0.0]
    """
    defined = ~np.isnan(values)
    index, count = unit_index(unit[defined])
    return np.asarray(np.bincount(index, values[defined], count) / np.maximum(np.bincount(index, minlength=count), 1))
