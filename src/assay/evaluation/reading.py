"""Reads an evaluation's answers condition by condition from its journal, for probes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.evaluation.plan import Pass, Plan
from assay.evaluation.predictions import predictions
from assay.evaluation.store import Store
from assay.evaluation.task import Task
from assay.evaluation.tasks import FAMILIES
from assay.evaluation.tasks.generating import ChoiceReader
from assay.metrics.metric import Metric
from assay.table import Table
from assay.types import Model, Sample


def outcome_metric(task: Task) -> Metric | None:
    """The task's first metric that is a mean over samples, which is what probes contrast; `None` if there is none."""
    return next((metric for metric in task.metrics if metric.item is not None), None)


@dataclass(frozen=True)
class JournalReading:
    """`assay.evaluation.probing.Reading` over a journal. One condition's answers are in memory at a time, and its outcomes stay."""

    task: Task
    plan: Plan
    store: Store = field(repr=False)
    model: Model
    seed: int
    kept: dict[tuple[str, int], tuple[NDArray[np.float64], NDArray[Any]]] = field(default_factory=dict, repr=False)

    @property
    def samples(self) -> Sequence[Sample]:
        """The samples in the data set's order."""
        return self.plan.samples

    @cached_property
    def units(self) -> NDArray[Any]:
        """The label of each sample's resampling unit."""
        return np.array([self.task.unit_of(sample) for sample in self.samples], dtype=str)

    @property
    def choices(self) -> tuple[str, ...]:
        """The classes; empty where there are none."""
        return self.task.choices

    @cached_property
    def places(self) -> dict[tuple[str, int], tuple[Pass, int]]:
        """Each pass by its condition and repeat, with the place of its first row."""
        out, first = {}, 0
        for asked in self.plan.passes:
            out[asked.name, asked.repeat] = (asked, first)
            first += len(asked)
        return out

    def asked(self, condition: str, repeat: int = 0) -> NDArray[np.bool_]:
        """The samples that were planned under a condition; none for one that nobody asked for."""
        out = np.zeros(len(self.samples), dtype=np.bool_)
        if (condition, repeat) in self.places:
            out[self.places[condition, repeat][0].samples] = True
        return out

    def outcomes(self, condition: str, repeat: int = 0) -> NDArray[np.float64]:
        """Each sample's value by `outcome_metric`; NaN where nothing was asked or came."""
        return self.measured(condition, repeat)[0]

    def predicted(self, condition: str, repeat: int = 0) -> NDArray[Any]:
        """What was answered, as text; ``None`` where nothing was asked or came."""
        return self.measured(condition, repeat)[1]

    def measured(self, condition: str, repeat: int) -> tuple[NDArray[np.float64], NDArray[Any]]:
        """Outcomes and answers of one pass, from its rows in the journal."""
        key = (condition, repeat)
        if key not in self.kept:
            outcome = np.full(len(self.samples), np.nan)
            answer = np.full(len(self.samples), None, dtype=object)
            metric = outcome_metric(self.task)
            if key in self.places and metric is not None:
                asked, rows = self.pass_rows(*self.places[key])
                table = FAMILIES[self.task.verb].measure(replace(self.task, metrics=(metric,)), [(asked, rows)])
                there = ~table["missing"]
                outcome[asked.samples[there]] = table[f"measure.{metric.item}"][there]
                answer[asked.samples[there]] = self.read_as(table["predicted"][there])
            self.kept[key] = (outcome, answer)
        return self.kept[key]

    def read_as(self, said: NDArray[Any]) -> NDArray[Any]:
        """What was said as one of the choices, where it is written and there are any; what is none of them stays as it is."""
        if self.task.verb != "generate" or not self.choices:
            return said.astype(object)
        reader = ChoiceReader(self.choices)
        return np.array([reader.read(str(text)) or str(text) for text in said] + [None], dtype=object)[:-1]

    def answers(self, condition: str, repeat: int = 0) -> NDArray[Any]:
        """The answers as they came: vectors with NaN, or texts with ``None``, where nothing was asked or came."""
        if (condition, repeat) not in self.places:
            return np.full(len(self.samples), None, dtype=object)
        asked, rows = self.pass_rows(*self.places[condition, repeat])
        came = rows["answer"]
        out: NDArray[Any] = np.full(len(self.samples), None, dtype=object)
        if came.ndim == 2:
            # Where nothing came at all nobody knows how wide an answer is, but for scores.
            out = np.full((len(self.samples), came.shape[1] or len(self.choices)), np.nan)
        there = rows["error_kind"] == ""
        if there.any():
            out[asked.samples[there]] = came[there]
        return out

    def pass_rows(self, asked: Pass, first: int) -> tuple[Pass, Table]:
        """A pass with its rows."""
        return asked, predictions(self.store, self.task.verb, first=first, count=len(asked))
