"""Explanations of a model's answers by taking parts of what it saw away: any `Model`, any modality.

``occlusion``: how much less speaks for the answer without a cell. ``shapley``: each cell's Shapley value, exactly up to ten cells, else by
ten sampled orders, so that a sample's cells sum to what the whole is worth more than nothing. ``integrated``: integrated gradients of a net
that offers them (`assay.types.Integrates`). A modality's share is the sum of its cells'
sizes among all. Faithfulness: the areas under the probability of the answer while cells are taken away (deletion: low is faithful) or put
back (insertion: high is faithful), the most important first, against random orders of the same cells.
Sources: Zeiler & Fergus 2014 (occlusion); Sundararajan et al. 2017 (integrated gradients);
Strumbelj & Kononenko 2014; Parcalabescu & Frank 2023 (MM-SHAP); Petsiuk et al. 2018 (deletion,
insertion).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.catalog import nearest
from assay.explanations.cells import Grid, Kept, grids, masker, words_of
from assay.explanations.outcome import Outcome, outcome
from assay.stats.clustered import clustered_mean
from assay.stats.shapley import membership, sampled, shapley
from assay.stats.streams import stream
from assay.types import MODALITIES, Estimate, Integrates, Model, Sample

Values = NDArray[np.float64]
METHODS = {"occlusion": 7, "shapley": 4, "integrated": 7}
"""How each cuts: so many cells along each side of a picture, so many stretches of a sound or film."""
EXACT, ORDERS, STEPS, RANDOM = 10, 10, 16, 5


@dataclass(frozen=True)
class Map:
    """What each cell of a modality is worth to the answer, ``effects[rows, columns]``: positive where it speaks for it."""

    grid: Grid
    effects: Values
    share: float

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"share": self.share, "labels": list(self.grid.labels), "effects": self.effects.tolist()}


@dataclass(frozen=True)
class Explained:
    """One sample's explanation. The areas are of the answer's probability; ``random_`` are the means over random orders."""

    sample: Sample
    answer: str
    unit: str
    value: float
    probability: float
    maps: tuple[Map, ...]
    deletion: float
    insertion: float
    random_deletion: float
    random_insertion: float

    def as_json(self) -> dict[str, Any]:
        """Plain values, the maps by modality."""
        names = ("answer", "unit", "value", "probability", "deletion", "insertion")
        plain = {name: getattr(self, name) for name in (*names, "random_deletion", "random_insertion")}
        return {"sample": self.sample.id, **plain, "maps": {one.grid.modality: one.as_json() for one in self.maps}}


@dataclass(frozen=True)
class Explanations:
    """The explanations of several samples, and what they come to: each modality's share, and both gaps to random orders."""

    model: str
    method: str
    samples: tuple[Explained, ...]
    estimates: tuple[Estimate, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        found = [one.as_json() for one in self.estimates]
        return {
            "model": self.model,
            "method": self.method,
            "estimates": found,
            "samples": [one.as_json() for one in self.samples],
        }


def explain_samples(
    model: Model,
    samples: Sequence[Sample],
    *,
    choices: Sequence[str] = (),
    target: str | None = None,
    method: str = "occlusion",
    seed: int = 0,
    words: bool = False,
) -> Explanations:
    """Explains a model's answers to ``samples``: the best of ``choices`` (or ``target``), or what it writes (always, with ``words``).

    `ValueError` for no samples, an unknown method, a sample without anything that the model takes, or a model without an answer.
    """
    if method not in METHODS:
        raise ValueError(f"unknown method {method!r}: {nearest(method, METHODS)}")
    if not samples:
        raise ValueError("no samples were given: there is nothing to explain.")
    shown = [_shown(model, sample) for sample in samples]
    found = tuple(
        _explained(one, outcome(model, one, choices, target, words=words), method=method, seed=seed) for one in shown
    )
    return Explanations(model.name, method, found, estimated(found, f"{method}|seed={seed}"))


def _shown(model: Model, sample: Sample) -> Sample:
    """The sample as the model may see it. `ValueError` where nothing is left."""
    seen = {name: content for name, content in sample.inputs.items() if name in model.modalities}
    if not seen:
        takes = ", ".join(sorted(model.modalities))
        raise ValueError(f"{model.name} takes {takes}; {sample.id!r} holds {', '.join(sample.inputs) or 'nothing'}.")
    return Sample(sample.id, seen)


def _explained(shown: Sample, of: Outcome, *, method: str, seed: int) -> Explained:
    cells = grids(shown, METHODS[method])
    masked = masker(shown, cells)
    count = sum(grid.count for grid in cells)

    def worth(kept: Kept) -> tuple[Values, Values]:
        return _asked(of, masked, kept)

    whole, probability = worth(np.ones((1, count), dtype=np.bool_))
    if method == "integrated":
        effects = _integrated(of, shown, masked(np.zeros(count, dtype=np.bool_)), cells)
    elif method == "shapley":
        effects = _shapley(worth, count, shown.id, seed)
    else:
        effects = _occlusion(worth, count, whole[0])
    rng = stream(seed, "faithfulness", shown.id)
    mine = _areas(worth, np.argsort(-effects, kind="stable"))
    chance = np.mean([_areas(worth, rng.permutation(count)) for _ in range(RANDOM)], axis=0)
    return Explained(
        sample=shown,
        answer=of.answer,
        unit=of.unit,
        value=float(whole[0]),
        probability=float(probability[0]),
        maps=_maps(cells, effects),
        deletion=mine[0],
        insertion=mine[1],
        random_deletion=float(chance[0]),
        random_insertion=float(chance[1]),
    )


Worth = Callable[[Kept], tuple[Values, Values]]


def _asked(of: Outcome, masked: Callable[[Kept], Sample], kept: Kept, block: int = 64) -> tuple[Values, Values]:
    """`Outcome.of` for coalitions of cells ``bool[c, m]``, in blocks, so that few masked copies are held at once."""
    parts = [of.of([masked(row) for row in kept[first : first + block]]) for first in range(0, len(kept), block)]
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def _occlusion(worth: Worth, count: int, whole: float) -> Values:
    return whole - worth(~np.eye(count, dtype=np.bool_))[0]


def _shapley(worth: Worth, count: int, name: str, seed: int) -> Values:
    if count <= EXACT:
        return shapley(worth(membership(count))[0])
    return sampled(lambda kept: worth(kept)[0], count, stream(seed, "shapley", name), count=ORDERS).values


def _integrated(of: Outcome, sample: Sample, nothing: Sample, cells: tuple[Grid, ...]) -> Values:
    model = of.model
    if of.place < 0 or not isinstance(model, Integrates):
        raise ValueError(
            f"{model.name} has no gradients to integrate (nets that assay trained, with choices, do): use occlusion."
        )
    grid = next((one.shape for one in cells if one.modality == "image"), (1, 1))
    pieces = words_of(str(sample.inputs["text"])) if "text" in sample.inputs else []
    found, _ = model.integrated((sample, nothing), of.choices, of.place, grid=grid, pieces=pieces)
    return np.concatenate([found[one.modality].ravel() for one in cells])


def _maps(cells: tuple[Grid, ...], effects: Values) -> tuple[Map, ...]:
    total, first, maps = float(np.abs(effects).sum()), 0, []
    for grid in cells:
        own = effects[first : first + grid.count]
        first += grid.count
        share = float(np.abs(own).sum()) / total if total > 0 else math.nan
        maps.append(Map(grid, own.reshape(grid.shape), share))
    return tuple(maps)


def _areas(worth: Worth, order: NDArray[np.intp]) -> tuple[float, float]:
    """The areas under the probability while cells go (deletion) and come (insertion) in an order, in at most `STEPS` steps of a path
    from 0 to 1."""
    count = len(order)
    taken = np.unique(np.linspace(0, count, min(count, STEPS) + 1).round().astype(int))
    gone = np.argsort(order)[None, :] < taken[:, None]
    probability = worth(np.concatenate([~gone, gone]))[1]
    along = taken / count
    return (
        float(np.trapezoid(probability[: len(taken)], along)),
        float(np.trapezoid(probability[len(taken) :], along)),
    )


def estimated(found: Sequence[Explained], signature: str) -> tuple[Estimate, ...]:
    """The figures over samples with Student's intervals (NaN around a single sample): ``modality_share`` of each modality, where
    samples hold it and any cell matters, ``deletion_gap`` (random less map) and ``insertion_gap`` (map less random)."""
    shares = {
        name: [one.share for each in found for one in each.maps if one.grid.modality == name] for name in MODALITIES
    }
    rows = [("modality_share", f"modality={name}", values) for name, values in shares.items() if values]
    rows.append(("deletion_gap", "all", [one.random_deletion - one.deletion for one in found]))
    rows.append(("insertion_gap", "all", [one.insertion - one.random_insertion for one in found]))
    return tuple(_estimate(metric, part, np.array(values), signature) for metric, part, values in rows)


def _estimate(metric: str, part: str, values: Values, signature: str) -> Estimate:
    held = values[np.isfinite(values)]
    if not len(held):
        return Estimate(metric, math.nan, math.nan, math.nan, 0, len(values), slice=part, signature=signature)
    mean = clustered_mean(held)
    bounds = (0.0, 1.0) if metric == "modality_share" else (-1.0, 1.0)
    low, high = (float(np.clip(end, *bounds)) for end in (mean.low, mean.high))
    return Estimate(
        metric, mean.value, low, high, len(held), len(values) - len(held), slice=part, signature=signature, items=values
    )
