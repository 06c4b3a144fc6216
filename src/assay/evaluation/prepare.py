"""From words to a task: what a user asked for, kept as words too, so that a run can be measured again without its model."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from assay.catalog import TASKS, attribute, find
from assay.data.dataset import Dataset
from assay.evaluation.how import How
from assay.evaluation.named import named_condition
from assay.evaluation.task import Task
from assay.types import Answers, Generates, Model, Scores, Told

CARD, WEIGHED = "card", "card:weighed"
"""A benchmark's task as its card says; weighed: its classes are scored and not named in words."""

LABELLED = ("classification", "saying", "zeroshot")
"""Tasks that ask only about samples with a label."""


@dataclass(frozen=True)
class Request:
    """How a run's data and task were named. ``data`` is what `assay.load_dataset` takes, or for answers that came in files
    ``files`` with the ``task`` ``score``; ``columns`` says which column is what."""

    task: str = ""
    data: str = ""
    files: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    limit: int | None = None
    sample: int | None = None
    seed: int = 0
    conditions: tuple[str, ...] | None = None
    probes: tuple[str, ...] = ()
    repeats: int = 1
    by: tuple[str, ...] = ()
    unit: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @staticmethod
    def read(values: Mapping[str, Any]) -> Request:
        """What `as_json` gave."""
        typed: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
        return Request(**typed)


@dataclass(frozen=True)
class Prepared:
    """A model and a task that are ready to be evaluated. ``load_s`` is how long loading the model took, if it was loaded here;
    ``request`` how the data were named, if they were; ``load`` loads the model again, in another process."""

    model: Model
    task: Task
    load_s: float | None = None
    request: Request | None = None
    how: How = field(default_factory=How)
    load: Callable[[], Model] | None = None

    @property
    def folder(self) -> Path:
        """Where such a run is kept unless somebody says otherwise: ``runs/TASK/MODEL-HASH``."""
        from assay.evaluation.evaluate import default_folder

        return default_folder(self.model, self.task, seed=self.how.seed, batch=self.how.batch, shard=self.how.shard)


def selected(dataset: Dataset, request: Request) -> Dataset:
    """The part of the data that was asked for. `ValueError` for both a limit and a sample, and for less than one of either."""
    if request.limit is not None and request.sample is not None:
        raise ValueError("limit takes the first samples, sample takes some by chance: give one of them.")
    for name, value in (("limit", request.limit), ("sample", request.sample)):
        if value is not None and value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}.")
    if request.limit is not None:
        return dataset.first(request.limit)
    return dataset if request.sample is None else dataset.chosen(request.sample, request.seed)


def asked_task(name: str | None, model: Model, dataset: Dataset) -> str:
    """The task's name in full: the usual one for ``None`` (a benchmark's own, by its card); classification of a model that only
    writes, or may be told the choices, is ``saying``."""
    writes = isinstance(model, Generates) and (isinstance(model, Answers) or not isinstance(model, Scores))
    if dataset.card is not None and name in (None, dataset.card.name):
        return WEIGHED if dataset.card.task == "classification" and not writes else CARD
    name = usual_task(model, dataset) if name is None else name
    if name == "classification" and writes:
        return "saying"
    return name


def as_told(model: Told, dataset: Dataset, request: Request) -> Request:
    """The request for answers that were given elsewhere: only as the samples are. Ids that the data do not have are told on standard
    error. `ValueError` for conditions, repeats and probes, under which nobody was asked, and where no id is one of the data's."""
    if (request.conditions or ("clean",)) != ("clean",) or request.repeats != 1 or request.probes:
        raise ValueError(
            f"{model.name} holds one answer for each sample: no conditions, repeats or probes can be asked of it."
        )
    known = {sample.id for sample in dataset.samples}
    strange = sorted(model.told - known)
    if len(strange) == len(model.told):
        raise ValueError(
            f"none of the {len(strange):,} ids of {model.name} is one of {dataset.name}'s: there it is {strange[0]!r},"
            f" here {dataset.samples[0].id!r}."
        )
    if strange:
        named = ", ".join(map(repr, strange[:3]))
        print(f"{model.name}: {len(strange):,} ids are not in {dataset.name} and left out: {named}", file=sys.stderr)
    return replace(request, conditions=("clean",))


def tell_unlabelled(task: Task, dataset: Dataset) -> None:
    """Tells on standard error how many samples are left out because nothing says their class, for tasks that need it."""
    samples = dataset.for_task("classification" if task.name == "saying" else task.name).samples
    without = [sample.id for sample in samples if sample.target is None]
    if without and task.name in LABELLED:
        print(
            f"{dataset.name}: {len(without):,} of {len(samples):,} samples have no label and are left out:"
            f" {', '.join(map(repr, without[:3]))}",
            file=sys.stderr,
        )


def make_task(dataset: Dataset, request: Request, *, metrics: Sequence[str] = ()) -> Task:
    """The task on data that were selected. ``metrics`` take the place of the task's own.

    `ValueError` for an unknown task, condition or metric, and for repeats of what is embedded.
    """
    if request.task in (CARD, WEIGHED):
        make = partial(attribute("assay.evaluation.tasks.carded:carded"), weighed=request.task == WEIGHED)
    elif request.task == "saying":
        make = attribute("assay.evaluation.tasks:saying")
    else:
        make = find("task", request.task, TASKS)
    task: Task = make(dataset, measures=tuple(metrics)) if metrics else make(dataset)
    if request.conditions is not None:
        task = replace(
            task, conditions=tuple(named_condition(name, task, seed=request.seed) for name in request.conditions)
        )
    if request.repeats != 1:
        if task.verb == "embed":
            raise ValueError(f"{task.name} embeds each sample once; repeats are for tasks that ask for an answer.")
        task = replace(task, repeats=request.repeats)
    return task


def usual_task(model: Model, dataset: Dataset) -> str:
    """What a model is measured by on data when nobody says: a model that writes by what the texts ask, else by describing the
    pictures; one that writes down what it hears by its transcripts; one that scores by the classes, if there are any; any other by
    retrieval."""
    if isinstance(model, Generates) and model.modalities == {"audio"}:
        return "transcription"
    if isinstance(model, Generates) and dataset.choices and not dataset.asks and not dataset.checked:
        return "classification"
    if isinstance(model, Generates) and (dataset.asks or "image" in dataset.modalities):
        return dataset.asks or "captioning"
    return "classification" if dataset.choices and isinstance(model, Scores) else "retrieval"
