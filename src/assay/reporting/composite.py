"""One number out of several figures, by weights that the reader sets; every weight and every scale is shown beside it.

Each term is put on a scale from 0 (worst) to 1 (best): a figure within [0, 1] is its own scale, or 1 less it where lower is better; a
latency of ``t`` seconds is 0.1 / (0.1 + t), one half at a tenth of a second. The composite is the weighted mean; its interval
runs from the weighted mean of the terms' worse ends to that of their better ends, so that it is too wide rather than too narrow.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from assay import metrics
from assay.catalog import nearest
from assay.evaluation.run import Run
from assay.types import CLEAN, Estimate

HALF_S = 0.1
LATENCY = "latency"
ALIASES: Mapping[str, tuple[str, ...]] = {
    "robustness": ("robustness", "retained_ratio"),
    "consistency": ("consistent_accuracy", "repeat_stability"),
    "fairness": ("worst_group_score", "worst_group_accuracy"),
    "causality": ("counterfactual_accuracy", "invariance"),
    "calibration": ("ece",),
}
"""Words for what several figures measure: the first that the run has is taken, over all its parts the mean."""


@dataclass(frozen=True, slots=True)
class Term:
    """One figure of a composite: its weight (they sum to 1), its value as measured, its scale in words, and where that puts it."""

    name: str
    weight: float
    value: float
    scale: str
    scaled: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Composite:
    """The weighted mean of the terms; NaN where one of them is undefined."""

    value: float
    low: float
    high: float
    terms: tuple[Term, ...]

    def as_json(self) -> dict[str, object]:
        """Plain values."""
        terms = [{name: getattr(term, name) for name in Term.__dataclass_fields__} for term in self.terms]
        return {"value": self.value, "low": self.low, "high": self.high, "terms": terms}


def weights(given: str) -> dict[str, float]:
    """``accuracy=.5,robustness=.3,latency=.2`` as weights that sum to 1. `ValueError` for anything else.

    >>> weights("accuracy=1,latency=3")
    {'accuracy': 0.25, 'latency': 0.75}
    """
    out: dict[str, float] = {}
    for piece in given.split(","):
        name, sign, value = (text.strip() for text in piece.partition("="))
        try:
            weight = float(value)
        except ValueError:
            weight = math.nan
        if not (sign and name and weight > 0 and math.isfinite(weight)) or name in out:
            raise ValueError(
                f"cannot read the composite {given!r}: expected NAME=WEIGHT,NAME=WEIGHT with weights above 0, each name once."
            )
        out[name] = weight
    total = sum(out.values())
    return {name: weight / total for name, weight in out.items()}


def composite(run: Run, wanted: Mapping[str, float]) -> Composite:
    """The composite of a run's figures. `ValueError` for a name that the run has no figure of, with its neighbours."""
    terms = tuple(term(run, name, weight) for name, weight in wanted.items())
    value, low, high = (sum(one.weight * getattr(one, end) for one in terms) for end in ("scaled", "low", "high"))
    return Composite(value, low, high, terms)


def term(run: Run, name: str, weight: float) -> Term:
    """One term: the latency, or the mean of a metric's figures over its parts."""
    if name == LATENCY:
        seconds = run.timings.get("p50_s")
        value = math.nan if seconds is None else float(seconds)
        scaled = HALF_S / (HALF_S + value)
        return Term(name, weight, value, f"{HALF_S:g} / ({HALF_S:g} + seconds a sample, p50)", scaled, scaled, scaled)
    metric, found = figures(run, name)
    lower = better(metric) == "lower"
    ends = [sum(getattr(one, end) for one in found) / len(found) for end in ("value", "low", "high")]
    scaled, low, high = (min(max(1.0 - x if lower else x, 0.0), 1.0) if math.isfinite(x) else math.nan for x in ends)
    words = f"1 - {metric}" if lower else metric
    return Term(
        name,
        weight,
        ends[0],
        words if len(found) == 1 else f"{words}, mean of {len(found)} parts",
        scaled,
        min(low, high),
        max(low, high),
    )


def figures(run: Run, name: str) -> tuple[str, list[Estimate]]:
    """The figures that a name stands for: a metric's over everything, else of all its parts."""
    known = {one.metric for one in run.estimates}
    metric = next((m for m in (name, *ALIASES.get(name, ())) if m in known), None)
    if metric is None:
        raise ValueError(f"the run has no figure {name!r} for its composite: {nearest(name, {*known, LATENCY})}")
    own = [one for one in run.estimates if one.metric == metric]
    whole = [one for one in own if one.slice == "all" and one.condition == CLEAN.name]
    plain = [one for one in own if " & " not in one.slice]
    return metric, whole or plain or own


def better(metric: str) -> str:
    """The direction of a metric by name; what no name finds counts as one that should be high."""
    try:
        return metrics.get(metric).better
    except ValueError:
        return "higher"
