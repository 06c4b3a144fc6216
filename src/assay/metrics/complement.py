"""What two models have in common in being right and wrong, and what one adds to the other.

From correctness ``a[n]`` and ``b[n]`` (1 right, 0 wrong) of the same items:

- error consistency: κ = (c - e) / (1 - e), c the share of items on which both are right or both wrong, e what their
  accuracies alone would give, a₁a₂ + (1-a₁)(1-a₂). Above 0: they err on the same items.
- oracle gain: the share that at least one gets right, less the better accuracy; what choosing between them could add.
- double fault: the share that both get wrong. Disagreement: the share that just one gets right.
- Yule's Q: (n₁₁n₀₀ - n₁₀n₀₁) / (n₁₁n₀₀ + n₁₀n₀₁).

Source: Geirhos, Meding & Wichmann 2020; Kuncheva & Whitaker 2003.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.metrics.metric import Metric, Rows, of_sums, ratio, sign
from assay.metrics.standalone import estimate, scored
from assay.stats.inputs import floats
from assay.types import Estimate

Values = NDArray[np.float64]


def measure_both(first: ArrayLike, second: ArrayLike) -> Rows:
    """Columns ``first_right``, ``second_right``, ``both_right`` ``[n]``; an item that one of them misses (NaN) is NaN in all.

    Raises `ValueError` for lengths that differ and for values that are neither 0, 1 nor NaN, naming the row.

    >>> measure_both([1, 0, 1], [1, 1, float("nan")])["both_right"].tolist()
    [1.0, 0.0, nan]
    """
    a, b = (floats(side, name) for side, name in ((first, "first"), (second, "second")))
    if a.ndim != 1 or a.shape != b.shape:
        raise ValueError(f"two lists of one length were expected, not of shapes {a.shape} and {b.shape}")
    for side in (a, b):
        wrong = np.flatnonzero((side != 0) & (side != 1) & ~np.isnan(side))
        if len(wrong):
            raise ValueError(
                f"row {wrong[0]}: right (1), wrong (0) or missing (NaN) was expected, not {side[wrong[0]]}"
            )
    lost = np.isnan(a) | np.isnan(b)
    columns = {"first_right": a, "second_right": b, "both_right": a * b}
    return {name: np.where(lost, np.nan, column) for name, column in columns.items()}


def _cells(total: Values, a: Values, b: Values, both: Values) -> tuple[Values, Values, Values, Values]:
    """Shares: both right, only the first, only the second, neither."""
    return ratio(both, total), ratio(a - both, total), ratio(b - both, total), ratio(total - a - b + both, total)


def _error_consistency(total: Values, a: Values, b: Values, both: Values) -> Values:
    """κ of being right, ``[b]``; NaN where both are always right, or always wrong."""
    n11, n10, n01, n00 = _cells(total, a, b, both)
    first, second = n11 + n10, n11 + n01
    expected = first * second + (1 - first) * (1 - second)
    return ratio(n11 + n00 - expected, np.where(1 - expected > 1e-12, 1 - expected, 0.0))


def _oracle_gain(total: Values, a: Values, b: Values, both: Values) -> Values:
    """What a choice between the two that is always right would add to the better one ``[b]``."""
    _, n10, n01, _ = _cells(total, a, b, both)
    return np.minimum(n10, n01)


def _double_fault(total: Values, a: Values, b: Values, both: Values) -> Values:
    """The share that both get wrong ``[b]``."""
    return _cells(total, a, b, both)[3]


def _disagreement(total: Values, a: Values, b: Values, both: Values) -> Values:
    """The share that just one gets right ``[b]``."""
    _, n10, n01, _ = _cells(total, a, b, both)
    return n10 + n01


def _q_statistic(total: Values, a: Values, b: Values, both: Values) -> Values:
    """Yule's Q ``[b]``; NaN where both products are 0."""
    n11, n10, n01, n00 = _cells(total, a, b, both)
    return ratio(n11 * n00 - n10 * n01, n11 * n00 + n10 * n01)


Items = ArrayLike
Unit = Sequence[Any] | NDArray[Any] | None

COLUMNS = ("first_right", "second_right", "both_right")
Told = tuple[Callable[..., Values], tuple[float, float], str, str]

FORMULAS: dict[str, Told] = {
    "error_consistency": (_error_consistency, (-1.0, 1.0), "κ of being right on the same items", "Geirhos et al. 2020"),
    "oracle_gain": (
        _oracle_gain,
        (0.0, 0.5),
        "share that one of the two gets right - the better accuracy",
        "definition",
    ),
    "double_fault": (_double_fault, (0.0, 1.0), "share that both get wrong", "Giacinto & Roli 2001"),
    "disagreement": (_disagreement, (0.0, 1.0), "share that just one gets right", "Skalak 1996"),
    "q_statistic": (_q_statistic, (-1.0, 1.0), "(n11 n00 - n10 n01) / (n11 n00 + n10 n01)", "Yule 1900"),
}


def named(name: str) -> Metric:
    """One of the measures above."""
    formula, bounds, definition, source = FORMULAS[name]
    return Metric(
        name,
        measure_both,
        of_sums(formula, *COLUMNS),
        better="higher" if name in ("oracle_gain", "disagreement") else "lower",
        bounds=bounds,
        signature=sign(name, "items:both"),
        source=source,
        family="correctness",
        columns=COLUMNS,
        definition=definition,
        edge="undefined where a denominator is 0 (two models that are always right); items that one misses are left out",
    )


def complementarity(
    first: ArrayLike,
    second: ArrayLike,
    *,
    unit: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
) -> dict[str, Estimate]:
    """All of `FORMULAS` by name, from what two models got right (1) and wrong (0) of the same items.

    Raises `ValueError` as `measure_both`.

    >>> found = complementarity([1, 1, 0, 0], [1, 0, 1, 0])
    >>> {name: one.value for name, one in found.items()}
    {'error_consistency': 0.0, 'oracle_gain': 0.25, 'double_fault': 0.25, 'disagreement': 0.5, 'q_statistic': 0.0}
    """
    return scored([named(name) for name in FORMULAS], first, second, unit=unit, seed=seed)


def error_consistency(first: Items, second: Items, *, unit: Unit = None, seed: int = 0) -> Estimate:
    """κ of being right: whether two models err on the same items beyond what their accuracies give. Raises `ValueError` as `measure_both`.

    >>> error_consistency([1, 1, 0, 0], [1, 1, 0, 1]).value
    0.5
    """
    return estimate(named("error_consistency"), first, second, unit=unit, seed=seed)


def oracle_gain(first: Items, second: Items, *, unit: Unit = None, seed: int = 0) -> Estimate:
    """What choosing the right one of two answers would add to the better model. Raises `ValueError` as `measure_both`.

    >>> oracle_gain([1, 1, 0, 0], [1, 0, 1, 1]).value
    0.25
    """
    return estimate(named("oracle_gain"), first, second, unit=unit, seed=seed)


def double_fault(first: Items, second: Items, *, unit: Unit = None, seed: int = 0) -> Estimate:
    """The share of items that both get wrong. Raises `ValueError` as `measure_both`.

    >>> double_fault([1, 1, 0, 0], [1, 0, 1, 0]).value
    0.25
    """
    return estimate(named("double_fault"), first, second, unit=unit, seed=seed)


def disagreement(first: Items, second: Items, *, unit: Unit = None, seed: int = 0) -> Estimate:
    """The share of items that just one of the two gets right. Raises `ValueError` as `measure_both`.

    >>> disagreement([1, 1, 0, 0], [1, 0, 1, 0]).value
    0.5
    """
    return estimate(named("disagreement"), first, second, unit=unit, seed=seed)


def q_statistic(first: Items, second: Items, *, unit: Unit = None, seed: int = 0) -> Estimate:
    """Yule's Q of being right: 1 where both are right on the same items, -1 where on opposite ones. Raises `ValueError` as `measure_both`.

    >>> q_statistic([1, 1, 0, 0], [1, 1, 0, 0]).value
    1.0
    """
    return estimate(named("q_statistic"), first, second, unit=unit, seed=seed)
