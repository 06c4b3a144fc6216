"""Retrieval in every direction between the modalities that data and model share: given a text, find its picture …

Each sample's modalities are embedded one by one (rows ``only:image`` …). In the direction ``image->text`` every sample
that holds a picture is a query. Its candidates are the texts of the samples of the same ``split`` and ``language`` (where
the data has those groups), so a figure over several splits is made of the figures that each split gives alone. Samples
of one ``concept`` (without that group: the sample itself) are positives of each other. Candidates of the same content,
such as the name that three pictures of a concept share, are one candidate, positive for every concept that it stands
for; pictures from different sources stay apart, so a query may have several positives. A query is planned if something
planned is positive for it.

A candidate that could not be embedded leaves the gallery; a query that could not, or whose positives all could not, is
missing. Losing a candidate can only improve the rank of another query, by one, and the run says that it is incomplete.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay import metrics
from assay.data.dataset import Dataset
from assay.data.transforms import cross
from assay.evaluation.conditions import concerned
from assay.evaluation.plan import Pass
from assay.evaluation.task import Task, named_metrics, natural_unit
from assay.evaluation.tasks.family import Family, check_family, joined, measured, placed
from assay.metrics.metric import Metric
from assay.metrics.ranking import Ranking, rank
from assay.table import Table
from assay.types import CLEAN, MODALITIES, FloatArray, Model, Sample

USUAL = ("hit@1", "hit@5", "hit@10", "recall@10", "mrr", "map", "median_rank")
APART = ("split", "language")
BLOCK = 1024


def retrieval(dataset: Dataset, *, measures: Sequence[str | Metric] = (), unit: str | None = None) -> Task:
    """The task of finding, from one modality, what belongs to it in another; of media and the captions that describe them, too.
    `ValueError` for data with fewer than two modalities.

    ``measures`` default to hit@1, 5 and 10, recall@10, MRR, mAP and the median rank; ``unit`` to the concept that samples share.
    """
    seen = dataset.for_task("retrieval")
    seen = seen.captions_apart() if seen.described else seen
    if len(seen.modalities) < 2:
        raise ValueError(
            f"retrieval needs two modalities, the data set {seen.name!r} has {', '.join(seen.modalities) or 'none'}."
        )
    named = named_metrics(measures or USUAL)
    check_family("retrieval", named, ("ranking",))
    return Task(
        "retrieval", seen, "embed", named, unit=natural_unit(seen) if unit is None else unit, source=seen.source
    )


def passes(task: Task, modalities: frozenset[str]) -> list[Pass]:
    """One pass for each modality that data and model share, over the samples that hold it. `ValueError` if they share fewer than two."""
    shared = [m for m in MODALITIES if m in modalities and m in task.dataset.modalities]
    if len(shared) < 2:
        raise ValueError(
            f"retrieval needs two modalities that the model takes and the data has: the model takes {', '.join(sorted(modalities))},"
            f" {task.dataset.name!r} has {', '.join(task.dataset.modalities)}."
        )
    conditions = [(m, cross.only(m)) for m in shared]
    return [Pass(c.name, c, concerned(task.dataset.samples, c.name, modalities), 0, m) for m, c in conditions]


@dataclass(frozen=True)
class Side:
    """The samples that hold one modality, with their embeddings; ``there[i]`` is false where it failed."""

    modality: str
    samples: list[Sample] = field(repr=False)
    vectors: FloatArray = field(repr=False)
    there: NDArray[np.bool_] = field(repr=False)


@dataclass(frozen=True)
class Gallery:
    """The candidates of a direction: each by the first sample that holds its content and was embedded.

    ``holders`` are places in the `Side`, ``group`` numbers the galleries that are kept apart, ``positive`` tells for a group and a concept
    the candidates that are positive; ``planned`` all (group, concept) for which there should have been one.
    """

    holders: NDArray[np.intp]
    group: NDArray[np.intp]
    positive: dict[tuple[str, ...], list[int]]
    planned: set[tuple[str, ...]]


def measure(task: Task, parts: Sequence[tuple[Pass, Table]]) -> Table:
    """A row for each query in each direction."""
    sides = []
    for asked, answers in parts:
        assert asked.modality is not None, "a retrieval pass embeds one modality"
        samples = [task.dataset.samples[index] for index in asked.samples]
        sides.append(Side(asked.modality, samples, answers["answer"], answers["error_kind"] == ""))
    if task.metrics[0].family == "winoground":
        return two_by_two(task, sides)
    return joined([measure_direction(task, a, b) for a in sides for b in sides if a is not b])


def measure_direction(task: Task, asking: Side, sought: Side) -> Table:
    """The rows of one direction: where the best positive came, what came first, and what the metrics measure."""
    numbers: dict[tuple[str, ...], int] = {}
    gallery = make_gallery(sought, numbers)
    at = [i for i, sample in enumerate(asking.samples) if belonging(sample) in gallery.planned]
    queries = [asking.samples[i] for i in at]
    found = [gallery.positive.get(belonging(sample), []) for sample in queries]
    missing = ~asking.there[at] | np.array([not positives for positives in found], dtype=np.bool_)
    group = np.array([numbers[apart(sample)] for sample in queries], dtype=np.intp)
    kept = np.flatnonzero(~missing)
    vectors = asking.vectors[at][kept]
    candidates = sought.vectors[gallery.holders]
    ranking = rank(vectors, candidates, [found[i] for i in kept], query_group=group[kept], gallery_group=gallery.group)
    first = nearest_candidates(vectors, candidates, group[kept], gallery.group)
    columns = describe(queries, f"{asking.modality}->{sought.modality}", missing, ranking)
    top = np.array([sought.samples[gallery.holders[i]].id for i in first], dtype=str)
    columns["top"] = placed(top, ~missing)
    columns["similarity"] = placed((vectors * candidates[first]).sum(axis=1, dtype=np.float64), ~missing)
    return measured(task, queries, missing, columns, metrics.measure(list(task.metrics), ranking))


def two_by_two(task: Task, sides: Sequence[Side]) -> Table:
    """A row for each example of two pictures and two captions (group ``example``, ``side`` 0 and 1): what the inner products say."""
    at = {
        (side.modality, sample.groups["example"], sample.groups["side"]): (side, row)
        for side in sides
        for row, sample in enumerate(side.samples)
    }
    first = [sample for sample in task.dataset.samples if sample.groups["side"] == "0"]
    scores = np.full((len(first), 2, 2), np.nan)
    for row, sample in enumerate(first):
        for caption in (0, 1):
            for picture in (0, 1):
                text, text_row = at["text", sample.groups["example"], str(caption)]
                image, image_row = at["image", sample.groups["example"], str(picture)]
                if text.there[text_row] and image.there[image_row]:
                    scores[row, caption, picture] = text.vectors[text_row] @ image.vectors[image_row]
    missing = np.isnan(scores).any(axis=(1, 2))
    columns = {
        "sample": np.array([sample.id for sample in first], dtype=str),
        "condition": np.full(len(first), CLEAN.name),
        "repeat": np.zeros(len(first), dtype=np.int64),
    }
    return measured(task, first, missing, columns, metrics.measure(list(task.metrics), scores[~missing]))


def describe(queries: Sequence[Sample], direction: str, missing: NDArray[np.bool_], ranking: Ranking) -> dict[str, Any]:
    """The key of each row and what is to be known of its ranking."""
    return {
        "sample": np.array([sample.id for sample in queries], dtype=str),
        "condition": np.full(len(queries), CLEAN.name),
        "repeat": np.zeros(len(queries), dtype=np.int64),
        "direction": np.full(len(queries), direction),
        "best": placed(ranking.best, ~missing),
        "candidates": placed(ranking.candidates, ~missing),
    }


def apart(sample: Sample) -> tuple[str, ...]:
    """The groups within which a query has its candidates."""
    return tuple(sample.groups.get(name) or "" for name in APART)


def belonging(sample: Sample) -> tuple[str, ...]:
    """What makes two samples positives of each other: the same gallery and the same concept."""
    concept = sample.groups.get("concept")
    return (*apart(sample), f"sample {sample.id}" if concept is None else f"concept {concept}")


def content(sample: Sample, modality: str) -> str:
    """What makes two candidates the same: the group ``candidate`` where there is one, the text itself, or the source of the media."""
    if (own := sample.groups.get("candidate")) is not None:
        return f"candidate {own}"
    value = sample.inputs[modality]
    return value if isinstance(value, str) else value.source or sample.id


def make_gallery(side: Side, numbers: dict[tuple[str, ...], int]) -> Gallery:
    """The distinct candidates among a side's samples; ``numbers`` is filled with the number of each group that is kept apart."""
    found: dict[tuple[str, ...], int] = {}
    holders: list[int] = []
    positive: dict[tuple[str, ...], list[int]] = {}
    planned = set()
    for i, sample in enumerate(side.samples):
        key = belonging(sample)
        planned.add(key)
        numbers.setdefault(apart(sample), len(numbers))
        if not side.there[i]:
            continue
        place = found.setdefault((*apart(sample), content(sample, side.modality)), len(holders))
        if place == len(holders):
            holders.append(i)
        if place not in (already := positive.setdefault(key, [])):
            already.append(place)
    group = np.array([numbers[apart(side.samples[i])] for i in holders], dtype=np.intp)
    return Gallery(np.array(holders, dtype=np.intp), group, positive, planned)


def nearest_candidates(
    queries: FloatArray, candidates: FloatArray, query_group: NDArray[np.intp], group: NDArray[np.intp]
) -> NDArray[np.intp]:
    """For each query the candidate of its group with the greatest inner product, the first of equals: ``intp[n]``."""
    out = np.zeros(len(queries), dtype=np.intp)
    for number in np.unique(query_group):
        members = np.flatnonzero(group == number)
        asking = np.flatnonzero(query_group == number)
        for start in range(0, len(asking), BLOCK):
            block = asking[start : start + BLOCK]
            out[block] = members[(queries[block] @ candidates[members].T).argmax(axis=1)]
    return out


def no_choices(task: Task, model: Model) -> tuple[str, ...]:
    """Retrieval weighs nothing."""
    return ()


FAMILY = Family(
    passes, no_choices, measure, crossed=(("split", "direction"), ("style", "direction"), ("language", "direction"))
)
