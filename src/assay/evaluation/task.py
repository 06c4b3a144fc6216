"""A task: what a model is asked about a data set, under which conditions, and how the answers are measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from assay import metrics
from assay.data.dataset import Dataset
from assay.evaluation.probing import Probing
from assay.metrics.metric import Metric
from assay.types import CLEAN, Condition, Sample, Verb


@dataclass(frozen=True)
class Task:
    """What is asked and how it is measured; the first metric is the headline.

    ``unit`` names the group whose members are resampled together (ten pictures of one concept are one unit), or ``sample``; a sample
    without that group is a unit of its own. ``choices`` are the classes that the answers are read as; ``prompts`` the sentences in
    which a choice is put to a model that reads it (``{}`` stands for the choice). ``probing`` is what probes ask
    and read besides.
    """

    name: str
    dataset: Dataset
    verb: Verb
    metrics: tuple[Metric, ...]
    unit: str = "sample"
    conditions: tuple[Condition, ...] = (CLEAN,)
    repeats: int = 1
    source: str = ""
    choices: tuple[str, ...] = ()
    prompts: tuple[str, ...] = ("{}",)
    probing: Probing = field(default_factory=Probing)

    def __post_init__(self) -> None:
        if not self.metrics:
            raise ValueError(f"the task {self.name!r} has no metrics: give at least one.")
        if self.repeats < 1:
            raise ValueError(f"the task {self.name!r} asks {self.repeats} times: expected at least 1.")
        names = [condition.name for condition in self.conditions]
        if len(set(names)) != len(names):
            raise ValueError(f"the task {self.name!r} names a condition twice: {', '.join(names)}.")

    @cached_property
    def asked(self) -> tuple[Condition, ...]:
        """The task's own conditions, then those that only probes read."""
        own = {condition.name for condition in self.conditions}
        return (*self.conditions, *(one for one in self.probing.conditions if one.name not in own))

    def unit_of(self, sample: Sample) -> str:
        """The label of the unit that a sample belongs to."""
        return sample.groups.get(self.unit) or sample.id

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """The groups by which figures are broken down: the data set's slices, and ``split`` where there is more than one."""
        names = dict.fromkeys(("split", *self.dataset.slices))
        held: dict[str, set[str]] = {name: {s.groups.get(name) or "" for s in self.dataset.samples} for name in names}
        return tuple(name for name, values in held.items() if len(values) > 1)


def named_metrics(names: Sequence[str | Metric]) -> tuple[Metric, ...]:
    """Metrics by name, or as they are; an unknown name is a `ValueError` with its neighbours."""
    return tuple(name if isinstance(name, Metric) else metrics.get(name) for name in names)


def natural_unit(dataset: Dataset) -> str:
    """The group whose members belong together: ``concept``, ``image``, ``twin``, the first that there is; else each sample by itself."""
    for name in ("concept", "image", "twin"):
        if any(sample.groups.get(name) for sample in dataset.samples):
            return name
    return "sample"
