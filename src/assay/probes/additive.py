"""EMAP: what the model's score owes to interaction between modalities, on this data.

Some samples are asked in all combinations of their modalities' contents; the answers' best additive approximation, a sum of one function
for each modality, answers in the model's place. What it loses is the worth of interaction. A late fusion loses nothing.
Log-probabilities are projected: what they lack to logits is the same for all classes, so that the best class is the same. A model
that says a class instead has it counted as a vote.
Source: Hessel & Lee 2020.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from assay.data.transforms.cross_donors import given
from assay.evaluation.probing import Figure, Reading
from assay.probes.asking import joined
from assay.probes.definitions import mean
from assay.probes.probe import Found, Probe, Subject, several_modalities
from assay.stats.projection import Additive, donors, prime_below
from assay.types import Condition

Values = NDArray[np.float64]
MOST, FEWEST = 151, 11
"""So many samples are combined at most (each shift is a condition of as many rows), and at least."""
LEAST = -50.0
"""Log-probabilities below count as this: one of minus infinity would decide every sum that it is in."""

SCORE = mean(
    "emap_score",
    "The accuracy of the additive projection of the model's log-probabilities, on the samples that were combined.",
    "Hessel & Lee 2020",
    bounds=(0.0, 1.0),
)
GAP = mean(
    "emap_gap",
    "The accuracy of the model less that of its additive projection: what interaction between modalities is worth here.",
    "Hessel & Lee 2020",
)


def pool(subject: Subject) -> list[int]:
    """The places of the samples that are combined: a prime number, by chance, of those with every modality and a target."""
    aimed = subject.aimed(subject.modalities)
    return subject.some(aimed, prime_below(min(MOST, len(aimed))), "combine")


def lacks(subject: Subject) -> str:
    """What is missing."""
    lack = several_modalities(subject)
    if lack:
        return lack
    if not subject.task.choices:
        return "the additive projection needs classes to choose among"
    if len(subject.task.prompts) > 1:
        return "the additive projection takes one prompt, the task has several"
    if len(pool(subject)) < FEWEST:
        return f"{FEWEST} samples that hold {', '.join(subject.modalities)} are needed to combine, there are {len(pool(subject))}"
    return ""


def name(subject: Subject, shift: int) -> str:
    """The name of the condition of one shift."""
    return f"combine:{joined(subject.modalities)}@{shift}"


def conditions(subject: Subject) -> list[Condition]:
    """One condition a shift: the first modality stays, the next comes from ``shift`` places on, the third from twice as far …"""
    samples = [subject.samples[place] for place in pool(subject)]
    ids = frozenset(sample.id for sample in samples)
    out = []
    for shift in range(len(samples)):
        whose = donors(len(samples), len(subject.modalities), shift)
        contents = {
            modality: {samples[i].id: samples[j].inputs[modality] for i, j in enumerate(of.tolist())}
            for modality, of in zip(subject.modalities, whose, strict=True)
        }
        out.append(Condition(name(subject, shift), partial(given, contents=contents), ids))
    return out


def read(subject: Subject, reading: Reading) -> Found:
    """The score of the projection, and the model's own less that, on the samples that were combined, as EMAP is defined."""
    places = np.array(pool(subject), dtype=np.intp)
    additive = Additive(len(places), len(subject.modalities), len(reading.choices))
    first = weighed(reading, name(subject, 0), places)
    additive.add(0, first)
    for shift in range(1, len(places)):
        additive.add(shift, weighed(reading, name(subject, shift), places))
    true = np.array([reading.choices.index(str(subject.samples[place].target)) for place in places])
    own, other = (np.full(len(reading.samples), np.nan) for _ in range(2))
    own[places], other[places] = hits(first, true), hits(additive.values(), true)
    concerned = np.isin(np.arange(len(own)), places)
    part = f"modality={joined(subject.modalities)}"
    return [Figure(SCORE, part, {"value": other}, concerned), Figure(GAP, part, {"value": own - other}, concerned)]


def weighed(reading: Reading, condition: str, places: NDArray[np.intp]) -> Values:
    """The log-probabilities ``[n, k]`` under a condition, or a vote for the class that was said; NaN for what failed."""
    came = reading.answers(condition)[places]
    if came.ndim == 2:
        return np.asarray(np.maximum(came.astype(np.float64), LEAST))
    said = reading.predicted(condition)[places]
    votes = np.array([[float(answer == choice) for choice in reading.choices] for answer in said])
    votes[np.array([answer is None for answer in said])] = np.nan
    return np.asarray(votes)


def hits(values: Values, true: NDArray[np.intp]) -> Values:
    """1 where the best class is the true one, the first of equals (but for rounding); NaN where a value is missing.

    >>> hits(np.array([[1.0, 2.0], [np.nan, 0.0]]), np.array([1, 1])).tolist()
    [1.0, nan]
    """
    rounded = np.round(values, 9)
    out = (rounded.argmax(axis=1) == true).astype(np.float64)
    out[np.isnan(values).any(axis=1)] = np.nan
    return np.asarray(out)


EMAP = Probe(
    "emap",
    "What does the score owe to interaction between modalities?",
    lacks,
    conditions,
    read,
    leads=("emap_gap",),
    metrics=(SCORE, GAP),
)
