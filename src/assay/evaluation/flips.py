"""Which samples changed between two runs: what one got right and the other wrong, by name.

A flip is a row (a sample; for retrieval a query in a direction) on which a metric's own value differs between the runs: right against
wrong, for soft scores more against less. Figures that differ by little can hide many of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.evaluation.tasks.family import rows_of
from assay.metrics.metric import Metric
from assay.table import Table

LISTED = 1000
LONGEST = 300  # characters of an answer that are shown


@dataclass(frozen=True, slots=True)
class Flip:
    """One row that changed: what each run answered, what that was worth, and whether A is ``better`` or ``worse`` on it."""

    sample: str
    condition: str
    repeat: int
    direction: str
    a: str
    b: str
    value_a: float
    value_b: float
    verdict: str


@dataclass(frozen=True, slots=True)
class Flips:
    """Of ``compared`` rows, on how many A is ``better`` and ``worse`` by ``metric``; ``listed`` are those that changed most, at
    most `LISTED` of either kind, in the data's order where they changed alike."""

    metric: str
    compared: int
    better: int
    worse: int
    listed: tuple[Flip, ...]

    @property
    def sentence(self) -> str:
        """How many changed, and the first of them by name."""
        told = f"of {self.compared:,} rows A is better on {self.better:,} and worse on {self.worse:,}"
        names = {kind: [one.sample for one in self.listed if one.verdict == kind][:3] for kind in ("better", "worse")}
        first = "; ".join(f"{kind}: {', '.join(found)}" for kind, found in names.items() if found)
        return f"{told} ({first})" if first else told


def flips(given: Sequence[Metric], a: Table, b: Table, *, listed: int = LISTED) -> Flips | None:
    """The rows of two aligned tables on which the first metric that has a value for each row differs; ``None`` if none has."""
    metric = next((one for one in given if one.item is not None), None)
    if metric is None:
        return None
    assert metric.item is not None
    there = ~(a["missing"] | b["missing"])
    first, second = (np.asarray(rows_of(table)[metric.item], dtype=np.float64) for table in (a, b))
    apart = np.where(there, first - second, np.nan)
    known = np.flatnonzero(np.isfinite(apart))
    sign = 1.0 if metric.better == "higher" else -1.0
    gains, losses = (known[sign * turn * apart[known] > 0] for turn in (1.0, -1.0))
    chosen = [
        (place, kind) for rows, kind in ((gains, "better"), (losses, "worse")) for place in most(rows, apart, listed)
    ]
    found = tuple(flip(a, b, place, (float(first[place]), float(second[place])), kind) for place, kind in chosen)
    return Flips(metric.name, len(known), len(gains), len(losses), found)


def most(rows: NDArray[np.intp], apart: NDArray[np.float64], count: int) -> list[int]:
    """The rows that changed most."""
    order = np.argsort(-np.abs(apart[rows]), kind="stable")[:count]
    return [int(place) for place in rows[order]]


def flip(a: Table, b: Table, place: int, values: tuple[float, float], verdict: str) -> Flip:
    """One changed row."""
    return Flip(
        sample=str(a["sample"][place]),
        condition=str(a["condition"][place]),
        repeat=int(a["repeat"][place]),
        direction=str(a["direction"][place]) if "direction" in a.columns else "",
        a=answer(a, place),
        b=answer(b, place),
        value_a=values[0],
        value_b=values[1],
        verdict=verdict,
    )


def answer(table: Table, place: int) -> str:
    """What was answered, for retrieval what came first."""
    value: Any = table["top" if "top" in table.columns else "predicted"][place]
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
