"""Consistency: do answers stay when the meaning does, whichever modality tells, and whom do they follow when modalities disagree?

Each sample is asked again under changes that keep its meaning, again as it is, with one modality alone, with its text through
another modality, and with one modality from a sample of another class.
Sources: Ribeiro et al. 2020 (invariance tests); Zhang et al. 2024 (cross-modal consistency); Lin 1991 (Jensen-Shannon);
Geirhos, Meding & Wichmann 2020 (error consistency).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from assay import metrics
from assay.data.transforms import cross, cross_donors, cross_render
from assay.data.transforms.same import KINDS, same
from assay.evaluation.answers import Question, answers, asker
from assay.evaluation.engine import show
from assay.evaluation.plan import Pass
from assay.evaluation.probing import Figure, Reading
from assay.probes.definitions import mean
from assay.probes.probe import Found, Probe, Subject, contrasts
from assay.types import CLEAN, Answers, Condition, Estimate, Failure, Sample, Scores

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]
AGAIN = Condition("again")
BATCH, ORDERED = 64, 200
RIBEIRO = "Ribeiro et al. 2020 (CheckList)"
SHARE = (0.0, 1.0)

FLIPS = mean(
    "flip_rate",
    "The share of changes that keep the meaning under which the answer changed.",
    RIBEIRO,
    bounds=SHARE,
    better="lower",
)
CONSISTENT = mean(
    "consistent_accuracy",
    "The share of samples right as they are and under every change that keeps the meaning.",
    RIBEIRO,
    bounds=SHARE,
)
WORST = mean(
    "worst_case_score",
    "The mean over samples of the least score among the sample and its changes.",
    RIBEIRO,
    bounds=(-np.inf, np.inf),
)
DIVERGENCE = mean(
    "js_divergence",
    "The Jensen-Shannon divergence (bits) of the probabilities of the classes before and after, mean over changes.",
    "Lin 1991",
    bounds=SHARE,
    better="lower",
)
STABLE = mean(
    "repeat_stability", "The share of samples that are answered alike when they are asked twice.", "assay", bounds=SHARE
)
ORDER = mean(
    "option_order_consistency",
    "The share of samples that are answered alike when the options come in the reverse order.",
    "Zheng et al. 2024",
    bounds=SHARE,
)
AGREEMENT = mean(
    "cross_modal_consistency",
    "The share of samples that are answered alike through either modality alone.",
    "Zhang et al. 2024",
    bounds=SHARE,
)
SUBSTITUTED = mean(
    "substitution_consistency",
    "The share of samples that are answered alike when the text comes through another modality.",
    "Zhang et al. 2024",
    bounds=SHARE,
)
FOLLOWS = mean(
    "following_rate",
    "Where one modality is of another class: the share of answers that follow it, the rest, or neither (the slice says which).",
    "assay",
    bounds=SHARE,
)
PREFERENCE = mean(
    "modality_preference", "Following that modality less following the rest, among answers that follow either.", "assay"
)


def conditions(subject: Subject) -> list[Condition]:
    """The samples as they are, twice; under each change; by one modality; in conflict; the text as a picture, or spoken."""
    out = [CLEAN, AGAIN]
    for modality in subject.modalities:
        out += [same(kind, modality) for kind in KINDS[modality]]
    if len(subject.modalities) > 1:
        out += [cross.only(modality) for modality in subject.modalities]
        out += [conflict(subject, modality) for modality in subject.modalities if subject.task.choices]
    if "text" in subject.modalities:
        out += [cross.only("text")] if len(subject.modalities) > 1 else []
        out += [replace(cross_render.substitute(one), samples=substituted(subject)) for one in channels(subject)]
    return out


def channels(subject: Subject) -> list[str]:
    """The modalities through which the model can be given a text, and this machine can put it."""
    able = {"image": True, "audio": cross_render.can_speak()}
    return [m for m in able if m in subject.model.modalities and able[m]]


def substituted(subject: Subject) -> frozenset[str]:
    """The samples whose texts come through other modalities: some, since each text is drawn, or spoken for seconds."""
    texts = [place for place, sample in enumerate(subject.samples) if str(sample.inputs.get("text", "")).strip()]
    return frozenset(subject.samples[place].id for place in subject.some(texts, ORDERED, "substitute"))


def donors(subject: Subject, modality: str) -> dict[str, int]:
    """For each sample the place of one of another class that gives it this modality."""
    holders = [
        i for i, s in enumerate(subject.samples) if modality in s.inputs and s.target is not None and len(s.inputs) > 1
    ]
    of = cross_donors.derangement([str(subject.samples[i].target) for i in holders], subject.rng("conflict", modality))
    return {subject.samples[i].id: holders[j] for i, j in zip(holders, of.tolist(), strict=True) if j >= 0}


def conflict(subject: Subject, modality: str) -> Condition:
    """One modality from a sample of another class."""
    pairs = {one: subject.samples[place] for one, place in donors(subject, modality).items()}
    return cross_donors.swap(pairs, modality, name=f"conflict:{modality}")


def read(subject: Subject, reading: Reading) -> Found:
    """All figures of consistency, and the agreement between modalities alone."""
    out: list[Figure | Estimate] = [alike(reading, STABLE, "all", CLEAN.name, AGAIN.name)]
    out += [*under_changes(subject, reading), *option_order(subject, reading)]
    for first, second in combinations(subject.modalities, 2):
        out.append(alike(reading, AGREEMENT, f"modality={first}+{second}", f"only:{first}", f"only:{second}"))
        out += between(reading, first, second)
    if "text" in subject.modalities:
        base = "only:text" if len(subject.modalities) > 1 else CLEAN.name
        out += [
            alike(reading, SUBSTITUTED, f"text->{one}", base, f"substitute:text@{one}") for one in channels(subject)
        ]
    if subject.task.choices and len(subject.modalities) > 1:
        for modality in subject.modalities:
            out += following(subject, reading, modality)
    return out


def equal(reading: Reading, first: str, second: str) -> tuple[Values, Mask]:
    """1 where two conditions are answered alike, 0 where not, NaN where an answer is missing; and where both were asked."""
    a, b = reading.predicted(first), reading.predicted(second)
    out = np.array([np.nan if x is None or y is None else float(x == y) for x, y in zip(a, b, strict=True)])
    return out, reading.asked(first) & reading.asked(second)


def alike(reading: Reading, metric: metrics.Metric, part: str, first: str, second: str) -> Figure:
    """The share that is answered alike under two conditions."""
    values, both = equal(reading, first, second)
    return Figure(metric, part, {"value": values}, both, second)


def under_changes(subject: Subject, reading: Reading) -> Iterator[Figure]:
    """Flips, consistent and worst scores, divergence, by modality and by change."""
    clean, scored = reading.outcomes(CLEAN.name), subject.task.verb == "score"
    for modality in subject.modalities:
        names = [f"{kind}:{modality}" for kind in KINDS[modality]]
        each = [equal(reading, CLEAN.name, name) for name in names]
        asked, part = each[0][1], f"modality={modality}"
        yield Figure(FLIPS, part, {"value": 1.0 - np.mean([values for values, _ in each], axis=0)}, asked)
        for name, (values, both) in zip(names, each, strict=True):
            yield Figure(FLIPS, f"{part} & change={name.partition(':')[0]}", {"value": 1.0 - values}, both, name)
        every = np.array([clean, *(reading.outcomes(name) for name in names)])
        least = every.min(axis=0)
        yield Figure(WORST, part, {"value": least}, asked)
        if subject.task.choices:
            yield Figure(CONSISTENT, part, {"value": np.where(np.isnan(least), np.nan, least >= 1.0)}, asked)
        if scored:
            before = shares(reading, CLEAN.name)
            apart = np.mean([divergence(before, shares(reading, name)) for name in names], axis=0)
            yield Figure(DIVERGENCE, part, {"value": apart}, asked)


def shares(reading: Reading, condition: str) -> Values:
    """The probabilities of the choices, summing to 1, NaN where there is no answer."""
    logs = reading.answers(condition)
    if logs.ndim != 2:
        return np.full((len(reading.samples), 1), np.nan)
    with np.errstate(invalid="ignore"):
        odds = np.exp(logs - np.max(logs, axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def divergence(p: Values, q: Values) -> Values:
    """The Jensen-Shannon divergence in bits, row by row.

    >>> divergence(np.array([[1.0, 0.0], [0.5, 0.5]]), np.array([[0.0, 1.0], [0.5, 0.5]])).tolist()
    [1.0, 0.0]
    """
    middle = (p + q) / 2

    def to(x: Values) -> Values:
        ratio = np.divide(x, middle, out=np.ones_like(x), where=(x > 0) & (middle > 0))
        return np.asarray((x * np.log2(ratio)).sum(axis=1))

    return np.where(np.isnan(middle).any(axis=1), np.nan, (to(p) + to(q)) / 2)


def option_order(subject: Subject, reading: Reading) -> Iterator[Figure]:
    """Asks some samples again with the options in the reverse order, where the model is told options."""
    model, choices = subject.model, subject.task.choices
    told = isinstance(model, Scores) if subject.task.verb == "score" else isinstance(model, Answers)
    if not choices or len(subject.task.prompts) > 1 or not told:
        return
    places = np.array(subject.some(np.flatnonzero(reading.asked(CLEAN.name)).tolist(), ORDERED, "order"), dtype=np.intp)
    said = reading.predicted(CLEAN.name)
    values, concerned = np.full(len(said), np.nan), np.zeros(len(said), dtype=np.bool_)
    concerned[places] = True
    asked = asker(model, Question(subject.task.verb, None, tuple(reversed(choices))), None)
    everything = Pass(CLEAN.name, CLEAN, places)
    for start in range(0, len(places), BATCH):
        batch = places[start : start + BATCH].tolist()
        shown = [
            show(subject.samples[i], everything, model.modalities, subject.seed, checked=subject.task.dataset.checked)
            for i in batch
        ]
        able = [(i, one) for i, one in zip(batch, shown, strict=True) if isinstance(one, Sample)]
        for (i, _), came in zip(able, answers(asked, [one for _, one in able], []), strict=True):
            if not isinstance(came, Failure) and said[i] is not None:
                again = came if isinstance(came, str) else choices[len(choices) - 1 - int(np.argmax(came))]
                values[i] = float(again == said[i])
    yield Figure(ORDER, "all", {"value": values}, concerned)


def following(subject: Subject, reading: Reading, modality: str) -> Iterator[Figure]:
    """Whether answers follow a modality that is of another class, or what else the sample shows."""
    condition = f"conflict:{modality}"
    said, asked = reading.predicted(condition), reading.asked(condition)
    given = donors(subject, modality)
    odd, rest = np.full(len(said), np.nan), np.full(len(said), np.nan)
    for place in np.flatnonzero(asked).tolist():
        sample, answer = subject.samples[place], said[place]
        if answer is not None:
            odd[place] = float(answer == str(subject.samples[given[sample.id]].target))
            rest[place] = float(answer == str(sample.target))
    for what, values in ((modality, odd), ("rest", rest), ("other", 1.0 - odd - rest)):
        yield Figure(FOLLOWS, f"conflict={modality} & follows={what}", {"value": values}, asked, condition)
    either = odd + rest > 0
    yield Figure(PREFERENCE, f"modality={modality}", {"value": odd - rest}, asked & (either | np.isnan(odd)), condition)


def between(reading: Reading, first: str, second: str) -> Iterator[Estimate]:
    """Cohen's kappa of the answers by two modalities alone, and whether they err on the same samples."""
    one, two = f"only:{first}", f"only:{second}"
    a, b = reading.predicted(one), reading.predicted(two)
    right = [reading.outcomes(name) for name in (one, two)]
    there = np.array([x is not None and y is not None for x, y in zip(a, b, strict=True)])
    if not there.any():
        return
    units, part = reading.units[there], f"modality={first}+{second}"
    yield renamed(
        metrics.cohen_kappa(list(a[there]), list(b[there]), unit=units, seed=reading.seed), "cross_modal_kappa", part
    )
    if all(set(np.unique(values[there])) <= {0.0, 1.0} for values in right):
        x, y = (values[there].astype(int).tolist() for values in right)
        yield renamed(metrics.error_consistency(x, y, unit=units, seed=reading.seed), "error_consistency", part)
        yield renamed(metrics.oracle_gain(x, y, unit=units, seed=reading.seed), "oracle_gain", part)


def renamed(estimate: Estimate, metric: str, part: str) -> Estimate:
    """An estimate under its name here, of its part."""
    return replace(estimate, metric=metric, slice=part)


CONSISTENCY = Probe(
    "consistency",
    "Do answers stay when the meaning does, and whom do they follow when modalities disagree?",
    contrasts,
    conditions,
    read,
    leads=("flip_rate", "following_rate", "cross_modal_consistency"),
    others=("cross_modal_kappa", "error_consistency", "oracle_gain"),
    metrics=(FLIPS, CONSISTENT, WORST, DIVERGENCE, STABLE, ORDER, AGREEMENT, SUBSTITUTED, FOLLOWS, PREFERENCE),
)
