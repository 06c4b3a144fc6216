"""The rows of metrics that are neither of texts nor of labels: yes and no, letters, rotations of one question, MME's pairs.

Rotations of one question share the group ``item``, MME's two questions the group ``image``; where one answer of a group is missing,
the group is undefined.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from assay import metrics
from assay.evaluation.task import Task
from assay.metrics.circular import measure_rotations
from assay.metrics.metric import Metric, Rows
from assay.metrics.mme import measure_mme
from assay.types import Sample

FAMILIES = ("yes_no", "choices", "rotations", "mme")


def measure(
    given: Sequence[Metric], task: Task, came: Sequence[str], samples: Sequence[Sample], lost: Sequence[Sample]
) -> Rows:
    """A row for each answer that came; ``lost`` are the samples of those that did not. `ValueError`, naming the row, for a sample
    whose right answer is no letter, or neither yes nor no."""
    rows: dict[str, NDArray[Any]] = {}
    families = {metric.family for metric in given}
    true = [expected(sample) for sample in samples]
    if "yes_no" in families:
        plain = [metric for metric in given if metric.family == "yes_no"]
        rows.update(metrics.measure(plain, list(came), true))
    if families & {"choices", "rotations"}:
        options = [task.dataset.options.get(sample.id, ()) for sample in samples]
        rows.update(measure_rotations(came, true, held("item", samples), options, set(held("item", lost))))
    if "mme" in families:
        subtasks = [sample.groups.get("subtask", "") for sample in samples]
        rows.update(measure_mme(came, true, subtasks, held("image", samples), set(held("image", lost))))
    return rows


def held(group: str, samples: Sequence[Sample]) -> list[str]:
    """The group that each sample belongs to; itself where it has none."""
    return [sample.groups.get(group) or sample.id for sample in samples]


def expected(sample: Sample) -> str:
    """The one right answer."""
    return str(sample.references[0] if sample.target is None else sample.target)
