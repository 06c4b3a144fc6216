"""Ratings from battles: Bradley and Terry's with ties as half wins, Davidson's and Rao and Kupper's with ties of their own.

Beside the ratings, what the first place is worth (``position``) and style (``features`` of the battles) are fitted along;
style alone is penalised, ½ λ Σβ² beside the *summed* log-likelihood. Intervals rest on the sandwich H⁻¹BH⁻¹ by battle,
or by unit where the battles have one. Where one side won everything the ratings would be infinite: a ridge ½ λ Σθ² holds
them, and the answer says so.

Source: Bradley & Terry 1952; Davidson 1970; Rao & Kupper 1967; Ford 1957; Huber 1967; Chiang et al. 2024 (style).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.stats.draws import draws
from assay.stats.endpoints import percentile
from assay.stats.finding import Finding
from assay.stats.inputs import share
from assay.stats.preference import links
from assay.stats.preference.battles import Battles, components, separated
from assay.stats.preference.likelihood import Problem, covariance, fit
from assay.stats.preference.ratings import Coefficient, Ratings, coefficient
from assay.stats.quantiles import normal
from assay.stats.streams import stream
from assay.version import __version__

LINKS = {"bradley_terry": links.bradley_terry, "davidson": links.davidson, "rao_kupper": links.rao_kupper}

HELD = 0.5
"""The ridge on ratings that would be infinite without."""

Values = NDArray[np.float64]


def bradley_terry(
    given: Battles,
    *,
    ties: str = "half",
    position: bool = False,
    penalty: float = 0.5,
    prior: float | None = None,
    level: float = 0.95,
) -> Ratings:
    """The models' ratings from battles.

    ``ties``: ``half`` (a tie is half a win for each), ``davidson`` or ``rao_kupper`` (ties have a parameter of their own,
    ``beside["tie"]``: ln ν, or the difference that goes unseen). ``position`` fits what the first place is worth.
    ``penalty``: λ of the style coefficients. ``prior``: λ of a ridge on the ratings; None: none, or `HELD` where they
    would be infinite. Raises `ValueError` where the models were not all compared with each other, naming the parts; for
    a model of ties where there are none, or nothing else.

    >>> from assay.stats.preference.battles import battles
    >>> a, b = ["0", "0", "1", "1", "0", "0"], ["1", "1", "2", "2", "2", "2"]
    >>> found = bradley_terry(battles(a, b, [1, 0, 1, 0, 1, 0], counts=[7, 3, 6, 4, 8, 2]))
    >>> found.theta.round(6).tolist()
    [0.74057, -0.149102, -0.591468]
    >>> {name: round(elo[0], 2) for name, elo in found.elo().items()}
    {'0': 1128.65, '1': 974.1, '2': 897.25}
    """
    share(level, "a level")
    problem, groups = _problem(given, ties=ties, position=position, penalty=penalty, prior=prior)
    found = fit(problem)
    spread = covariance(problem, found)
    m = problem.models
    se = np.sqrt(np.maximum(np.diag(spread)[:m], 0.0))
    half = normal(0.5 + level / 2) * se
    return Ratings(
        given.names,
        found.theta,
        spread[:m, :m],
        found.theta - half,
        found.theta + half,
        level,
        given.n,
        found.log_likelihood,
        _beside(problem, np.concatenate([found.beta, [found.tie]]), spread, position),
        tuple(tuple(group) for group in groups),
        problem.prior,
        _signature(problem, ties, position, penalty),
    )


def bootstrap_ratings(
    given: Battles,
    *,
    ties: str = "half",
    position: bool = False,
    penalty: float = 0.5,
    resamples: int = 999,
    level: float = 0.95,
    seed: int = 0,
) -> Ratings:
    """The same ratings with percentile intervals and the covariance of ``resamples`` fits to battles (or units) drawn anew.

    A resample in which one side won everything is held by the ridge. Raises `ValueError` as `bradley_terry`, where counts
    are not whole, and where one side won everything already: no resample could tell that it might lose.
    """
    plain = bradley_terry(given, ties=ties, position=position, penalty=penalty, level=level)
    if len(plain.separated) > 1:
        groups = "; ".join(", ".join(group) for group in plain.separated)
        raise ValueError(f"one side won everything, so that the bootstrap says nothing; take bradley_terry: {groups}")
    problem, _ = _problem(given, ties=ties, position=position, penalty=penalty, prior=plain.prior)
    # A ridge too small to be seen in a sound resample, large enough to hold another.
    held = Problem(given, problem.link, problem.columns, problem.ridge, max(plain.prior, 1e-3), problem.tie)
    start, found = fit(problem), []
    rng = stream(seed, "bootstrap", "battles")
    if given.unit is not None:
        counts = np.ones(int(given.unit.max()) + 1, dtype=np.int64)
    elif (given.counts != np.rint(given.counts)).any():
        raise ValueError("counts of whole battles were expected: others cannot be drawn")
    else:
        counts = given.counts.astype(np.int64)
    for block in draws(counts, resamples, rng):
        for one in block.astype(np.float64):
            times = given.counts * one[given.unit] if given.unit is not None else one
            found.append(fit(held, start, times * given.weights).theta)
    values = np.array(found)
    ends = np.array([percentile(column, level=level) for column in values.T])
    return Ratings(
        plain.names,
        plain.theta,
        np.atleast_2d(np.cov(values.T)),
        np.minimum(ends[:, 0], plain.theta),
        np.maximum(ends[:, 1], plain.theta),
        level,
        plain.n,
        plain.log_likelihood,
        plain.beside,
        plain.separated,
        plain.prior,
        f"{plain.signature}|bootstrap:{resamples}|seed:{seed}",
    )


def relative_style(a: ArrayLike, b: ArrayLike) -> Values:
    """Style features for `assay.stats.preference.battles.battles` from counts ``[n, k]`` of both answers (tokens, headers …).

    (f_a - f_b)/(f_a + f_b), 0 where both are 0, each column brought to mean 0 and standard deviation 1 (a column that does
    not vary: 0). Raises `ValueError` for shapes that differ, and counts below 0.

    >>> relative_style([[3.0], [0.0], [1.0]], [[1.0], [0.0], [3.0]]).round(3).ravel().tolist()
    [1.225, 0.0, -1.225]
    """
    first, second = (np.asarray(side, dtype=np.float64) for side in (a, b))
    if first.shape != second.shape or first.ndim != 2 or (first < 0).any() or (second < 0).any():
        raise ValueError(f"counts of one shape [n, k], 0 or more, were expected, not {first.shape} and {second.shape}")
    total = first + second
    share_of = np.divide(first - second, total, out=np.zeros_like(total), where=total > 0)
    spread = share_of.std(axis=0)
    return np.asarray((share_of - share_of.mean(axis=0)) / np.where(spread > 1e-12, spread, np.inf))


def intransitivity(given: Battles) -> Finding:
    """Do the pairs' results fit one scale? The likelihood ratio of each pair's own share against the ratings', χ².

    As many degrees of freedom as pairs beyond those that a chain of models needs; NaN and p of 1 without any (or where
    ratings are not finite). Ties as half wins make it cautious. It asks for several battles a pair.

    >>> from assay.stats.preference.battles import battles
    >>> circle = battles(["r", "p", "s"] * 2, ["s", "r", "p"] * 2, [1, 1, 1, 0, 0, 0], counts=[30, 30, 30, 10, 10, 10])
    >>> round(intransitivity(circle).p, 6)
    0.0
    """
    from scipy.special import chdtrc, xlogy

    m = len(given.names)
    low, high = np.minimum(given.a, given.b), np.maximum(given.a, given.b)
    won = np.where(given.a == low, given.outcome, 1 - given.outcome) * given.counts
    pair, index = np.unique(low * m + high, return_inverse=True)
    total, wins = np.bincount(index, given.counts), np.bincount(index, won)
    freedom = len(pair) - (m - len(components(given)))
    if freedom < 1 or len(separated(given)) > 1:
        return Finding(float("nan"), 1.0, given.n, "intransitivity")
    theta = bradley_terry(_plain(given)).theta
    p = 1 / (1 + np.exp(-(theta[pair // m] - theta[pair % m])))
    g = 2 * float((xlogy(wins, wins / total / p) + xlogy(total - wins, (1 - wins / total) / (1 - p))).sum())
    return Finding(g, float(chdtrc(freedom, max(g, 0.0))), given.n, "intransitivity")


def _plain(given: Battles) -> Battles:
    """Without weights, units and style."""
    n = len(given)
    return Battles(given.names, given.a, given.b, given.outcome, given.counts, np.ones(n), None, np.zeros((n, 0)))


def _problem(
    given: Battles, *, ties: str, position: bool, penalty: float, prior: float | None
) -> tuple[Problem, list[list[str]]]:
    if ties not in ("half", "davidson", "rao_kupper"):
        raise ValueError(f"ties were expected as half, davidson or rao_kupper, not {ties!r}")
    if penalty < 0 or (prior is not None and prior < 0):
        raise ValueError(f"penalties of 0 or more were expected, not {penalty} and {prior}")
    parts = components(given)
    if len(parts) > 1:
        apart = "; ".join(", ".join(part) for part in parts)
        raise ValueError(f"these models were never compared with each other, rate them apart: {apart}")
    tied = given.outcome == 0.5
    if ties != "half" and (tied.all() or not tied.any()):
        raise ValueError(f"{ties} needs ties and other outcomes; take ties='half'")
    groups = separated(given)
    held = (HELD if len(groups) > 1 else 0.0) if prior is None else prior
    columns = np.column_stack([*([np.ones(len(given))] if position else []), given.features])
    ridge = np.concatenate([np.zeros(int(position)), np.full(given.features.shape[1], penalty)])
    link = LINKS["bradley_terry" if ties == "half" else ties]
    return Problem(given, link, columns.reshape(len(given), -1), ridge, held, ties != "half"), groups


def _beside(problem: Problem, values: Values, spread: Values, position: bool) -> dict[str, Coefficient]:
    m, k = problem.models, problem.columns.shape[1]
    names = [*(["position"] if position else []), *(f"style:{place}" for place in range(k - position))]
    names += ["tie"] if problem.tie else []
    return {
        name: coefficient(float(value), float(spread[m + place, m + place]))
        for place, (name, value) in enumerate(zip(names, values, strict=False))
    }


def _signature(problem: Problem, ties: str, position: bool, penalty: float) -> str:
    parts = ["bradley_terry", f"ties:{ties}"]
    parts += ["position"] if position else []
    parts += (
        [f"style:{problem.battles.features.shape[1]},l2:{penalty:g}*sum"] if problem.battles.features.shape[1] else []
    )
    parts += [f"prior:{problem.prior:g}*sum"] if problem.prior else []
    parts += ["sandwich:unit" if problem.battles.unit is not None else "sandwich"] if not problem.prior else []
    return "|".join([*parts, f"assay:{__version__}"])
