"""Mediation: how much of what a picture does to the answer goes through what the model says of it?

The model describes each picture (M). Its answer is then asked with a picture and a description, each of the sample or of one of
another class: the total effect of another picture on the score, what of it is direct (another picture, the same description),
what is indirect (the same picture, another description), and what only both together do.
Sources: Pearl 2001; Imai, Keele & Tingley 2010.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from assay.data.requests import DESCRIBE, ENGLISH, request
from assay.data.transforms.cross_donors import derangement
from assay.evaluation.answers import Answer, Question, answers, asker
from assay.evaluation.probing import Figure, Reading
from assay.evaluation.tasks.generating import ChoiceReader
from assay.probes.definitions import mean
from assay.probes.probe import Found, Probe, Subject, contrasts
from assay.types import Condition, Failure, Generates, Sample, Skilled

Values = NDArray[np.float64]
MOST, FEWEST, BATCH = 60, 10, 32
PEARL = "Pearl 2001; Imai, Keele & Tingley 2010"
TOTAL = mean(
    "total_effect", "The change of the score when the picture and its description are those of another class.", PEARL
)
DIRECT = mean(
    "direct_effect",
    "The change of the score when only the picture is of another class, the description as it was.",
    PEARL,
)
INDIRECT = mean(
    "indirect_effect",
    "The change of the score when only the description is of another class, the picture as it was.",
    PEARL,
)
TOGETHER = mean(
    "mediated_interaction", "The total effect less the direct and the indirect one.", PEARL, bounds=(-2.0, 2.0)
)


def pool(subject: Subject) -> list[int]:
    """Samples with a picture and a target."""
    every = [
        place for place, sample in enumerate(subject.samples) if sample.target is not None and "image" in sample.inputs
    ]
    return subject.some(every, MOST, "mediation")


def lacks(subject: Subject) -> str:
    """What is missing."""
    lack = contrasts(subject)
    if lack:
        return lack
    model = subject.model
    if not isinstance(model, Generates) or (isinstance(model, Skilled) and not {DESCRIBE, "ask"} & {*model.skills}):
        return f"the model {model.name!r} does not describe pictures"
    if not {"image", "text"} <= model.modalities or not subject.task.choices:
        return "it needs a model that takes pictures and texts, and classes to choose among"
    if len({str(subject.samples[place].target) for place in pool(subject)}) < 2 or len(pool(subject)) < FEWEST:
        return f"{FEWEST} pictures of two classes are needed, there are {len(pool(subject))}"
    return ""


def conditions(subject: Subject) -> list[Condition]:
    """None: what is asked depends on what the model said."""
    return []


def read(subject: Subject, reading: Reading) -> Found:
    """Total, direct and indirect effect, and what only both do."""
    places = pool(subject)
    of = derangement([str(subject.samples[place].target) for place in places], subject.rng("mediation"))
    said = described(subject, places)
    score = {
        (picture, words): outcomes(
            subject,
            [
                (place, places[of[i]] if picture else place, said[of[i]] if words else said[i])
                for i, place in enumerate(places)
            ],
        )
        for picture in (False, True)
        for words in (False, True)
    }
    base = score[False, False]
    total, direct, indirect = score[True, True] - base, score[True, False] - base, score[False, True] - base
    concerned = np.isin(np.arange(len(reading.samples)), places)
    out = []
    for metric, values in (
        (TOTAL, total),
        (DIRECT, direct),
        (INDIRECT, indirect),
        (TOGETHER, total - direct - indirect),
    ):
        column = np.full(len(reading.samples), np.nan)
        column[places] = values
        out.append(Figure(metric, "through=description", {"value": column}, concerned))
    return out


def described(subject: Subject, places: Sequence[int]) -> list[str | None]:
    """What the model says of each picture; `None` where it fails."""
    words = request(DESCRIBE, ENGLISH)
    shown = [
        Sample(subject.samples[p].id, {"text": words, "image": subject.samples[p].inputs["image"]}) for p in places
    ]
    return [None if isinstance(came, Failure) else str(came) for came in asked(subject, Question("generate"), shown)]


def outcomes(subject: Subject, cells: Sequence[tuple[int, int, str | None]]) -> Values:
    """1 where the answer is the sample's own class, 0 where not, NaN where it failed: for each sample whose picture, with which words."""
    shown = [
        Sample(
            subject.samples[own].id,
            {"text": beside(subject, own, words), "image": subject.samples[picture].inputs["image"]},
        )
        for own, picture, words in cells
    ]
    choices = subject.task.choices
    came = asked(subject, Question(subject.task.verb, None, choices), shown)
    reader = ChoiceReader(choices)
    out = np.full(len(cells), np.nan)
    for i, ((own, _, words), answer) in enumerate(zip(cells, came, strict=True)):
        if words is not None and not isinstance(answer, Failure):
            said = reader.read(answer) if isinstance(answer, str) else choices[int(np.argmax(answer))]
            out[i] = float(said == str(subject.samples[own].target))
    return out


def beside(subject: Subject, place: int, words: str | None) -> str:
    """A description as the text, behind the question where the text is one."""
    own = subject.samples[place].inputs.get("text")
    return f"{own} {words}" if subject.task.dataset.asks and isinstance(own, str) else str(words)


def asked(subject: Subject, question: Question, shown: Sequence[Sample]) -> list[Answer]:
    """The model's answers, in batches."""
    ask = asker(subject.model, question, None)
    return [one for start in range(0, len(shown), BATCH) for one in answers(ask, shown[start : start + BATCH], [])]


MEDIATION = Probe(
    "mediation",
    "How much of what a picture does goes through what the model says of it?",
    lacks,
    conditions,
    read,
    metrics=(TOTAL, DIRECT, INDIRECT, TOGETHER),
    leads=("total_effect", "direct_effect", "indirect_effect"),
)
