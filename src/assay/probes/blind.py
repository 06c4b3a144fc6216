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
from assay.probes.definitions import definition
from assay.probes.probe import Found, Probe, Subject, several_modalities
from assay.types import CLEAN, Condition

Values = NDArray[np.float64]


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
    score = definition("blind_score")
    targets = [None if sample.target is None else str(sample.target) for sample in subject.samples]
    everything = reading.asked(CLEAN.name)
    if reading.choices:
        by_chance = np.full(len(targets), 1.0 / len(reading.choices))
        yield Figure(score, "solver=chance", {"value": by_chance}, everything)
        yield Figure(score, "solver=majority", {"value": majority(targets, everything)}, everything)
    yield Figure(
        score,
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
                score, f"solver={solver}", {"value": reading.outcomes(condition)}, reading.asked(condition), condition
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
        Figure(
            definition("blind_share"), part, {"part": without, "whole": np.where(np.isnan(without), np.nan, full)}, both
        ),
        Figure(definition("needs_share"), part, {"part": lost, "whole": np.where(np.isnan(lost), np.nan, full)}, both),
        Figure(definition("multimodal_gain"), part, {"value": lost}, both),
    ]


BLIND = Probe("blind", "What share of the score is reached without looking?", several_modalities, conditions, read)
