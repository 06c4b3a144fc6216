"""Reasons to doubt samples: what is broken, there twice, leaked between splits, unlike the rest, labelled against its neighbours.

`examine` decodes everything once and gives a table of findings: a sample, a reason of `REASONS`, what exactly, the other sample that
it concerns, a number. `cleaned` leaves out the samples that were found for some of the reasons (by default `REJECTED`: those that
cannot be used or are there already). Nothing is decided for good: what is *suspicious* is for a person to look at.

Near duplicates are of `assay.data.likeness`, outliers and doubtful labels of `assay.data.doubtful`. Without an ``embed`` function
these two look at simple statistics: a picture's 8 x 8 thumbnail, a sound's bands, a text's letters, for labels its words.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from assay.catalog import nearest
from assay.data.dataset import Dataset
from assay.data.doubtful import SPREADS, doubtful_labels, outlying
from assay.data.readers.inputs import outside
from assay.data.seen import Seen
from assay.data.shared import conflicts, duplicates, leaks, near_keys
from assay.data.stored import digest_of
from assay.data.summary import Check, check
from assay.types import FloatArray, Sample

REASONS: dict[str, str] = {
    "no_input": "holds no input at all",
    "broken": "an input cannot be decoded, or is blank",
    "partial": "an input is cut off",
    "duplicate_id": "another sample has the same id",
    "alike_id": "another id differs by case, white space or composed letters alone",
    "duplicate": "all inputs are those of another sample of the same split",
    "near_duplicate": "the inputs are nearly those of another sample of the same split",
    "leak": "the same or nearly the same picture, sound, film (of data without: text) is in another split",
    "conflicting_label": "the same inputs have another label elsewhere",
    "missing_label": "has no label although others have",
    "missing_input": "lacks a modality that nearly all others have",
    "doubtful_label": "the nearest others have another label",
    "outlier": "is unlike all others",
    "outside": "its file lies outside the data's folder",
}
"""What can be found, in the order in which it is listed."""

REJECTED = ("no_input", "broken", "partial", "duplicate_id", "duplicate", "near_duplicate", "leak")
UNUSABLE = ("no_input", "broken", "partial", "duplicate_id")
CUT = ("truncat", "ends before", "cut off")
NEARLY_ALL = 0.9
IMBALANCE = 10

Embed = Callable[[Sequence[Sample]], FloatArray]


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason to doubt one sample. ``other`` is the sample that it is like; ``score`` is a number where there is one (robust
    deviations of an outlier, the confidence in a label), else NaN."""

    sample: str
    reason: str
    detail: str = ""
    other: str = ""
    score: float = float("nan")


@dataclass(frozen=True)
class Examined:
    """All findings, in the order of the samples; ``notes`` concern the data as a whole; ``check`` is what `assay.data.summary` says."""

    check: Check
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many samples each reason concerns, in the order of `REASONS`."""
        found = Counter(reason for _, reason in {(one.sample, one.reason) for one in self.findings})
        return {reason: found[reason] for reason in REASONS if reason in found}

    @property
    def usable(self) -> bool:
        """Whether every sample can be used and has an id of its own."""
        return not any(one.reason in UNUSABLE for one in self.findings)


def examine(dataset: Dataset, *, embed: Embed | None = None, progress: Callable[[int], None] | None = None) -> Examined:
    """Everything that can be found. ``embed`` gives vectors ``float32[n, d]`` of samples that can be used; ``progress`` is told how
    many samples are done. Broken inputs are listed, never raised. `ValueError` for vectors of another number or not finite.

    >>> data = Dataset("d", [Sample("a", {"text": "A red apple."}), Sample("b", {"text": "a red apple"}), Sample("c", {"text": " "})], "f")
    >>> [(one.sample, one.reason, one.other) for one in examine(data).findings]
    [('b', 'near_duplicate', 'a'), ('c', 'broken', '')]
    """
    seen = Seen()
    checked = check(dataset, progress, seen.look)
    bad = {one.sample for one in checked.broken}
    usable = list({sample.id: sample for sample in reversed(dataset.samples) if sample.id not in bad}.values())[::-1]
    found: list[Finding] = [
        Finding(one.sample, unusable(one.reason), f"{one.modality}: {one.reason}") for one in checked.broken
    ]
    leader = near_keys(usable, seen)
    found += ids(dataset.samples)
    found += [Finding(a, reason, detail, b) for a, reason, detail, b in duplicates(usable, seen, leader)]
    found += [Finding(a, "leak", detail, b) for a, detail, b in leaks(usable, seen, leader)]
    found += [Finding(a, "conflicting_label", detail, b) for a, detail, b in conflicts(usable, seen)]
    found += missing(dataset.samples)
    found += strange(usable, seen, embed)
    root = Path(dataset.source).parent if dataset.source else Path()
    if dataset.source and Path(dataset.source).exists():
        root = Path(dataset.source) if Path(dataset.source).is_dir() else root
        found += [Finding(s.id, "outside", m) for s in usable for m, c in s.inputs.items() if outside(c, root)]
    place = {sample.id: number for number, sample in enumerate(dataset.samples)}
    order = {reason: number for number, reason in enumerate(REASONS)}
    found.sort(key=lambda one: (place[one.sample], order[one.reason]))
    return Examined(checked, tuple(found), tuple(notes(dataset)))


def unusable(reason: str) -> str:
    """The reason by which a broken input is listed."""
    if reason == "holds no input":
        return "no_input"
    return "partial" if any(word in reason.lower() for word in CUT) else "broken"


def ids(samples: Sequence[Sample]) -> Iterable[Finding]:
    """Samples whose id another has too, or nearly."""
    first: dict[str, str] = {}
    known: set[str] = set()
    for sample in samples:
        folded = unicodedata.normalize("NFC", sample.id).strip().casefold()
        if sample.id in known:
            yield Finding(sample.id, "duplicate_id", other=sample.id)
        elif folded in first:
            yield Finding(sample.id, "alike_id", other=first[folded])
        known.add(sample.id)
        first.setdefault(folded, sample.id)


def missing(samples: Sequence[Sample]) -> Iterable[Finding]:
    """Samples without what nearly all others have."""
    labelled = sum(sample.target is not None for sample in samples)
    held = Counter(modality for sample in samples for modality in sample.inputs)
    usual = [modality for modality, count in held.items() if NEARLY_ALL * len(samples) <= count < len(samples)]
    for sample in samples:
        if labelled and sample.target is None and not sample.references:
            yield Finding(sample.id, "missing_label")
        for modality in usual:
            if modality not in sample.inputs and sample.inputs:
                yield Finding(sample.id, "missing_input", modality)


def strange(samples: Sequence[Sample], seen: Seen, embed: Embed | None) -> Iterable[Finding]:
    """Outliers, and labels that their neighbours contradict."""
    kinds = {"embedding": vectors_of(samples, embed)} if embed is not None else seen.statistics(samples)
    for name, vectors in kinds.items():
        there = np.flatnonzero(np.isfinite(vectors).all(axis=1))
        spread = outlying(vectors[there])
        for row in np.flatnonzero(spread > SPREADS):
            score = float(spread[row])
            yield Finding(samples[int(there[row])].id, "outlier", f"{name}: {score:.1f} deviations", score=score)
    named = [row for row, sample in enumerate(samples) if isinstance(sample.target, str)]
    if not named:
        return
    vectors = kinds["embedding"] if embed is not None else seen.features(samples)
    rows = np.array(named)[np.isfinite(vectors[named]).all(axis=1)] if len(vectors) else np.zeros(0, np.intp)
    labels = [str(samples[int(number)].target) for number in rows]
    for place, likely, confidence in doubtful_labels(vectors[rows], labels):
        sample = samples[int(rows[place])]
        yield Finding(sample.id, "doubtful_label", f"{sample.target}, rather {likely}", score=confidence)


def vectors_of(samples: Sequence[Sample], embed: Embed) -> FloatArray:
    """The embedding of each sample. `ValueError` for another number of rows and for what is not finite."""
    vectors = np.asarray(embed([sample.shown() for sample in samples]), dtype=np.float32)
    if vectors.ndim != 2 or len(vectors) != len(samples) or not np.isfinite(vectors).all():
        raise ValueError(f"embed: float32[{len(samples)}, d], all finite, was expected, got {vectors.shape}")
    return vectors


def notes(dataset: Dataset) -> Iterable[str]:
    """What is to be known of the data as a whole: classes of very different size, classes that are alike, groups with gaps."""
    counts = Counter(str(s.target) for s in dataset.samples if isinstance(s.target, str | int | float))
    if len(counts) > 1 and len(counts) < len(dataset) / 2:
        most, least = counts.most_common(1)[0], min(counts.items(), key=lambda one: (one[1], one[0]))
        if most[1] > IMBALANCE * least[1]:
            yield f"imbalance: {most[1]} samples of {most[0]!r}, {least[1]} of {least[0]!r}"
    folded: dict[str, str] = {}
    for name in counts:
        other = folded.setdefault(" ".join(name.casefold().split()), name)
        if other != name:
            yield f"labels that differ by case or white space alone: {other!r}, {name!r}"
    groups = Counter(group for sample in dataset.samples for group in sample.groups)
    for group, count in groups.items():
        if NEARLY_ALL * len(dataset) <= count < len(dataset):
            yield f"the group {group!r} is missing in {len(dataset) - count} of {len(dataset)} samples"


def check_reasons(reasons: Iterable[str]) -> tuple[str, ...]:
    """The reasons as they are; `ValueError` for one that there is not, with its neighbours."""
    for reason in (given := tuple(reasons)):
        if reason not in REASONS:
            raise ValueError(f"unknown reason {reason!r}: {nearest(reason, REASONS)}")
    return given


def cleaned(dataset: Dataset, examined: Examined, reject: Collection[str] = REJECTED) -> Dataset:
    """The data without the samples that were found for a reason in ``reject``; of an id that occurs twice the first one stays.

    `ValueError` for an unknown reason, and when nothing is left.
    """
    chosen = set(check_reasons(reject))
    gone = {one.sample for one in examined.findings if one.reason in chosen - {"duplicate_id"}}
    kept: dict[str, Sample] = {}
    samples: list[Sample] = []
    for sample in dataset.samples:
        if sample.id in gone or ("duplicate_id" in chosen and sample.id in kept):
            continue
        kept[sample.id] = sample
        samples.append(sample)
    if not samples:
        raise ValueError(f"nothing of {dataset.name} is left when {', '.join(sorted(chosen))} are rejected")
    stamped = digest_of(dataset.fingerprint, *(sample.id for sample in samples))
    return replace(dataset, name=f"{dataset.name} (cleaned)", samples=samples, fingerprint=stamped)


def rows(examined: Examined, reject: Collection[str] = REJECTED) -> list[dict[str, Any]]:
    """The findings as plain rows, each with whether its sample is rejected for it."""
    return [
        {
            "sample": one.sample,
            "reason": one.reason,
            "detail": one.detail,
            "other": one.other,
            "score": None if np.isnan(one.score) else one.score,
            "rejected": one.reason in reject,
        }
        for one in examined.findings
    ]
