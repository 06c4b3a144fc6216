"""Metrics of labels: accuracy, balanced accuracy, precision, recall and F1 over classes, Matthews' correlation.

Labels: an answer of ``None`` could not be parsed; it is wrong, belongs to no class, and is counted by ``unparsed``.
Macro-F1 is the mean of the F1 of every class that occurs among the true or the predicted labels (scikit-learn's
default: a class that was only predicted counts 0, a class that does not occur at all counts nothing).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.catalog import nearest
from assay.metrics.metric import Metric, Rows, Weights, ratio, sign, weighted_mean
from assay.stats.inputs import listed, meeting, plain
from assay.stats.measured import OfSpread

Values = NDArray[np.float64]
Codes = NDArray[np.int64]

DENSE_CLASSES = 64
"""Up to so many classes a confusion is summed by a matrix product, beyond by sorting."""

UNPARSED = -1
"""The code of an answer that is no label."""


def measure_labels(predicted: Sequence[Any], true: Sequence[Any], choices: Sequence[Any] = ()) -> Rows:
    """Rows of ``n`` answers: integer codes ``true`` and ``predicted``, and ``correct``, ``unparsed`` as 0 and 1.

    ``choices`` fixes the codes, so that rows of several shards fit together; an answer that is none of them is
    unparsed. Without, the codes follow the sorted labels. Raises `ValueError` for unequal lengths, for a true label
    that is missing (None, NaN) or none of the choices, naming the row, for labels that are collections, and without
    ``choices`` for predicted and true labels of kinds that never equal each other (numbers beside texts).

    >>> rows = measure_labels(["a", None, "b"], ["a", "b", "a"])
    >>> rows["correct"].tolist(), rows["unparsed"].tolist()
    ([1.0, 0.0, 0.0], [0.0, 1.0, 0.0])
    """
    predicted, true = plain(predicted), plain(true)
    listed(predicted, "predicted labels")
    listed(true, "true labels")
    if len(predicted) != len(true):
        raise ValueError(f"one answer a true label was expected: {len(predicted)} answers, {len(true)} labels")
    if not len(choices):
        meeting(predicted, true, ("predicted", "true"))
    integers = None if len(choices) else _integers(predicted, true)
    wanted, given = _coded(predicted, true, choices) if integers is None else integers
    return {
        "true": wanted,
        "predicted": given,
        "correct": (wanted == given).astype(np.float64),
        "unparsed": (given == UNPARSED).astype(np.float64),
    }


def _integers(predicted: Sequence[Any], true: Sequence[Any]) -> tuple[Codes, Codes] | None:
    """The codes of integer arrays without going through their rows; None for anything else."""
    sides = [
        side
        for side in (predicted, true)
        if isinstance(side, np.ndarray) and side.dtype.kind in "iu" and side.ndim == 1
    ]
    if len(sides) < 2:
        return None
    codes = np.unique(np.concatenate(sides), return_inverse=True)[1].astype(np.int64)
    return codes[len(predicted) :], codes[: len(predicted)]


def _coded(predicted: Sequence[Any], true: Sequence[Any], choices: Sequence[Any]) -> tuple[Codes, Codes]:
    """The codes of the true and of the predicted labels."""
    try:
        labels = choices if len(choices) else sorted({x for x in {*true, *predicted} - {None} if x == x}, key=str)
        code = {label: place for place, label in enumerate(labels)}
        wanted = np.fromiter((code.get(label, UNPARSED) for label in true), dtype=np.int64, count=len(true))
        given = np.fromiter((code.get(label, UNPARSED) for label in predicted), dtype=np.int64, count=len(predicted))
    except TypeError as error:
        row, label = next(
            ((row, x) for side in (true, predicted) for row, x in enumerate(side) if not isinstance(x, Hashable)),
            (0, true[0]),
        )
        raise ValueError(
            f"row {row}: one label was expected, not {label!r:.60}; for several labels a row see samples_f1"
        ) from error
    unknown = np.flatnonzero(wanted == UNPARSED)
    if len(unknown):
        label = true[unknown[0]]
        missing = label is None or label != label
        reason = (
            "is missing" if missing else f"{label!r} is none of the choices: {nearest(str(label), map(str, labels))}"
        )
        raise ValueError(f"the true label of row {unknown[0]} {reason}")
    return wanted, given


Formula = Callable[[Values, Values, Values], Values]
"""From the weights ``[b, k]`` of what was right, true and predicted in each class to the value ``[b]``."""

AVERAGES = ("macro", "micro", "weighted")


def averaged(kind: str, average: str = "macro", zero_division: float = math.nan) -> Metric:
    """Precision, recall or F1 over classes: the ``macro`` mean, weighted by their true rows, or ``micro`` (of pooled counts).

    A class counts when it occurs among the true or the predicted labels. Where its precision or recall is 0/0 (never
    predicted, never true), it counts as ``zero_division``, which is 0, 1 or NaN: then the class is left out of the mean.
    F1 is 2 TP / (2 TP + FP + FN), which is never 0/0 for a class that occurs.

    >>> averaged("precision", "micro").name
    'micro_precision'
    """
    if kind not in SHARES or average not in AVERAGES:
        raise ValueError(f"{' or '.join(SHARES)}, {' or '.join(AVERAGES)} were expected, not {kind!r}, {average!r}")
    if not (math.isnan(zero_division) or zero_division in (0, 1)):
        raise ValueError(f"zero_division as 0, 1 or NaN was expected, not {zero_division!r}")
    name = f"{average}_{kind}"
    parts = () if kind == "f1" else (f"zero_division:{zero_division:g}",)
    how = {
        "macro": "the mean over the classes that occur, of which each counts alike",
        "weighted": "the mean over the classes, each weighted by its true rows",
        "micro": "of the counts summed over the classes",
    }
    return Metric(
        name,
        measure_labels,
        _of_confusion(functools.partial(over_classes, kind, average, zero_division)),
        signature=sign(name, "classes:present", *parts, "unparsed:wrong"),
        source=f"scikit-learn's {kind}_score(average={average!r}); van Rijsbergen 1979",
        family="labels",
        columns=("true", "predicted"),
        definition=f"{SHARES[kind]}: {how[average]}. (The F1 of mean precision and recall is another figure.)",
        edge="A class whose precision or recall is 0/0 is left out of the mean, unless zero_division says otherwise; NaN where all are.",
    )


SHARES = {
    "precision": "TP / (TP + FP)",
    "recall": "TP / (TP + FN)",
    "f1": "F1 = 2 TP / (2 TP + FP + FN)",
}


def over_classes(
    kind: str,
    average: str,
    zero_division: float,
    right: Values,
    true: Values,
    predicted: Values,
    *,
    absent: bool = False,
) -> Values:
    """The average ``[b]`` over classes from the weights ``[b, k]`` of what was right, true and predicted in each.

    With ``absent`` a class that does not occur is 0/0 too, else it is none.
    """
    if average == "micro":
        right, true, predicted = (part.sum(axis=1, keepdims=True) for part in (right, true, predicted))
    share = (
        ratio(2 * right, true + predicted) if kind == "f1" else ratio(right, predicted if kind == "precision" else true)
    )
    there = (true + predicted > 0) | absent
    if not math.isnan(zero_division):
        share = np.where(np.isnan(share) & there, zero_division, share)
    weight = np.where(np.isnan(share), 0.0, true if average == "weighted" else 1.0)
    return ratio((weight * np.nan_to_num(share)).sum(axis=1), weight.sum(axis=1))


def _mcc(right: Values, true: Values, predicted: Values) -> Values:
    """(c s - Σ p t) / √((s² - Σ p²)(s² - Σ t²)); unparsed answers are a class of their own that is never true."""
    rows = true.sum(axis=1)
    unparsed = rows - predicted.sum(axis=1)
    lead = right.sum(axis=1) * rows - (predicted * true).sum(axis=1)
    spread = rows**2 - (predicted**2).sum(axis=1) - unparsed**2
    spread_true = rows**2 - (true**2).sum(axis=1)
    flat = np.minimum(spread, spread_true) <= 1e-12 * rows**2
    return np.where(flat, np.nan, ratio(lead, np.sqrt(np.maximum(spread * spread_true, 0.0))))


def _mean_recall(right: Values, true: Values, predicted: Values) -> Values:
    return ratio(np.nansum(ratio(right, true), axis=1), (true > 0).sum(axis=1).astype(np.float64))


def _of_confusion(formula: Formula) -> OfSpread:
    return OfSpread(
        lambda rows, weights: formula(*_confusion(rows, weights)),
        _one_hot,
        lambda sums: formula(*np.split(sums, 3, axis=1)),
    )


def named(name: str) -> Metric:
    """The metric of labels of this name. Raises `ValueError` for another name.

    >>> named("accuracy").family, named("weighted_recall").name
    ('labels', 'weighted_recall')
    """
    if name not in LABELS:
        raise ValueError(f"{name!r} is no metric of labels")
    return LABELS[name]


def _codes(rows: Rows) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.bool_], int]:
    """The place of the true and of the predicted class among those that occur, which were parsed, how many occur."""
    true, predicted = rows["true"], rows["predicted"]
    parsed = predicted != UNPARSED
    present = np.unique(np.concatenate([true, predicted[parsed]]))
    return np.searchsorted(present, true), np.searchsorted(present, predicted), parsed, len(present)


def _one_hot(rows: Rows) -> Values | None:
    """``[n, 3 classes]``: what was right, true and predicted, one column a class; None with very many classes."""
    true, answer, parsed, classes = _codes(rows)
    if classes > DENSE_CLASSES:
        return None
    one_hot = np.eye(classes + 1)[:, :-1]
    is_true, is_answer = one_hot[true], one_hot[np.where(parsed, answer, -1)]
    return np.hstack([is_true * is_answer, is_true, is_answer])


def _confusion(rows: Rows, weights: Weights) -> tuple[Values, Values, Values]:
    """Weights ``[b, classes]`` of what was right, true and predicted, over the classes that occur in the rows."""
    table = _one_hot(rows)
    if table is not None:
        right, is_true, is_answer = np.split(weights @ table, 3, axis=1)
        return right, is_true, is_answer
    true, answer, parsed, classes = _codes(rows)
    right_rows = parsed & (true == answer)
    return (
        _per_class(true[right_rows], weights[:, right_rows], classes),
        _per_class(true, weights, classes),
        _per_class(answer[parsed], weights[:, parsed], classes),
    )


def _per_class(code: NDArray[np.intp], weights: Weights, classes: int) -> Values:
    """The sum ``[b, classes]`` of the weights of each class."""
    out = np.zeros((len(weights), classes))
    if len(code):
        order = np.argsort(code, kind="stable")
        start = np.flatnonzero(np.diff(code[order], prepend=-1))
        out[:, code[order][start]] = np.add.reduceat(weights[:, order], start, axis=1)
    return out


def confusion_matrix(predicted: Sequence[Any], true: Sequence[Any]) -> tuple[list[Any], NDArray[np.int64]]:
    """The labels that occur, and how often each was answered ``[true, answered]``; the last column counts unparsed answers.

    >>> labels, table = confusion_matrix(["a", "b", None], ["a", "a", "b"])
    >>> labels, table.tolist()
    (['a', 'b'], [[1, 1, 0], [0, 0, 1]])
    """
    predicted, true = (_listed_labels(side) for side in (predicted, true))
    measure_labels(predicted, true)  # says what does not fit
    labels = sorted({x for x in {*true, *predicted} - {None} if x == x}, key=_by_size)
    rows = measure_labels(predicted, true, labels)
    k = len(labels)
    answer = np.where(rows["predicted"] == UNPARSED, k, rows["predicted"])
    table = np.bincount(rows["true"] * (k + 1) + answer, minlength=k * (k + 1)).reshape(k, k + 1)
    return labels, table.astype(np.int64)


def _listed_labels(side: Any) -> Any:
    side = plain(side)
    return side.tolist() if isinstance(side, np.ndarray) else side


def _by_size(label: Any) -> tuple[bool, float, str]:
    """Numbers by size before everything else by name."""
    number = isinstance(label, int | float | np.integer | np.floating)
    return not number, float(label) if number else 0.0, str(label)


def per_class(predicted: Sequence[Any], true: Sequence[Any]) -> dict[Any, dict[str, float]]:
    """Precision, recall, F1 and the number of true and predicted rows of every label; NaN where a share is 0/0.

    >>> per_class(["a", "a"], ["a", "b"])["b"]["precision"]
    nan
    """
    labels, table = confusion_matrix(predicted, true)
    right = np.diagonal(table).astype(np.float64)
    true_rows, given = table.sum(axis=1).astype(np.float64), table[:, :-1].sum(axis=0).astype(np.float64)
    columns = {
        "precision": ratio(right, given),
        "recall": ratio(right, true_rows),
        "f1": ratio(2 * right, true_rows + given),
        "true": true_rows,
        "predicted": given,
    }
    return {label: {name: float(column[at]) for name, column in columns.items()} for at, label in enumerate(labels)}


UNREAD = "An answer that could not be parsed is wrong and belongs to no class. NaN without rows."

LABELS: dict[str, Metric] = {
    "accuracy": Metric(
        "accuracy",
        measure_labels,
        weighted_mean("correct"),
        interval="wilson",
        item="correct",
        signature=sign("accuracy", "unparsed:wrong"),
        source="scikit-learn's accuracy_score",
        family="labels",
        definition="The share of rows whose answer is the true label.",
        edge=UNREAD,
    ),
    **{made.name: made for made in (averaged(kind, average) for average in AVERAGES for kind in SHARES)},
    "balanced_accuracy": Metric(
        "balanced_accuracy",
        measure_labels,
        _of_confusion(_mean_recall),
        signature=sign("balanced_accuracy", "classes:true", "unparsed:wrong"),
        source="scikit-learn's balanced_accuracy_score; Brodersen et al. 2010",
        family="labels",
        columns=("true", "predicted"),
        definition="The mean over the true classes of the share of their rows that were answered right.",
        edge=UNREAD,
    ),
    "mcc": Metric(
        "mcc",
        measure_labels,
        _of_confusion(_mcc),
        bounds=(-1.0, 1.0),
        signature=sign("mcc", "unparsed:a-class"),
        source="Matthews 1975; Gorodkin 2004 (several classes); scikit-learn's matthews_corrcoef",
        family="labels",
        columns=("true", "predicted"),
        definition="(c s - Σ p_k t_k) / √((s² - Σ p_k²)(s² - Σ t_k²)): the correlation of answers and truth, -1 to 1.",
        edge="NaN where all true labels or all answers are of one class (scikit-learn says 0).",
    ),
    "unparsed": Metric(
        "unparsed",
        measure_labels,
        weighted_mean("unparsed"),
        interval="wilson",
        better="lower",
        item="unparsed",
        signature=sign("unparsed"),
        source="assay",
        family="labels",
        definition="The share of answers that could not be read as a label.",
        edge="NaN without rows.",
    ),
}
