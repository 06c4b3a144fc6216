"""A solver that is trained on what a model should not need: multinomial logistic regression on plain features, in NumPy and SciPy.

It answers every sample from a fit to the units of the other folds. What it reaches from one modality alone, the data gives away there.
Source: the trained probe is the only test that can show a leak (Gururangan et al. 2018; Poliak et al. 2018).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from assay.probes.features import plain
from assay.types import Media, Sample

Values = NDArray[np.float64]
Codes = NDArray[np.intp]
FOLDS, RIDGE, STEPS = 5, 1e-2, 60
FEWEST, MOST = 50, 3_000


def solved(
    samples: Sequence[Sample], modalities: Sequence[str], units: Sequence[str], rng: np.random.Generator
) -> Values:
    """1 where the solver is right, 0 where it is wrong, NaN for samples without a target or one of the modalities,
    beyond `MOST`, or with a medium that cannot be read.

    All NaN for fewer than `FEWEST`.
    """
    out = np.full(len(samples), np.nan)
    places = [
        place for place, s in enumerate(samples) if s.target is not None and all(m in s.inputs for m in modalities)
    ]
    if len(places) < FEWEST:
        return out
    places = sorted(rng.permutation(places)[:MOST].tolist())
    chosen = [samples[place] for place in places]
    features = np.hstack([plain(contents(chosen, m), m) for m in modalities])
    whole = np.isfinite(features).all(axis=1) if features.shape[1] else np.zeros(len(chosen), dtype=np.bool_)
    if whole.sum() < FEWEST:
        return out
    kept = np.asarray(places)[whole]
    labels = np.unique([str(samples[place].target) for place in kept], return_inverse=True)[1].astype(np.intp)
    fold = folds([units[place] for place in kept], labels, rng)
    out[kept] = cross_fitted(standard(features[whole]), labels, fold)
    return out


def contents(samples: Sequence[Sample], modality: str) -> list[Media | str]:
    """What samples hold of a modality."""
    return [sample.inputs[modality] for sample in samples]


def standard(features: Values) -> Values:
    """Columns with mean 0 and deviation 1; a column that does not vary is 0."""
    spread = features.std(axis=0)
    return np.asarray((features - features.mean(axis=0)) / np.where(spread > 1e-12, spread, np.inf))


def folds(units: Sequence[str], labels: Codes, rng: np.random.Generator) -> Codes:
    """The fold of each sample; a unit's samples share one, and each label (of a unit's first sample) is dealt evenly.

    Dealt by chance alone, a label that is rare in a fold is frequent in what it is predicted from, and guessing would be punished.
    """
    number = np.unique(np.asarray(units), return_inverse=True)[1]
    first: dict[int, int] = {}
    for place, unit in enumerate(number.tolist()):
        first.setdefault(unit, int(labels[place]))
    order = sorted(rng.permutation(len(first)).tolist(), key=lambda unit: first[unit])
    of = np.empty(len(order), dtype=np.intp)
    of[order] = np.arange(len(order)) % FOLDS
    return of[number]


def cross_fitted(features: Values, labels: Codes, fold: Codes) -> Values:
    """Whether each row's label is the best one by a fit to the rows of the other folds.

    >>> x = np.repeat([[-1.0], [1.0]], 20, axis=0)
    >>> float(cross_fitted(x, np.repeat([0, 1], 20), np.arange(40) % 5).mean())
    1.0
    """
    right = np.zeros(len(labels))
    for held in np.unique(fold):
        here = fold == held
        weights = fitted(features[~here], labels[~here], int(labels.max()) + 1)
        right[here] = (with_ones(features[here]) @ weights).argmax(axis=1) == labels[here]
    return right


def fitted(features: Values, labels: Codes, classes: int) -> Values:
    """The weights ``[1 + d, classes]`` of the ridge-penalised multinomial logistic regression."""
    x, n = with_ones(features), len(labels)
    wanted = np.eye(classes)[labels]

    def loss(flat: Values) -> tuple[float, Values]:
        w = flat.reshape(x.shape[1], classes)
        logits = x @ w
        penalty = w.copy()
        penalty[0] = 0.0
        value = -float((wanted * log_softmax(logits, axis=1)).sum()) / n + RIDGE / 2 * float((penalty**2).sum())
        slope = x.T @ (softmax(logits, axis=1) - wanted) / n + RIDGE * penalty
        return value, slope.ravel()

    found = minimize(loss, np.zeros(x.shape[1] * classes), jac=True, method="L-BFGS-B", options={"maxiter": STEPS})
    return np.asarray(found.x).reshape(x.shape[1], classes)


def with_ones(features: Values) -> Values:
    """The features with a first column of ones."""
    return np.column_stack([np.ones(len(features)), features])
