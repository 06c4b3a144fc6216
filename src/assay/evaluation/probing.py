"""What probes add to an evaluation: conditions that only they read, and figures that contrast conditions.

Evaluation knows of a probe no more than this: its conditions are asked like any others (once, whoever needs them), and afterwards
its reader is given the answers, condition by condition, and gives figures back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from assay import metrics
from assay.metrics.metric import Metric
from assay.table import KEY, Table
from assay.types import CLEAN, Condition, Estimate, Model, Sample

SEPARATOR = "|"
PROBED = "probes"  # what stands as the condition in the table of figures


class Reading(Protocol):
    """The answers of an evaluation, read one condition at a time: memory does not grow with their number."""

    @property
    def samples(self) -> Sequence[Sample]:
        """The samples in the data set's order; every array below has a place for each."""

    @property
    def units(self) -> NDArray[Any]:
        """The label of each sample's resampling unit."""

    @property
    def choices(self) -> tuple[str, ...]:
        """The classes, in the order of the columns of `scores`; empty where there are none."""

    @property
    def model(self) -> Model:
        """The model that was asked, for what no condition can say."""

    @property
    def seed(self) -> int:
        """Of the run."""

    def outcomes(self, condition: str, repeat: int = 0) -> NDArray[np.float64]:
        """Each sample's value by the task's first metric that is a mean of samples; NaN where nothing was asked or came."""

    def asked(self, condition: str, repeat: int = 0) -> NDArray[np.bool_]:
        """The samples that were planned under a condition."""

    def predicted(self, condition: str, repeat: int = 0) -> NDArray[Any]:
        """What was answered, as a text or a class's name; ``None`` where nothing was asked or came."""

    def answers(self, condition: str, repeat: int = 0) -> NDArray[Any]:
        """The answers as they came: ``float64[n, k]`` with NaN, or texts as objects with ``None``."""


@dataclass(frozen=True)
class Figure:
    """A statistic over samples: ``columns`` hold what ``metric`` aggregates, a row for each sample of the data set.

    ``concerned`` are the samples that the figure is about; one of them whose row is not finite is missing. ``part`` becomes the
    estimate's slice.
    """

    metric: Metric
    part: str
    columns: Mapping[str, NDArray[Any]] = field(repr=False)
    concerned: NDArray[np.bool_] = field(repr=False)
    condition: str = CLEAN.name


@dataclass(frozen=True)
class Probing:
    """The probes of an evaluation by name, those ``skipped`` with what they lack, and what they ask and read."""

    names: tuple[str, ...] = ()
    skipped: Mapping[str, str] = field(default_factory=dict)
    conditions: tuple[Condition, ...] = ()
    read: Callable[[Reading], Sequence[Figure | Estimate]] | None = field(default=None, repr=False)


def estimate_of(figure: Figure, units: NDArray[Any], *, seed: int, unit: str) -> Estimate:
    """A figure's value with its interval over units; what is concerned and has no value is counted as missing."""
    there = figure.concerned.copy()
    for column in figure.columns.values():
        if column.dtype.kind == "f":
            there &= np.isfinite(column).reshape(len(column), -1).all(axis=1)
    rows = {name: column[there] for name, column in figure.columns.items()}
    found = metrics.estimates(
        [figure.metric],
        rows,
        units[there],
        slices={figure.part: np.ones(int(there.sum()), dtype=np.bool_)},
        seed=seed,
        condition=figure.condition,
        unit_name=unit,
    )[0]
    lost = len(np.unique(units[figure.concerned & ~there]))
    return Estimate(**{**{name: getattr(found, name) for name in FIELDS}, "n_missing": lost})


FIELDS = tuple(Estimate.__dataclass_fields__)


def table_of(figures: Sequence[Figure], samples: Sequence[Sample], units: NDArray[Any]) -> Table | None:
    """What the figures rest on, a row for each sample: the columns of all figures under ``METRIC|PART|CONDITION|COLUMN``.

    `None` without figures.
    """
    if not figures:
        return None
    columns: dict[str, NDArray[Any]] = {
        "sample": np.array([sample.id for sample in samples], dtype=str),
        "condition": np.full(len(samples), PROBED),
        "repeat": np.zeros(len(samples), dtype=np.int64),
        "unit": units,
    }
    for figure in figures:
        name = SEPARATOR.join((figure.metric.name, figure.part, figure.condition))
        for column, values in figure.columns.items():
            there = figure.concerned.reshape(-1, *[1] * (values.ndim - 1))
            columns[f"{name}{SEPARATOR}{column}"] = np.where(there, values, np.nan).astype(np.float64)
    return Table(columns)


def figures_in(table: Table) -> dict[tuple[str, str, str], dict[str, NDArray[Any]]]:
    """The columns of each figure, by metric, part and condition."""
    out: dict[tuple[str, str, str], dict[str, NDArray[Any]]] = {}
    for name, values in table.columns.items():
        if name not in (*KEY, "unit"):
            metric, rest = name.split(SEPARATOR, 1)
            part, condition, column = rest.rsplit(SEPARATOR, 2)
            out.setdefault((metric, part, condition), {})[column] = values
    return out
