"""What a family of tasks (all that share a verb) brings: what to plan, what to ask, how to measure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.catalog import nearest
from assay.data.dataset import Dataset
from assay.evaluation.plan import Pass
from assay.evaluation.task import Task
from assay.metrics.metric import Metric, Rows
from assay.table import Table
from assay.types import Model, Sample

MEASURE = "measure."
GROUP = "group."


@dataclass(frozen=True)
class Family:
    """``crossed`` are the pairs of groups whose combinations are slices of their own, where both are there."""

    passes: Callable[[Task, frozenset[str]], list[Pass]]
    choices: Callable[[Task, Model], tuple[str, ...]]
    measure: Callable[[Task, Sequence[tuple[Pass, Table]]], Table]
    crossed: tuple[tuple[str, str], ...] = ()


def measured(
    task: Task, samples: Sequence[Sample], missing: NDArray[np.bool_], columns: Mapping[str, Any], rows: Rows
) -> Table:
    """The measurements of some rows: ``columns`` (the key and what describes each row) as they are, ``rows`` (what the metrics
    measured of the rows that are not missing) put in their places, the unit and the groups of each row's sample."""
    table: dict[str, NDArray[Any]] = {name: np.asarray(column) for name, column in columns.items()}
    table["unit"] = np.array([task.unit_of(sample) for sample in samples], dtype=str)
    table["missing"] = missing
    for name in task.groups:
        table[GROUP + name] = np.array([sample.groups.get(name) or "" for sample in samples], dtype=str)
    for name, column in rows.items():
        table[MEASURE + name] = placed(column, ~missing)
    return Table(table)


def placed(column: NDArray[Any], there: NDArray[np.bool_]) -> NDArray[Any]:
    """``column`` spread over the rows that are ``there``; the others hold NaN, 0 or nothing, after their type."""
    values = np.asarray(column)
    out = np.full(
        (len(there), *values.shape[1:]),
        np.nan if values.dtype.kind == "f" else np.zeros((), values.dtype),
        values.dtype,
    )
    out[there] = values
    return out


def joined(tables: Sequence[Table]) -> Table:
    """Tables with the same columns under each other. Raises `ValueError` if there is none."""
    if not tables:
        raise ValueError("there is nothing to measure: no table was given.")
    return Table({name: np.concatenate([table[name] for table in tables]) for name in tables[0].columns})


def rows_of(table: Table) -> dict[str, NDArray[Any]]:
    """The columns that metrics read."""
    return {name.removeprefix(MEASURE): column for name, column in table.columns.items() if name.startswith(MEASURE)}


def groups_of(table: Table) -> dict[str, NDArray[Any]]:
    """The columns that figures are broken down by."""
    return {name.removeprefix(GROUP): column for name, column in table.columns.items() if name.startswith(GROUP)}


def check_family(task: str, given: Sequence[Metric], allowed: Sequence[str]) -> None:
    """`ValueError` for a metric that does not measure what the task's answers are."""
    for metric in given:
        if metric.family not in allowed:
            raise ValueError(
                f"the metric {metric.name!r} measures {metric.family}, the task {task!r} gives {' and '.join(allowed)}."
            )


def check_targets(dataset: Dataset) -> None:
    """`ValueError` unless the data set has classes and every target is one of them."""
    if len(set(dataset.choices)) != len(dataset.choices):
        raise ValueError(f"the data set {dataset.name!r} names a class twice: {', '.join(dataset.choices)}.")
    if not dataset.choices:
        raise ValueError(
            f"the data set {dataset.name!r} has no classes: classification needs them; retrieval does not."
        )
    known = set(dataset.choices)
    for sample in dataset.samples:
        if sample.target is not None and str(sample.target) not in known:
            name = str(sample.target)
            raise ValueError(f"sample {sample.id!r} has the target {name!r}, which is no class: {nearest(name, known)}")
