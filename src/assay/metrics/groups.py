"""Groups of items that count only together: circular evaluation, minimal pairs, both questions about a picture.

A group counts when all its items are right: the rotations of one question's options (MMBench's CircularEval), the two
questions of MME's ``acc+``, the two films of TempCompass. Beside it stand the single accuracy a, what a would give if
items were independent (the mean of a^k over the groups of k items), and the excess over that, which is what the items
of a group have in common. A constant letter gives 0 under rotation, a guesser that is true to content at most 1/k.

Source: Liu et al. 2023 (MMBench); Fu et al. 2023 (MME); Liu et al. 2024 (TempCompass).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.metrics.choice import letters, measure_choices
from assay.metrics.choice import named as choice
from assay.metrics.metric import Aggregate, Metric, Rows, Weights, of_sums, ratio, sign, weighted_mean
from assay.metrics.standalone import estimates
from assay.metrics.texts import paired_texts
from assay.stats.inputs import floats, listed
from assay.stats.units import codes
from assay.types import Estimate

Values = NDArray[np.float64]


def measure_groups(correct: ArrayLike, group: Sequence[Any] | NDArray[Any]) -> Rows:
    """Rows of groups, in the order of their labels: ``group_accuracy`` (all right), ``right`` and ``size`` of each.

    ``correct[n]`` is 1, 0 or NaN (missing: its group is undefined), ``group[n]`` a label each. Raises `ValueError` for
    lengths that differ and other values, naming the row.

    >>> measure_groups([1, 1, 1, 0], ["x", "x", "y", "y"])["group_accuracy"].tolist()
    [1.0, 0.0]
    """
    values = floats(correct, "correct")
    listed(group, "group")
    if values.ndim != 1 or len(values) != len(group):
        raise ValueError(f"a group label an item was expected: items of shape {values.shape}, {len(group)} labels")
    wrong = np.flatnonzero((values != 0) & (values != 1) & ~np.isnan(values))
    if len(wrong):
        raise ValueError(f"row {wrong[0]}: right (1), wrong (0) or missing (NaN) was expected, not {values[wrong[0]]}")
    index = codes(group, len(values), "group")
    right, size = np.bincount(index, weights=values), np.bincount(index).astype(np.float64)
    return {"group_accuracy": np.where(np.isnan(right), np.nan, right == size), "right": right, "size": size}


def _single(total: Values, right: Values, size: Values) -> Values:
    return ratio(right, size)


def _expected(rows: Rows, weights: Weights) -> Values:
    """The mean of a^k, a being the single accuracy under the same weights."""
    there = ~np.isnan(rows["right"])
    right, size, weights = rows["right"][there], rows["size"][there], weights[:, there]
    single = ratio(weights @ right, weights @ size)
    summed = np.zeros(len(weights))
    for kind in np.unique(size):
        summed += weights @ (size == kind) * single**kind
    return ratio(summed, weights.sum(axis=1))


def _excess(rows: Rows, weights: Weights) -> Values:
    return weighted_mean("group_accuracy")(rows, weights) - _expected(rows, weights)


def _metric(name: str, aggregate: Aggregate, columns: tuple[str, ...], definition: str) -> Metric:
    alone = columns == (name,)
    return Metric(
        name,
        measure_groups,
        aggregate,
        interval="wilson" if alone else "bca",
        bounds=(-1.0, 1.0) if name == "group_excess" else (0.0, 1.0),
        unit="group",
        item=name if alone else None,
        signature=sign(name, "missing:undefined"),
        source="Liu et al. 2023 (MMBench's CircularEval); a^k of independent items",
        family="groups",
        columns=columns,
        definition=definition,
        edge="a group with a missing item is undefined",
    )


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        _metric(
            "group_accuracy",
            weighted_mean("group_accuracy"),
            ("group_accuracy",),
            "share of groups whose items are all right",
        ),
        _metric(
            "group_single",
            of_sums(_single, "right", "size"),
            ("right", "size"),
            "share of right items, over all groups",
        ),
        _metric(
            "group_expected",
            _expected,
            ("right", "size"),
            "mean of a^k over groups of k items, a being the single accuracy",
        ),
        _metric(
            "group_excess",
            _excess,
            ("group_accuracy", "right", "size"),
            "group accuracy beyond what independent items would give",
        ),
    )
}


def named(name: str) -> Metric:
    """One of the metrics above."""
    return METRICS[name]


def group_accuracy(correct: ArrayLike, group: Sequence[Any] | NDArray[Any], *, seed: int = 0) -> dict[str, Estimate]:
    """Accuracy of whole groups, by name, from items that are right (1) or wrong (0) and the label of each one's group.

    ``group_accuracy``, ``group_single``, ``group_expected`` and ``group_excess``; groups are what is resampled, those
    with a missing (NaN) item are counted in ``n_missing``. Raises `ValueError` as `measure_groups`.

    >>> found = group_accuracy([1, 1, 1, 0], ["x", "x", "y", "y"])
    >>> [one.value for one in found.values()]
    [0.5, 0.75, 0.5625, -0.0625]
    """
    rows = measure_groups(correct, group)
    n_missing = int(np.isnan(rows["right"]).sum())
    found = estimates(list(METRICS.values()), rows, seed=seed, unit_name="group")
    return {one.metric: replace(one, n_missing=n_missing) for one in found}


def circular_accuracy(
    predictions: Sequence[str | None],
    references: Sequence[str | int],
    item: Sequence[Any] | NDArray[Any],
    *,
    options: Sequence[Sequence[str]] | None = None,
    seed: int = 0,
) -> dict[str, Estimate]:
    """CircularEval: `group_accuracy` over the rotations of each ``item``, and ``choice_unparsed`` over all answers, by name.

    Each row is one rotation: the answer, its right letter (or place from 0), the item's label. Raises `ValueError` as
    `assay.metrics.choice.multiple_choice` and `measure_groups`.

    >>> found = circular_accuracy(["A", "B", "A", "A"], ["A", "B", "A", "B"], ["q1", "q1", "q2", "q2"])
    >>> found["group_accuracy"].value, found["group_single"].value
    (0.5, 0.75)
    """
    rows = measure_choices(paired_texts(predictions, letters(references)), options)
    found = group_accuracy(rows["multiple_choice"], item, seed=seed)
    (unparsed,) = estimates([choice("choice_unparsed")], rows, item, seed=seed, unit_name="group")
    return found | {"choice_unparsed": replace(unparsed, n_missing=found["group_accuracy"].n_missing)}
