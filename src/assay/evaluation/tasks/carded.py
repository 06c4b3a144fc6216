"""A benchmark's task as its card says: what is asked is in its samples, the card names metrics and unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from assay.data.cards.card import Card
from assay.data.dataset import Dataset
from assay.evaluation.task import Task, named_metrics
from assay.evaluation.tasks import crossmodal, generating, grouped, labelling
from assay.evaluation.tasks.family import check_family
from assay.metrics.metric import Metric

FAMILIES = {
    "generate": ("texts", "labels", *grouped.FAMILIES),
    "score": ("labels", "scores"),
    "retrieval": ("ranking",),
    "winoground": ("winoground",),
}


def carded(dataset: Dataset, *, measures: Sequence[str | Metric] = (), weighed: bool = False) -> Task:
    """The task of a data set that was made by a card, for a model. `ValueError` for metrics that there are not, or that measure
    something else than the answers of the card's task. ``measures`` take the place of the card's metrics.

    Classes are ``weighed`` by a model that can (``score``), and named by one that writes.
    """
    card = dataset.card
    assert card is not None, "the data set of a card has one"
    named = card_metrics(card, measures or card.metrics)
    if card.task == "retrieval":
        check_family(card.name, named, FAMILIES["retrieval"])
        return renamed(crossmodal.retrieval(dataset, measures=named, unit=card.unit), card)
    if card.task == "winoground":
        check_family(card.name, named, FAMILIES["winoground"])
        return Task(card.name, dataset, "embed", named, unit=card.unit, source=card.source)
    if card.task == "classification" and weighed:
        fitting = tuple(metric for metric in named if metric.family in FAMILIES["score"])
        return renamed(labelling.classification(dataset, measures=fitting, unit=card.unit), card)
    check_family(card.name, named, FAMILIES["generate"])
    generating.answerable(dataset, card.name)
    return Task(
        name=card.name,
        dataset=dataset,
        verb="generate",
        metrics=named,
        unit=card.unit,
        conditions=generating.with_and_without(dataset),
        source=card.source,
        choices=dataset.choices,
    )


def renamed(task: Task, card: Card) -> Task:
    """The task by the card's name."""
    return replace(task, name=card.name, source=card.source)


def card_metrics(card: Card, measures: Sequence[str | Metric]) -> tuple[Metric, ...]:
    """The metrics that are named. `ValueError` that names the card for one that there is not."""
    try:
        return named_metrics(measures)
    except ValueError as error:
        raise ValueError(f"the card {card.name!r}: {error}") from error
