"""MM-SHAP: which modality does the answer rest on, right or wrong?

Words, patches, stretches of sound and frames are players; a coalition's value is the probability that the model gives to the
class that it chooses when it sees everything (of a model that says a class: whether it still says it). Shapley values are
sampled by orders, each followed by its reverse, at least ten evaluations for each player; a modality's share is that of its
players in the sum of all absolute values. It says how much is *used*, not whether that helps, and depends on how many parts a
modality has; `assay.probes.contribution` does not.
Source: Parcalabescu & Frank 2023.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from assay.evaluation.probing import Figure, Reading
from assay.probes.definitions import mean
from assay.probes.players import masked, order_of, parts
from assay.probes.probe import Found, Probe, Subject, several_modalities
from assay.stats.shapley import gains
from assay.types import CLEAN, Condition, Sample

Values = NDArray[np.float64]
ORDERS = 10
MOST = 40
"""Samples that are asked about: each takes hundreds of evaluations."""

USE = mean(
    "mm_shap",
    "A modality's share of what the answer rests on: the absolute Shapley values of its parts over those of all parts.",
    "Parcalabescu & Frank 2023",
    bounds=(0.0, 1.0),
    recipe=(f"orders:{ORDERS}", "antithetic", f"samples:{MOST}"),
)
NOTHING = "keep:nothing"


def chosen(subject: Subject) -> list[int]:
    """The places of the samples that are asked about, among those that hold every modality."""
    return subject.some(subject.aimed(subject.modalities), MOST, "mm_shap")


def lacks(subject: Subject) -> str:
    """What is missing."""
    lack = several_modalities(subject)
    if lack:
        return lack
    if not subject.task.choices or len(subject.task.prompts) > 1:
        return "it explains the choice of a class, put to the model in one way: the task has no classes, or several prompts"
    return "" if chosen(subject) else f"no sample holds {', '.join(subject.modalities)}"


def name(order: int, step: int) -> str:
    """The name under which the first ``step`` parts of an order are shown.

    >>> name(0, 3)
    'keep:parts@0.3'
    """
    return f"keep:parts@{order}.{step}"


def conditions(subject: Subject) -> list[Condition]:
    """Nothing left; then for every order each number of parts, asked of the samples that have more."""
    samples = [subject.samples[place] for place in chosen(subject)]
    totals = {sample.id: parts(sample, subject.modalities).total for sample in samples}
    shown = partial(keeping, modalities=subject.modalities, seed=subject.seed)
    out = [CLEAN, Condition(NOTHING, partial(shown, order=0, step=0), frozenset(totals))]
    for order in range(ORDERS):
        for step in range(1, max(totals.values())):
            ids = frozenset(one for one, total in totals.items() if step < total)
            out.append(Condition(name(order, step), partial(shown, order=order, step=step), ids))
    return out


def keeping(
    sample: Sample, rng: np.random.Generator, *, order: int, step: int, modalities: tuple[str, ...], seed: int
) -> Sample:
    """The sample with the first ``step`` parts of an order. The generator is not used: an order is the same at every step."""
    total = parts(sample, modalities).total
    kept = np.zeros(total, dtype=np.bool_)
    kept[order_of(sample, total, order, seed)[:step]] = True
    return masked(sample, kept, modalities)


def read(subject: Subject, reading: Reading) -> Found:
    """Each modality's share, over the samples that were asked about."""
    places = chosen(subject)
    answers = best(reading, CLEAN.name)
    worth = {CLEAN.name: value(reading, CLEAN.name, answers), NOTHING: value(reading, NOTHING, answers)}
    totals = {place: parts(subject.samples[place], subject.modalities) for place in places}
    shapley = {place: np.zeros(totals[place].total) for place in places}
    for order in range(ORDERS):
        steps = [
            worth[NOTHING],
            *(
                value(reading, name(order, step), answers)
                for step in range(1, max(one.total for one in totals.values()))
            ),
        ]
        for place in places:
            total = totals[place].total
            along = np.array([*(steps[step][place] for step in range(total)), worth[CLEAN.name][place]])
            shapley[place] += gains(along, order_of(subject.samples[place], total, order, subject.seed)) / ORDERS
    out = []
    for modality in subject.modalities:
        share, concerned = np.full(len(reading.samples), np.nan), np.zeros(len(reading.samples), dtype=np.bool_)
        for place in places:
            sizes = np.abs(shapley[place])
            # Where no part changes anything there is no use to be shared: the sample is not concerned.
            concerned[place] = bool(np.isnan(sizes).any() or sizes.sum() > 1e-9)
            if concerned[place]:
                share[place] = sizes[totals[place].of(modality)].sum() / sizes.sum()
        out.append(Figure(USE, f"modality={modality}", {"value": share}, concerned))
    return out


def best(reading: Reading, condition: str) -> NDArray[np.object_]:
    """What each sample is answered: the place of a class, or what was said."""
    came = reading.answers(condition)
    if came.ndim == 1:
        return np.asarray(reading.predicted(condition))
    return np.array([None if np.isnan(row).any() else int(row.argmax()) for row in came], dtype=object)


def value(reading: Reading, condition: str, answers: NDArray[np.object_]) -> Values:
    """The probability of the answer that was given to everything; NaN where one of the two is missing."""
    came = reading.answers(condition)
    out = np.full(len(answers), np.nan)
    said = reading.predicted(condition) if came.ndim == 1 else None
    for place, answer in enumerate(answers):
        if answer is None:
            continue
        if said is None:
            out[place] = np.exp(came[place, answer])
        elif said[place] is not None:
            out[place] = float(said[place] == answer)
    return out


MM_SHAP = Probe(
    "mm_shap",
    "Which modality does the answer rest on, right or wrong?",
    lacks,
    conditions,
    read,
    leads=("mm_shap",),
    metrics=(USE,),
)
