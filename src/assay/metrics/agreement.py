"""Agreement of raters beyond chance: Cohen's κ, Fleiss' κ, Krippendorff's α, Gwet's AC1. Units are resampled.

Ratings come as reliability data: a list for each rater, one rating a unit, None or NaN where there is none. How each is
computed stands in `assay.metrics.reliability`. κ falls where one category is rare although raters agree (its paradox):
look at AC1 beside it.

Source: Cohen 1960, 1968; Fleiss 1971; Krippendorff 2004; Gwet 2008.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from numpy.typing import ArrayLike, NDArray

from assay.metrics import reliability
from assay.metrics.metric import Aggregate, Metric, Rows, of_sums, sign
from assay.metrics.standalone import estimate
from assay.stats.measured import OfPrepared
from assay.types import Estimate

Ratings = Sequence[Sequence[Any]] | NDArray[Any]

WEIGHTS = {"": 0, "linear": 1, "quadratic": 2}
"""How disagreements weigh in Cohen's κ: the power of the distance."""

LEVELS = ("nominal", "ordinal", "interval", "ratio")
RATED = ("rating", "rated")


def _metric(
    name: str,
    measure: Callable[..., Rows],
    aggregate: Aggregate,
    columns: tuple[str, ...],
    definition: str,
    source: str,
) -> Metric:
    return Metric(
        name,
        measure,
        aggregate,
        bounds=(-1.0, 1.0),
        unit="unit",
        signature=sign(name, "units:pairable"),
        source=source,
        family="counts" if "share" in columns else "ratings",
        columns=columns,
        definition=definition,
        edge="undefined where only one category occurs; a unit with fewer than two ratings is left out",
    )


def _cohen(name: str, weights: str) -> Metric:
    aggregate = OfPrepared(reliability.pairs, functools.partial(reliability.cohen, WEIGHTS[weights]), RATED)
    weighing = f"weighing by {weights} distance" if weights else "all alike"
    definition = f"1 - observed over expected disagreement of two raters, {weighing}"
    return _metric(name, reliability.measure_pair, aggregate, RATED, definition, "Cohen 1960, 1968")


def _krippendorff(name: str, level: str) -> Metric:
    measure = functools.partial(reliability.measure_ratings, level=level)
    prepare = functools.partial(reliability.alpha_state, level)
    aggregate = OfPrepared(prepare, functools.partial(reliability.alpha, level), RATED)
    definition = f"1 - observed over expected disagreement of coincident ratings, {level} differences"
    return _metric(name, measure, aggregate, RATED, definition, "Krippendorff 2004")


def _fleiss(name: str, _: str) -> Metric:
    sums = of_sums(reliability.fleiss, "agreement", "share")
    definition = "(agreement of pairs - that of the pooled shares) / (1 - that)"
    return _metric(name, reliability.measure_counts, sums, ("agreement", "share"), definition, "Fleiss 1971")


def _gwet(name: str, _: str) -> Metric:
    columns = ("pair_agreement", "pair_share", "kinds")
    definition = "(agreement of pairs - p) / (1 - p), p = Σ π(1 - π) / (K - 1)"
    return _metric(name, reliability.measure_ac1, of_sums(reliability.ac1, *columns), columns, definition, "Gwet 2008")


MAKERS = {"cohen_kappa": _cohen, "fleiss_kappa": _fleiss, "gwet_ac1": _gwet, "krippendorff_alpha": _krippendorff}


def named(name: str) -> Metric:
    """``cohen_kappa`` (``:linear``, ``:quadratic``), ``fleiss_kappa``, ``krippendorff_alpha`` (``:ordinal`` …), ``gwet_ac1``."""
    plain, _, variant = name.partition(":")
    return MAKERS[plain](name, variant or ("nominal" if plain == "krippendorff_alpha" else ""))


def cohen_kappa(
    first: Sequence[Any],
    second: Sequence[Any],
    *,
    weights: str | None = None,
    categories: Sequence[Any] = (),
    unit: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
) -> Estimate:
    """Cohen's κ of two raters; ``weights`` is None, ``linear`` or ``quadratic`` in the order of ``categories`` (else sorted).

    Raises `ValueError` for other weights and as `assay.metrics.reliability.measure_ratings`.

    >>> first, second = ["a"] * 25 + ["b"] * 25, ["a"] * 20 + ["b"] * 5 + ["a"] * 10 + ["b"] * 15
    >>> round(cohen_kappa(first, second).value, 6)
    0.4
    """
    if (weights or "") not in WEIGHTS:
        raise ValueError(f"weights of None, linear or quadratic were expected, not {weights!r}")
    metric = named(f"cohen_kappa:{weights}" if weights else "cohen_kappa")
    return _estimate(metric, (first, second), categories, unit, seed)


def krippendorff_alpha(
    ratings: Ratings,
    *,
    level: str = "nominal",
    categories: Sequence[Any] = (),
    unit: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
) -> Estimate:
    """Krippendorff's α of ``ratings[raters][units]`` with gaps; ``level`` is nominal, ordinal, interval or ratio.

    ``categories`` gives the order of ordinal ratings that do not sort by themselves. ``n`` counts the units with two or more
    ratings. Raises `ValueError` for another level and as `assay.metrics.reliability.measure_ratings`.

    >>> round(krippendorff_alpha([[1, 2, 3, None], [1, 2, 4, 4]], level="interval").value, 6)
    0.878049
    """
    if level not in LEVELS:
        raise ValueError(f"a level of {', '.join(LEVELS)} was expected, not {level!r}")
    metric = named("krippendorff_alpha" if level == "nominal" else f"krippendorff_alpha:{level}")
    return _estimate(metric, ratings, categories, unit, seed)


def gwet_ac1(
    ratings: Ratings,
    *,
    categories: Sequence[Any] = (),
    unit: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
) -> Estimate:
    """Gwet's AC1 of ``ratings[raters][units]``; pass ``categories`` where some possible one does not occur.

    Raises `ValueError` as `assay.metrics.reliability.measure_ratings`.

    >>> round(gwet_ac1([["a"] * 9 + ["b"], ["a"] * 8 + ["b", "a"]]).value, 6)
    0.756098
    """
    return _estimate(named("gwet_ac1"), ratings, categories, unit, seed)


def fleiss_kappa(counts: ArrayLike, *, unit: Sequence[Any] | NDArray[Any] | None = None, seed: int = 0) -> Estimate:
    """Fleiss' κ of ``counts[units, categories]``, how many raters put each unit into each category.

    Raises `ValueError` as `assay.metrics.reliability.measure_counts`.

    >>> round(fleiss_kappa([[3, 0], [2, 1], [0, 3]]).value, 6)
    0.55
    """
    return estimate(named("fleiss_kappa"), counts, unit=unit, seed=seed, unit_name="unit")


def _estimate(metric: Metric, ratings: Any, categories: Sequence[Any], unit: Any, seed: int) -> Estimate:
    asked = replace(metric, measure=functools.partial(metric.measure, categories=categories))
    return estimate(asked, ratings, unit=unit, seed=seed, unit_name="unit")
