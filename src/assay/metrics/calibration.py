"""Whether confidence is earned: expected calibration error in its kinds, Brier score and what it is made of.

Of rows with a score for each class the confidence is the highest probability and ``right`` whether it is the true
class's (among equal ones as expected under random order); of rows with one probability it is that, and ``right`` whether
the positive class was the true one. Equal-width bins are (l, u], the first closed, edges compared with a tolerance of
1e-12, so that 0.3 belongs to (0.2, 0.3] although 0.1 + 0.2 does not. Sources: Naeini et al. 2015 and Guo et al. 2017
(ECE, MCE), Nixon et al. 2019 (adaptive bins), Kull et al. 2019 (classwise), Kumar et al. 2019 (debiased), Brier 1950,
Murphy 1973.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.metrics.metric import Metric, Rows, Weights, of_sums, ratio, sign, weighted_mean
from assay.metrics.scores import Weighed, weighed
from assay.stats.measured import Aggregate, OfPrepared

Values = NDArray[np.float64]
Index = NDArray[np.intp]

BINS = 15
EDGE = 1e-12


def bin_of(confidence: Values, bins: int) -> Index:
    """The equal-width bin (l, u] of each probability, 0 … bins - 1.

    >>> bin_of(np.array([0.0, 0.1, 0.3, 0.1 + 0.2, 0.31, 1.0]), 10).tolist()
    [0, 0, 2, 2, 3, 9]
    """
    place = np.ceil((confidence - EDGE) * bins) - 1
    return np.asarray(np.clip(place, 0, bins - 1), dtype=np.intp)


def measure_bins(given: Weighed, bins: int = BINS) -> Rows:
    """The column ``bins:B`` ``[n, 3 B]``: in the place of the row's bin a one, whether it is right, its confidence."""
    confidence, right = given.top(given.probabilities)
    place = bin_of(confidence, bins)
    table = np.zeros((len(given), 3 * bins))
    row = np.arange(len(given))
    for part, values in enumerate((np.ones(len(given)), right, confidence)):
        table[row, part * bins + place] = values
    return {f"bins:{bins}": table}


def measure_confidence(given: Weighed) -> Rows:
    """The columns ``confidence`` and ``right``."""
    confidence, right = given.top(given.probabilities)
    return {"confidence": confidence, "right": right}


def measure_classes(given: Weighed) -> Rows:
    """The columns ``probabilities[n, k]`` and ``class[n]``."""
    return {"probabilities": given.probabilities, "class": given.true}


def measure_brier(given: Weighed) -> Rows:
    """The column ``brier``: the squared distance of the probabilities from the truth, summed over the classes."""
    return {"brier": ((given.probabilities - given.hits) ** 2).sum(axis=1)}


def _gap(total: Values, sums: Values) -> Values:
    _, right, confidence = np.split(sums, 3, axis=1)
    return ratio(np.abs(right - confidence).sum(axis=1), total)


def _largest_gap(total: Values, sums: Values) -> Values:
    count, right, confidence = np.split(sums, 3, axis=1)
    gaps = np.nan_to_num(ratio(np.abs(right - confidence), count))
    return np.where(total > 0, gaps.max(axis=1), np.nan)


def _debiased(total: Values, sums: Values) -> Values:
    """√ max(0, Σ n_b/n [(acc - conf)² - acc (1 - acc) / (n_b - 1)]); a bin of one row has no variance to take off."""
    count, right, confidence = np.split(sums, 3, axis=1)
    accuracy, mean = np.nan_to_num(ratio(right, count)), np.nan_to_num(ratio(confidence, count))
    several = count > 1
    variance = np.divide(accuracy * (1 - accuracy), count - 1, out=np.zeros_like(count), where=several)
    squared = ratio((count * ((accuracy - mean) ** 2 - variance)).sum(axis=1), total)
    return np.sqrt(np.maximum(squared, 0.0))


def equal_mass(bins: int) -> OfPrepared:
    """The calibration error over bins of equal mass: a row that lies across an edge counts in both, share by share.

    Rows of equal confidence are one block with their mean, so that their order does not matter.
    """

    def prepare(rows: Rows) -> tuple[Index, tuple[Values, Index]]:
        order = np.argsort(rows["confidence"], kind="stable")
        confidence = rows["confidence"][order]
        return order, (rows["right"][order] - confidence, np.flatnonzero(np.diff(confidence, prepend=-1.0)))

    def evaluate(state: tuple[Values, Index], weights: Weights) -> Values:
        gap, starts = state
        if not len(starts):
            return np.full(len(weights), np.nan)
        mass, lead = (np.cumsum(np.add.reduceat(part, starts, axis=1), axis=1) for part in (weights, weights * gap))
        out = np.full(len(weights), np.nan)
        for row in np.flatnonzero(mass[:, -1] > 0):
            edges = np.linspace(0.0, mass[row, -1], bins + 1)
            reached = np.interp(edges, np.concatenate([[0.0], mass[row]]), np.concatenate([[0.0], lead[row]]))
            out[row] = np.abs(np.diff(reached)).sum() / mass[row, -1]
        return out

    return OfPrepared(prepare, evaluate, ("confidence", "right"))


def classwise(bins: int) -> OfPrepared:
    """The calibration error of each class's own probability, the mean over the classes."""

    def prepare(rows: Rows) -> tuple[Index, tuple[Any, int]]:
        from scipy.sparse import csr_matrix

        shares = rows["probabilities"]
        n, classes = shares.shape
        hits = rows["class"][:, None] == (np.arange(classes) if classes > 1 else 1)
        place = bin_of(shares, bins) + np.arange(classes) * bins
        gaps = csr_matrix(
            ((hits - shares).ravel(), (np.repeat(np.arange(n), classes), place.ravel())), (n, classes * bins)
        )
        return np.arange(n), (gaps.T.tocsr(), classes)

    def evaluate(state: tuple[Any, int], weights: Weights) -> Values:
        gaps, classes = state
        return ratio(np.abs(gaps @ weights.T).sum(axis=0) / classes, weights.sum(axis=1))

    return OfPrepared(prepare, evaluate, ("probabilities", "class"))


Groups = list[tuple[Values, Values, Index]]


def by_forecast(rows: Rows) -> tuple[Index, Groups]:
    """Class after class the rows by their forecast of it: the distinct forecasts, whether it came, where each one starts."""
    shares, true = rows["probabilities"], rows["class"]
    classes = shares.shape[1]
    orders, groups = [], []
    for at in range(classes):
        order = np.argsort(shares[:, at], kind="stable")
        forecast = shares[order, at]
        starts = np.flatnonzero(np.diff(forecast, prepend=-1.0))
        orders.append(order)
        groups.append((forecast[starts], (true[order] == (at if classes > 1 else 1)).astype(np.float64), starts))
    return np.concatenate(orders), groups


def murphy(part: str) -> OfPrepared:
    """One part of the Brier score, over groups of rows with the same forecast of a class, summed over the classes.

    Brier = reliability - resolution + uncertainty (Murphy 1973).
    """

    def evaluate(groups: Groups, weights: Weights) -> Values:
        n = len(groups[0][1])
        total = weights[:, :n].sum(axis=1)
        out = np.zeros(len(weights))
        for at, (forecast, hit, starts) in enumerate(groups):
            count = weights[:, at * n : (at + 1) * n]
            right = count * hit
            base = ratio(right.sum(axis=1), total)
            if part == "uncertainty":
                out += total * base * (1 - base)
                continue
            if len(starts) < n:
                count, right = (np.add.reduceat(w, starts, axis=1) for w in (count, right))
            rate = np.divide(right, count, out=np.zeros_like(count), where=count > 0)
            against = forecast if part == "reliability" else base[:, None]
            out += np.einsum("ij,ij->i", count, (against - rate) ** 2)
        return ratio(out, total)

    return OfPrepared(by_forecast, evaluate, ("probabilities", "class"), lambda groups: len(groups) * len(groups[0][1]))


def ece(bins: int = BINS, kind: str = "width") -> Metric:
    """The calibration error with so many bins: ``width``, ``mass`` (adaptive), ``debiased``, ``classwise`` or ``max`` (MCE)."""
    if kind not in KINDS:
        raise ValueError(f"a kind of {', '.join(KINDS)} was expected, not {kind!r}")
    if isinstance(bins, bool) or not isinstance(bins, int | np.integer):
        raise ValueError(f"bins: a whole number was expected, not {bins!r:.60}")
    if bins < 1:
        raise ValueError(f"at least one bin was expected, not {bins}")
    name, definition = KINDS[kind]
    over = {"mass": equal_mass(bins), "classwise": classwise(bins)}
    formula = {"width": _gap, "max": _largest_gap, "debiased": _debiased}
    aggregate: Aggregate = over[kind] if kind in over else of_sums(formula[kind], f"bins:{bins}")
    measures = {"mass": measure_confidence, "classwise": measure_classes}
    columns = {"mass": ("confidence", "right"), "classwise": ("probabilities", "class")}
    return Metric(
        name,
        measures.get(kind, functools.partial(measure_bins, bins=bins)),
        aggregate,
        interval="bias_corrected",
        better="lower",
        signature=sign(name, f"bins:{bins}", "equal-mass" if kind == "mass" else "(l,u]"),
        source=SOURCES[kind],
        family="scores",
        columns=columns.get(kind, (f"bins:{bins}",)),
        prepare=weighed,
        definition=definition,
        edge="0 where confidence and accuracy agree in every bin, which few rows seldom do. NaN without rows.",
    )


KINDS = {
    "width": ("ece", "Σ n_b/n |accuracy_b - confidence_b| over equal-width bins (l, u] of the confidence."),
    "mass": ("ece_adaptive", "Σ n_b/n |accuracy_b - confidence_b| over bins that hold the same number of rows."),
    "debiased": (
        "ece_debiased",
        "√ max(0, Σ n_b/n [(accuracy_b - confidence_b)² - accuracy_b (1 - accuracy_b) / (n_b - 1)]) over equal-width bins.",
    ),
    "classwise": (
        "ece_classwise",
        "The ECE of each class's probability against whether it is the class, mean over the classes.",
    ),
    "max": ("mce", "The largest |accuracy_b - confidence_b| over equal-width bins that hold a row."),
}

SOURCES = {
    "width": "Guo et al. 2017, On Calibration of Modern Neural Networks; Naeini, Cooper & Hauskrecht 2015",
    "mass": "Nixon et al. 2019, Measuring Calibration in Deep Learning; Nguyen & O'Connor 2015",
    "debiased": "Kumar, Liang & Ma 2019, Verified Uncertainty Calibration",
    "classwise": "Kull et al. 2019, Beyond temperature scaling",
    "max": "Naeini, Cooper & Hauskrecht 2015, Obtaining Well Calibrated Probabilities Using Bayesian Binning",
}

BRIER = Metric(
    "brier",
    measure_brier,
    weighted_mean("brier"),
    better="lower",
    bounds=(0.0, 2.0),
    item="brier",
    signature=sign("brier", "sum-over-classes"),
    source="Brier 1950, Verification of forecasts expressed in terms of probability; scikit-learn's brier_score_loss",
    family="scores",
    prepare=weighed,
    definition="The mean of Σ_k (p_k - y_k)² over the classes, 0 to 2; of one probability (p - y)², 0 to 1.",
    edge="NaN without rows.",
)


def _part(part: str, better: str, definition: str) -> Metric:
    return Metric(
        f"brier_{part}",
        measure_classes,
        murphy(part),
        interval="bias_corrected",
        better=better,
        bounds=(0.0, 2.0),
        signature=sign(f"brier_{part}", "groups:equal-forecasts"),
        source="Murphy 1973, A new vector partition of the probability score",
        family="scores",
        columns=("probabilities", "class"),
        prepare=weighed,
        definition=f"{definition} Groups are rows with the same forecast; brier = reliability - resolution + uncertainty.",
        edge="Forecasts that are all different make groups of one row, which say little. NaN without rows.",
    )


def named(name: str) -> Metric:
    """The metric of this name. Raises `ValueError` for another name.

    >>> from assay import metrics
    >>> round(metrics.ece([0.9, 0.8, 0.6], [1, 1, 0], bins=10).value, 6)
    0.3
    """
    if name not in METRICS:
        raise ValueError(f"{name!r} is no metric of calibration")
    return METRICS[name]


METRICS: dict[str, Metric] = {
    **{made.name: made for made in map(functools.partial(ece, BINS), KINDS)},
    "brier": BRIER,
    "brier_reliability": _part(
        "reliability", "lower", "Σ n_g/n (forecast_g - rate_g)²: how far forecasts are from what came."
    ),
    "brier_resolution": _part(
        "resolution", "higher", "Σ n_g/n (rate_g - rate)²: how far groups differ from the whole."
    ),
    "brier_uncertainty": _part("uncertainty", "lower", "rate (1 - rate): what the data have of themselves."),
}
