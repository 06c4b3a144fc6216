"""Metrics of labels and of class scores: accuracy, balanced accuracy, macro-F1; log loss and top-k accuracy.

Labels: an answer of ``None`` could not be parsed; it is wrong, belongs to no class, and is counted by ``unparsed``.
Macro-F1 is the mean of the F1 of every class that occurs among the true or the predicted labels (scikit-learn's
default: a class that was only predicted counts 0, a class that does not occur at all counts nothing). Scores:
``float[n, k]`` log-probabilities.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.catalog import nearest
from assay.metrics.metric import Aggregate, Metric, Rows, Weights, ratio, sign, weighted_mean
from assay.stats.measured import OfSpread

Values = NDArray[np.float64]
Codes = NDArray[np.int64]

FLOOR = float(np.finfo(np.float64).eps)
"""The least probability that log loss knows."""

DENSE_CLASSES = 64
"""Up to so many classes a confusion is summed by a matrix product, beyond by sorting."""

UNPARSED = -1
"""The code of an answer that is no label."""


def measure_labels(predicted: Sequence[Any], true: Sequence[Any], choices: Sequence[Any] = ()) -> Rows:
    """Rows of ``n`` answers: integer codes ``true`` and ``predicted``, and ``correct``, ``unparsed`` as 0 and 1.

    ``choices`` fixes the codes, so that rows of several shards fit together; an answer that is none of them is
    unparsed. Without, the codes follow the sorted labels. Raises `ValueError` for unequal lengths, for a true label
    that is missing or none of the choices, naming the row.

    >>> rows = measure_labels(["a", None, "b"], ["a", "b", "a"])
    >>> rows["correct"].tolist(), rows["unparsed"].tolist()
    ([1.0, 0.0, 0.0], [0.0, 1.0, 0.0])
    """
    if len(predicted) != len(true):
        raise ValueError(f"one answer a true label was expected: {len(predicted)} answers, {len(true)} labels")
    labels = choices if len(choices) else sorted({*true, *predicted} - {None}, key=str)
    code = {label: place for place, label in enumerate(labels)}
    wanted = np.fromiter((code.get(label, UNPARSED) for label in true), dtype=np.int64, count=len(true))
    unknown = np.flatnonzero(wanted == UNPARSED)
    if len(unknown):
        label = true[unknown[0]]
        reason = (
            "is missing"
            if label is None
            else f"{label!r} is none of the choices: {nearest(str(label), map(str, labels))}"
        )
        raise ValueError(f"the true label of row {unknown[0]} {reason}")
    given = np.fromiter((code.get(label, UNPARSED) for label in predicted), dtype=np.int64, count=len(predicted))
    return {
        "true": wanted,
        "predicted": given,
        "correct": (wanted == given).astype(np.float64),
        "unparsed": (given == UNPARSED).astype(np.float64),
    }


def measure_scores(scores: ArrayLike, true: ArrayLike, k: int = 1) -> Rows:
    """Rows of log-probabilities ``scores[n, classes]`` and true classes ``[n]``: ``nll`` in nats, ``top_k_accuracy``.

    A probability below `FLOOR` counts as that much, as in scikit-learn's log loss, so that one of 0 does not end
    all. Equal scores count as expected under random order. Raises `ValueError` for shapes that do not fit, a class
    out of range, a score that is NaN, and probabilities that do not sum to 1, naming the row.

    >>> rows = measure_scores(np.log([[0.7, 0.2, 0.1], [0.2, 0.4, 0.4]]), [0, 1])
    >>> rows["nll"].round(4).tolist(), rows["top_1_accuracy"].tolist()
    ([0.3567, 0.9163], [1.0, 0.5])
    """
    table, index = np.asarray(scores, dtype=np.float64), np.asarray(true, dtype=np.int64)
    if table.ndim != 2 or index.shape != (len(table),):
        raise ValueError(f"scores [n, classes] and n true classes were expected, not {table.shape} and {index.shape}")
    if not len(table):
        return {"nll": np.zeros(0), f"top_{k}_accuracy": np.zeros(0)}
    outside = np.flatnonzero((index < 0) | (index >= table.shape[1]))
    if len(outside):
        raise ValueError(f"row {outside[0]}: {index[outside[0]]} is no class of {table.shape[1]}")
    with np.errstate(over="ignore"):  # raw logits may be as large as they like: they are refused just below
        mass = np.exp(table).sum(axis=1)
    broken = np.flatnonzero(~(np.abs(mass - 1) < 1e-2))
    if len(broken):
        raise ValueError(f"row {broken[0]}: log-probabilities were expected, but they sum to {mass[broken[0]]:.4g}")
    right = table[np.arange(len(table)), index]
    above, tied = (table > right[:, None]).sum(axis=1), (table == right[:, None]).sum(axis=1)
    return {"nll": -np.maximum(right, np.log(FLOOR)), f"top_{k}_accuracy": np.clip((k - above) / tied, 0, 1)}


def macro_f1(rows: Rows, weights: Weights) -> Values:
    """The mean F1 ``[b]`` over the classes that occur with weight among the true or predicted labels."""
    return _mean_f1(*_confusion(rows, weights))


def balanced_accuracy(rows: Rows, weights: Weights) -> Values:
    """The mean recall ``[b]`` over the classes that occur with weight among the true labels."""
    return _mean_recall(*_confusion(rows, weights))


def _mean_f1(right: Values, true: Values, predicted: Values) -> Values:
    share = ratio(2 * right, true + predicted)
    return ratio(np.nansum(share, axis=1), (true + predicted > 0).sum(axis=1).astype(np.float64))


def _mean_recall(right: Values, true: Values, predicted: Values) -> Values:
    return ratio(np.nansum(ratio(right, true), axis=1), (true > 0).sum(axis=1).astype(np.float64))


def _of_confusion(direct: Aggregate, formula: Callable[[Values, Values, Values], Values]) -> OfSpread:
    return OfSpread(direct, _one_hot, lambda sums: formula(*np.split(sums, 3, axis=1)))


def named(name: str) -> Metric:
    """The metric of labels or scores of this name. Raises `ValueError` for another name.

    >>> named("accuracy").family, named("top_5_accuracy").family
    ('labels', 'scores')
    """
    if name in LABELS:
        return LABELS[name]
    if name == "nll":
        return NLL
    at = re.fullmatch(r"top_([1-9]\d*)_accuracy", name)
    if at is None:
        raise ValueError(f"{name!r} is no metric of labels or scores")
    return Metric(
        name,
        functools.partial(measure_scores, k=int(at[1])),
        weighted_mean(name),
        interval="wilson",
        item=name,
        signature=sign(name, "ties:expected"),
        source="the true class is among the k with the highest scores",
        family="scores",
    )


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


LABELS: dict[str, Metric] = {
    "accuracy": Metric(
        "accuracy",
        measure_labels,
        weighted_mean("correct"),
        interval="wilson",
        item="correct",
        signature=sign("accuracy", "unparsed:wrong"),
        source="share of right answers",
        family="labels",
    ),
    "macro_f1": Metric(
        "macro_f1",
        measure_labels,
        _of_confusion(macro_f1, _mean_f1),
        signature=sign("macro_f1", "classes:present", "unparsed:wrong"),
        source="mean of the classes' F1, as scikit-learn's f1_score(average='macro')",
        family="labels",
        columns=("true", "predicted"),
    ),
    "balanced_accuracy": Metric(
        "balanced_accuracy",
        measure_labels,
        _of_confusion(balanced_accuracy, _mean_recall),
        signature=sign("balanced_accuracy", "classes:present", "unparsed:wrong"),
        source="mean of the classes' recall, as scikit-learn's balanced_accuracy_score",
        family="labels",
        columns=("true", "predicted"),
    ),
    "unparsed": Metric(
        "unparsed",
        measure_labels,
        weighted_mean("unparsed"),
        interval="wilson",
        better="lower",
        item="unparsed",
        signature=sign("unparsed"),
        source="share of answers that could not be read as a label",
        family="labels",
    ),
}

NLL = Metric(
    "nll",
    measure_scores,
    weighted_mean("nll"),
    better="lower",
    bounds=(0.0, float("inf")),
    item="nll",
    signature=sign("nll", "log:e", "floor:2.2e-16"),
    source="mean of -ln p(true class)",
    family="scores",
)
