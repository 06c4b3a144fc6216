"""Contribution: which modality carries the answers, and what do they gain from each other?

Modalities are players. Their worth together is the score when the others come from another sample (``shapley``), or are
not shown at all (``shapley_missing``, where nothing at all is worth the commonest answer). Each sample's values are combined
linearly, so that every figure is a mean over samples with its interval.
Sources: Gat, Schwartz & Schwing 2021 (perceptual score); Hu et al. 2022 (SHAPE); Grabisch & Roubens 1999 (interaction index).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from assay.data.transforms import cross, cross_fill
from assay.evaluation.probing import Figure, Reading
from assay.probes.asking import constant, drop, joined, shuffled, shuffled_name
from assay.probes.blind import majority
from assay.probes.definitions import ANY, mean, share
from assay.probes.probe import Found, Probe, Subject, several_modalities
from assay.stats.shapley import importance, interactions, shapley
from assay.types import CLEAN, Condition

Values = NDArray[np.float64]
FEWEST_DRAWS, MOST_DRAWS, ANSWERS = 3, 10, 5_000
"""Ten draws of another sample's modality, fewer where they would be more than so many answers: precision is that of all of them."""
COALITION_DRAWS = (1, 2)
SEEN = ("image", "video")  # of a picture there are two constants, grey and black; silence is one, and so is no text
MOST = 6
"""With more modalities the coalitions are too many to ask."""

HU, GAT = "Shapley 1953; Hu et al. 2022 (SHAPE)", "Gat, Schwartz & Schwing 2021"
SHUFFLED = ("absent:of another sample", f"draws:{len(COALITION_DRAWS)}")
SHAPLEY = mean(
    "shapley",
    "A modality's mean contribution to the score over all orders in which modalities come true, the others being of another sample.",
    HU,
    bounds=ANY,
    recipe=SHUFFLED,
)
INTERACTION = mean(
    "shapley_interaction",
    "What two modalities are worth together beyond what each is worth by itself (negative: they say the same).",
    "Grabisch & Roubens 1999; Hu et al. 2022 (SHAPE)",
    bounds=ANY,
    recipe=SHUFFLED,
)
MISSING = mean(
    "shapley_missing",
    "As shapley, where an absent modality is not shown; with none at all the commonest answer is given.",
    HU,
    bounds=ANY,
    recipe=("absent:not shown",),
)
MISSING_INTERACTION = mean(
    "shapley_missing_interaction",
    "As shapley_interaction, where an absent modality is not shown.",
    "Grabisch & Roubens 1999",
    bounds=ANY,
    recipe=("absent:not shown",),
)
IMPORTANCE = mean(
    "modality_importance",
    "The mean score of the coalitions with a modality less that of those without.",
    "Banzhaf 1965",
    bounds=ANY,
    recipe=SHUFFLED,
)
PERCEPTUAL = share(
    "perceptual_score",
    "The share of the score that is lost when the modality comes from other samples (the model's own score as the scale).",
    GAT,
    recipe=("scale:score",),
)
PERCEPTUAL_TASK = share(
    "perceptual_score_task",
    "The same loss as a share of what the commonest answer leaves: 1 - score of the majority.",
    GAT,
    recipe=("scale:1-majority",),
)
DIFFERENCE = mean(
    "perceptual_difference",
    "The score less the mean score when the modality comes from other samples.",
    GAT,
    bounds=ANY,
)
EFFECT = mean(
    "ablation_effect",
    "The score less the score when the modality is shuffled, constant, noise or missing (the slice says which).",
    "assay",
    bounds=ANY,
)
ALONE = mean("unimodal_score", "The score with one modality alone.", "assay", bounds=ANY)
OVER_BEST = mean(
    "unimodal_gain",
    "The score with everything less the score with the best modality alone, on the samples that hold it.",
    "assay",
    bounds=ANY,
)


def draws(subject: Subject) -> int:
    """How often each modality comes from another sample."""
    return max(FEWEST_DRAWS, min(MOST_DRAWS, ANSWERS // max(len(subject.samples), 1)))


def lacks(subject: Subject) -> str:
    """What is missing."""
    if len(subject.modalities) > MOST:
        return f"{len(subject.modalities)} modalities have too many coalitions to ask (at most {MOST})"
    return several_modalities(subject)


def conditions(subject: Subject) -> list[Condition]:
    """Every set of modalities from other samples and not shown, further draws of each alone, constants and noise."""
    each = subject.modalities
    out = [CLEAN, *(cross.only(m) for m in each)]
    for size in range(2, len(each) + 1):
        out += [shuffled(subject, away, draw) for away in combinations(each, size) for draw in COALITION_DRAWS]
    for size in range(1, len(each) - 1):
        out += [drop(*away) for away in combinations(each, size)]
    for modality in each:
        out += [shuffled(subject, [modality], draw) for draw in range(1, draws(subject) + 1)]
        out += [constant([modality]), *([constant([modality], 2)] if modality in SEEN else [])]
        out += [cross_fill.noise(modality, name=f"noise:{modality}")]
    return out


def read(subject: Subject, reading: Reading) -> Found:
    """Shapley values and interactions by both baselines, perceptual scores, effects of each ablation, each modality alone."""
    return [
        *coalition_figures(subject, reading),
        *perceptual_figures(subject, reading),
        *ablation_figures(subject, reading),
        *alone_figures(subject, reading),
    ]


def coalition_figures(subject: Subject, reading: Reading) -> Iterator[Figure]:
    """What follows from the worth of every coalition."""
    for worth, value, pair in ((by_shuffle, SHAPLEY, INTERACTION), (by_missing, MISSING, MISSING_INTERACTION)):
        game = coalition_outcomes(subject, reading, worth)
        if game is None:
            continue
        asked = reading.asked(CLEAN.name)
        for modality, values in zip(subject.modalities, shapley(game), strict=True):
            yield Figure(value, f"modality={modality}", {"value": values}, asked)
        between = interactions(game)
        for i, j in combinations(range(len(subject.modalities)), 2):
            both = f"modality={subject.modalities[i]}+{subject.modalities[j]}"
            yield Figure(pair, both, {"value": between[i, j]}, asked)
        if value is SHAPLEY:
            for modality, values in zip(subject.modalities, importance(game), strict=True):
                yield Figure(IMPORTANCE, f"modality={modality}", {"value": values}, asked)


Worth = Callable[[Subject, Reading, Sequence[str], Sequence[str]], Values | None]


def coalition_outcomes(subject: Subject, reading: Reading, worth: Worth) -> Values | None:
    """Each sample's outcome in every coalition ``[2**m, n]``; `None` where a coalition has no worth.

    A modality that a sample does not hold adds nothing to it: the coalition is the one of those that it does hold.
    """
    each, n = subject.modalities, len(reading.samples)
    held = np.array([[m in sample.inputs for m in each] for sample in reading.samples], dtype=np.bool_)
    patterns = np.unique(held, axis=0)
    game = np.full((2 ** len(each), n), np.nan)
    for code in range(len(game)):
        inside = np.array([bool(code >> i & 1) for i in range(len(each))])
        for pattern in patterns:
            there = [m for m, has in zip(each, pattern, strict=True) if has]
            away = [m for m, has, keeps in zip(each, pattern, inside, strict=True) if has and not keeps]
            rows = (held == pattern).all(axis=1)
            values = worth(subject, reading, there, away)
            if values is None:
                return None
            game[code, rows] = values[rows]
    return game


def by_shuffle(subject: Subject, reading: Reading, there: Sequence[str], away: Sequence[str]) -> Values:
    """Outcomes when ``away`` come from other samples, the mean over draws that are the same in every coalition."""
    if not away:
        return reading.outcomes(CLEAN.name)
    return over_draws(reading, away, COALITION_DRAWS)


def by_missing(subject: Subject, reading: Reading, there: Sequence[str], away: Sequence[str]) -> Values | None:
    """Outcomes when ``away`` are not shown; with nothing at all the commonest answer's."""
    if not away:
        return reading.outcomes(CLEAN.name)
    if len(away) == len(there):
        if not reading.choices:
            return None
        targets = [None if sample.target is None else str(sample.target) for sample in reading.samples]
        return majority(targets, reading.asked(CLEAN.name))
    left = [m for m in there if m not in away]
    return reading.outcomes(f"only:{left[0]}" if len(left) == 1 else f"drop:{joined(away)}")


def over_draws(reading: Reading, away: Sequence[str], draws: Sequence[int]) -> Values:
    """The mean outcome over draws of modalities from other samples; NaN where one of them is."""
    return np.asarray(np.mean([reading.outcomes(shuffled_name(away, draw)) for draw in draws], axis=0))


def perceptual_figures(subject: Subject, reading: Reading) -> Iterator[Figure]:
    """Perceptual scores, over the samples that hold the modality."""
    clean, count = reading.outcomes(CLEAN.name), draws(subject)
    drawn = f"draws:{count}"
    for modality in subject.modalities:
        part, asked = f"modality={modality}", reading.asked(shuffled_name([modality]))
        lost = clean - over_draws(reading, [modality], range(1, count + 1))
        yield Figure(DIFFERENCE.signed(drawn), part, {"value": lost}, asked)
        yield Figure(
            PERCEPTUAL.signed(drawn), part, {"part": lost, "whole": np.where(np.isnan(lost), np.nan, clean)}, asked
        )
        if reading.choices:
            targets = [None if sample.target is None else str(sample.target) for sample in reading.samples]
            left = 1.0 - majority(targets, asked)
            yield Figure(
                PERCEPTUAL_TASK.signed(drawn),
                part,
                {"part": lost, "whole": np.where(np.isnan(lost), np.nan, left)},
                asked,
            )


def ablation_figures(subject: Subject, reading: Reading) -> Iterator[Figure]:
    """The score lost under each way of taking a modality's content."""
    clean = reading.outcomes(CLEAN.name)
    for modality in subject.modalities:
        for null, condition in (
            ("shuffle", f"shuffle:{modality}"),
            ("constant", f"constant:{modality}"),
            *((("black", f"constant:{modality}@2"),) if modality in SEEN else ()),
            ("noise", f"noise:{modality}"),
            ("missing", f"drop:{modality}"),
        ):
            lost = clean - reading.outcomes(condition)
            part = f"modality={modality} & null={null}"
            yield Figure(EFFECT, part, {"value": lost}, reading.asked(condition), condition)


def alone_figures(subject: Subject, reading: Reading) -> Iterator[Figure]:
    """Each modality alone, and what all together gain over the best of them."""
    clean = reading.outcomes(CLEAN.name)
    means: dict[str, float] = {}
    for modality in subject.modalities:
        alone = reading.outcomes(f"only:{modality}")
        yield Figure(ALONE, f"modality={modality}", {"value": alone}, reading.asked(f"only:{modality}"))
        means[modality] = float(np.nanmean(alone)) if np.isfinite(alone).any() else -np.inf
    best = max(means, key=lambda modality: means[modality])
    gain = clean - reading.outcomes(f"only:{best}")
    yield Figure(OVER_BEST, f"over={best}", {"value": gain}, reading.asked(f"only:{best}"))


CONTRIBUTION = Probe(
    "contribution",
    "Which modality carries the answers, and what do they gain from each other?",
    lacks,
    conditions,
    read,
    leads=("shapley", "shapley_interaction", "perceptual_score"),
    metrics=(
        *(SHAPLEY, INTERACTION, MISSING, MISSING_INTERACTION, IMPORTANCE, PERCEPTUAL, PERCEPTUAL_TASK, DIFFERENCE),
        *(EFFECT, ALONE, OVER_BEST),
    ),
)
