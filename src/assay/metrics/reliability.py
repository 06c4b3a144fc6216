"""Rows and formulas of agreement beyond chance: Cohen's κ, Fleiss' κ, Krippendorff's α, Gwet's AC1.

Ratings come as reliability data: a list for each rater, one rating a unit, None or NaN where there is none. Units with
fewer than two ratings say nothing and are left out. Where chance agreement is certain (only one category occurs) a
coefficient is undefined.

- Cohen: κ = 1 - Σ d·o / Σ d·e over observed and expected pairs of two raters; d is 0 or 1, or the distance of the
  categories' places (``linear``), or its square (``quadratic``).
- Fleiss: κ = (P̄ - P̄e) / (1 - P̄e) from a table of counts, as many ratings a unit everywhere.
- Krippendorff: α = 1 - (n - 1) Σ o·δ² / Σ n·n·δ² over the coincidences, for any number of raters and gaps; δ is nominal,
  ordinal (difference of mid-ranks), interval (difference) or ratio (difference over sum).
- Gwet: AC1 = (p - p_γ) / (1 - p_γ), p_γ = Σ π(1 - π) / (K - 1): not misled by a rare category as κ is.

Source: Cohen 1960, 1968; Fleiss 1971; Krippendorff 2004; Gwet 2008.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.metrics.metric import Rows, Weights, ratio
from assay.stats.inputs import floats, listed, plain

Values = NDArray[np.float64]
Order = NDArray[np.intp]

NUMERIC = ("interval", "ratio")

MOST_CELLS = 50_000_000
"""Numbers in a table of units × values, or values × values, that is still made."""


def measure_ratings(
    ratings: Sequence[Sequence[Any]] | NDArray[Any], *, categories: Sequence[Any] = (), level: str = "nominal"
) -> Rows:
    """Rows of units: ``rating[n, raters]`` (a category's place, or the number itself), ``rated``, and ``kinds``.

    ``ratings[raters][units]``; ``categories`` fixes their order, which is else that of the sorted values. A unit with fewer
    than two ratings is NaN. ``kinds`` is the number of categories, the same in every row. Raises `ValueError` for lists of
    different lengths, fewer than two raters, a rating that is no category, or no (or for ratio a negative) number where the
    ``level`` needs numbers.

    >>> measure_ratings([["a", "b", None], ["a", "a", "b"]])["rating"].tolist()
    [[0.0, 0.0], [1.0, 0.0], [nan, nan]]
    """
    ratings = plain(ratings)
    listed(ratings, "ratings")
    for rater, line in enumerate(ratings):
        listed(line, f"ratings of rater {rater}")
    lines = [list(plain(line)) for line in ratings]
    if len(lines) < 2:
        raise ValueError(f"the ratings of at least two raters were expected, a list each, not {len(lines)}")
    lengths = {len(line) for line in lines}
    if len(lengths) > 1:
        raise ValueError(
            f"as many ratings from every rater were expected (None where there is none): {sorted(lengths)}"
        )
    given = [[None if _is_nan(one) else one for one in line] for line in lines]
    rated = np.array([[one is not None for one in line] for line in given], dtype=np.bool_).T
    values, kinds = (_numbers(given, level), 0) if level in NUMERIC else _places(given, categories)
    rating = np.where((rated.sum(axis=1) >= 2)[:, None], np.where(rated, values, 0.0), np.nan)
    return {"rating": rating, "rated": rated, "kinds": np.full(len(rated), float(kinds))}


def _is_nan(one: Any) -> bool:
    return isinstance(one, float | np.floating) and math.isnan(one)


def _is_real(one: Any) -> bool:
    return isinstance(one, int | float | np.integer | np.floating | np.bool_)


def _numbers(given: list[list[Any]], level: str) -> Values:
    least = 0.0 if level == "ratio" else -math.inf
    out = np.zeros((len(given[0]), len(given)))
    for rater, line in enumerate(given):
        for unit, one in enumerate(line):
            if one is not None and (not _is_real(one) or not math.isfinite(one) or one < least):
                raise ValueError(f"unit {unit}, rater {rater}: {one!r:.80} is no rating of level {level}")
            out[unit, rater] = 0.0 if one is None else one
    return out


def _places(given: list[list[Any]], categories: Sequence[Any]) -> tuple[Values, int]:
    for rater, line in enumerate(given):
        for unit, one in enumerate(line):
            if not isinstance(one, Hashable):
                raise ValueError(f"unit {unit}, rater {rater}: one category was expected, not {one!r:.60}")
    found = {one for line in given for one in line if one is not None}
    order = list(categories) if len(categories) else sorted(found, key=_sort_key)
    place = {category: i for i, category in enumerate(order)}
    unknown = sorted(map(str, found - set(place)))
    if unknown:
        raise ValueError(f"ratings that are none of the categories: {', '.join(unknown[:5])}")
    lines = [[place.get(one, 0) if one is not None else 0 for one in line] for line in given]
    return np.array(lines, dtype=np.float64).reshape(len(given), -1).T, len(order)


def _sort_key(one: Any) -> tuple[bool, Any]:
    return (False, one) if isinstance(one, int | float | np.number) else (True, str(one))


def pairs(rows: Rows) -> tuple[Order, tuple[Order, Values, Values]]:
    """Units ordered by their pair of categories: where each pair starts, and its two categories."""
    first, second = rows["rating"].T
    order = np.lexsort((second, first))
    a, b = first[order], second[order]
    start = np.flatnonzero(np.concatenate([[True], (a[1:] != a[:-1]) | (b[1:] != b[:-1])]))
    return order, (start, a[start], b[start])


def cohen(power: int, state: tuple[Order, Values, Values], weights: Weights) -> Values:
    """κ ``[b]``; ``power`` is 0 for equal disagreements, 1 and 2 for the distance of the categories and its square."""
    start, a, b = state
    observed = np.add.reduceat(weights, start, axis=1)
    total = observed.sum(axis=1)
    if power:
        apart = observed @ np.abs(a - b) ** power
        expected = _distance_by_chance(power, observed, a, b)
    else:
        apart = observed @ (a != b).astype(np.float64)
        (kinds_a, share_a), (kinds_b, share_b) = (_marginal(observed, side) for side in (a, b))
        _, in_a, in_b = np.intersect1d(kinds_a, kinds_b, return_indices=True)
        expected = total**2 - (share_a[:, in_a] * share_b[:, in_b]).sum(axis=1)
    return np.asarray(1 - _over_chance(apart * total, expected, total**2))


def _marginal(observed: Values, side: Values) -> tuple[Values, Values]:
    """The categories of one rater, ascending, and the weight of each ``[b, categories]``."""
    order = np.argsort(side, kind="stable")
    kinds, start = np.unique(side[order], return_index=True)
    return kinds, np.add.reduceat(observed[:, order], start, axis=1)


def _distance_by_chance(power: int, observed: Values, a: Values, b: Values) -> Values:
    """The sum of the distances of all pairs of the two raters' ratings ``[b]``, without a table of categories."""
    total = observed.sum(axis=1)
    if power == 2:
        squares, product = observed @ a**2 + observed @ b**2, (observed @ a) * (observed @ b)
        return np.asarray(total * squares - 2 * product)
    steps = np.union1d(a, b)
    below = []
    for kinds, share in (_marginal(observed, side) for side in (a, b)):
        reached = np.cumsum(np.column_stack([np.zeros(len(share)), share]), axis=1)
        below.append(reached[:, np.searchsorted(kinds, steps, side="right")])
    crossed = below[0] * (total[:, None] - below[1]) + below[1] * (total[:, None] - below[0])
    return np.asarray(crossed[:, :-1] @ np.diff(steps))


def _over_chance(observed: Values, expected: Values, scale: Values) -> Values:
    """``observed / expected``, NaN where chance leaves nothing but rounding."""
    return ratio(observed, np.where(expected > 1e-12 * scale, expected, 0.0))


def alpha_state(level: str, rows: Rows) -> tuple[Order, dict[str, Values]]:
    """What α needs of the units: ratings a unit, disagreement within it, counts of the values where the level needs them."""
    rating, rated = rows["rating"], rows["rated"]
    m = rated.sum(axis=1).astype(np.float64)
    order = np.arange(len(m))
    if level == "interval":
        x = np.where(rated, rating - rating[rated].mean(), 0.0)
        s, q = x.sum(axis=1), (x**2).sum(axis=1)
        least = np.array([(8 * np.finfo(np.float64).eps * np.abs(rating).max()) ** 2])
        return order, {"m": m, "within": 2 * (m * q - s**2) / (m - 1), "sum": s, "square": q, "least": least}
    values, place = np.unique(rating[rated], return_inverse=True)
    if max(len(m), len(values)) * len(values) > MOST_CELLS:
        raise ValueError(
            f"{len(values):,} different values are too many for the level {level}; take interval, or round"
        )
    counts = np.zeros((len(m), len(values)))
    np.add.at(counts, (np.nonzero(rated)[0], place), 1.0)
    state = {"m": m, "counts": counts, "values": values}
    if level == "nominal":
        state["within"] = (m**2 - (counts**2).sum(axis=1)) / (m - 1)
    if level == "ratio":
        state["apart"] = ((values[:, None] - values) / np.maximum(values[:, None] + values, 1e-300)) ** 2
        state["within"] = ((counts @ state["apart"]) * counts).sum(axis=1) / (m - 1)
    return order, state


def alpha(level: str, state: dict[str, Values], weights: Weights) -> Values:
    """α ``[b]``; NaN for fewer than two ratings, and where all are the same."""
    n = weights @ state["m"]
    if level == "interval":
        total, square = weights @ state["sum"], weights @ state["square"]
        within, between = weights @ state["within"], 2 * (n * square - total**2)
        scale = n * np.maximum(square, 1e12 * n * state["least"])
    else:
        counts = weights @ state["counts"]
        if level == "ordinal":
            within, between = _ordinal(state, weights, counts)
        else:
            within = weights @ state["within"]
            apart = counts @ state["apart"] if level == "ratio" else n[:, None] - counts
            between = (apart * counts).sum(axis=1)
        scale = n**2 if level != "ordinal" else n**4
    return np.where(n > 1, 1 - (n - 1) * _over_chance(within, between, scale), np.nan)


def _ordinal(state: dict[str, Values], weights: Weights, counts: Values) -> tuple[Values, Values]:
    """Within and between units, the values being replaced by their mid-ranks under these weights."""
    m, of_unit = state["m"], state["counts"]
    rank = np.cumsum(counts, axis=1) - counts / 2
    rank -= (counts * rank).sum(axis=1, keepdims=True) / np.maximum(counts.sum(axis=1, keepdims=True), 1e-300)
    square = ((weights * (m / (m - 1))) @ of_unit * rank**2).sum(axis=1)
    within = 2 * (square - (weights / (m - 1) * (rank @ of_unit.T) ** 2).sum(axis=1))
    return within, 2 * counts.sum(axis=1) * (counts * rank**2).sum(axis=1)


def measure_counts(counts: ArrayLike) -> Rows:
    """Rows of units for Fleiss' κ from ``counts[units, categories]``: ``agreement`` and ``share[n, categories]``.

    Raises `ValueError` for another shape, a count that is negative or no number, and units whose numbers of ratings differ
    or are below 2, naming the row.
    """
    table = floats(counts, "counts")
    table = table.reshape(0, 1) if table.size == 0 else table
    if table.ndim != 2:
        raise ValueError(f"counts [units, categories] were expected, not of shape {table.shape}")
    wrong = np.flatnonzero(~(table >= 0).all(axis=1) | np.isinf(table).any(axis=1))
    if len(wrong):
        raise ValueError(f"row {wrong[0]}: counts of 0 and more were expected, not {table[wrong[0]].tolist()}")
    n = table.sum(axis=1)
    uneven = np.flatnonzero((n != n[:1]) | (n < 2))
    if len(uneven):
        raise ValueError(
            f"row {uneven[0]}: {n[uneven[0]]:g} ratings; Fleiss' κ needs two or more, as many for every unit ({n[0]:g}); "
            "Krippendorff's α takes gaps"
        )
    return {"agreement": ((table**2).sum(axis=1) - n) / np.maximum(n * (n - 1), 1), "share": table / n[:, None]}


def fleiss(weight: Values, agreement: Values, share: Values) -> Values:
    """κ ``[b]`` of the summed agreement and shares."""
    by_chance = (share**2).sum(axis=1)
    return 1 - _over_chance(weight * (weight - agreement), weight**2 - by_chance, weight**2)


def measure_ac1(ratings: Sequence[Sequence[Any]] | NDArray[Any], *, categories: Sequence[Any] = ()) -> Rows:
    """Rows of units for AC1: ``agreement`` of the pairs of ratings, ``share[n, categories]``, ``kinds``; as `measure_ratings`."""
    rows = measure_ratings(ratings, categories=categories)
    rating, rated = rows["rating"], rows["rated"]
    there = ~np.isnan(rating[:, 0])
    kinds = int(rows["kinds"][0]) if len(rating) else 0
    counts = np.zeros((len(rating), max(kinds, 1)))
    unit, rater = np.nonzero(rated & there[:, None])
    np.add.at(counts, (unit, rating[unit, rater].astype(np.intp)), 1.0)
    counts[~there] = np.nan
    m = counts.sum(axis=1)
    return {
        "pair_agreement": ((counts**2).sum(axis=1) - m) / (m * (m - 1)),
        "pair_share": counts / m[:, None],
        "kinds": np.where(there, rows["kinds"], np.nan),
    }


def ac1(weight: Values, agreement: Values, share: Values, kinds: Values) -> Values:
    """AC1 ``[b]``; NaN for a single category."""
    pi = ratio(share, weight[:, None])
    chance = (pi * (1 - pi)).sum(axis=1) / np.where(
        kinds > 1.5 * weight, kinds / np.where(weight > 0, weight, 1) - 1, np.nan
    )
    return np.asarray((ratio(agreement, weight) - chance) / (1 - chance))


def measure_pair(ratings: Sequence[Sequence[Any]] | NDArray[Any], *, categories: Sequence[Any] = ()) -> Rows:
    """`measure_ratings` of exactly two raters; `ValueError` for more."""
    if len(ratings) != 2:
        raise ValueError(f"the ratings of two raters were expected, not of {len(ratings)}; Krippendorff's α takes more")
    return measure_ratings(ratings, categories=categories)
