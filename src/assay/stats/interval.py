"""Values and intervals of many metrics over many slices in one pass.

How an interval is made follows from the metric's declared method and from the units:

- ``wilson``: Wilson's score interval; with clusters, of the effective sample size p(1-p)/SE² with a t quantile
  (``wilson_clustered``);
- ``bca``: the bootstrap's, by unit, at a level widened for the number of units (`assay.stats.endpoints.widened`); with
  fewer than 30 units Student's t on the clustered standard error (``t``);
- ``bias_corrected``: the bootstrap's without acceleration, for medians and other statistics that are not smooth;
- ``percentile``, ``basic``: the bootstrap's plain quantiles, or these mirrored at the value;
- ``none``: NaN.

A mean (a metric with an ``item``) over units of one size is not resampled at all: what endless resamples would give is
computed (`assay.stats.inversion`), so that neither ``seed`` nor ``resamples`` matters.

With strata units are drawn within each stratum, which keeps its size; a closed form then rests on the jackknife within
strata, with a degree of freedom less for each.

Where all units agree nothing can be resampled: see `assay.stats.proportions.unvaried` (``unvaried``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.stats.clustered import mean_se
from assay.stats.endpoints import acceleration, basic, bca, bca_shares, jackknife_se, percentile, tolerance, widened
from assay.stats.folded import Folded, Prepared, fold
from assay.stats.inversion import mean_distribution
from assay.stats.measured import Measured, OfPrepared, OfSpread, Rows, columns_of, defined
from assay.stats.proportions import unvaried, wilson
from assay.stats.quantiles import student
from assay.stats.resample import folded_resamples, replicates
from assay.stats.streams import stream
from assay.stats.units import Index, Labels, by_stratum, codes

FEW = 30
"""Below so many units the bootstrap covers too little, and Student's t is used."""

KINDS = 30
"""A mean of at least so many different values has a distribution without steps to speak of."""

RESAMPLED = ("bca", "bias_corrected", "percentile", "basic")
METHODS = ("wilson", *RESAMPLED, "t", "none")


@dataclass(frozen=True, slots=True)
class Interval:
    """A metric's value over a slice, with its interval.

    ``n`` units have a say; ``n_undefined`` rows of the slice are NaN and do not.
    """

    metric: str
    slice: str
    value: float
    low: float
    high: float
    n: int
    n_undefined: int
    method: str


@dataclass(frozen=True, slots=True)
class Plan:
    """How intervals are to be made; a ``method`` that the caller names is not adapted to the units."""

    seed: int = 0
    resamples: int = 9_999
    level: float = 0.95
    method: str | None = None

    @property
    def literal(self) -> bool:
        """Whether the caller chose the method."""
        return self.method is not None


@dataclass(frozen=True, slots=True)
class Part:
    """The defined rows of a slice: columns, for each row the number of its unit, 0 … units - 1, and the units' strata."""

    rows: Rows
    index: Index
    units: int
    n_undefined: int
    strata: Index | None = None

    @property
    def freedom(self) -> int:
        """Units less strata: the degrees of freedom of a standard error."""
        return self.units - (1 if self.strata is None else len(np.unique(self.strata)))


@dataclass(frozen=True, slots=True)
class Units:
    """For each row the number of its unit, and for each unit the number of its stratum (None: there are none)."""

    index: Index
    strata: Index | None


def intervals(
    metrics: Sequence[Measured],
    rows: Rows,
    unit: Labels | None = None,
    *,
    stratum: Labels | None = None,
    slices: Mapping[str, NDArray[np.bool_]] | None = None,
    seed: int = 0,
    resamples: int = 9_999,
    level: float = 0.95,
) -> list[Interval]:
    """The value and interval of every metric over every slice, slice by slice, metrics in the order given.

    ``unit`` labels the resampling unit of each row (None: the row) and ``stratum`` the stratum, of which a unit has one
    (None: there are none); ``slices`` maps names to masks ``bool[n]`` (None: ``all``); parts other than ``all`` get a
    fifth of ``resamples``. The draws follow from ``seed`` and the slice's name alone, so that further metrics or slices
    change nothing. low ≤ value ≤ high, within the bounds. Raises `ValueError` for lengths that do not fit, a label that
    is missing, a ``level`` not between 0 and 1, no ``resamples``.
    """
    check_plan(resamples, level)
    if not metrics:
        return []
    rows, n = columns_of(metrics, rows)
    units = Units(*by_stratum(codes(unit, n), stratum))
    out = []
    for name, mask in ({"all": np.ones(n, dtype=np.bool_)} if slices is None else slices).items():
        if len(mask) != n:
            raise ValueError(f"slice {name!r} has {len(mask)} places for {n} rows")
        plan = Plan(seed, resamples if name == "all" else max(resamples // 5, 1), level)
        out.extend(_over_slice(metrics, rows, units, name=name, mask=mask, plan=plan))
    return out


def interval(
    metric: Measured,
    rows: Rows,
    unit: Labels | None = None,
    *,
    stratum: Labels | None = None,
    method: str | None = None,
    seed: int = 0,
    resamples: int = 9_999,
    level: float = 0.95,
) -> tuple[float, float]:
    """The interval of one metric over all rows, by its own method or by just the ``method`` named here.

    A method that is named is taken to the letter: ``bca`` is Efron's, at the very ``level``, however few the units.
    """
    if method is not None and method not in METHODS:
        raise ValueError(f"an interval method of {', '.join(METHODS)} was expected, not {method!r}")
    check_plan(resamples, level)
    rows, n = columns_of([metric], rows)
    part = _part(rows, metric.columns, np.ones(n, dtype=np.bool_), Units(*by_stratum(codes(unit, n), stratum)))
    (found,) = _over_part([metric], part, "all", Plan(seed, resamples, level, method))
    return found.low, found.high


def check_plan(resamples: int, level: float) -> None:
    """`ValueError` for a number of resamples or a level that makes no interval."""
    if resamples < 1:
        raise ValueError(f"at least one resample was expected, not {resamples}")
    if not 0 < level < 1:
        raise ValueError(f"a level between 0 and 1 was expected (0.95 for 95 %), not {level}")


def _over_slice(
    metrics: Sequence[Measured], rows: Rows, units: Units, *, name: str, mask: NDArray[np.bool_], plan: Plan
) -> list[Interval]:
    """Metrics that are defined on the same rows share their draws."""
    together: dict[bytes, list[int]] = {}
    for place, metric in enumerate(metrics):
        together.setdefault((mask & defined(rows, metric.columns)).tobytes(), []).append(place)
    found: dict[int, Interval] = {}
    for places in together.values():
        group = [metrics[place] for place in places]
        columns = tuple(dict.fromkeys(column for metric in group for column in metric.columns))
        found.update(zip(places, _over_part(group, _part(rows, columns, mask, units), name, plan), strict=True))
    return [found[place] for place in range(len(metrics))]


def _part(rows: Rows, columns: tuple[str, ...], mask: NDArray[np.bool_], units: Units) -> Part:
    there = mask & defined(rows, columns)
    kept, compact = np.unique(units.index[there], return_inverse=True)
    strata = None if units.strata is None else np.unique(units.strata[kept], return_inverse=True)[1]
    lost = int(mask.sum() - there.sum())
    return Part({name: rows[name][there] for name in columns}, compact, len(kept), lost, strata)


def _over_part(metrics: Sequence[Measured], part: Part, name: str, plan: Plan) -> list[Interval]:
    """Closed forms at once; what needs the bootstrap, together."""
    prepared: Prepared = {}
    values, folded = zip(*(_value(metric, part, prepared) for metric in metrics), strict=True)
    chosen = [_method(metric, value, part, plan.method) for metric, value in zip(metrics, values, strict=True)]
    known = {
        place: _without_draws(metrics[place], part, how, plan) for place, how in enumerate(chosen) if how in RESAMPLED
    }
    resampled = {
        place: folded[place] or fold(metrics[place], part.rows, part.index, part.strata, prepared)
        for place, ends in known.items()
        if ends is None
    }
    drawn = _replicates(resampled, plan, name)
    out = []
    for place, (metric, value, how) in enumerate(zip(metrics, values, chosen, strict=True)):
        if (ends := known.get(place)) is not None:
            low, high = ends
        elif place in resampled:
            low, high, how = _bootstrapped(metric, value, drawn[place], resampled[place], how=how, plan=plan)
        else:
            low, high, how = _closed(metric, value, part, how, plan.level)
        low, high = _within(value, low, high, metric.bounds)
        out.append(Interval(metric.name, name, value, low, high, part.units, part.n_undefined, how))
    return out


def _value(metric: Measured, part: Part, prepared: Prepared) -> tuple[float, Folded | None]:
    """The metric's value; where its rows are spread over many columns or put in order, from them folded, which is kept."""
    if not part.units:
        return math.nan, None
    if isinstance(metric.aggregate, OfSpread | OfPrepared):
        folded = fold(metric, part.rows, part.index, part.strata, prepared)
        return float(folded.evaluate(folded.counts[None, :].astype(np.float64))[0]), folded
    with np.errstate(invalid="ignore"):  # infinity less infinity is undefined
        return float(metric.aggregate(part.rows, np.ones((1, len(part.index))))[0]), None


def _method(metric: Measured, value: float, part: Part, method: str | None) -> str:
    wanted = method or metric.interval
    assert wanted in METHODS, f"{metric.name}: unknown interval method {wanted!r}"
    if wanted == "none" or not math.isfinite(value):
        return "none"
    if wanted == "wilson" and (part.units < len(part.index) or part.strata is not None):
        return "wilson_clustered"
    return "t" if wanted == "bca" and method is None and part.units < FEW else wanted


def _without_draws(metric: Measured, part: Part, how: str, plan: Plan) -> tuple[float, float] | None:
    """The ends of a mean's interval from the distribution of all resamples; None where it must be drawn.

    Units of one size are taken at their means. Few kinds of values are drawn: they make steps, and drawing them is cheap.
    """
    if metric.item is None or part.strata is not None or part.units < FEW:
        return None
    size, rest = divmod(len(part.index), part.units)
    if rest or (size > 1 and bool((np.bincount(part.index) != size).any())):
        return None
    item = np.asarray(part.rows[metric.item], dtype=np.float64)
    x = item if size == 1 else np.bincount(part.index, item) / size
    if len(np.unique(x)) < KINDS:
        return None
    found = mean_distribution(x)
    if found is None:
        return None
    level = plan.level if plan.literal or how == "bias_corrected" else widened(plan.level, part.units)
    shares = ((1 - level) / 2, (1 + level) / 2)
    if how in ("bca", "bias_corrected"):
        pull = x - found.value
        skew = float((pull**3).sum()) / (6 * float((pull**2).sum()) ** 1.5) if how == "bca" else 0.0
        shares = bca_shares(float(found.share(np.array([found.value]))[0]), skew, level)
    low, high = found.quantiles(np.array(shares)).tolist()
    return (2 * found.value - high, 2 * found.value - low) if how == "basic" else (low, high)


def _replicates(folded: Mapping[int, Folded], plan: Plan, name: str) -> dict[int, NDArray[np.float64]]:
    """Bootstrap values by place: one set of draws for all that was not merged and can afford as many, one each for what was."""
    alike: dict[int, list[int]] = {}
    for place, one in folded.items():
        key = -1 - place if one.merged else folded_resamples(one, plan.resamples)
        alike.setdefault(key, []).append(place)
    out: dict[int, NDArray[np.float64]] = {}
    for places in alike.values():
        rng = stream(plan.seed, "bootstrap", name)
        out.update(zip(places, replicates([folded[p] for p in places], plan.resamples, rng), strict=True))
    return out


def _bootstrapped(
    metric: Measured, value: float, drawn: NDArray[np.float64], folded: Folded, *, how: str, plan: Plan
) -> tuple[float, float, str]:
    spread, units = np.abs(drawn - value), 1 + int(folded.counts.sum()) - len(folded.strata)
    if not (spread > tolerance(value)).any():
        return *unvaried(value, units, metric.bounds, level=plan.level), "unvaried"
    low, high = _read_off(value, drawn, folded, how=how, plan=plan)
    if high - low <= tolerance(value):  # nearly all resamples agree, which is no certainty either
        return *unvaried(value, units, metric.bounds, level=plan.level), "unvaried"
    return low, high, how


def _read_off(value: float, drawn: NDArray[np.float64], folded: Folded, *, how: str, plan: Plan) -> tuple[float, float]:
    if how == "bias_corrected":
        return bca(value, drawn, level=plan.level)
    level = plan.level if plan.literal else widened(plan.level, int(folded.counts.sum()))
    if how == "percentile":
        return percentile(drawn, level=level)
    if how == "basic":
        return basic(value, drawn, level=level)
    return bca(value, drawn, acceleration(folded.jackknife()), level=level)


def _closed(metric: Measured, value: float, part: Part, how: str, level: float) -> tuple[float, float, str]:
    if how == "none":
        return math.nan, math.nan, how
    if how == "wilson":
        return *wilson(value, part.units, level=level), how
    se = _standard_error(metric, part)
    if math.isnan(se) or (se <= tolerance(value) and how == "t"):
        return *unvaried(value, part.freedom + 1, metric.bounds, level=level), "unvaried"
    t = student(0.5 + level / 2, part.freedom)
    if how == "t":
        return value - t * se, value + t * se, how
    n = float(len(part.index))
    if se > tolerance(value):
        effective = value * (1 - value) / se**2
        n = min(effective, n) if part.strata is None else effective
    return *wilson(value, n if 0 < value < 1 else part.units, level=level, z=t), how


def _standard_error(metric: Measured, part: Part) -> float:
    if part.freedom < 1:
        return math.nan
    if metric.item is None or part.strata is not None:
        return jackknife_se(fold(metric, part.rows, part.index, part.strata).jackknife())
    return mean_se(np.asarray(part.rows[metric.item], dtype=np.float64), part.index)


def _within(value: float, low: float, high: float, bounds: tuple[float, float]) -> tuple[float, float]:
    """The interval made to contain its value and to keep within the bounds; NaN stays."""
    if math.isnan(value) or math.isnan(low):
        return math.nan, math.nan
    return max(min(low, value), min(bounds[0], value)), min(max(high, value), max(bounds[1], value))
