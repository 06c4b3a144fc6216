"""What a metric is: rows of sufficient statistics, and a pure aggregate of them under weights.

``rows`` is a dict of numpy arrays whose first axis is the row. ``aggregate(rows, weights)`` takes ``weights
float64[b, n]`` and returns ``float64[b]``: the metric's value under each of the ``b`` weight vectors. The value
itself is weights of one; a slice is 0/1 weights; a bootstrap is multinomial counts per unit. Laws (tested for
every metric): weight 2 = row twice, weight 0 = row absent, order- and scale-free, and an empty denominator is NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = Mapping[str, NDArray[Any]]
Weights = NDArray[np.float64]
Aggregate = Callable[[Rows, Weights], NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Metric:
    """A named measurement.

    ``measure`` makes rows from what its family hands it (`assay.metrics.retrieval.Ranking`, or predicted and
    true labels); ``interval`` is one of ``wilson``, ``bca``, ``bias_corrected``, ``t``, ``none``; ``better`` is ``higher`` or
    ``lower``; ``item`` names the column with per-row values where the value is their mean, else ``None``.
    """

    name: str
    measure: Callable[..., Rows]
    aggregate: Aggregate
    interval: str = "bca"
    better: str = "higher"
    bounds: tuple[float, float] = (0.0, 1.0)
    unit: str = "sample"
    item: str | None = None
    signature: str = ""
    source: str = ""


def ratio(numerator: NDArray[np.float64], denominator: NDArray[np.float64]) -> NDArray[np.float64]:
    """``numerator / denominator``, NaN where the denominator is 0.

    >>> ratio(np.array([1.0, 0.0]), np.array([2.0, 0.0]))
    array([0.5, nan])
    """
    out = np.full(np.broadcast(numerator, denominator).shape, np.nan)
    np.divide(numerator, denominator, out=out, where=denominator != 0)
    return out


def weighted_mean(column: str) -> Aggregate:
    """The aggregate of a metric that is the mean of a column; rows where it is NaN do not count."""

    def aggregate(rows: Rows, weights: Weights) -> NDArray[np.float64]:
        values = np.asarray(rows[column], dtype=np.float64)
        defined = ~np.isnan(values)
        if defined.all():
            return ratio(weights @ values, weights.sum(axis=1))
        return ratio(weights[:, defined] @ values[defined], weights[:, defined].sum(axis=1))

    return aggregate
