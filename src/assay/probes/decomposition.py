"""Partial information decomposition: what two modalities say of the label, and of the model's answer.

Each modality's contents are put into ``k`` clusters (of the model's own vectors where it embeds, of plain features
elsewhere); ``k`` follows from the number of samples, 50 for each cell of the table. The plug-in estimate is biased upwards,
synergy most of all: the value is corrected by the bootstrap's bias and the interval is the basic bootstrap's, over units;
``pid_chance`` is the synergy that shuffled answers show.
Sources: Bertschinger et al. 2014 (BROJA); Liang et al. 2023.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from assay.evaluation.probing import Reading
from assay.metrics.metric import sign
from assay.probes.definitions import mean
from assay.probes.features import clusters, embedded, plain, reduced
from assay.probes.probe import Found, Probe, Subject, several_modalities
from assay.stats.pid import Decomposition, counts, decompose
from assay.stats.units import codes
from assay.types import CLEAN, Condition, Embeds, Estimate

Values = NDArray[np.float64]
Codes = NDArray[np.intp]
CELL = 50
MOST = 20
DIMS = 8
RESAMPLES, SHUFFLES, STEPS = 200, 20, 1_000
BERTSCHINGER = "Bertschinger et al. 2014 (BROJA); Liang et al. 2023"

PARTS = {
    "pid_redundant": "Bits that either modality gives by itself.",
    "pid_unique": "Bits that one modality gives and the other does not.",
    "pid_synergistic": "Bits that only both together give.",
    "pid_total": "Bits that both modalities give together.",
    "pid_chance": "Bits of synergy that shuffled answers show: what an estimate from so few samples makes of nothing.",
}
METRICS = tuple(mean(name, text, BERTSCHINGER, bounds=(0.0, np.inf)) for name, text in PARTS.items())


def clusters_for(n: int, classes: int) -> int:
    """How many clusters a modality may have: 50 samples for each of ``k * k * classes`` cells; 0 where not even two.

    >>> clusters_for(400, 2), clusters_for(399, 2)
    (2, 0)
    """
    k = min(int((n / (CELL * classes)) ** 0.5), MOST) if classes else 0
    return k if k >= 2 else 0


def pairs(subject: Subject) -> list[tuple[tuple[str, str], list[int]]]:
    """Every two modalities with the places of the samples that hold both and have a target, where these are enough."""
    out = []
    for pair in combinations(subject.modalities, 2):
        places = subject.aimed(pair)
        if clusters_for(len(places), occurring(subject, places)):
            out.append((pair, places))
    return out


def occurring(subject: Subject, places: Sequence[int]) -> int:
    """How many targets occur among samples."""
    return len({str(subject.samples[place].target) for place in places})


def lacks(subject: Subject) -> str:
    """What is missing."""
    lack = several_modalities(subject)
    if lack or pairs(subject):
        return lack
    if not subject.task.choices:
        return "the decomposition needs classes"
    found = max(combinations(subject.modalities, 2), key=lambda pair: len(subject.aimed(pair)))
    places = subject.aimed(found)
    needed = CELL * 4 * max(occurring(subject, places), 2)
    return (
        f"{needed} samples that hold {found[0]} and {found[1]} are needed for two clusters of each and"
        f" {occurring(subject, places)} classes, there are {len(places)}"
    )


def conditions(subject: Subject) -> list[Condition]:
    """Nothing but the samples as they are."""
    return [CLEAN]


def read(subject: Subject, reading: Reading) -> Found:
    """The four parts for every two modalities, of the labels (``of=labels``) and of the answers (``of=answers``)."""
    said = reading.predicted(CLEAN.name)
    out: list[Estimate] = []
    for pair, places in pairs(subject):
        there = np.array([place for place in places if said[place] is not None], dtype=np.intp)
        features = [features_of(subject, there, modality) for modality in pair]
        whole = np.isfinite(features[0]).all(axis=1) & np.isfinite(features[1]).all(axis=1)
        there = there[whole]
        k = clusters_for(len(there), occurring(subject, there.tolist()))
        if k == 0:
            continue
        coded = [
            clusters(reduced(of[whole], DIMS), k, subject.rng("clusters", modality))
            for of, modality in zip(features, pair, strict=True)
        ]
        for of, values in (
            ("labels", [str(subject.samples[place].target) for place in there]),
            ("answers", [str(said[place]) for place in there]),
        ):
            y = np.unique(values, return_inverse=True)[1].astype(np.intp)
            out += estimates(subject, reading, pair, (coded[0], coded[1], y), places=there, of=of)
    return out


def features_of(subject: Subject, places: Codes, modality: str) -> Values:
    """What the clusters are made of: the model's vectors where it embeds, else plain features; NaN where there are none."""
    samples = [subject.samples[place] for place in places]
    vectors = embedded(subject.model, samples, modality)
    return plain([sample.inputs[modality] for sample in samples], modality) if vectors is None else vectors


def estimates(
    subject: Subject,
    reading: Reading,
    pair: tuple[str, str],
    coded: tuple[Codes, Codes, Codes],
    *,
    places: Codes,
    of: str,
) -> Iterator[Estimate]:
    """The estimates of one decomposition, with the basic bootstrap's intervals over units."""
    rng = subject.rng("decomposition", *pair, of)
    units = codes(reading.units[places], len(places))
    count = int(units.max()) + 1
    weights = rng.multinomial(count, np.full(count, 1 / count), size=RESAMPLES).astype(np.float64)[:, units]
    whole = decompose(counts(*coded), steps=STEPS)
    drawn = decompose(counts(*coded, weights), steps=STEPS)
    shuffled = decompose(
        np.concatenate([counts(coded[0], coded[1], rng.permutation(coded[2])) for _ in range(SHUFFLES)]), steps=STEPS
    )
    space = "vectors" if isinstance(subject.model, Embeds) else "features"
    k = max(int(codes_.max()) + 1 for codes_ in coded[:2])
    both, end = f"modality={pair[0]}+{pair[1]}", f" & of={of}"
    for metric, part, value, replicates in parts(whole, drawn, pair, both):
        low, high = (2 * value - float(q) for q in np.quantile(replicates, [0.975, 0.025]))
        yield Estimate(
            metric,
            2 * value - float(replicates.mean()),
            # What every resample can only fall short of (all that there is, or nothing) is its own best estimate.
            min(low, value),
            max(high, value),
            count,
            unit=subject.task.unit,
            slice=part + end,
            signature=sign(metric, "broja", f"clusters:{k}", f"of:{space}", "bits"),
        )
    spread = np.quantile(shuffled.synergistic, [0.025, 0.975])
    yield Estimate(
        "pid_chance",
        float(shuffled.synergistic.mean()),
        float(spread[0]),
        float(spread[1]),
        count,
        unit=subject.task.unit,
        slice=both + end,
        signature=sign("pid_chance", "broja", f"clusters:{k}", f"of:{space}", f"shuffles:{SHUFFLES}", "bits"),
    )


def parts(
    whole: Decomposition, drawn: Decomposition, pair: tuple[str, str], both: str
) -> Iterator[tuple[str, str, float, Values]]:
    """Each part's metric, slice, plug-in value and bootstrap values."""
    yield "pid_redundant", both, float(whole.redundant[0]), drawn.redundant
    yield "pid_unique", f"modality={pair[0]} & beside={pair[1]}", float(whole.unique_1[0]), drawn.unique_1
    yield "pid_unique", f"modality={pair[1]} & beside={pair[0]}", float(whole.unique_2[0]), drawn.unique_2
    yield "pid_synergistic", both, float(whole.synergistic[0]), drawn.synergistic
    yield "pid_total", both, float(whole.total[0]), drawn.total


PID = Probe(
    "pid",
    "What do two modalities tell of label and answer: the same, each its own, or only together?",
    lacks,
    conditions,
    read,
    leads=("pid_redundant", "pid_unique", "pid_synergistic"),
    metrics=METRICS,
)
