"""Numbers against numbers: MSE, RMSE, MAE, R², and the correlations of Pearson and Spearman.

A prediction of None or NaN is missing: left out, counted in ``n_missing``. Sums of squares are taken about the means of
the rows, so that a common offset costs no digits. A rank under weights is the weight before a value and half of its own,
so that ties share a rank and a row of weight 2 is two rows.

Source: Pearson 1895; Spearman 1904; R² = 1 - residual / total sum of squares.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.metrics.metric import Aggregate, Metric, Rows, Weights, of_sums, ratio, sign, weighted_mean
from assay.metrics.standalone import estimate
from assay.stats.inputs import listed
from assay.stats.measured import OfPrepared
from assay.types import Estimate

Values = NDArray[np.float64]
Order = NDArray[np.intp]

BOTH = ("predicted", "true")

LARGEST = 1e150
"""The square of a greater number is none that a float can hold."""

FLAT = 1e-12
"""A variance below this share of the mean square is rounding, and counts as none."""

ROUNDING = 8 * float(np.finfo(np.float64).eps)
"""So is a standard deviation below this share of the greatest value."""


def measure_numbers(predictions: Sequence[Any] | ArrayLike, references: Sequence[Any] | ArrayLike) -> Rows:
    """Columns ``predicted``, ``true``, ``squared_error`` and ``absolute_error`` ``[n]``, NaN where a prediction is missing.

    Raises `ValueError` for unequal lengths, for what is no number, an infinite one, and a reference that is missing,
    naming the row.

    >>> measure_numbers([1.0, None], [3.0, 2.0])["squared_error"].tolist()
    [4.0, nan]
    """
    predicted, true = _numbers("prediction", predictions), _numbers("reference", references)
    if len(predicted) != len(true):
        raise ValueError(f"a prediction a reference was expected: {len(predicted)} predictions, {len(true)} references")
    lost = np.flatnonzero(np.isnan(true))
    if len(lost):
        raise ValueError(f"the reference of row {lost[0]} is missing ({len(lost)} such rows)")
    error = predicted - true
    return {"predicted": predicted, "true": true, "squared_error": error**2, "absolute_error": np.abs(error)}


def _numbers(what: str, given: Any) -> Values:
    listed(given, f"{what}s")
    odd = [kind for kind in set(map(type, given)) if issubclass(kind, complex | np.complexfloating)]
    if odd:
        row = next(row for row, one in enumerate(given) if isinstance(one, odd[0]))
        raise ValueError(f"row {row}: a real number was expected as {what}, not {given[row]!r:.80}")
    try:
        values = np.array([np.nan if one is None else float(one) for one in given], dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        row, one = next((row, one) for row, one in enumerate(given) if not _is_number(one))
        raise ValueError(f"row {row}: a number was expected as {what}, not {one!r:.80}") from None
    infinite = np.flatnonzero(np.abs(values) > LARGEST)
    if len(infinite):
        raise ValueError(
            f"row {infinite[0]}: a finite number was expected as {what}, of at most {LARGEST:g} in size, "
            f"not {values[infinite[0]]}"
        )
    return values


def _is_number(one: Any) -> bool:
    try:
        return one is None or float(one) is not None
    except (TypeError, ValueError, OverflowError):
        return False


def _centred(rows: Rows) -> tuple[Order, tuple[Values, list[float]]]:
    """The moments about the means: x, y, x², y², xy and the squared error, a column each; the least variance of x and y."""
    least = [(ROUNDING * float(np.abs(rows[name]).max())) ** 2 for name in BOTH]
    x, y = rows["predicted"] - rows["predicted"].mean(), rows["true"] - rows["true"].mean()
    error = rows["predicted"] - rows["true"]
    table = np.column_stack([np.ones(len(x)), x, y, x * x, y * y, x * y, error * error])
    return np.arange(len(x)), (table, least)


def _moments(state: tuple[Values, list[float]], weights: Weights) -> tuple[Values, ...]:
    """Variances of both and their covariance ``[b]``, NaN where one does not vary, and the mean squared error."""
    table, least = state
    sums = weights @ table
    with np.errstate(invalid="ignore", divide="ignore"):
        x, y, xx, yy, xy, error = (sums[:, 1:] / sums[:, :1]).T
    var_x, var_y = (
        np.where(square - mean**2 > np.maximum(FLAT * square, floor), square - mean**2, np.nan)
        for square, mean, floor in ((xx, x, least[0]), (yy, y, least[1]))
    )
    return var_x, var_y, xy - x * y, error


def _pearson(state: tuple[Values, list[float]], weights: Weights) -> Values:
    var_x, var_y, covariance, _ = _moments(state, weights)
    return np.asarray(np.clip(covariance / np.sqrt(var_x * var_y), -1, 1))


def _r2(state: tuple[Values, list[float]], weights: Weights) -> Values:
    _, var_y, _, error = _moments(state, weights)
    return np.asarray(1 - error / var_y)


def ranked(rows: Rows) -> tuple[Order, tuple[tuple[Order, Order, Order], ...]]:
    """Of each side the order of its values, where each run of equal ones starts in it, and the run of each row."""
    sides = []
    for name in ("predicted", "true"):
        order = np.argsort(rows[name], kind="stable")
        ordered = rows[name][order]
        new = np.concatenate([[True], ordered[1:] != ordered[:-1]])
        run = np.empty(len(order), dtype=np.intp)
        run[order] = np.cumsum(new) - 1
        sides.append((order, np.flatnonzero(new), run))
    return np.arange(len(rows["true"])), tuple(sides)


def spearman_under(sides: tuple[tuple[Order, Order, Order], ...], weights: Weights) -> Values:
    """Spearman\'s ρ ``[b]`` under weights, of sides that `ranked` prepared; NaN where one does not vary."""
    total = weights.sum(axis=1, keepdims=True)
    ranks = []
    for order, starts, run in sides:
        tied = np.add.reduceat(weights[:, order], starts, axis=1)
        ranks.append((np.cumsum(tied, axis=1) - tied / 2 - total / 2)[:, run])  # the mean rank is half of the weight
    x, y = ranks
    products = [np.einsum("bn,bn,bn->b", weights, a, b) for a, b in ((x, y), (x, x), (y, y))]
    flat = FLAT * total[:, 0] ** 3
    below = np.where((products[1] > flat) & (products[2] > flat), products[1] * products[2], np.nan)
    return np.asarray(np.clip(products[0] / np.sqrt(below), -1, 1))


def _touched(state: Any) -> int:
    return 12 * len(state[0][0])


def _root(weight: Values, squared: Values) -> Values:
    return np.sqrt(ratio(squared, weight))


def _metric(
    name: str,
    aggregate: Aggregate,
    columns: tuple[str, ...],
    definition: str,
    *,
    edge: str = "undefined without rows",
    bounds: tuple[float, float] = (0.0, float("inf")),
    source: str = "definition",
    recipe: tuple[str, ...] = (),
) -> Metric:
    return Metric(
        name,
        measure_numbers,
        aggregate,
        interval="bias_corrected" if name == "spearman" else "bca",
        better="lower" if bounds[0] == 0 else "higher",
        bounds=bounds,
        item=columns[0] if name in ("mse", "mae") else None,
        signature=sign(name, *recipe),
        source=source,
        family="numbers",
        columns=columns,
        definition=definition,
        edge=edge,
    )


CONSTANT = "undefined where one side does not vary"

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        _metric("mse", weighted_mean("squared_error"), ("squared_error",), "mean of the squared errors"),
        _metric("rmse", of_sums(_root, "squared_error"), ("squared_error",), "square root of the mean squared error"),
        _metric("mae", weighted_mean("absolute_error"), ("absolute_error",), "mean of the absolute errors"),
        _metric(
            "r2",
            OfPrepared(_centred, _r2, BOTH),
            BOTH,
            "1 - residual sum of squares / total sum of squares about the mean of the references",
            edge="undefined where the references do not vary; below 0 where their mean predicts better",
            bounds=(float("-inf"), 1.0),
        ),
        _metric(
            "pearson",
            OfPrepared(_centred, _pearson, BOTH),
            BOTH,
            "covariance over the product of the standard deviations",
            edge=CONSTANT,
            bounds=(-1.0, 1.0),
            source="Pearson 1895",
        ),
        _metric(
            "spearman",
            OfPrepared(ranked, spearman_under, BOTH, _touched),
            BOTH,
            "Pearson's correlation of the ranks, equal values sharing theirs",
            edge=CONSTANT,
            bounds=(-1.0, 1.0),
            source="Spearman 1904",
            recipe=("ties:mid",),
        ),
    )
}


def named(name: str) -> Metric:
    """One of the metrics above."""
    return METRICS[name]


Unit = Sequence[Any] | NDArray[Any] | None
Numbers = Sequence[Any] | ArrayLike


def mse(predictions: Numbers, references: Numbers, *, unit: Unit = None, seed: int = 0) -> Estimate:
    """The mean squared error; ``items`` holds each row's. Raises `ValueError` as `measure_numbers`; so do all below.

    >>> mse([1.0, 2.0], [1.0, 4.0]).value
    2.0
    """
    return estimate(METRICS["mse"], predictions, references, unit=unit, seed=seed)


def rmse(predictions: Numbers, references: Numbers, *, unit: Unit = None, seed: int = 0) -> Estimate:
    """The root of the mean squared error.

    >>> rmse([1.0, 2.0], [1.0, 4.0]).value == 2.0**0.5
    True
    """
    return estimate(METRICS["rmse"], predictions, references, unit=unit, seed=seed)


def mae(predictions: Numbers, references: Numbers, *, unit: Unit = None, seed: int = 0) -> Estimate:
    """The mean absolute error; ``items`` holds each row's.

    >>> mae([1.0, 2.0], [1.0, 4.0]).value
    1.0
    """
    return estimate(METRICS["mae"], predictions, references, unit=unit, seed=seed)


def r2(predictions: Numbers, references: Numbers, *, unit: Unit = None, seed: int = 0) -> Estimate:
    """The share of the references' variance that is explained; NaN where they do not vary.

    >>> r2([1.0, 2.0, 3.5], [1.0, 2.0, 3.0]).value
    0.875
    """
    return estimate(METRICS["r2"], predictions, references, unit=unit, seed=seed)


def pearson(predictions: Numbers, references: Numbers, *, unit: Unit = None, seed: int = 0) -> Estimate:
    """Pearson's correlation; NaN where one side does not vary.

    >>> round(pearson([1.0, 2.0, 4.0], [1.0, 3.0, 4.0]).value, 6)
    0.928571
    """
    return estimate(METRICS["pearson"], predictions, references, unit=unit, seed=seed)


def spearman(predictions: Numbers, references: Numbers, *, unit: Unit = None, seed: int = 0) -> Estimate:
    """Spearman's rank correlation, equal values sharing their rank; NaN where one side does not vary.

    >>> spearman([1, 2, 2, 3], [10, 20, 20, 30]).value
    1.0
    """
    return estimate(METRICS["spearman"], predictions, references, unit=unit, seed=seed)
