"""What an incomplete run can still say: between which values its figures lie, whatever the missing answers would have been."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from assay import metrics
from assay.evaluation.exports import plain
from assay.evaluation.run import Run
from assay.evaluation.scoring import conditions
from assay.evaluation.tasks.family import rows_of
from assay.metrics.metric import Metric


@dataclass(frozen=True, slots=True)
class Extremes:
    """The least and the greatest value of a metric over everything, had the missing answers been the worst and the best there are.
    ``value`` is that over the answers that are there. Infinite where the metric has no bound."""

    metric: str
    value: float
    low: float
    high: float

    def as_json(self) -> dict[str, Any]:
        """Plain values; infinite is ``None``."""
        found: dict[str, Any] = plain(asdict(self))
        return found


def extremes(run: Run) -> list[Extremes]:
    """Of every metric that is a mean of rows, under the run's first condition; none of a complete run."""
    if run.complete or not run.manifest.metrics or not len(run.measurements):
        return []
    table = run.measurements.where(run.measurements["condition"] == conditions(run.measurements)[0])
    lost = int(table["missing"].sum())
    there = rows_of(table.where(~table["missing"]))
    found = []
    for name in run.manifest.metrics:
        metric = known(name)
        if lost and metric is not None and metric.item is not None and metric.item in there:
            values = np.asarray(there[metric.item], dtype=np.float64)
            values = values[~np.isnan(values)]
            total, n = float(values.sum()), len(values) + lost
            low, high = ((total + lost * bound) / n for bound in metric.bounds)
            found.append(Extremes(name, total / len(values) if len(values) else float("nan"), low, high))
    return found


def known(name: str) -> Metric | None:
    """A metric by name; ``None`` for a user's own, which no name finds."""
    try:
        return metrics.get(name)
    except ValueError:
        return None
