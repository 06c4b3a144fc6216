"""Fusion of decisions: several models that weigh the same choices, as one `Model`. No net, no torch.

``vote`` (the choice that most models put first; equals are decided by the mean probability), ``average`` (of probabilities),
``product`` (of probabilities, the right rule where models err independently: Kittler et al. 1998) and `stack`: a weight for each
model, fitted on labelled samples (Wolpert 1992, log-linear). A model that takes nothing of a sample has no say in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import logsumexp

from assay.catalog import nearest
from assay.types import FloatArray, Sample, Scores

RULES = ("average", "product", "vote")
Values = NDArray[np.float64]
LEAST = -30.0  # of a log-probability: one model's certainty must not silence all others
RIDGE = 1e-3


@dataclass(frozen=True)
class Decided:
    """Models that decide together. ``weights`` are what each one's log-probabilities count (``product``) or its vote or probability."""

    models: tuple[Scores, ...]
    rule: str
    weights: tuple[float, ...]
    fitted: str = ""

    @property
    def name(self) -> str:
        """``vote(aligned, fused)``."""
        return f"{self.fitted or self.rule}({', '.join(model.name for model in self.models)})"

    @property
    def modalities(self) -> frozenset[str]:
        """What at least one of them takes."""
        return frozenset[str]().union(*(model.modalities for model in self.models))

    @property
    def fingerprint(self) -> str:
        """Of the models, the rule and the weights."""
        told = "|".join([self.rule, *(f"{w:.9g}" for w in self.weights), *(m.fingerprint for m in self.models)])
        return hashlib.sha256(told.encode()).hexdigest()

    def score(self, samples: Sequence[Sample], choices: Sequence[str]) -> FloatArray:
        """Log-probabilities ``float32[n, k]``. `ValueError` for a sample of which no model takes anything."""
        told, there = opinions(self.models, samples, choices)
        silent = np.flatnonzero(~there.any(0))
        if len(silent):
            raise ValueError(f"none of the models of {self.name} takes anything of sample {samples[silent[0]].id!r}.")
        counts = np.array(self.weights)[:, None] * there
        if self.rule == "product":
            logits = np.einsum("mn,mnk->nk", counts, told)
            return (logits - logsumexp(logits, axis=1, keepdims=True)).astype(np.float32)
        shares = counts / counts.sum(0).clip(min=1e-12)
        mean = np.einsum("mn,mnk->nk", shares, np.exp(told))
        if self.rule == "average":
            return np.log(mean.clip(min=np.exp(LEAST))).astype(np.float32)
        first = np.eye(len(choices))[told.argmax(2)]
        votes = np.einsum("mn,mnk->nk", counts, first) + 1e-3 * mean
        return np.log((votes / votes.sum(1, keepdims=True)).clip(min=np.exp(LEAST))).astype(np.float32)


def opinions(
    models: Sequence[Scores], samples: Sequence[Sample], choices: Sequence[str]
) -> tuple[Values, NDArray[np.bool_]]:
    """The log-probabilities ``[m, n, k]`` of every model (uniform where it has no say) and who has a say ``bool[m, n]``."""
    told = np.full((len(models), len(samples), len(choices)), -np.log(max(len(choices), 1)))
    there = np.zeros((len(models), len(samples)), dtype=bool)
    for i, model in enumerate(models):
        rows = [j for j, sample in enumerate(samples) if model.modalities & set(sample.inputs)]
        if rows:
            own = [samples[j] for j in rows]
            shown = [s.with_inputs({m: v for m, v in s.inputs.items() if m in model.modalities}) for s in own]
            told[i, rows] = np.maximum(model.score(shown, choices), LEAST)
            there[i, rows] = True
    return told, there


def decide(models: Sequence[Scores], rule: str = "average", *, weights: Sequence[float] | None = None) -> Decided:
    """Models that decide together by a ``rule`` (``average``, ``product``, ``vote``), all alike or by ``weights``.

    `ValueError` for no models, an unknown rule, models that weigh no choices, and weights that are negative or of another number.

    >>> from assay.models.baselines import chance
    >>> from assay.data.bundled import load
    >>> train = load("digits:train").first(5)
    >>> decide([chance(train), chance(train)], "vote").name
    'vote(baseline:chance, baseline:chance)'
    """
    check(models)
    if rule not in RULES:
        raise ValueError(f"unknown rule of deciding {rule!r}: {nearest(rule, RULES)}")
    chosen = tuple(1.0 for _ in models) if weights is None else tuple(map(float, weights))
    if len(chosen) != len(models) or not all(np.isfinite(w) and w >= 0 for w in chosen) or not sum(chosen):
        raise ValueError(f"a weight of 0 or more for each of {len(models)} models was expected, not {list(chosen)}.")
    return Decided(tuple(models), rule, chosen)


def stack(models: Sequence[Scores], samples: Sequence[Sample], choices: Sequence[str]) -> Decided:
    """Models whose log-probabilities are added with the weights (0 or more) under which the targets of ``samples`` are likeliest.

    The samples must be ones that the models were not trained on, and not those that will measure them. `ValueError` as `decide`, and
    for a target that is none of the choices.
    """
    check(models)
    for sample in samples:
        if str(sample.target) not in choices:
            raise ValueError(
                f"sample {sample.id!r} has the target {sample.target!r}: {nearest(str(sample.target), choices)}"
            )
    if not samples:
        raise ValueError("stacking needs labelled samples, got none.")
    told, there = opinions(models, samples, choices)
    told = told * there[..., None]
    right = np.array([list(choices).index(str(sample.target)) for sample in samples])

    def cost(weights: Values) -> tuple[float, Values]:
        logits = np.einsum("m,mnk->nk", weights, told)
        logs = logits - logsumexp(logits, axis=1, keepdims=True)
        rows = np.arange(len(right))
        own = told[:, rows, right] - np.einsum("nk,mnk->mn", np.exp(logs), told)
        loss = -logs[rows, right].mean() + RIDGE * np.square(weights).sum()
        return float(loss), -own.mean(1) + 2 * RIDGE * weights

    found = minimize(cost, np.ones(len(models)), jac=True, bounds=[(0, None)] * len(models), method="L-BFGS-B")
    return Decided(tuple(models), "product", tuple(map(float, found.x)), fitted="stack")


def check(models: Sequence[object]) -> None:
    """`ValueError` unless there are models and all weigh choices."""
    if not models:
        raise ValueError("at least one model was expected, got none.")
    for model in models:
        if not isinstance(model, Scores):
            name = getattr(model, "name", type(model).__name__)
            raise ValueError(f"{name} does not weigh choices, so it cannot take part in a decision.")
