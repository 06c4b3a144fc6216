"""What a metric is: rows of sufficient statistics, and a pure aggregate of them under weights.

``rows`` is a dict of numpy arrays whose first axis is the row. ``aggregate(rows, weights)`` takes ``weights
float64[b, n]`` and returns ``float64[b]``: the metric's value under each of the ``b`` weight vectors. The value
itself is weights of one; a slice is 0/1 weights; a bootstrap is multinomial counts per unit. Laws (tested for
every metric): weight 2 = row twice, weight 0 = row absent, order- and scale-free, and an empty denominator is NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.stats.measured import Aggregate, OfSums, Rows, Weights
from assay.version import __version__

__all__ = ["PAIRED", "Aggregate", "Metric", "OfSums", "Rows", "Weights", "of_sums", "ratio", "sign", "weighted_mean"]

PAIRED = frozenset(
    {"boxes", "choices", "graphs", "grounded", "labels", "maps", "masks", "mentions", "moments", "numbers", "points"}
    | {"segments", "texts", "yes_no"}
)
"""The families whose metrics measure predictions against references, one of each a row."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A named measurement.

    ``family`` says what ``measure`` makes rows from: ``ranking`` (`assay.metrics.ranking.Ranking`), ``labels``
    (predicted and true labels), ``scores`` (log-probabilities and true indices), ``texts`` (a text and one or several
    references a row) … Metrics of `PAIRED` families take predictions and references alike and can be asked together.
    Where ``prepare`` is set, it turns the inputs into what ``measure`` takes, once for all metrics that share it
    (captions are tokenised once). ``interval`` is one of ``wilson``, ``bca``, ``bias_corrected``, ``t``, ``none``;
    ``better`` is ``higher`` or ``lower``; ``columns`` are those that the aggregate reads; ``item`` names the column
    with per-row values where the value is their mean, else ``None``; ``per_unit`` says of another formula of sums that
    a unit's own value is worth showing (a sentence's BLEU), though the whole is not their mean. For people:
    ``definition`` says how it is computed and with which constants, ``edge`` when it is 0 or undefined, ``source``
    where that comes from.
    """

    name: str
    measure: Callable[..., Rows]
    aggregate: Aggregate
    interval: str = "bca"
    better: str = "higher"
    bounds: tuple[float, float] = (0.0, 1.0)
    unit: str = "sample"
    item: str | None = None
    per_unit: bool = False
    signature: str = ""
    source: str = ""
    family: str = ""
    columns: tuple[str, ...] = ()
    prepare: Callable[..., Any] | None = None
    definition: str = ""
    edge: str = ""

    def __post_init__(self) -> None:
        if not self.columns and self.item is not None:
            object.__setattr__(self, "columns", (self.item,))
        assert self.columns, f"{self.name}: a metric says which columns its aggregate reads"

    def signed(self, *parts: str) -> Metric:
        """The same metric with ``parts`` of its recipe that only the caller knows, put before the version.

        >>> m = Metric("hit@1", dict, weighted_mean("hit@1"), item="hit@1", signature=sign("hit@1", "ties:expected"))
        >>> m.signed("gallery:228").signature.rsplit("|", 1)[0]
        'hit@1|ties:expected|gallery:228'
        """
        before, _, version = self.signature.rpartition("|")
        return replace(self, signature="|".join([before, *parts, version]))


def sign(name: str, *parts: str) -> str:
    """The signature of a figure: its name, the parts of its recipe, and the version of assay."""
    return "|".join([name, *parts, f"assay:{__version__}"])


def ratio(numerator: NDArray[np.float64], denominator: NDArray[np.float64]) -> NDArray[np.float64]:
    """``numerator / denominator``, NaN where the denominator is 0.

    >>> ratio(np.array([1.0, 0.0]), np.array([2.0, 0.0]))
    array([0.5, nan])
    """
    out = np.full(np.broadcast(numerator, denominator).shape, np.nan)
    np.divide(numerator, denominator, out=out, where=denominator != 0)
    return out


def of_sums(formula: Callable[..., NDArray[np.float64]], *columns: str) -> OfSums:
    """The aggregate that is ``formula(sum of weights, weighted sum of each column …)``; rows with NaN do not count."""
    return OfSums(formula, columns)


def weighted_mean(column: str) -> OfSums:
    """The aggregate of a metric that is the mean of a column; rows where it is NaN do not count.

    >>> weighted_mean("x")({"x": np.array([1.0, 0.0, np.nan])}, np.array([[1.0, 1.0, 1.0], [0.0, 0.0, 1.0]]))
    array([0.5, nan])
    """
    return OfSums(_mean, (column,))


def _mean(total: NDArray[np.float64], summed: NDArray[np.float64]) -> NDArray[np.float64]:
    return ratio(summed, total)
