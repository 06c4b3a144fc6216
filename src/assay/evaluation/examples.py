"""The samples behind the figures: where a model was confidently wrong, and where it was confidently right."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.evaluation.run import Run
from assay.evaluation.tasks.family import MEASURE
from assay.table import Table
from assay.types import CLEAN


@dataclass(frozen=True, slots=True)
class Example:
    """One measured row.

    Classification: ``target`` and ``answer`` are classes, ``confidence`` is the answer's probability. Answers in words:
    ``target`` is the first reference, ``confidence`` is not known (NaN). Retrieval: they are
    samples' ids (what the query belongs to, what came first), ``confidence`` is the similarity of what came first,
    ``rank`` the expected place of the best positive among ``candidates``.
    """

    sample: str
    condition: str
    target: str
    answer: str
    right: bool
    confidence: float
    direction: str = ""
    rank: float = math.nan
    candidates: int = 0


@dataclass(frozen=True, slots=True)
class Notable:
    """The rows to look at first, the most telling first."""

    worst: tuple[Example, ...]
    best: tuple[Example, ...]


def notable(run: Run, k: int = 8, *, condition: str = CLEAN.name, direction: str | None = None) -> Notable:
    """The ``k`` worst and best rows under a condition (for retrieval, if asked, in one direction), one of each unit.

    Classification: wrong answers and right ones, the most confident first. Answers in words: those that are worth least and most by the
    run's headline. Retrieval: queries whose best positive came last (relative
    to the gallery) and first.
    """
    table = run.measurements.where((run.measurements["condition"] == condition) & ~run.measurements["missing"])
    if "direction" in table.columns:
        if direction is not None:
            table = table.where(table["direction"] == direction)
        place = (table["best"] - 1) / np.maximum(table["candidates"] - 1, 1)
        worst, best = np.lexsort((-table["similarity"], -place)), np.lexsort((-table["similarity"], place))
        right = table["best"] == 1
        return Notable(picked(table, worst[~right[worst]], k), picked(table, best[right[best]], k))
    if "logprob" not in table.columns:
        worth = worth_of(table, run.headline.metric)
        worst, best = np.argsort(worth, kind="stable"), np.argsort(-worth, kind="stable")
        wrong = np.asarray(table["predicted"] != table["true"], dtype=np.bool_)
        return Notable(picked(table, worst[wrong[worst]], k), picked(table, best[worth[best] > 0], k))
    right = table["predicted"] == table["true"]
    sure = np.argsort(-table["logprob"], kind="stable")
    return Notable(picked(table, sure[~right[sure]], k), picked(table, sure[right[sure]], k))


def worth_of(table: Table, metric: str) -> NDArray[np.float64]:
    """What each answer in words is worth ``[n]``: the metric's own value of the row, else whether it is what was expected."""
    for name in (metric, "correct"):
        if MEASURE + name in table.columns:
            return np.asarray(table[MEASURE + name], dtype=np.float64)
    return np.asarray(table["predicted"] == table["true"], dtype=np.float64)


def picked(table: Table, order: NDArray[np.intp], k: int) -> tuple[Example, ...]:
    """The first ``k`` rows in an order that belong to different units."""
    chosen: dict[str, Example] = {}
    for row in order.tolist():
        if len(chosen) == k:
            break
        unit = str(table["unit"][row])
        if unit not in chosen:
            chosen[unit] = example(table, row)
    return tuple(chosen.values())


def example(table: Table, row: int) -> Example:
    """A measured row as an example."""
    sample, condition = str(table["sample"][row]), str(table["condition"][row])
    if "direction" not in table.columns:
        true, answer = str(table["true"][row]), str(table["predicted"][row])
        confidence = math.exp(table["logprob"][row]) if "logprob" in table.columns else math.nan
        return Example(sample, condition, true, answer, true == answer, confidence)
    return Example(
        sample=sample,
        condition=condition,
        target=sample,
        answer=str(table["top"][row]),
        right=bool(table["best"][row] == 1),
        confidence=float(table["similarity"][row]),
        direction=str(table["direction"][row]),
        rank=float(table["best"][row]),
        candidates=int(table["candidates"][row]),
    )
