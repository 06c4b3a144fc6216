"""Classification and zero-shot classification: which of the data set's classes is it, from what is shown.

The model weighs the classes (``score``); the answer is the one with the highest log-probability, the first of equals. Asked under every
condition: all that is there, each modality alone, each taken away. Zero-shot classification puts each class to the model in one or
several sentences; with several, a class's probability is its mean over the sentences.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from assay import metrics
from assay.catalog import nearest
from assay.data.dataset import Dataset
from assay.evaluation.conditions import alone_and_together, asked_of, planned
from assay.evaluation.plan import Pass
from assay.evaluation.task import Task, named_metrics, natural_unit
from assay.evaluation.tasks.family import Family, check_family, check_targets, joined, measured, placed
from assay.metrics.metric import Metric, Rows
from assay.table import KEY, Table
from assay.types import Condition, Model


@runtime_checkable
class HasClasses(Model, Protocol):
    """A model that was trained on classes and knows no others."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Their names; empty for a model that reads any choice."""


@runtime_checkable
class FindsClasses(HasClasses, Protocol):
    """A model that reads a choice as one of its classes, though it may be spelt otherwise."""

    def columns(self, choices: Sequence[str]) -> list[int]:
        """The places of its classes that the choices name; `ValueError` for one that names none."""


def classification(
    dataset: Dataset,
    *,
    measures: Sequence[str | Metric] = (),
    conditions: Sequence[Condition] | None = None,
    unit: str | None = None,
    repeats: int = 1,
) -> Task:
    """The task of naming each sample's class. `ValueError` for a data set without classes or with a target that is not one.

    ``measures`` default to accuracy, macro-F1, the negative log-likelihood and, for more than three classes, a top-k accuracy;
    ``conditions`` to clean, each modality alone, each taken away; ``unit`` to the concept or twin that samples share.
    """
    task = labelled("classification", dataset.for_task("classification"), measures)
    return replace(
        task,
        conditions=task.conditions if conditions is None else tuple(conditions),
        unit=task.unit if unit is None else unit,
        repeats=repeats,
    )


def zeroshot(dataset: Dataset, *, prompts: Sequence[str] = ("{}",), measures: Sequence[str | Metric] = ()) -> Task:
    """Classification where each class is put to the model in sentences: ``prompts`` hold ``{}`` where the class goes.

    A model with classes of its own that are the data set's is asked for those, so that for it this is classification.
    """
    for prompt in prompts:
        if prompt.count("{}") != 1:
            raise ValueError(f"a prompt holds {{}} once, where the class goes; got {prompt!r}.")
    if not prompts:
        raise ValueError("zero-shot classification needs at least one prompt; '{}' is the class by itself.")
    return replace(labelled("zeroshot", dataset.for_task("zeroshot"), measures), prompts=tuple(prompts))


def labelled(name: str, dataset: Dataset, measures: Sequence[str | Metric]) -> Task:
    """The task of choosing among the classes of a data set that is shown as the task wants it."""
    check_targets(dataset)
    named = named_metrics(measures or usual_measures(len(dataset.choices)))
    check_family(name, named, ("labels", "scores"))
    return Task(
        name=name,
        dataset=dataset,
        verb="score",
        metrics=named,
        unit=natural_unit(dataset),
        conditions=alone_and_together(dataset),
        source=dataset.source,
        choices=dataset.choices,
    )


def usual_measures(classes: int) -> tuple[str, ...]:
    """The metrics of a classification with so many classes."""
    top = () if classes <= 3 else ("top_3_accuracy",) if classes <= 20 else ("top_5_accuracy",)
    return ("accuracy", "macro_f1", "nll", *top)


def passes(task: Task, modalities: frozenset[str]) -> list[Pass]:
    """One pass for each condition and repeat, over the samples that it concerns and that have a target."""
    samples = task.dataset.samples
    aimed = np.array([sample.target is not None for sample in samples], dtype=np.bool_)
    out = []
    for condition in planned(task.asked, modalities.intersection(task.dataset.modalities)):
        chosen = asked_of(samples, condition, modalities)
        chosen = chosen[aimed[chosen]]
        out += [Pass(condition.name, condition, chosen, repeat) for repeat in range(task.repeats)]
    return out


def asked_choices(task: Task, model: Model) -> tuple[str, ...]:
    """What the model is asked to weigh: the classes, or every class in every prompt (prompt after prompt).

    `ValueError` for a model that was trained on other classes.
    """
    if isinstance(model, FindsClasses) and model.classes:
        model.columns(task.choices)
        return task.choices
    if isinstance(model, HasClasses) and model.classes:
        unknown = [choice for choice in task.choices if choice not in model.classes]
        if unknown:
            raise ValueError(
                f"the model {model.name!r} was trained on other classes than those of {task.dataset.name!r}:"
                f" it does not know {unknown[0]!r}; {nearest(unknown[0], model.classes)}"
            )
        return task.choices
    return tuple(prompt.replace("{}", choice) for prompt in task.prompts for choice in task.choices)


def measure(task: Task, parts: Sequence[tuple[Pass, Table]]) -> Table:
    """A row for each planned answer: the class, the answer, its log-probability, and what the metrics measure of it."""
    return joined([measure_pass(task, asked, answers) for asked, answers in parts])


def measure_pass(task: Task, asked: Pass, answers: Table) -> Table:
    """The rows of one condition and repeat."""
    samples = [task.dataset.samples[index] for index in asked.samples]
    missing = answers["error_kind"] != ""
    scores = over_prompts(answers["answer"][~missing].astype(np.float64), len(task.choices))
    numbers = {choice: number for number, choice in enumerate(task.choices)}
    true = np.array([numbers[str(sample.target)] for sample in samples], dtype=np.intp)
    best = scores.argmax(axis=1) if len(scores) else np.zeros(0, dtype=np.intp)
    names = np.array(task.choices)
    shown: dict[str, Any] = {name: answers[name] for name in KEY}
    shown["true"] = names[true]
    shown["predicted"] = np.where(missing, "", names[placed(best, ~missing)])
    shown["logprob"] = placed(np.take_along_axis(scores, best[:, None], axis=1)[:, 0], ~missing)
    return measured(task, samples, missing, shown, rows(task, scores, best, true[~missing]))


def rows(task: Task, scores: NDArray[np.float64], best: NDArray[np.intp], true: NDArray[np.intp]) -> Rows:
    """What the metrics measure: those of labels take the best choice, those of scores the log-probabilities."""
    labels = [metric for metric in task.metrics if metric.family == "labels"]
    weighed = [metric for metric in task.metrics if metric.family == "scores"]
    out: dict[str, NDArray[Any]] = {}
    if labels:
        names = task.choices
        out.update(metrics.measure(labels, [names[i] for i in best], [names[i] for i in true], names))
    if weighed:
        out.update(metrics.measure(weighed, scores, true))
    return out


def over_prompts(scores: NDArray[np.float64], classes: int) -> NDArray[np.float64]:
    """Log-probabilities of the classes ``[n, k]`` from those of ``t`` prompts by ``k`` classes ``[n, t k]``: within each prompt they are
    made to sum to 1, then the mean of the probabilities is taken. One prompt is left as it is.

    >>> over_prompts(np.log([[0.4, 0.1, 0.1, 0.4]]), 2).round(3).tolist()
    [[-0.693, -0.693]]
    """
    prompts = scores.shape[1] // classes
    if prompts <= 1:
        return scores
    by_prompt = scores.reshape(len(scores), prompts, classes)
    total = np.logaddexp.reduce(by_prompt, axis=2, keepdims=True)
    # A prompt under which every class is impossible says nothing for any of them.
    within = np.where(np.isneginf(total), -np.inf, by_prompt - np.where(np.isneginf(total), 0.0, total))
    mean: NDArray[np.float64] = np.logaddexp.reduce(within, axis=1) - np.log(prompts)
    return mean


FAMILY = Family(passes, asked_choices, measure)
