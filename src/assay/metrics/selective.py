"""Selective prediction: how often a model errs when it may decline what it is least sure of.

Rows: a ``certainty`` (any number that orders the rows; of rows with a score for each class the highest) and ``right``, 0
or 1. Rows are accepted by descending confidence; among equal ones the wrong come first, so that a tie never flatters.
Sources: El-Yaniv & Wiener 2010 (risk and coverage); Geifman, Uziel & El-Yaniv 2019 (AURC, E-AURC).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.metrics.metric import Metric, Rows, Weights, ratio, sign
from assay.metrics.scores import Weighed, weighed
from assay.stats.measured import OfPrepared

Values = NDArray[np.float64]
Index = NDArray[np.intp]

WHOLE = 1 << 20
"""Up to so many rows, whole weights find their harmonic numbers in a table."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """Rows in the order in which they are accepted: how ``wrong`` each is, and whether the next has another confidence."""

    wrong: Values
    ends: NDArray[np.bool_]


def measure(given: Weighed) -> Rows:
    """The columns ``certainty`` (which need be no probability) and ``right``."""
    confidence, right = given.top(given.scores)
    return {"certainty": confidence, "right": right}


def prepare(rows: Rows) -> tuple[Index, Accepted]:
    """The order of acceptance, and the rows in it."""
    order = np.lexsort((rows["right"], -rows["certainty"]))
    confidence = rows["certainty"][order]
    ends = np.ones(len(order), dtype=np.bool_)
    ends[:-1] = confidence[1:] != confidence[:-1]
    return order, Accepted(1 - rows["right"][order], ends)


def aurc(rows: Accepted, weights: Weights) -> Values:
    """The mean ``[b]`` over k of the share of errors among the first k rows; a row of weight w stands for w rows.

    w rows that are e wrong each, after C rows with E errors, add Σ_j (E + e j)/(C + j) = e w + (E - e C)(H(C + w) - H(C)).
    """
    lost = weights * rows.wrong
    reached, errors = _before(weights), _before(lost)
    lead = (errors[:, :-1] - rows.wrong * reached[:, :-1]) * np.diff(harmonic(reached), axis=1)
    return ratio(errors[:, -1] + lead.sum(axis=1), reached[:, -1])


def _before(weights: Weights) -> Values:
    """The weights before each row, and at the end all of them ``[b, n + 1]``."""
    out = np.zeros((len(weights), weights.shape[1] + 1))
    np.cumsum(weights, axis=1, out=out[:, 1:])
    return out


def excess_aurc(rows: Accepted, weights: Weights) -> Values:
    """`aurc` less the least that the same answers could have: all the right ones first."""
    total, errors = weights.sum(axis=1), (weights * rows.wrong).sum(axis=1)
    right = total - errors
    return aurc(rows, weights) - ratio(errors - right * (harmonic(total) - harmonic(right)), total)


def accuracy_at(coverage: float) -> Callable[[Accepted, Weights], Values]:
    """The accuracy ``[b]`` over the share ``coverage`` of the rows that come first; the last one counts in part."""

    def evaluate(rows: Accepted, weights: Weights) -> Values:
        room = coverage * weights.sum(axis=1, keepdims=True)
        reached = np.cumsum(weights, axis=1)
        taken = np.clip(room - (reached - weights), 0, weights)
        return ratio((taken * (1 - rows.wrong)).sum(axis=1), taken.sum(axis=1))

    return evaluate


def coverage_at(risk: float) -> Callable[[Accepted, Weights], Values]:
    """The largest share ``[b]`` of rows that a threshold can accept with at most ``risk`` of them wrong; 0 where none can."""

    def evaluate(rows: Accepted, weights: Weights) -> Values:
        reached = np.cumsum(weights, axis=1)[:, rows.ends]
        errors = np.cumsum(weights * rows.wrong, axis=1)[:, rows.ends]
        fine = (errors <= risk * reached + 1e-12 * reached) & (reached > 0)
        return ratio(np.where(fine, reached, 0.0).max(axis=1), weights.sum(axis=1))

    return evaluate


def harmonic(x: Values) -> Values:
    """H(x) = Σ_{j≤x} 1/j; between whole numbers its smooth continuation ψ(x + 1) + γ.

    >>> harmonic(np.array([[0.0, 1.0, 3.0]])).round(4).tolist()
    [[0.0, 1.0, 1.8333]]
    """
    top = float(x.max(initial=0.0))
    whole = x.astype(np.intp) if top <= WHOLE else None
    if whole is not None and bool((whole == x).all()):
        table = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, int(top) + 2))])
        return np.asarray(table[whole])
    from scipy.special import digamma

    return np.asarray(digamma(x + 1) + np.euler_gamma)


def risk_coverage(confidence: ArrayLike, right: Sequence[Any] | NDArray[Any]) -> tuple[Values, Values]:
    """The risk–coverage curve: the coverage k/n and the share of errors among the k most confident, k = 1 … n.

    >>> coverage, risk = risk_coverage([0.9, 0.8, 0.7], [1, 0, 1])
    >>> risk.round(3).tolist()
    [0.0, 0.5, 0.333]
    """
    rows = measure(weighed(confidence, right))
    _, accepted = prepare(rows)
    k = np.arange(1, len(accepted.wrong) + 1)
    return k / max(len(k), 1), np.cumsum(accepted.wrong) / k


def named(name: str) -> Metric:
    """The metric of this name: ``aurc``, ``eaurc``, ``accuracy@coverage=0.8``, ``coverage@risk=0.05``.

    >>> from assay import metrics
    >>> round(metrics.aurc([0.9, 0.8, 0.7, 0.6, 0.5], [1, 1, 0, 1, 0]).value, 8)
    0.19666667
    """
    if name in METRICS:
        return METRICS[name]
    at = re.fullmatch(r"(accuracy@coverage|coverage@risk)=(0?\.\d+|1(?:\.0+)?)", name)
    share = float(at[2]) if at else 0.0
    if at is None or not 0 < share <= 1:
        raise ValueError(f"{name!r} is no metric of selective prediction")
    if at[1] == "accuracy@coverage":
        text = (
            f"The accuracy over the {share:.4g} of the rows with the highest confidence; the last row counts in part."
        )
        return _metric(name, accuracy_at(share), "higher", text, "bca")
    text = f"The largest share of rows that a threshold on the confidence can accept with at most {share:.4g} of them wrong."
    return _metric(name, coverage_at(share), "higher", text, "bias_corrected")


def _metric(
    name: str, evaluate: Callable[[Accepted, Weights], Values], better: str, definition: str, interval: str
) -> Metric:
    return Metric(
        name,
        measure,
        OfPrepared(prepare, evaluate, ("certainty", "right")),
        interval=interval,
        better=better,
        signature=sign(name, "ties:pessimistic"),
        source="Geifman, Uziel & El-Yaniv 2019, Bias-Reduced Uncertainty Estimation; El-Yaniv & Wiener 2010",
        family="scores",
        columns=("certainty", "right"),
        prepare=weighed,
        definition=definition,
        edge="Among rows of equal confidence the wrong come first. NaN without rows.",
    )


METRICS: dict[str, Metric] = {
    "aurc": _metric(
        "aurc", aurc, "lower", "The mean over k of the share of errors among the k most confident rows.", "bca"
    ),
    "eaurc": _metric(
        "eaurc",
        excess_aurc,
        "lower",
        "aurc less its least value for as many errors (all right answers before all wrong ones), summed exactly.",
        "bca",
    ),
}
