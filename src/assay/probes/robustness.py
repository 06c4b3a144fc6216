"""Robustness: how much of the score is left under noise, and when modalities are missing?

Noise of five severities in one modality at a time; the curve's mean height as a share of the score without noise is what is
retained. Missing modalities: each is missing by itself at a rate, at least one stays; what is expected of each sample follows
exactly from its outcomes with every set of modalities, so that no chance is involved.
Sources: Hendrycks & Dietterich 2019; Liang et al. 2021 (MultiBench).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from assay.data.transforms import cross
from assay.data.transforms.noisy import SEVERITIES
from assay.evaluation.named import with_noise
from assay.evaluation.probing import Figure, Reading
from assay.probes.asking import drop, joined
from assay.probes.definitions import ANY, mean, share
from assay.probes.probe import Found, Probe, Subject, contrasts
from assay.stats.curves import mean_weights
from assay.types import CLEAN, Condition

Values = NDArray[np.float64]
RATES = tuple(round(0.1 * k, 1) for k in range(10))
MULTIBENCH = "Hendrycks & Dietterich 2019; Liang et al. 2021 (MultiBench)"

RETAINED = share(
    "retained_ratio",
    "The mean score over severities 0 to 5 (the area under the curve, over its length) as a share of the score without noise.",
    MULTIBENCH,
)
SCORE = mean("corrupted_score", "The score under noise of one severity in one modality.", MULTIBENCH, bounds=ANY)
MISSING = mean(
    "missing_score",
    "The expected score when each modality is missing at a rate, at least one being left.",
    "Liang et al. 2021 (MultiBench)",
    bounds=ANY,
)
MISSING_RETAINED = share(
    "missing_retained_ratio",
    "The mean expected score over missing rates 0 to .9 as a share of the score with everything.",
    "Liang et al. 2021 (MultiBench)",
)


def conditions(subject: Subject) -> list[Condition]:
    """Noise of every severity in each modality; every set of modalities taken away."""
    out = [CLEAN, *(with_noise(m, severity, subject.seed) for m in subject.modalities for severity in SEVERITIES)]
    if len(subject.modalities) > 1:
        out += [cross.only(modality) for modality in subject.modalities]
        out += [
            drop(*away) for n in range(1, len(subject.modalities) - 1) for away in combinations(subject.modalities, n)
        ]
    return out


def read(subject: Subject, reading: Reading) -> Found:
    """Curves and what is retained, by modality; the grid of missing rates."""
    out: list[Figure] = []
    clean = reading.outcomes(CLEAN.name)
    for modality in subject.modalities:
        names = [f"noise:{modality}@{severity}" for severity in SEVERITIES]
        curve = np.array([clean, *(reading.outcomes(name) for name in names)])
        asked = reading.asked(names[0])
        kept = mean_weights(len(curve)) @ curve
        part = f"modality={modality} & corruption=noise"
        out.append(Figure(RETAINED, part, {"part": kept, "whole": np.where(np.isnan(kept), np.nan, clean)}, asked))
        for severity, name, values in zip(SEVERITIES, names, curve[1:], strict=True):
            out.append(Figure(SCORE, f"{part} & severity={severity}", {"value": values}, asked, name))
    if len(subject.modalities) > 1:
        out += missing(subject, reading)
    return out


def missing(subject: Subject, reading: Reading) -> Iterator[Figure]:
    """The expected score at every rate, and what is retained over all of them."""
    asked, clean = reading.asked(CLEAN.name), reading.outcomes(CLEAN.name)
    curve = np.array([expected(subject, reading, rate) for rate in RATES])
    for rate, values in zip(RATES, curve, strict=True):
        yield Figure(MISSING, f"rate={rate:g}", {"value": values}, asked)
    kept = mean_weights(len(curve)) @ curve
    yield Figure(MISSING_RETAINED, "all", {"part": kept, "whole": np.where(np.isnan(kept), np.nan, clean)}, asked)


def expected(subject: Subject, reading: Reading, rate: float) -> Values:
    """Each sample's expected outcome when each of its modalities is missing with a chance of ``rate``, but not all."""
    out = np.full(len(reading.samples), np.nan)
    held = [tuple(m for m in subject.modalities if m in sample.inputs) for sample in reading.samples]
    for pattern in set(held):
        rows = np.array([one == pattern for one in held], dtype=np.bool_)
        total, weight = np.zeros(int(rows.sum())), 0.0
        for n in range(len(pattern)):
            for away in combinations(pattern, n):
                chance = rate**n * (1.0 - rate) ** (len(pattern) - n)
                if chance > 0:
                    total += chance * outcomes_without(reading, pattern, away)[rows]
                    weight += chance
        out[rows] = total / weight if weight > 0 else np.nan
    return out


def outcomes_without(reading: Reading, held: tuple[str, ...], away: tuple[str, ...]) -> Values:
    """Outcomes of samples that hold some modalities when ``away`` are not shown."""
    left = [m for m in held if m not in away]
    if not away:
        return reading.outcomes(CLEAN.name)
    return reading.outcomes(f"only:{left[0]}" if len(left) == 1 else f"drop:{joined(away)}")


ROBUSTNESS = Probe(
    "robustness",
    "How much of the score is left under noise, and when modalities are missing?",
    contrasts,
    conditions,
    read,
    leads=("retained_ratio", "missing_retained_ratio"),
    metrics=(RETAINED, SCORE, MISSING, MISSING_RETAINED),
)
