"""What a probe is: conditions to ask under, and a way to read the answers.

A probe is one file and one line in `assay.catalog.PROBES`. It sees the task (with its data), the model by the protocols of
`assay.types`, and the answers condition by condition. What it lacks, it says in one sentence, and is then skipped by name.
Conditions of one name are the same condition: probes that share it share its answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from assay.catalog import PROBES, find, nearest
from assay.evaluation.conditions import planned
from assay.evaluation.probing import Figure, Probing, Reading
from assay.evaluation.reading import outcome_metric
from assay.evaluation.task import Task
from assay.metrics.metric import Metric
from assay.stats.streams import stream
from assay.types import MODALITIES, Condition, Estimate, Model, Sample, Told

ALL = "all"
Found = Sequence[Figure | Estimate]


@dataclass(frozen=True)
class Subject:
    """What a probe plans by: a task, a model, a seed."""

    task: Task
    model: Model
    seed: int = 0

    @property
    def samples(self) -> Sequence[Sample]:
        """The samples as the task shows them."""
        return self.task.dataset.samples

    @cached_property
    def modalities(self) -> tuple[str, ...]:
        """The modalities that data and model share, in the order of `MODALITIES`."""
        return tuple(m for m in MODALITIES if m in self.model.modalities and m in self.task.dataset.modalities)

    @cached_property
    def units(self) -> list[str]:
        """The label of each sample's resampling unit."""
        return [self.task.unit_of(sample) for sample in self.samples]

    def rng(self, *names: str) -> np.random.Generator:
        """A generator of its own for every named purpose."""
        return stream(self.seed, "probe", *names)

    def aimed(self, modalities: Sequence[str]) -> list[int]:
        """The places of the samples with a target that hold all of some modalities."""
        return [
            place
            for place, sample in enumerate(self.samples)
            if sample.target is not None and all(m in sample.inputs for m in modalities)
        ]

    def some(self, places: Sequence[int], most: int, *names: str) -> list[int]:
        """At most so many of some places, by chance and in order: every k-th could fall in step with how the data were made."""
        if len(places) <= most:
            return list(places)
        return sorted(self.rng("some", *names).choice(np.asarray(places), most, replace=False).tolist())


@dataclass(frozen=True)
class Probe:
    """``question`` is what it answers, in one sentence. ``lacks`` says what is missing, empty where nothing is.

    ``conditions`` are asked besides the task's own; ``read`` makes figures (statistics over samples, which runs can be compared by)
    and estimates. ``metrics`` are those that its figures
    are, ``others`` the names of estimates besides, ``leads`` those that the card shows first,
    ``listed`` those whose samples it names. A ``costly`` probe is not part of ``all``.
    """

    name: str
    question: str
    lacks: Callable[[Subject], str]
    conditions: Callable[[Subject], Sequence[Condition]]
    read: Callable[[Subject, Reading], Found]
    metrics: tuple[Metric, ...] = ()
    leads: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()
    costly: bool = False

    @property
    def names(self) -> frozenset[str]:
        """The names of all that it finds."""
        return frozenset((*(metric.name for metric in self.metrics), *self.others))


def contrasts(subject: Subject) -> str:
    """What is missing for a probe that asks a task's samples under other conditions and contrasts outcomes."""
    if subject.task.verb not in ("score", "generate"):
        return (
            f"the task {subject.task.name!r} shows one modality at a time: it needs one that scores or writes answers"
        )
    if isinstance(subject.model, Told):
        return f"the answers of {subject.model.name!r} were given elsewhere: it cannot be asked under other conditions"
    if outcome_metric(subject.task) is None:
        return f"no metric of the task {subject.task.name!r} has a value for each sample"
    return ""


def several_modalities(subject: Subject) -> str:
    """What is missing for a probe that contrasts modalities."""
    lack = contrasts(subject)
    if lack or len(subject.modalities) > 1:
        return lack
    return (
        f"it contrasts modalities: data and model share {', '.join(subject.modalities) or 'none'}, two are needed"
        f" (the data has {', '.join(subject.task.dataset.modalities) or 'none'},"
        f" the model takes {', '.join(m for m in MODALITIES if m in subject.model.modalities)})"
    )


def probing(task: Task, model: Model, names: Sequence[str], *, seed: int = 0) -> Probing:
    """What probes of these names (or ``all``) ask and read. An unknown name is a `ValueError` with its neighbours."""
    subject = Subject(task, model, seed)
    chosen = chosen_probes(names)
    skipped = {probe.name: lack for probe in chosen if (lack := probe.lacks(subject))}
    served = [probe for probe in chosen if probe.name not in skipped]
    conditions: dict[str, Condition] = {}
    for probe in served:
        for one in planned(probe.conditions(subject), subject.modalities):
            conditions.setdefault(one.name, one)

    def read(reading: Reading) -> list[Figure | Estimate]:
        return [one for probe in served for one in probe.read(subject, reading)]

    return Probing(tuple(probe.name for probe in served), skipped, tuple(conditions.values()), read)


def chosen_probes(names: Sequence[str]) -> list[Probe]:
    """The probes of some names, each once, in the catalogue's order; ``all`` is all but the costly ones."""
    unknown = next((name for name in names if name != ALL and name not in PROBES), None)
    if unknown is not None or not names:
        raise ValueError(f"unknown probe {unknown or ''!r}: {nearest(unknown or '', [*PROBES, ALL])}")
    every: list[Probe] = [find("probe", name, PROBES) for name in PROBES if name in names or ALL in names]
    return [probe for probe in every if probe.name in names or not probe.costly]
