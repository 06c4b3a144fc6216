"""The health of a model's spaces: do its modalities say the same, and is the room used?

Vectors of up to `MOST` samples that hold two modalities, one a unit (a concept is not counted for each of its pictures), compared by
the metrics of `assay.metrics` under their own names; the slice names the modalities. What a metric refuses to say of so few
samples or so many dimensions is undefined, and the signature says why.
Sources: Morcos et al. 2018 (CCA); Kornblith et al. 2019 (CKA); Liang et al. 2022 (gap); Wang & Isola 2020 (alignment, uniformity);
Radovanović et al. 2010 (hubness); Roy & Vetterli 2007 (effective rank).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from assay import metrics
from assay.evaluation.probing import Reading
from assay.metrics.metric import sign
from assay.probes.features import embedded, reduced
from assay.probes.probe import Found, Probe, Subject
from assay.types import Aligned, Condition, Embeds, Estimate

Values = NDArray[np.float64]
MOST, FEWEST = 1_000, 40
DIMS = 4
Panel = Mapping[str, Estimate]


def places(subject: Subject, pair: tuple[str, str]) -> list[int]:
    """The samples that hold both modalities, the first of each unit."""
    first: dict[str, int] = {}
    for place, sample in enumerate(subject.samples):
        if all(m in sample.inputs for m in pair):
            first.setdefault(subject.units[place], place)
    every = list(first.values())
    return subject.some(every, MOST, "embeddings", *pair)


def lacks(subject: Subject) -> str:
    """What is missing."""
    if not isinstance(subject.model, Embeds):
        return f"the model {subject.model.name!r} does not embed"
    if len(subject.modalities) < 2:
        return (
            f"two modalities that data and model share are needed, there is {', '.join(subject.modalities) or 'none'}"
        )
    most = max(len(places(subject, pair)) for pair in combinations(subject.modalities, 2))
    return "" if most >= FEWEST else f"{FEWEST} units that hold two modalities are needed, there are {most}"


def conditions(subject: Subject) -> list[Condition]:
    """None: vectors are not answers."""
    return []


def read(subject: Subject, reading: Reading) -> Found:
    """The panel of every two modalities, and of each."""
    out: list[Estimate] = []
    seen: set[str] = set()
    for pair in combinations(subject.modalities, 2):
        chosen = [subject.samples[place] for place in places(subject, pair)]
        if len(chosen) < FEWEST:
            continue
        sides = [embedded(subject.model, chosen, modality) for modality in pair]
        x, y = (np.zeros((0, 0)) if side is None else side for side in sides)
        there = np.isfinite(x).all(axis=1) & np.isfinite(y).all(axis=1)
        lost = int((~there).sum())
        if int(there.sum()) < FEWEST:
            continue
        aligned = isinstance(subject.model, Aligned) and subject.model.aligned_space
        both = between(x[there], y[there], aligned=aligned, seed=subject.seed)
        out += [placed(subject, one, f"modality={pair[0]}+{pair[1]}", lost) for one in both]
        for modality, side in zip(pair, (x[there], y[there]), strict=True):
            if modality not in seen:
                seen.add(modality)
                out += [placed(subject, one, f"modality={modality}", lost) for one in within(side)]
    return out


def between(x: Values, y: Values, *, aligned: bool, seed: int) -> Iterator[Estimate]:
    """What two modalities' spaces have in common; where they are one space, how far apart they lie."""
    a, b = reduced(x, 4 * DIMS), reduced(y, 4 * DIMS)
    panels: dict[str, Callable[[], Panel | Estimate]] = {
        "cca": lambda: metrics.cca(a, b, permutations=200, seed=seed),
        "cka": lambda: metrics.cka(x, y, seed=seed),
        "mutual_information": lambda: metrics.mutual_information(reduced(x, DIMS), reduced(y, DIMS)),
        "rsa": lambda: metrics.rsa(x, y, permutations=199, resamples=199, seed=seed),
    }
    if aligned:
        panels["modality_gap"] = lambda: metrics.modality_gap(x, y)
        panels["alignment"] = lambda: metrics.alignment(x, y)
        panels["hubness"] = lambda: metrics.hubness(x, y)
    for name, measure in panels.items():
        yield from attempted(name, measure, len(x))


def within(x: Values) -> Iterator[Estimate]:
    """How one modality uses its space."""
    yield from attempted("uniformity", lambda: metrics.uniformity(x), len(x))
    yield from attempted("effective_rank", lambda: metrics.effective_rank(x), len(x))


def attempted(name: str, measure: Callable[[], Panel | Estimate], n: int) -> list[Estimate]:
    """A metric's estimates; where it refuses, as it does below the number of samples that it needs, one that is undefined and says why."""
    try:
        found = measure()
    except ValueError as error:
        return [Estimate(name, math.nan, math.nan, math.nan, n, signature=sign(name, f"refused:{error}"))]
    return [found] if isinstance(found, Estimate) else list(found.values())


def placed(subject: Subject, estimate: Estimate, part: str, lost: int) -> Estimate:
    """An estimate of a part, with the samples that could not be embedded."""
    return replace(estimate, slice=part, n_missing=lost, unit=subject.task.unit)


EMBEDDINGS = Probe(
    "embeddings",
    "Do the spaces of the modalities say the same, and is their room used?",
    lacks,
    conditions,
    read,
    leads=("cka", "cca", "modality_gap", "effective_rank"),
    others=(
        *("cca", "cca_squared", "cca_null", "cca_p", "cka", "mutual_information", "rsa", "rsa_p", "modality_gap"),
        *("relative_gap", "separability", "matched_cosine", "shuffled_cosine", "cone_x", "cone_y", "alignment"),
        *("hubness", "hubness_max", "antihubs", "uniformity", "effective_rank"),
    ),
)
