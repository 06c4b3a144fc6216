"""CCA, SVCCA and PWCCA between the embeddings of two modalities.

On few rows canonical correlations are large by themselves: independent Gaussians with n = 100 and 50 dimensions each have
a mean of .64. So the headline is *held out*: directions are fitted without fold i mod K and correlated on it, and the
folds are averaged. In-sample figures are refused for n < 10 max(p, q) unless asked for. The interval is that of the folds'
mean with the variance s²(1/K + 1/(K-1)), which knows that the training sets overlap (Nadeau & Bengio 2003).

PWCCA weighs each correlation by how much its variate h takes part in the features of the side with fewer dimensions:
α = Σⱼ |⟨h, xⱼ⟩|. It is not symmetric.

Source: Hotelling 1936; Bartlett 1941; Raghu et al. 2017; Morcos et al. 2018.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc

from assay.metrics.canonical import How, correlations, fit, folds, ranks, sums_of
from assay.metrics.embeddings import figure, pairs
from assay.stats.quantiles import student
from assay.stats.streams import stream
from assay.types import Estimate

Values = NDArray[np.float64]

ENOUGH = 10
"""In-sample correlations want so many rows a dimension."""

PERMUTATIONS = 200
CHEAP = 1e11
"""Multiplications up to which a null is drawn without being asked for: some ten seconds."""


def cca(
    x: ArrayLike,
    y: ArrayLike,
    *,
    held_out: bool = True,
    n_folds: int = 5,
    ridge: float = 0.0,
    permutations: int | None = None,
    seed: int = 0,
    overfit: bool = False,
) -> dict[str, Estimate]:
    """The canonical correlations of ``x[n, p]`` and ``y[n, q]``, pairs row by row.

    ``cca`` is their mean (``items`` holds each, descending as fitted), ``cca_squared`` the mean of their squares. The null
    shuffles the pairs: ``cca_null`` is its mean and central 95 % (``items``: each draw), ``cca_p`` the share of it that is no
    less, counting the data themselves. ``permutations`` of None are 200 where that takes some seconds, else none; 0 are none.
    ``ridge`` κ adds κ times the mean variance to each covariance (1e-3 is usual). With ``held_out=False`` there is no
    interval, and without a ridge ``wilks`` and ``bartlett_p`` (all correlations are 0) come along; ``overfit=True`` allows it
    on few rows. Raises `ValueError` for pairs that do not fit, n_folds below 2, fewer than three rows a fold, a negative ridge.

    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((200, 6))
    >>> y = x @ rng.standard_normal((6, 4)) + 0.5 * rng.standard_normal((200, 4))
    >>> found = cca(x, y)
    >>> found["cca"].items.round(4).tolist(), found["cca_p"].value < 0.01
    ([0.9861, 0.9802, 0.966, 0.3992], True)
    """
    a, b = _checked(x, y, held_out, n_folds, ridge, overfit)
    how = How(ridge=ridge)
    sums = None if held_out else sums_of(a, b)
    found = _by_fold(a, b, n_folds, how) if sums is None else correlations(sums, a, b, how)[None]
    recipe = (*_recipe(a, b, held_out, n_folds), f"ridge:{ridge:g}")
    draws = _draws(a, b, permutations, n_folds if held_out else 1)
    out = _summaries("cca", found, len(a), (*recipe, f"null:{draws}"))
    if draws:
        out |= _null(a, b, draws, seed, out["cca"], how=how, n_folds=n_folds if held_out else 0)
    if sums is not None and not ridge:
        out |= _bartlett(found[0], len(a), ranks(sums, a, b), recipe)
    return out


def svcca(
    x: ArrayLike,
    y: ArrayLike,
    *,
    variance: float = 0.99,
    held_out: bool = True,
    n_folds: int = 5,
    overfit: bool = False,
) -> Estimate:
    """The mean canonical correlation of the principal components that hold ``variance`` of each side; ``items`` holds each.

    Held out, components are chosen without the fold too. Raises `ValueError` as `cca`, and for a share not in (0, 1].

    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((300, 5))
    >>> round(svcca(x, x[:, :3]).value, 6)
    1.0
    """
    if not 0 < variance <= 1:
        raise ValueError(f"a share of the variance in (0, 1] was expected, not {variance}")
    a, b = _checked(x, y, held_out, n_folds, 0.0, overfit)
    how = How(variance=variance)
    found = _by_fold(a, b, n_folds, how) if held_out else correlations(sums_of(a, b), a, b, how)[None]
    recipe = (*_recipe(a, b, held_out, n_folds), f"variance:{variance:g}")
    return _summaries("svcca", found, len(a), recipe)["svcca"]


def pwcca(
    x: ArrayLike,
    y: ArrayLike,
    *,
    held_out: bool = True,
    n_folds: int = 5,
    overfit: bool = False,
) -> Estimate:
    """The projection-weighted mean of the canonical correlations; weights come from the side with fewer dimensions (x if equal).

    ``items`` holds the correlations. Raises `ValueError` as `cca`.

    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((300, 5))
    >>> round(pwcca(x, x @ rng.standard_normal((5, 5))).value, 6)
    1.0
    """
    a, b = _checked(x, y, held_out, n_folds, 0.0, overfit)
    if held_out:
        fitted = [(found, held, rest) for found, held, rest in folds(a, b, n_folds)]
    else:
        whole = sums_of(a, b)
        found = fit(whole, a, b)
        fitted = [(found, found.correlations, whole)]
    by_first = a.shape[1] <= b.shape[1]
    values = []
    for found, held, rest in fitted:
        xx, yy, _ = rest.centred()
        weights = np.abs(found.a.T @ xx if by_first else found.b.T @ yy).sum(axis=1)
        values.append(float(weights @ held / weights.sum()) if weights.sum() > 0 else math.nan)
    k = min(len(held) for _, held, _ in fitted)
    items = np.mean([held[:k] for _, held, _ in fitted], axis=0)
    recipe = (*_recipe(a, b, held_out, n_folds), f"weights:{'x' if by_first else 'y'}")
    value = float(np.mean(values))
    return figure("pwcca", value, _interval(np.array(values)), n=len(a), recipe=recipe, items=items)


def _checked(
    x: ArrayLike, y: ArrayLike, held_out: bool, n_folds: int, ridge: float, overfit: bool
) -> tuple[Values, Values]:
    """Pairs, centred."""
    if n_folds < 2:
        raise ValueError(f"at least two folds were expected, not {n_folds}")
    if not (ridge >= 0 and math.isfinite(ridge)):
        raise ValueError(f"a ridge of 0 or more was expected, not {ridge}")
    a, b = pairs(x, y, least=3 * n_folds if held_out else 3)
    widest = max(a.shape[1], b.shape[1])
    if not held_out and not overfit and len(a) < ENOUGH * widest:
        raise ValueError(
            f"{len(a)} pairs of up to {widest} dimensions: in-sample correlations are large there whatever the data; "
            f"hold out (the default), give {ENOUGH * widest} pairs, or ask for it with overfit=True"
        )
    return a - a.mean(axis=0), b - b.mean(axis=0)


def _by_fold(a: Values, b: Values, n_folds: int, how: How) -> Values:
    """Held-out correlations ``[folds, k]``, of as many directions as every fold has."""
    held = [one for _, one, _ in folds(a, b, n_folds, how)]
    k = min(len(one) for one in held)
    return np.array([one[:k] for one in held]).reshape(n_folds, k)


def _recipe(a: Values, b: Values, held_out: bool, n_folds: int) -> tuple[str, ...]:
    return (
        f"held-out:{n_folds}-folds" if held_out else "in-sample",
        f"n:{len(a)}",
        f"p:{a.shape[1]}",
        f"q:{b.shape[1]}",
    )


def _summaries(name: str, found: Values, n: int, recipe: tuple[str, ...]) -> dict[str, Estimate]:
    """The means of correlations ``[folds, k]`` and of their squares."""
    items = found.mean(axis=0)
    if not len(items):
        return {key: figure(key, math.nan, n=n, recipe=recipe) for key in (name, f"{name}_squared")}
    of_fold, squared = found.mean(axis=1), (found**2).mean(axis=1)
    return {
        name: figure(name, items.mean(), _interval(of_fold), n=n, recipe=recipe, items=items),
        f"{name}_squared": figure(f"{name}_squared", squared.mean(), _interval(squared), n=n, recipe=recipe),
    }


def _interval(of_fold: Values) -> tuple[float, float]:
    k = len(of_fold)
    if k < 2:
        return math.nan, math.nan
    reach = student(0.975, k - 1) * math.sqrt(of_fold.var(ddof=1) * (1 / k + 1 / (k - 1)))
    value = float(of_fold.mean())
    return max(value - reach, -1.0), min(value + reach, 1.0)


def _draws(a: Values, b: Values, permutations: int | None, fits: int) -> int:
    if permutations is not None:
        return permutations
    p, q = a.shape[1], b.shape[1]
    work = PERMUTATIONS * (len(a) * (p + q) ** 2 + 20.0 * fits * max(p, q) ** 3)
    return PERMUTATIONS if work < CHEAP else 0


def _null(
    a: Values, b: Values, draws: int, seed: int, found: Estimate, *, how: How, n_folds: int
) -> dict[str, Estimate]:
    rng = stream(seed, "cca", "null")
    defined = not math.isnan(found.value)  # where nothing varies there is no correlation, shuffled or not
    shuffled = np.full(draws, math.nan)
    for draw in range(draws if defined else 0):
        other = b[rng.permutation(len(b))]
        of_fold = _by_fold(a, other, n_folds, how) if n_folds else correlations(sums_of(a, other), a, other, how)
        shuffled[draw] = of_fold.mean()
    p = (1 + int((shuffled >= found.value).sum())) / (1 + draws) if defined else math.nan
    recipe = (f"permutations:{draws}",)
    return {
        "cca_null": figure(
            "cca_null",
            shuffled.mean(),
            tuple(np.quantile(shuffled, [0.025, 0.975])),
            n=len(a),
            recipe=recipe,
            items=shuffled,
        ),
        "cca_p": figure("cca_p", p, n=draws, recipe=recipe, unit="permutation"),
    }


def _bartlett(found: Values, n: int, of: tuple[int, int], recipe: tuple[str, ...]) -> dict[str, Any]:
    """Wilks' Λ and Bartlett's test of it, of ``n`` rows and sides of these ranks."""
    p, q = of
    with np.errstate(divide="ignore"):
        log_wilks = float(np.log1p(-(found**2)).sum()) if len(found) else math.nan
    chi2 = -(n - 1 - (p + q + 1) / 2) * log_wilks
    p_value = float(chdtrc(p * q, chi2)) if p * q and math.isfinite(chi2) and chi2 >= 0 else math.nan
    return {
        "wilks": figure("wilks", math.exp(log_wilks), n=n, recipe=recipe),
        "bartlett_p": figure("bartlett_p", 0.0 if chi2 == math.inf else p_value, n=n, recipe=(*recipe, f"df:{p * q}")),
    }
