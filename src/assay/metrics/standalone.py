"""Metrics as plain functions of predictions and references: each answer is an `Estimate` with its interval."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.metrics import get
from assay.metrics.metric import PAIRED, Metric, Rows
from assay.metrics.texts import reference_counts
from assay.stats.folded import codes, unit_sums
from assay.stats.inputs import listed, plain
from assay.stats.interval import Interval, intervals
from assay.stats.measured import OfSums, defined
from assay.types import Estimate

TEXTS = frozenset({"choices", "texts", "yes_no"})
"""The families that `assay.metrics.texts` reads, and checks."""

ANSWERS = PAIRED - {"labels"}
"""The families in which a prediction of None (or NaN) is missing; among labels it is an answer that could not be parsed."""


def measure(metrics: Sequence[Metric], *inputs: Any) -> Rows:
    """The columns of all ``metrics`` for ``inputs``, as one dict of arrays of one length; what metrics share is prepared once.

    Raises `ValueError` when the metrics take different inputs.
    """
    kinds = sorted({"predictions and references" if m.family in PAIRED else m.family for m in metrics})
    if len(kinds) > 1:
        raise ValueError(f"metrics that take the same inputs were expected, not some of {' and some of '.join(kinds)}")
    inputs = tuple(plain(one) for one in inputs)
    rows: dict[str, NDArray[Any]] = {}
    done: list[Any] = []
    prepared: dict[Any, Any] = {}
    for metric in metrics:
        if metric.measure in done or set(metric.columns) <= set(rows):
            continue
        done.append(metric.measure)
        if metric.prepare is not None and metric.prepare not in prepared:
            prepared[metric.prepare] = metric.prepare(*inputs)
        rows.update(metric.measure(*(inputs if metric.prepare is None else (prepared[metric.prepare],))))
    return rows


def estimates(
    metrics: Sequence[Metric],
    rows: Rows,
    unit: Sequence[Any] | NDArray[Any] | None = None,
    *,
    slices: Mapping[str, NDArray[np.bool_]] | None = None,
    seed: int = 0,
    condition: str = "clean",
    unit_name: str = "sample",
) -> list[Estimate]:
    """Every metric over every slice as an `Estimate`, slice by slice; ``unit_name`` says what ``unit`` labels.

    ``items`` holds the per-unit values of the slice's defined units where the metric is a mean of rows, or `per_unit`.
    """
    found = intervals(metrics, rows, unit, slices=slices, seed=seed)
    every = np.ones(len(next(iter(rows.values()))) if rows else 0, dtype=np.bool_)
    masks = {"all": every} if slices is None else slices
    index = codes(unit, len(every))
    out = []
    for place, one in enumerate(found):
        metric = metrics[place % len(metrics)]
        items = _items(metric, rows, masks[one.slice], index)
        out.append(_estimate(metric, one, items, condition, unit_name))
    return out


def estimate(
    metric: Metric,
    *inputs: Any,
    unit: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
    unit_name: str = "sample",
) -> Estimate:
    """One metric over all rows of its inputs.

    >>> estimate(get("accuracy"), ["cat", "dog"], ["cat", "cat"]).value
    0.5
    """
    return scored([metric], *inputs, unit=unit, seed=seed, unit_name=unit_name)[metric.name]


def function(metric: Metric) -> Callable[..., Estimate]:
    """The metric as a plain function of its inputs, such as ``metrics.macro_f1(predicted, true)``.

    >>> round(function(get("macro_f1"))(["a", "b"], ["a", "a"]).value, 4)
    0.3333
    """

    def measured(*inputs: Any, unit: Sequence[Any] | NDArray[Any] | None = None, seed: int = 0) -> Estimate:
        return estimate(metric, *inputs, unit=unit, seed=seed)

    measured.__name__ = measured.__qualname__ = metric.name
    measured.__doc__ = f"{metric.definition}\n\n{metric.edge}\nSource: {metric.source}"
    return measured


def scored(
    metrics: Sequence[Metric],
    *inputs: Any,
    unit: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
    unit_name: str = "sample",
) -> dict[str, Estimate]:
    """Several metrics of the same inputs by name, signed with what the inputs tell, what is missing counted.

    Where answers could not be parsed, their share comes along under the name of its column (``unparsed`` …).
    """
    if any(metric.family in PAIRED - TEXTS for metric in metrics):
        listed(inputs[0], "predictions")
        listed(inputs[1], "references")
    rows = measure(metrics, *inputs)
    unparsed = [name for name in rows if name.endswith("unparsed") and (rows[name] > 0).any()]
    asked = [*metrics, *(get(name) for name in unparsed if name not in {metric.name for metric in metrics})]
    signed = [m.signed(reference_counts(inputs[1])) if m.family == "texts" else m for m in asked]
    found = estimates(signed, rows, unit, seed=seed, unit_name=unit_name)
    n_missing = 0
    if any(metric.family in ANSWERS for metric in asked):
        lost = np.fromiter((_never_came(one) for one in plain(inputs[0])), dtype=np.bool_, count=len(inputs[0]))
        n_missing = len(np.unique(codes(unit, len(lost))[lost]))
    return {
        one.metric: replace(one, n_missing=n_missing if metric.family in ANSWERS else 0)
        for one, metric in zip(found, asked, strict=True)
    }


def _never_came(one: Any) -> bool:
    return one is None or (isinstance(one, float | np.floating) and bool(one != one))


def score(
    names: Sequence[str],
    predictions: Sequence[Any],
    references: Sequence[Any],
    *,
    unit: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
) -> dict[str, Estimate]:
    """The metrics of these names, over predictions and what they should have been, one of each a row.

    For labels (``accuracy``, ``macro_f1`` …) a prediction of None could not be parsed: it is wrong, and when there
    is one, the estimate ``unparsed`` comes along. For texts and numbers a prediction of None is missing: left out and
    counted in ``n_missing``. No rows at all give NaN. Raises `ValueError` for an unknown name, unequal lengths, a
    missing true label, a row without a reference.

    >>> found = score(["accuracy", "macro_f1"], ["a", "b", None, "a"], ["a", "b", "b", "b"])
    >>> round(found["macro_f1"].value, 4), found["unparsed"].value
    (0.5833, 0.25)
    """
    if isinstance(names, str):
        raise ValueError(f"a list of names was expected, such as [{names!r}], not one text")
    odd = [name for name in names if not isinstance(name, str)]
    if odd:
        raise ValueError(f"names of metrics were expected, not {odd[0]!r:.60}")
    return scored([get(name) for name in names], predictions, references, unit=unit, seed=seed)


def _items(metric: Metric, rows: Rows, mask: NDArray[np.bool_], index: NDArray[np.intp]) -> NDArray[np.float64] | None:
    """Of each unit with defined rows their mean, or the metric's formula of that unit alone; None where that says nothing."""
    if metric.item is None and not metric.per_unit:
        return None
    there = mask & defined(rows, metric.columns if metric.item is None else (metric.item,))
    if not there.any():
        return np.zeros(0)
    compact = np.unique(index[there], return_inverse=True)[1]
    if metric.item is not None:
        sums = unit_sums(np.column_stack([rows[metric.item][there], np.ones(int(there.sum()))]), compact)
        return np.asarray(sums[:, 0] / sums[:, 1])
    assert isinstance(metric.aggregate, OfSums), f"{metric.name}: only a formula of sums has a value for each unit"
    of, table = metric.aggregate.of_table({name: rows[name][there] for name in metric.columns})
    return of(unit_sums(table, compact))


def _estimate(
    metric: Metric, one: Interval, items: NDArray[np.float64] | None, condition: str, unit_name: str
) -> Estimate:
    return Estimate(
        one.metric,
        one.value,
        one.low,
        one.high,
        one.n,
        unit=unit_name,
        slice=one.slice,
        condition=condition,
        signature=metric.signature,
        items=items,
    )
