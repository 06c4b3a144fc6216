"""Do the items of a test measure the same? Cronbach's α of answers ``[respondents, items]``; respondents are resampled.

α = k/(k - 1) · (1 - Σ s²ᵢ / s²), k items with variances s²ᵢ, s² the variance of a respondent's sum; of right and wrong answers it
is Kuder and Richardson's formula 20. It depends on how much respondents differ: among models that are alike it is low.

Source: Cronbach 1951; Kuder & Richardson 1937.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.metrics.metric import Metric, Rows, of_sums, ratio, sign
from assay.metrics.standalone import estimate
from assay.stats.inputs import floats
from assay.types import Estimate

Values = NDArray[np.float64]


def measure_items(scores: ArrayLike) -> Rows:
    """Columns ``item``, ``item_squared`` ``[n, items]``, ``sum``, ``sum_squared`` ``[n]``; a row with a gap (NaN) is NaN in all.

    Raises `ValueError` for another shape, fewer than two items and an infinite score, naming the row.

    >>> measure_items([[1, 0], [1, float("nan")]])["sum"].tolist()
    [1.0, nan]
    """
    table = floats(scores, "scores")
    table = table.reshape(0, 2) if table.size == 0 else table
    if table.ndim != 2 or table.shape[1] < 2:
        raise ValueError(f"scores [respondents, items] of two or more items were expected, not of shape {table.shape}")
    broken = np.flatnonzero(np.isinf(table).any(axis=1))
    if len(broken):
        raise ValueError(f"row {broken[0]}: finite scores were expected, not {table[broken[0]].tolist()}")
    table = np.where(np.isnan(table).any(axis=1, keepdims=True), np.nan, table)
    total = table.sum(axis=1)
    return {"item": table, "item_squared": table**2, "sum": total, "sum_squared": total**2}


def _alpha(n: Values, item: Values, item_squared: Values, total: Values, total_squared: Values) -> Values:
    k = item.shape[1]
    below = np.where(n > 0, n, np.nan)
    of_items = (item_squared / below[:, None] - (item / below[:, None]) ** 2).sum(axis=1)
    of_sum = total_squared / below - (total / below) ** 2
    flat = ~(of_sum > 1e-12 * total_squared / below)
    return np.asarray(k / (k - 1) * (1 - ratio(of_items, np.where(flat, 0.0, of_sum))))


METRIC = Metric(
    "cronbach_alpha",
    measure_items,
    of_sums(_alpha, "item", "item_squared", "sum", "sum_squared"),
    bounds=(-np.inf, 1.0),
    unit="respondent",
    signature=sign("cronbach_alpha", "respondents:complete"),
    source="Cronbach 1951",
    family="items",
    columns=("item", "item_squared", "sum", "sum_squared"),
    definition="k/(k - 1) (1 - the sum of the items' variances over the variance of the respondents' sums), k items",
    edge="undefined where all respondents have the same sum; a respondent with a gap is left out; negative where items oppose each other",
)


def cronbach_alpha(scores: ArrayLike, *, unit: Sequence[Any] | NDArray[Any] | None = None, seed: int = 0) -> Estimate:
    """Cronbach's α of ``scores[respondents, items]``. Raises `ValueError` as `measure_items`.

    >>> answers = [[1, 1, 1, 0], [1, 1, 0, 0], [1, 0, 0, 0], [1, 1, 1, 1], [0, 0, 0, 0], [1, 1, 1, 0]]
    >>> round(cronbach_alpha(answers).value, 6)
    0.779487
    """
    return estimate(METRIC, scores, unit=unit, seed=seed, unit_name="respondent")


def named(name: str) -> Metric:
    """The metric ``cronbach_alpha``."""
    assert name == METRIC.name
    return METRIC
