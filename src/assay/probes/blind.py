"""Blind audit: what share of the score is reached without looking?

The task is answered by solvers that do not see everything: by chance, by the commonest answer, by the model without a modality, with
that of another sample, with a constant in its place, with one modality alone, and with every input constant, so that it
sees nothing but the options. Sources: Goyal et al. 2017 (VQA v2); Chen et al. 2024 (MMStar); Hewitt & Liang 2019.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtrc

from assay.data.transforms import cross
from assay.evaluation.probing import Figure, Reading
from assay.probes.asking import OPTIONS_ONLY, constant, drop, options_only, shuffled
from assay.probes.definitions import ANY, mean, share
from assay.probes.probe import Found, Probe, Subject, several_modalities
from assay.probes.trained import solved
from assay.stats.multiplicity import holm
from assay.types import CLEAN, Condition

Values = NDArray[np.float64]

BLIND_SCORE = mean(
    "blind_score",
    "The task's score of a solver that does not see everything (the slice says which).",
    "Goyal et al. 2017; Chen et al. 2024 (MMStar)",
    bounds=ANY,
)
BLIND_SHARE = share(
    "blind_share",
    "The share of the score with everything that is reached without the modality: score without / score with.",
    "assay, after Chen et al. 2024 (MMStar)",
    better="lower",
)
NEEDS_SHARE = share("needs_share", "The share of the score that needs the modality: 1 - blind_share.", "assay")
GAIN = mean(
    "multimodal_gain",
    "Score with everything less score without the modality, paired by sample.",
    "Chen et al. 2024 (MMStar)",
    bounds=ANY,
)

ANSWERABLE = mean(
    "blind_answerable",
    "The share of samples that solvers without the modality get right more often than chance: the exact binomial test, Holm over samples.",
    "assay, after Chen et al. 2024 (MMStar)",
    bounds=(0.0, 1.0),
    better="lower",
)
LEVEL = 0.05


def conditions(subject: Subject) -> list[Condition]:
    """Everything; each modality taken away, shuffled, constant, alone; nothing but the options."""
    each = subject.modalities
    out = [CLEAN, options_only()]
    for modality in each:
        out += [drop(modality), shuffled(subject, [modality]), constant([modality]), cross.only(modality)]
    return out


def read(subject: Subject, reading: Reading) -> Found:
    """The score of every blind solver, and for each modality the share of the score that is reached without it."""
    trained = trained_solvers(subject)
    out = [*solvers(subject, reading)]
    for name, values in trained.items():
        out.append(Figure(BLIND_SCORE, f"solver=trained on {name}", {"value": values}, ~np.isnan(values)))
    for modality in subject.modalities:
        out += shares(reading, modality)
        out += answerable(subject, reading, modality, trained)
    return out


def trained_solvers(subject: Subject) -> dict[str, Values]:
    """What a solver trained on each modality alone, and on all, gets right; none where there are no classes or too few samples."""
    if not subject.task.choices:
        return {}
    sets = {modality: (modality,) for modality in subject.modalities}
    every = {**sets, "everything": subject.modalities}
    found = {
        name: solved(subject.samples, of, subject.units, subject.rng("trained", name)) for name, of in every.items()
    }
    return {name: values for name, values in found.items() if not np.isnan(values).all()}


def answerable(subject: Subject, reading: Reading, modality: str, trained: Mapping[str, Values]) -> Iterator[Figure]:
    """The samples that solvers without a modality answer more often than chance would: the exact binomial test, Holm over samples."""
    if not reading.choices:
        return
    votes = [reading.outcomes(f"{kind}:{modality}") for kind in ("drop", "shuffle", "constant")]
    others = [values for name, values in trained.items() if name not in (modality, "everything")]
    votes += [reading.outcomes(f"only:{m}") for m in subject.modalities if m != modality] + others
    table = np.array(votes)
    asked = reading.asked(f"drop:{modality}") & reading.asked(CLEAN.name)
    known = ~np.isnan(table)
    there = asked & (known.sum(axis=0) > 0)
    p = bdtrc(np.where(known, table >= 1, False).sum(axis=0) - 1, known.sum(axis=0), 1.0 / len(reading.choices))
    flagged = np.full(len(asked), np.nan)
    flagged[there] = np.asarray(holm(p[there])) < LEVEL if there.any() else 0.0
    yield Figure(ANSWERABLE, f"modality={modality}", {"value": flagged}, there)


def solvers(subject: Subject, reading: Reading) -> Iterator[Figure]:
    """``blind_score`` of every solver."""
    targets = [None if sample.target is None else str(sample.target) for sample in subject.samples]
    everything = reading.asked(CLEAN.name)
    if reading.choices:
        by_chance = np.full(len(targets), 1.0 / len(reading.choices))
        yield Figure(BLIND_SCORE, "solver=chance", {"value": by_chance}, everything)
        yield Figure(BLIND_SCORE, "solver=majority", {"value": majority(targets, everything)}, everything)
    yield Figure(
        BLIND_SCORE,
        "solver=options only",
        {"value": reading.outcomes(OPTIONS_ONLY)},
        reading.asked(OPTIONS_ONLY),
        OPTIONS_ONLY,
    )
    for modality in subject.modalities:
        for solver, condition in (
            (f"{modality} alone", f"only:{modality}"),
            (f"without {modality}", f"drop:{modality}"),
            (f"{modality} of another", f"shuffle:{modality}"),
            (f"{modality} constant", f"constant:{modality}"),
        ):
            yield Figure(
                BLIND_SCORE,
                f"solver={solver}",
                {"value": reading.outcomes(condition)},
                reading.asked(condition),
                condition,
            )


def majority(targets: Sequence[str | None], there: NDArray[np.bool_]) -> Values:
    """1 where the commonest target is right, the first of equals.

    >>> majority(["a", "b", "a"], np.ones(3, bool)).tolist()
    [1.0, 0.0, 1.0]
    """
    counts = Counter(target for target, asked in zip(targets, there.tolist(), strict=True) if asked)
    commonest = max(counts, key=lambda target: counts[target]) if counts else None
    return np.array([float(target == commonest) for target in targets])


def shares(reading: Reading, modality: str) -> list[Figure]:
    """What is reached without a modality, over the samples that hold it and something else."""
    blind = f"drop:{modality}"
    full, without = reading.outcomes(CLEAN.name), reading.outcomes(blind)
    both = reading.asked(CLEAN.name) & reading.asked(blind)
    part = f"modality={modality}"
    lost = full - without
    return [
        Figure(BLIND_SHARE, part, {"part": without, "whole": np.where(np.isnan(without), np.nan, full)}, both),
        Figure(NEEDS_SHARE, part, {"part": lost, "whole": np.where(np.isnan(lost), np.nan, full)}, both),
        Figure(GAIN, part, {"value": lost}, both),
    ]


BLIND = Probe(
    "blind",
    "What share of the score is reached without looking?",
    several_modalities,
    conditions,
    read,
    leads=("blind_share",),
    listed=("blind_answerable",),
    metrics=(BLIND_SCORE, BLIND_SHARE, NEEDS_SHARE, GAIN, ANSWERABLE),
)
