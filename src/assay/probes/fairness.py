"""Fairness: for whom does the model do worse?

The data's groups (those by which its figures are broken down), each value with at least 30 samples: the worst group's score and the gap
between the best and the worst. The least of several noisy means is biased low, the gap high; the intervals are the bias-corrected
bootstrap's. Twins that differ in a protected attribute alone are asked by `assay.probes.causal`.
Source: Hardt, Price & Srebro 2016; Sagawa et al. 2020.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from assay.evaluation.probing import Figure, Reading
from assay.metrics.metric import Metric, of_sums, sign
from assay.probes.definitions import given, mean
from assay.probes.probe import Found, Probe, Subject, contrasts
from assay.types import CLEAN, Condition

Values = NDArray[np.float64]
FEWEST = 30


def _means(scores: Values, members: Values) -> Values:
    return np.divide(scores, members, out=np.full_like(scores, np.nan), where=members > 0)


def _worst(total: Values, scores: Values, members: Values) -> Values:
    return np.asarray(_means(scores, members).min(axis=1))


def _gap(total: Values, scores: Values, members: Values) -> Values:
    means = _means(scores, members)
    return np.asarray(means.max(axis=1) - means.min(axis=1))


def over_groups(name: str, formula: object, definition: str, better: str, bounds: tuple[float, float]) -> Metric:
    """A statistic of the means of several groups: columns ``scores`` and ``members`` have a place for each group."""
    return Metric(
        name,
        given,
        of_sums(formula, "scores", "members"),  # type: ignore[arg-type]
        interval="bias_corrected",
        better=better,
        bounds=bounds,
        signature=sign(name, f"groups:{FEWEST}+"),
        source="Sagawa et al. 2020",
        family="probe",
        columns=("scores", "members"),
        definition=definition,
    )


WORST = over_groups(
    "worst_group_score", _worst, "The least of the groups' mean scores.", "higher", (-math.inf, math.inf)
)
GAP = over_groups(
    "group_gap", _gap, "The greatest of the groups' mean scores less the least.", "lower", (0.0, math.inf)
)
SCORE = mean("group_score", "The mean score of one group.", "Hardt, Price & Srebro 2016", bounds=(-math.inf, math.inf))


def groups(subject: Subject) -> dict[str, list[str]]:
    """The groups with the values that enough samples have, where these are at least two."""
    out = {}
    for name in subject.task.groups:
        values = [
            sample.groups.get(name, "") for sample in subject.samples if sample.target is not None or sample.references
        ]
        found = sorted(value for value in set(values) if value and values.count(value) >= FEWEST)
        if name != "split" and len(found) > 1:
            out[name] = found
    return out


def lacks(subject: Subject) -> str:
    """What is missing."""
    return contrasts(subject) or (
        "" if groups(subject) else f"the data has no group with two values of {FEWEST} samples or more"
    )


def conditions(subject: Subject) -> list[Condition]:
    """The samples as they are."""
    return [CLEAN]


def read(subject: Subject, reading: Reading) -> Found:
    """The worst group, the gap, each group's score."""
    out: list[Figure] = []
    score, asked = reading.outcomes(CLEAN.name), reading.asked(CLEAN.name)
    for name, values in groups(subject).items():
        of = np.array([sample.groups.get(name, "") for sample in subject.samples])
        members = np.column_stack([of == value for value in values]).astype(np.float64)
        scores = np.where(np.isnan(score)[:, None] & (members > 0), np.nan, members * np.nan_to_num(score)[:, None])
        concerned = asked & (members.sum(axis=1) > 0)
        columns = {"scores": scores, "members": members}
        out += [Figure(metric, f"group={name}", columns, concerned) for metric in (WORST, GAP)]
        for place, value in enumerate(values):
            here = asked & (members[:, place] > 0)
            out.append(Figure(SCORE, f"{name}={value}", {"value": score}, here))
    return out


FAIRNESS = Probe(
    "fairness",
    "For whom does the model do worse?",
    lacks,
    conditions,
    read,
    leads=("worst_group_score", "group_gap"),
    metrics=(WORST, GAP, SCORE),
)
