"""Blind audit: what share of the score is reached without looking?

The task is answered by solvers that do not see everything: by chance, by the commonest answer, by the model without a modality, with
that of another sample, with a constant in its place, with one modality alone, and with every input constant, so that it
sees nothing but the options. Sources: Goyal et al. 2017 (VQA v2); Chen et al. 2024 (MMStar); Hewitt & Liang 2019.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from assay.data.transforms import cross
from assay.evaluation.probing import Figure, Reading
from assay.probes.asking import OPTIONS_ONLY, constant, drop, options_only, shuffled
from assay.probes.definitions import ANY, mean, share
from assay.probes.probe import Found, Probe, Subject, several_modalities
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


def conditions(subject: Subject) -> list[Condition]:
    """Everything; each modality taken away, shuffled, constant, alone; nothing but the options."""
    each = subject.modalities
    out = [CLEAN, options_only()]
    for modality in each:
        out += [drop(modality), shuffled(subject, [modality]), constant([modality]), cross.only(modality)]
    return out


def read(subject: Subject, reading: Reading) -> Found:
    """The score of every blind solver, and for each modality the share of the score that is reached without it."""
    out = [*solvers(subject, reading)]
    for modality in subject.modalities:
        out += shares(reading, modality)
    return out


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
    metrics=(BLIND_SCORE, BLIND_SHARE, NEEDS_SHARE, GAIN),
)
