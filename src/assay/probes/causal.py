"""Causal tests: what changes the answer, and should it?

Each edit (`assay.probes.interventions`) has a contract. Where the answer should stay, invariance is how often it does; where it
should change, sensitivity is how often it changes to the new truth, the directional error how often to something else.
Counterfactual accuracy wants both sides right. The effect of an attribute is the share of edits that change the answer; its
average treatment effect (of one value that the data names after another) is the mean change of the score, or of the right
answer's probability.
Sources: Pearl 2009; Kaushik, Hovy & Lipton 2020 (counterfactual data); Gardner et al. 2020 (contrast sets).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from assay.evaluation.probing import Figure, Reading
from assay.metrics.metric import Metric, of_sums, ratio, sign
from assay.probes.definitions import given, mean
from assay.probes.interventions import CHANGE, STAY, Edit, Intervention, interventions
from assay.probes.probe import Found, Probe, Subject, contrasts
from assay.types import CLEAN, Condition

Values = NDArray[np.float64]
SHARE = (0.0, 1.0)
MOST_VALUES = 12
KAUSHIK = "Kaushik, Hovy & Lipton 2020; Gardner et al. 2020"

INVARIANCE = mean(
    "invariance", "The share of edits after which the answer should stay, and did.", KAUSHIK, bounds=SHARE
)
SENSITIVITY = mean(
    "sensitivity",
    "The share of edits after which the answer should change, and changed to the new truth.",
    KAUSHIK,
    bounds=SHARE,
)
DIRECTION = mean(
    "directional_error",
    "The share of edits after which the answer should change, and changed to something that is not the new truth.",
    KAUSHIK,
    bounds=SHARE,
    better="lower",
)
COUNTERFACTUAL = mean("counterfactual_accuracy", "The share of edits right before and after.", KAUSHIK, bounds=SHARE)
EFFECT = mean(
    "causal_effect",
    "The share of edits of the attribute that change the answer, whatever it should do.",
    "Pearl 2009",
    bounds=SHARE,
)
ATE = mean(
    "ate",
    "The mean change of the score when the attribute is set from one value to another, all else being equal.",
    "Pearl 2009",
    bounds=(-np.inf, np.inf),
)
ATE_PROBABILITY = mean(
    "ate_probability",
    "The mean change of the probability of the right answer when the attribute is set from one value to another.",
    "Pearl 2009",
)


def _specific(total: Values, moved: Values, relevant: Values, others: Values, irrelevant: Values) -> Values:
    effects = np.divide(others, irrelevant, out=np.full_like(others, np.nan), where=irrelevant > 0)
    worst = np.where(np.isnan(effects).any(axis=1), np.nan, effects.max(axis=1))
    return ratio(moved, relevant) - worst


SPECIFICITY = Metric(
    "specificity",
    given,
    of_sums(_specific, "moved", "relevant", "others", "irrelevant"),
    bounds=(-1.0, 1.0),
    signature=sign("specificity"),
    source="assay",
    family="probe",
    columns=("moved", "relevant", "others", "irrelevant"),
    definition="The effect of edits that should change the answer, less the greatest effect of an attribute that should not.",
    edge="Undefined without edits of both kinds.",
)


def lacks(subject: Subject) -> str:
    """What is missing."""
    lack = contrasts(subject)
    if lack or interventions(subject):
        return lack
    return (
        "the data has no twins (a group `twin` whose members differ in one attribute), no classes to swap within,"
        " no questions of yes or no"
    )


def conditions(subject: Subject) -> list[Condition]:
    """The samples as they are, and edited."""
    return [CLEAN, *(one.condition for one in interventions(subject) if one.condition.name != CLEAN.name)]


def read(subject: Subject, reading: Reading) -> Found:
    """Figures of every intervention, and how specific the answers are to what should change them."""
    found = [(one, Answered(reading, one)) for one in interventions(subject)]
    out: list[Figure] = []
    for one, answered in found:
        out += contract_figures(one, answered)
        if one.condition.name == CLEAN.name:
            out += value_figures(subject, reading, one)
    return [*out, *specificity(found)]


class Answered:
    """The answers before and after each edit, as what each sample's edits come to on average."""

    def __init__(self, reading: Reading, one: Intervention) -> None:
        before, after = reading.predicted(CLEAN.name), reading.predicted(one.condition.name)
        own = reading.outcomes(CLEAN.name)
        self.n = len(before)
        self.places = np.array([edit.before for edit in one.edits], dtype=np.intp)
        known = np.array([before[e.before] is not None and after[e.after] is not None for e in one.edits])
        changed = np.array([before[e.before] != after[e.after] for e in one.edits], dtype=np.float64)
        reached = np.array([after[e.after] == e.target for e in one.edits], dtype=np.float64)
        self.right = np.where(known, own[self.places] * reached, np.nan)
        self.changed, self.reached = (np.where(known, values, np.nan) for values in (changed, reached))

    def by_sample(self, values: Values) -> Values:
        """The mean over each sample's edits, NaN where one of them is or there is none."""
        count = np.bincount(self.places, minlength=self.n)
        summed = np.bincount(self.places, values, self.n)
        return np.asarray(np.divide(summed, count, out=np.full(self.n, np.nan), where=count > 0))

    @property
    def concerned(self) -> NDArray[np.bool_]:
        """The samples that were edited."""
        return np.asarray(np.bincount(self.places, minlength=self.n) > 0)


def contract_figures(one: Intervention, answered: Answered) -> Iterator[Figure]:
    """Whether the contract was kept."""
    part, condition = f"attribute={one.attribute}", one.condition.name
    figures = [(EFFECT, answered.changed), (COUNTERFACTUAL, answered.right)]
    if one.contract == STAY:
        figures.append((INVARIANCE, 1.0 - answered.changed))
    else:
        figures.append((SENSITIVITY, answered.changed * answered.reached))
        figures.append((DIRECTION, answered.changed * (1.0 - answered.reached)))
    for metric, values in figures:
        name = part if metric in (INVARIANCE, SENSITIVITY, DIRECTION) else f"{part} & contract={one.contract}"
        yield Figure(metric, name, {"value": answered.by_sample(values)}, answered.concerned, condition)


def value_figures(subject: Subject, reading: Reading, one: Intervention) -> Iterator[Figure]:
    """The mean change from each value of an attribute to a later one, in the order of the values' names."""
    names = sorted({edit.values for edit in one.edits if edit.values[0] < edit.values[1]})[:MOST_VALUES]
    score = reading.outcomes(CLEAN.name)
    likely = right_probability(subject, reading) if subject.task.verb == "score" and one.contract == STAY else None
    for values in names:
        edits = [edit for edit in one.edits if edit.values == values]
        part = f"attribute={one.attribute} & edit={values[0]}->{values[1]}"
        for metric, of in ((ATE, score), (ATE_PROBABILITY, likely)):
            if of is not None:
                column, concerned = mean_change(edits, of)
                yield Figure(metric, part, {"value": column}, concerned)


def mean_change(edits: Sequence[Edit], of: Values) -> tuple[Values, NDArray[np.bool_]]:
    """What each sample's edits change on average, and which samples have any."""
    places = np.array([edit.before for edit in edits], dtype=np.intp)
    change = np.array([of[edit.after] - of[edit.before] for edit in edits])
    count = np.bincount(places, minlength=len(of))
    column = np.divide(np.bincount(places, change, len(of)), count, out=np.full(len(of), np.nan), where=count > 0)
    return column, count > 0


def right_probability(subject: Subject, reading: Reading) -> Values | None:
    """The probability of each sample's right class; `None` where the choices are put in several ways."""
    if len(subject.task.prompts) > 1:
        return None
    logs, place = reading.answers(CLEAN.name), {choice: i for i, choice in enumerate(reading.choices)}
    return np.array(
        [
            np.nan if sample.target is None else float(np.exp(logs[i, place[str(sample.target)]]))
            for i, sample in enumerate(subject.samples)
        ]
    )


def specificity(found: Sequence[tuple[Intervention, Answered]]) -> Iterator[Figure]:
    """How much more the answer moves with what should move it than with what should not."""
    relevant = [answered for one, answered in found if one.contract == CHANGE]
    irrelevant = [answered for one, answered in found if one.contract == STAY]
    if not relevant or not irrelevant:
        return
    n = relevant[0].n
    moved, wanted = np.zeros(n), np.zeros(n)
    for answered in relevant:
        moved += np.bincount(answered.places, answered.changed, n)
        wanted += np.bincount(answered.places, minlength=n)
    others = np.column_stack([np.bincount(one.places, one.changed, n) for one in irrelevant])
    counts = np.column_stack([np.bincount(one.places, minlength=n) for one in irrelevant]).astype(np.float64)
    columns = {"moved": moved, "relevant": wanted, "others": others, "irrelevant": counts}
    yield Figure(SPECIFICITY, "all", columns, (wanted > 0) | (counts > 0).any(axis=1))


CAUSAL = Probe(
    "causal",
    "What changes the answer, and should it?",
    lacks,
    conditions,
    read,
    leads=("invariance", "sensitivity", "specificity"),
    metrics=(INVARIANCE, SENSITIVITY, DIRECTION, COUNTERFACTUAL, EFFECT, ATE, ATE_PROBABILITY, SPECIFICITY),
)
