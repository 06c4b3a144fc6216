"""Many models on many tasks in one view: who stands where, with the ranks that the data leave open, and every pair's comparison.

Within a task and its data every two runs are compared, paired, and Holm's method corrects over all pairs, metrics and slices of it.
A model's ranks lie between 1 + how many are significantly better by the headline metric and M - how many are significantly worse
(Mogstad, Romano, Shaikh, Wilhelm 2024): with 95 % probability all true ranks lie in their intervals at once. A bootstrap of ranks
would be too narrow where models are alike. Where a model was measured on a training split and on others, the gap between them is
given with the interval of two independent figures by the square-and-add method (Zou, Donner 2008).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from assay.evaluation.compare import Comparison, Margin, compare, judged
from assay.evaluation.exports import plain
from assay.evaluation.pairs import higher_is_better
from assay.evaluation.run import Run
from assay.stats.several import sets_of_ranks
from assay.types import Estimate

TRAIN = "train"


@dataclass(frozen=True, slots=True)
class Standing:
    """A model on a task: its headline with the interval, its rank by value, and the ranks ``best`` to ``worst`` that it may have."""

    model: str
    task: str
    data: str
    metric: str
    value: float
    low: float
    high: float
    n: int
    n_missing: int
    rank: int
    best: int
    worst: int


@dataclass(frozen=True, slots=True)
class Gap:
    """A model's headline on what it was trained on less that on other data; ``low`` to ``high`` at 95 %."""

    model: str
    task: str
    metric: str
    train: str
    test: str
    train_value: float
    test_value: float
    gap: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Overall:
    """A model over all tasks that it was measured on: the mean of its ranks, and of the least and greatest they may be."""

    model: str
    tasks: int
    rank: float
    best: float
    worst: float


@dataclass(frozen=True, slots=True)
class Matrix:
    """Runs side by side. Standings come task by task, the best first; ``overall`` only where models share several tasks."""

    standings: tuple[Standing, ...]
    comparisons: tuple[Comparison, ...]
    overall: tuple[Overall, ...]
    gaps: tuple[Gap, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values; undefined is ``None``."""
        value: dict[str, Any] = plain(
            {
                "standings": [asdict(one) for one in self.standings],
                "overall": [asdict(one) for one in self.overall],
                "gaps": [asdict(one) for one in self.gaps],
                "comparisons": [one.as_json() for one in self.comparisons],
            }
        )
        return value


def matrix(
    runs: Sequence[Run],
    *,
    metrics: Sequence[str] | None = None,
    slices: Sequence[str] | None = None,
    margin: Margin = None,
    alpha: float = 0.05,
) -> Matrix:
    """Runs of any number of models and tasks, side by side. `ValueError` for fewer than two, and for runs of one name on one task."""
    if len(runs) < 2:
        raise ValueError(f"two runs or more were expected to compare, not {len(runs)}.")
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.manifest.task, run.manifest.data), []).append(run)
    standings: list[Standing] = []
    comparisons: list[Comparison] = []
    for (task, data), group in groups.items():
        names = named(group)
        found = corrected(
            [
                replace(
                    compare(x, y, metrics=metrics, slices=slices, margin=margin, alpha=alpha, figures=False), a=p, b=q
                )
                for (p, x), (q, y) in combinations(zip(names, group, strict=True), 2)
            ],
            alpha,
        )
        standings += standing(task, data, names, group, found)
        comparisons += found
    return Matrix(tuple(standings), tuple(comparisons), tuple(overall(standings)), tuple(gaps(runs)))


def named(runs: Sequence[Run]) -> list[str]:
    """A name of its own for every run of a group: the model's, where that occurs twice with the folder's or a number."""
    plain_names = [run.manifest.model for run in runs]
    out: list[str] = []
    for place, (name, run) in enumerate(zip(plain_names, runs, strict=True)):
        if plain_names.count(name) > 1:
            name = f"{name} ({run.folder.name if run.folder is not None else place + 1})"
        out.append(name if name not in out else f"{name} #{place + 1}")
    return out


def corrected(found: Sequence[Comparison], alpha: float) -> list[Comparison]:
    """The comparisons with p-values corrected over all rows of all of them, and verdicts by these."""
    rows = judged([row for one in found for row in one.rows], alpha)
    out, first = [], 0
    for one in found:
        out.append(replace(one, rows=rows[first : first + len(one.rows)], family=len(rows)))
        first += len(one.rows)
    return out


def standing(
    task: str, data: str, names: Sequence[str], runs: Sequence[Run], found: Sequence[Comparison]
) -> list[Standing]:
    """The models of one task, the best first; of models without a value no rank is known but that there are so many."""
    metric = found[0].rows[0].metric if found else runs[0].headline.metric
    figures = [figure(run, metric) for run in runs]
    sign = 1.0 if higher_is_better(metric) else -1.0
    values = np.array([sign * one.value for one in figures])
    order = sorted(range(len(runs)), key=lambda i: -values[i] if not math.isnan(values[i]) else math.inf)
    bounds = {name: (1, len(runs)) for name in names}
    if found:
        pairs = list(combinations(range(len(runs)), 2))
        heads = [one.rows[0] for one in found]
        differences = np.array([sign * row.difference for row in heads])
        significant = np.array([row.verdict in ("better", "worse") for row in heads])
        bounds = {
            one.name: (one.best, one.worst) for one in sets_of_ranks(names, values, pairs, differences, significant)
        }
    return [
        Standing(
            names[i],
            task,
            data,
            metric,
            one.value,
            one.low,
            one.high,
            one.n,
            one.n_missing,
            rank + 1,
            *bounds[names[i]],
        )
        for rank, (i, one) in enumerate((i, figures[i]) for i in order)
    ]


def figure(run: Run, metric: str) -> Estimate:
    """A run's estimate of a metric over everything; the headline if it has none."""
    return next((one for one in run.estimates if (one.metric, one.slice) == (metric, "all")), run.headline)


def overall(standings: Sequence[Standing]) -> list[Overall]:
    """Every model's mean rank over the tasks, where there are several; the best first."""
    tasks = {(one.task, one.data) for one in standings}
    if len(tasks) < 2:
        return []
    by_model: dict[str, list[Standing]] = {}
    for one in standings:
        by_model.setdefault(one.model, []).append(one)
    found = [
        Overall(
            name,
            len(places),
            float(np.mean([one.rank for one in places])),
            float(np.mean([one.best for one in places])),
            float(np.mean([one.worst for one in places])),
        )
        for name, places in by_model.items()
    ]
    return sorted(found, key=lambda one: (-one.tasks, one.rank))


def gaps(runs: Sequence[Run]) -> list[Gap]:
    """For every model and task that was measured on a training split and on other data of the same name: by how much it is better
    on what it has seen."""
    out = []
    for seen in (run for run in runs if split(run) == TRAIN):
        for other in runs:
            same = (seen.manifest.model, seen.manifest.task) == (other.manifest.model, other.manifest.task)
            if same and split(other) != TRAIN and base(seen) == base(other):
                out.append(gap(seen, other))
    return out


def gap(seen: Run, other: Run) -> Gap:
    """The difference of two independent figures."""
    a, b = seen.headline, figure(other, seen.headline.metric)
    apart = a.value - b.value
    low = apart - math.hypot(a.value - a.low, b.high - b.value)
    high = apart + math.hypot(a.high - a.value, b.value - b.low)
    data = (seen.manifest.data, other.manifest.data)
    return Gap(seen.manifest.model, seen.manifest.task, a.metric, *data, a.value, b.value, apart, low, high)


def base(run: Run) -> str:
    """The data's name without split and part."""
    return run.manifest.data.partition("[")[0].partition(":")[0]


def split(run: Run) -> str:
    """The data's split; empty where none is named."""
    return run.manifest.data.partition("[")[0].partition(":")[2]
