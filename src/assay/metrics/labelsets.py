"""Metrics of rows that have several labels at once: per row (samples), per class, over all; exact match, Hamming loss.

A row's labels are a collection of them, possibly empty; all rows together may also be a matrix ``[n, labels]`` of 0 and
1. An answer of ``None`` could not be parsed and counts as no label at all. Per row: precision |P ∩ T| / |P|, recall
|P ∩ T| / |T|, F1 2 |P ∩ T| / (|P| + |T|), Jaccard |P ∩ T| / |P ∪ T|; 0/0 is undefined (NaN), left out and counted.
Sources: Tsoumakas & Katakis 2007; scikit-learn's ``average='samples'`` gives the same where it is defined.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Collection, Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.metrics.classification import AVERAGES, SHARES, over_classes
from assay.metrics.metric import Metric, Rows, Weights, ratio, sign, weighted_mean
from assay.stats.inputs import listed, plain
from assay.stats.measured import OfSpread

Values = NDArray[np.float64]
Given = Sequence[Collection[Any] | None] | NDArray[Any]

PREFIX = "multilabel_"


def measure_sets(predicted: Given, true: Given, choices: Sequence[Any] = ()) -> Rows:
    """The columns ``true_sets`` and ``predicted_sets`` ``bool[n, labels]``; ``choices`` fixes the labels and their order.

    Raises `ValueError` for unequal lengths, a row that is a text, a missing true row, a label that is none of the choices.

    >>> measure_sets([["a"], []], [["a", "b"], ["b"]])["true_sets"].tolist()
    [[True, True], [False, True]]
    """
    predicted, true = plain(predicted), plain(true)
    listed(predicted, "predicted labels")
    listed(true, "true labels")
    if len(predicted) != len(true):
        raise ValueError(f"one answer a row was expected: {len(predicted)} answers, {len(true)} rows")
    if isinstance(true, np.ndarray) and true.ndim == 2:
        answers = np.asarray(predicted)
        if answers.shape != true.shape:
            raise ValueError(f"matrices of one shape were expected, not {answers.shape} and {true.shape}")
        return {"true_sets": _flags(true), "predicted_sets": _flags(answers)}
    rows = {"true": [_labels(row, at, "true") for at, row in enumerate(true)]}
    rows["predicted"] = [set() if row is None else _labels(row, at, "predicted") for at, row in enumerate(predicted)]
    known = set().union(*rows["true"], *rows["predicted"])
    labels = list(choices) or sorted(known, key=str)
    code = {label: place for place, label in enumerate(labels)}
    unknown = sorted(known - set(code), key=str)
    if unknown:
        raise ValueError(f"the label {unknown[0]!r} is none of the {len(labels)} choices")
    out = {}
    for side, found in rows.items():
        table = np.zeros((len(found), len(labels)), dtype=np.bool_)
        for at, row in enumerate(found):
            table[at, [code[label] for label in row]] = True
        out[f"{side}_sets"] = table
    return out


def _labels(row: Any, at: int, side: str) -> set[Any]:
    row = plain(row)
    if row is None or isinstance(row, str) or not isinstance(row, Collection):
        raise ValueError(f"row {at}: a collection of {side} labels was expected, not {row!r:.60}")
    odd = next((label for label in row if not isinstance(label, Hashable)), None)
    if odd is not None:
        raise ValueError(f"row {at}: {side} labels were expected, not {odd!r:.60} among them")
    return set(row.tolist()) if isinstance(row, np.ndarray) else set(row)


def _flags(matrix: NDArray[Any]) -> NDArray[np.bool_]:
    other = np.argwhere(~np.isin(matrix, (0, 1)))
    if len(other):
        row, column = other[0]
        raise ValueError(f"row {row}: 0 or 1 was expected for label {column}, not {matrix[row, column]!r:.60}")
    return matrix.astype(np.bool_)


def _per_row(name: str, predicted: Given, true: Given, choices: Sequence[Any] = ()) -> Rows:
    rows = measure_sets(predicted, true, choices)
    t, p = rows["true_sets"], rows["predicted_sets"]
    both, either = (t & p).sum(axis=1).astype(np.float64), (t | p).sum(axis=1).astype(np.float64)
    of_true, of_predicted = (x.sum(axis=1).astype(np.float64) for x in (t, p))
    wrong_of_all = ratio(either - both, np.full(len(t), float(t.shape[1])))
    values = {
        "samples_precision": ratio(both, of_predicted),
        "samples_recall": ratio(both, of_true),
        "samples_f1": ratio(2 * both, of_true + of_predicted),
        "samples_jaccard": ratio(both, either),
        "subset_accuracy": (both == either).astype(np.float64),
        "hamming_loss": wrong_of_all,
    }
    return {name: values[name]}


def _spread(rows: Rows) -> Values:
    t, p = rows["true_sets"], rows["predicted_sets"]
    return np.hstack([t & p, t, p]).astype(np.float64)


def averaged(kind: str, average: str = "macro", zero_division: float = math.nan) -> Metric:
    """Precision, recall or F1 over the labels of rows that have several, as `assay.metrics.classification.averaged`."""
    name = f"{PREFIX}{average}_{kind}"

    def formula(sums: Values) -> Values:
        # A label is there for every row of its matrix, also where it is neither true nor predicted.
        return over_classes(kind, average, zero_division, *np.split(sums, 3, axis=1), absent=True)

    def direct(rows: Rows, weights: Weights) -> Values:
        return formula(weights @ _spread(rows))

    return Metric(
        name,
        measure_sets,
        OfSpread(direct, _spread, formula),
        signature=sign(name, f"zero_division:{zero_division:g}"),
        source=f"scikit-learn's {kind}_score(average={average!r}) of label matrices",
        family="label_sets",
        columns=("true_sets", "predicted_sets"),
        definition=f"{SHARES[kind]} over the labels: {average} average.",
        edge="A label whose share is 0/0 is left out of the mean, unless zero_division says otherwise; NaN where all are.",
    )


def named(name: str) -> Metric:
    """The metric of this name. Raises `ValueError` for another name.

    >>> from assay import metrics
    >>> metrics.score(["samples_f1"], [["a"], ["a"]], [["a", "b"], ["b"]])["samples_f1"].value
    0.3333333333333333
    """
    if name not in METRICS:
        raise ValueError(f"{name!r} is no metric of label sets")
    return METRICS[name]


def _samples(name: str, definition: str, source: str, better: str = "higher", interval: str = "bca") -> Metric:
    measure: Callable[..., Rows] = functools.partial(_per_row, name)
    return Metric(
        name,
        measure,
        weighted_mean(name),
        interval=interval,
        better=better,
        item=name,
        signature=sign(name),
        source=source,
        family="label_sets",
        definition=definition,
        edge="A row whose share is 0/0 is undefined, left out and counted. NaN without rows.",
    )


METRICS: dict[str, Metric] = {
    made.name: made
    for made in (
        _samples(
            "samples_precision", "|P ∩ T| / |P| of each row, mean.", "scikit-learn's precision_score(average='samples')"
        ),
        _samples(
            "samples_recall", "|P ∩ T| / |T| of each row, mean.", "scikit-learn's recall_score(average='samples')"
        ),
        _samples(
            "samples_f1", "2 |P ∩ T| / (|P| + |T|) of each row, mean.", "scikit-learn's f1_score(average='samples')"
        ),
        _samples(
            "samples_jaccard", "|P ∩ T| / |P ∪ T| of each row, mean.", "scikit-learn's jaccard_score(average='samples')"
        ),
        _samples(
            "subset_accuracy",
            "The share of rows whose labels are all right.",
            "scikit-learn's accuracy_score",
            interval="wilson",
        ),
        _samples("hamming_loss", "The share of labels that are wrong.", "scikit-learn's hamming_loss", "lower"),
        *(averaged(kind, average) for average in AVERAGES for kind in SHARES),
    )
}
