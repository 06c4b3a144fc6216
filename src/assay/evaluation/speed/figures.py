"""Figures from times: percentiles, means and rates, each with its interval of 95 %.

A percentile is ``sorted[int(n p)]``, as LoadGen takes it (no interpolation: the 99th of 1 … 100 is 100). Its interval is between
two order statistics, whose ranks follow from the binomial distribution; it holds for any distribution of independent times. A bound that
lies beyond the observations is 0 below and infinite above. Means have Student's interval; rates (a sum over a sum) that of assay.stats.
"""

from __future__ import annotations

import math

import numpy as np

from assay.evaluation.speed.scenarios import Seconds
from assay.stats.interval import intervals
from assay.stats.measured import OfSums, Statistic
from assay.stats.quantile_bounds import allowed_beyond, observations_needed
from assay.stats.quantiles import student
from assay.types import Estimate

LEVEL = 0.95
FEWEST = 5
PERCENTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}
EARLY = 0.9
"""The percentile that LoadGen's single stream reports by its rule of early stopping."""


def percentile(times: Seconds, p: float) -> float:
    """``sorted[int(n p)]``.

    >>> percentile(np.arange(1.0, 101.0), 0.99)
    100.0
    """
    return float(np.sort(times)[min(int(len(times) * p), len(times) - 1)])


def ranks(n: int, p: float, level: float = LEVEL) -> tuple[int, int]:
    """The ranks, from 1, of the order statistics that enclose the quantile; 0 and n + 1 lie beyond all.

    >>> ranks(100, 0.5)
    (40, 61)
    """
    from scipy.special import bdtr

    reached = bdtr(np.arange(n + 1, dtype=np.float64), n, p)
    tail = (1 - level) / 2
    return int(np.searchsorted(reached, tail)), int(np.searchsorted(reached, 1 - tail)) + 1


def latencies(prefix: str, times: Seconds, missing: int, recipe: str) -> tuple[list[Estimate], dict[str, str]]:
    """Percentiles, mean and maximum of times; and why those that are not there are not."""
    n, ordered = len(times), np.sort(times)
    found: list[Estimate] = []
    absent: dict[str, str] = {}
    for name, p in PERCENTILES.items():
        metric, needed = f"{prefix}_{name}_s", max(FEWEST, math.ceil(1 / (1 - p) - 1e-9))
        if n < needed:
            absent[metric] = f"it needs {needed:,} answered queries, and there were {n:,}"
            continue
        low, high = ranks(n, p)
        bounds = (float(ordered[low - 1]) if low else 0.0, float(ordered[high - 1]) if high <= n else math.inf)
        told = f"{recipe}|percentile=sorted[int(n*p)]|ci=order-statistics"
        found.append(Estimate(metric, percentile(times, p), *bounds, n, missing, "query", signature=told))
    if n:
        found.append(mean(f"{prefix}_mean_s", times, missing, "query", recipe))
        top = float(ordered[-1])
        found.append(Estimate(f"{prefix}_max_s", top, top, math.inf, n, missing, "query", signature=recipe))
    return found, absent


def early_stopping(times: Seconds, missing: int, recipe: str) -> tuple[list[Estimate], dict[str, str]]:
    """The 90th percentile that so few queries show with 99 % confidence: the t-th greatest where t may lie beyond it.

    >>> shown, absent = early_stopping(np.arange(1.0, 65.0), 0, "")
    >>> shown[0].value, early_stopping(np.arange(63.0), 0, "")[1]
    (64.0, {'latency_p90_early_stopping_s': 'it needs 64 answered queries, and there were 63'})
    """
    name, needed = "latency_p90_early_stopping_s", observations_needed(EARLY, 1)
    beyond = allowed_beyond(EARLY, len(times))
    if not beyond:
        return [], {name: f"it needs {needed} answered queries, and there were {len(times):,}"}
    value = float(np.sort(times)[-beyond])
    told = f"{recipe}|early-stopping p=.9 c=.99 t={beyond}"
    return [Estimate(name, value, 0.0, value, len(times), missing, "query", signature=told)], {}


def mean(metric: str, values: Seconds, missing: int, unit: str, recipe: str) -> Estimate:
    """A mean with Student's interval, not below 0; NaN bounds for one value, which says nothing of the spread."""
    n, value = len(values), float(np.mean(values))
    half = math.nan
    if n > 1 and math.isfinite(value):
        half = student(1 - (1 - LEVEL) / 2, n - 1) * float(np.std(values, ddof=1)) / math.sqrt(n)
    low = max(value - half, 0.0) if math.isfinite(half) else math.nan
    return Estimate(metric, value, low, value + half, n, missing, unit, signature=f"{recipe}|ci=t")


def rate(metric: str, above: Seconds, below: Seconds, missing: int, recipe: str) -> Estimate:
    """A sum over a sum, its interval over the calls."""
    found = intervals(
        [Statistic(metric, OfSums(lambda n, x, y: x / y, ("x", "y")), ("x", "y"), bounds=(0.0, math.inf))],
        {"x": above, "y": below},
        resamples=2_000,
    )[0]
    told = f"{recipe}|ci=over batches"
    return Estimate(metric, found.value, found.low, found.high, len(above), missing, "batch", signature=told)


def exact(metric: str, value: float) -> Estimate:
    """What is known and not measured: its interval is itself."""
    return Estimate(metric, float(value), float(value), float(value), 1, unit="model", signature="as the model says")
