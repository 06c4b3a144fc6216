"""May a run pass? It must not be worse than a baseline by more than a margin, as far as the paired interval tells.

The difference is run less baseline, turned so that higher is better: *pass* if its interval lies at or above -margin,
*fail* if it lies below, else *inconclusive*, with the number of units that would decide. Where the two runs' answers
have the same measurements row by row, nothing has changed and the gate passes, however few rows there are. Answers that
the run lost (missing where the baseline has them) hold a pass back: what failed may be what would have been wrong.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from assay import stats
from assay.evaluation.compare import check_comparable, chosen_metrics, over_slices, paired
from assay.evaluation.exports import plain
from assay.evaluation.run import Run
from assay.evaluation.scoring import masks
from assay.evaluation.tasks import FAMILIES
from assay.evaluation.tasks.family import rows_of
from assay.metrics.metric import Metric
from assay.table import Table
from assay.types import CLEAN

PASS, FAIL, INCONCLUSIVE = "pass", "fail", "inconclusive"
EXITS = {PASS: 0, FAIL: 1, INCONCLUSIVE: 4}


@dataclass(frozen=True, slots=True)
class Gate:
    """One metric of a run against a baseline's. ``difference`` and its interval are turned so that higher is better.

    ``n`` units were compared; ``n_lost`` rows are missing in the run and there in the baseline; ``n_needed`` units would
    decide, where that can be said. ``outcome``: ``pass``, ``fail`` or ``inconclusive``.
    """

    run: str
    baseline: str
    task: str
    data: str
    metric: str
    slice: str
    value: float
    baseline_value: float
    difference: float
    low: float
    high: float
    margin: float
    level: float
    better: str
    n: int
    n_lost: int
    unit: str
    outcome: str
    n_needed: int | None
    identical: bool
    signature: str
    notes: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 passed, 1 failed, 4 inconclusive."""
        return EXITS[self.outcome]

    @property
    def sentence(self) -> str:
        """The outcome for people."""
        where = "" if self.slice == "all" else f" on {self.slice}"
        figures = f"{self.metric}{where} {self.value:.4g} against {self.baseline_value:.4g}"
        spread = f"difference {self.difference:+.4g} [{self.low:+.4g}, {self.high:+.4g}], margin {self.margin:g}, n = {self.n:,}"
        return f"{self.outcome}: {self.run} against {self.baseline}: {figures}: {self.reason} ({spread})."

    @property
    def reason(self) -> str:
        """Why."""
        if self.identical and self.outcome == PASS:
            return "nothing has changed, row by row"
        if self.outcome == PASS:
            return "not worse by more than the margin"
        if self.outcome == FAIL:
            return "worse by more than the margin"
        if self.n == 0:
            return "there is nothing to compare"
        if self.n_lost:
            return f"{self.n_lost} of its answers are missing that the baseline has"
        needs = "" if self.n_needed is None else f", needs about n = {self.n_needed:,}"
        return f"the interval holds the margin{needs}"

    def as_json(self) -> dict[str, Any]:
        """Plain values; undefined is ``None``."""
        value: dict[str, Any] = plain({**asdict(self), "reason": self.reason, "exit_code": self.exit_code})
        return value


def gate(
    run: Run,
    baseline: Run,
    *,
    metric: str | Metric | None = None,
    margin: float = 0.0,
    slice: str = "all",
) -> Gate:
    """Holds ``run`` to ``baseline`` by one ``metric`` (None: the first that both have) over the rows that both have.

    Under the condition ``clean``, over one ``slice``. Raises `ValueError` for a margin below 0 and as
    `assay.evaluation.compare.compare`.
    """
    if not 0 <= margin < math.inf:
        raise ValueError(f"the margin is the loss that would not matter, 0 or more, not {margin}.")
    check_comparable(run.manifest, baseline.manifest)
    a, b, notes = paired(run, baseline)
    chosen = chosen_metrics(run, baseline, None if metric is None else [metric])[0]
    here = a["condition"] == CLEAN.name
    if not here.any():
        raise ValueError("the runs share nothing under the condition 'clean'.")
    a, b = a.where(here), b.where(here)
    (row,) = over_slices([chosen], a, b, wanted=[slice], margin=None, run=run)
    inside = masks(a, FAMILIES[run.manifest.verb].crossed)[slice]
    low, high = (row.low, row.high) if chosen.better == "higher" else (-row.high, -row.low)
    difference = row.difference if chosen.better == "higher" else -row.difference
    identical = row.n > 0 and same(chosen, a.where(inside), b.where(inside))
    lost = int((inside & a["missing"] & ~b["missing"]).sum())
    outcome = judged(low, high, margin, identical=identical, lost=lost)
    needed = None
    if outcome == INCONCLUSIVE and not lost:
        needed = stats.units_to_decide(difference + margin, low + margin, high + margin, row.n)
    return Gate(
        run=run.manifest.model,
        baseline=baseline.manifest.model,
        task=run.manifest.task,
        data=run.manifest.data,
        metric=chosen.name,
        slice=slice,
        value=row.a,
        baseline_value=row.b,
        difference=difference,
        low=low,
        high=high,
        margin=margin,
        level=0.95,
        better=chosen.better,
        n=row.n,
        n_lost=lost,
        unit=row.unit,
        outcome=outcome,
        n_needed=needed,
        identical=identical,
        signature=chosen.signature,
        notes=notes,
    )


def judged(low: float, high: float, margin: float, *, identical: bool = False, lost: int = 0) -> str:
    """The outcome of an interval of the difference, higher is better.

    >>> judged(-0.005, 0.02, 0.01), judged(-0.05, -0.02, 0.01), judged(-0.02, 0.02, 0.01), judged(-0.06, 0.06, 0, identical=True)
    ('pass', 'fail', 'inconclusive', 'pass')
    """
    if high < -margin:
        return FAIL
    if lost == 0 and (identical or low >= -margin):
        return PASS
    return INCONCLUSIVE


def same(metric: Metric, a: Table, b: Table) -> bool:
    """Whether both runs' rows hold the same in every column that the metric reads, NaN among them, and lack the same."""
    first, second = rows_of(a), rows_of(b)
    pairs = [(first[name], second[name]) for name in metric.columns] + [(a["missing"], b["missing"])]
    return all(
        x.shape == y.shape and np.array_equal(x, y, equal_nan=x.dtype.kind == "f" and y.dtype.kind == "f")
        for x, y in pairs
    )
