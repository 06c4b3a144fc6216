"""Activation patching: which part of the net carries the answer?

A sample (clean) and one of another class (corrupt) are asked; then the corrupt one again while one part of the net gives what it
gave for the clean one. A part's recovery is how much of the clean answer's probability comes back:
(patched - corrupt) / (clean - corrupt), summed over samples.
Source: Vig et al. 2020; Meng et al. 2022; Zhang & Nanda 2024 (the normalised metric).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assay.data.transforms.cross_donors import derangement
from assay.evaluation.probing import Figure, Reading
from assay.probes.definitions import share
from assay.probes.probe import Found, Probe, Subject, contrasts
from assay.types import Condition, Patches, Sample

Values = NDArray[np.float64]
MOST, FEWEST = 96, 10
RECOVERY = share(
    "patching_recovery",
    "The share of the clean answer's probability that comes back when one part of the net gives what it gave for the clean sample.",
    "Vig et al. 2020; Meng et al. 2022",
)


def pool(subject: Subject) -> list[int]:
    """Samples that hold every modality and a target."""
    return subject.some(subject.aimed(subject.modalities), MOST, "patching")


def lacks(subject: Subject) -> str:
    """What is missing."""
    lack = contrasts(subject)
    if lack:
        return lack
    if not isinstance(subject.model, Patches):
        return f"the model {subject.model.name!r} has no parts that can be patched (only nets of our own have)"
    if subject.task.verb != "score" or len(subject.task.prompts) > 1:
        return "it needs the probabilities of classes that are put to the model in one way"
    places = pool(subject)
    classes = {str(subject.samples[place].target) for place in places}
    if len(places) < FEWEST or len(classes) < 2:
        return f"{FEWEST} samples of two classes that hold {', '.join(subject.modalities)} are needed, there are {len(places)}"
    return ""


def conditions(subject: Subject) -> list[Condition]:
    """None: parts of a net are asked directly."""
    return []


def read(subject: Subject, reading: Reading) -> Found:
    """The recovery of every part that both sets of samples pass through."""
    model = subject.model
    assert isinstance(model, Patches), "a model without parts was skipped"
    places = pool(subject)
    of = derangement([str(subject.samples[place].target) for place in places], subject.rng("patching"))
    kept = np.flatnonzero(of >= 0)
    clean, corrupt = ([shown(subject, places[i]) for i in who.tolist()] for who in (kept, of[kept]))
    chosen = np.array([places[i] for i in kept.tolist()], dtype=np.intp)
    columns = [reading.choices.index(str(subject.samples[place].target)) for place in chosen.tolist()]

    def likely(logs: NDArray[np.float32]) -> Values:
        return np.exp(logs[np.arange(len(columns)), columns].astype(np.float64))

    before, after = likely(model.score(corrupt, reading.choices)), likely(model.score(clean, reading.choices))
    out = []
    for site, logs in model.patch(corrupt, clean, reading.choices).items():
        part, whole = (np.full(len(reading.samples), np.nan) for _ in range(2))
        part[chosen], whole[chosen] = likely(logs) - before, after - before
        concerned = np.isin(np.arange(len(part)), chosen)
        out.append(Figure(RECOVERY, f"site={site}", {"part": part, "whole": whole}, concerned))
    return out


def shown(subject: Subject, place: int) -> Sample:
    """A sample as the model may see it."""
    sample = subject.samples[place]
    return Sample(sample.id, {m: sample.inputs[m] for m in subject.modalities})


PATCHING = Probe(
    "patching",
    "Which part of the net carries the answer?",
    lacks,
    conditions,
    read,
    metrics=(RECOVERY,),
    leads=("patching_recovery",),
)
