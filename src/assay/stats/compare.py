"""Which of two runs is better: paired over the units that both answered, with a verdict.

The interval is that of the difference A - B, made as any metric's is (`assay.stats.interval`); the test is a paired
permutation over units: sign flips where the metric is a mean, swapped rows where it is not (exact for few units, else
by chance draws with a mid-p, which holds its level with scores that are right or wrong too). Verdicts go by the p-value,
Holm-adjusted over the metrics compared. *Equivalent* needs a margin: the interval at 1 - 2α lies within ± margin (two
one-sided tests, Schuirmann 1987). Otherwise *inconclusive*, with the number of units that would decide.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.stats.contrast import Contrast, paired_rows
from assay.stats.inputs import share
from assay.stats.interval import Interval, intervals
from assay.stats.measured import Measured, Rows, columns_of, defined
from assay.stats.multiplicity import holm
from assay.stats.paired import unit_correlation
from assay.stats.permutation import sign_flip, swap
from assay.stats.power import units_to_decide
from assay.stats.streams import stream
from assay.stats.units import Index, Labels, by_stratum, codes, unit_sums

FLIPS = 99_999
SWAPS = 9_999


@dataclass(frozen=True, slots=True)
class Comparison:
    """One metric of two runs. ``difference`` is A - B and ``verdict`` speaks of A, in the metric's own direction:
    ``better``, ``worse``, ``equivalent`` (within ``margin``) or ``inconclusive``.

    ``n`` units in ``n_rows`` rows were compared; ``n_undefined`` rows were NaN in either run and left out.
    ``correlation`` is that of the units' items (None where the metric has none). ``n_needed``: about how many units
    would decide what is inconclusive (`assay.stats.power.units_to_decide`); None where no number can be given.
    """

    metric: str
    a: float
    b: float
    difference: float
    low: float
    high: float
    p: float
    p_adjusted: float
    correlation: float | None
    n: int
    n_rows: int
    n_undefined: int
    verdict: str
    n_needed: int | None
    margin: float | None
    method: str


def shared(keys_a: Sequence[Any], keys_b: Sequence[Any]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The positions in each of the keys that both have, in the order of the first. Raises `ValueError` for a key twice.

    >>> [index.tolist() for index in shared(["x", "y", "z"], ["z", "x"])]
    [[0, 2], [1, 0]]
    """
    places: list[dict[Any, int]] = []
    for side, keys in zip("AB", (keys_a, keys_b), strict=True):
        places.append({key: place for place, key in enumerate(keys)})
        if len(places[-1]) != len(keys):
            twice = next(key for place, key in enumerate(keys) if places[-1][key] != place)
            raise ValueError(f"keys must be unique to pair rows by them: {twice!r} occurs twice in {side}")
    both = [key for key in places[0] if key in places[1]]
    first, second = (np.array([place[key] for key in both], dtype=np.intp) for place in places)
    return first, second


def compare(
    metrics: Sequence[Measured],
    rows_a: Rows,
    rows_b: Rows,
    unit: Labels | None = None,
    *,
    stratum: Labels | None = None,
    margin: float | Mapping[str, float] | None = None,
    seed: int = 0,
    alpha: float = 0.05,
) -> list[Comparison]:
    """Compare two runs by each of ``metrics``; row i of ``rows_a`` and of ``rows_b`` is the same sample.

    ``unit`` labels the rows' units (None: the row), ``stratum`` the strata that keep their size when units are drawn;
    ``margin`` is the difference that does not matter, one for all or by metric. Raises `ValueError` when the rows are
    not of one length, for a margin that is not above 0 and an ``alpha`` not between 0 and 1.
    """
    share(alpha, "alpha")
    if not metrics:
        return []
    (rows_a, n), (rows_b, n_b) = columns_of(metrics, rows_a), columns_of(metrics, rows_b)
    if n != n_b:
        raise ValueError(f"aligned rows were expected (row i of both is one sample), not lengths {n} and {n_b}")
    margins = [_margin(margin, metric.name) for metric in metrics]
    index, strata = by_stratum(codes(unit, n), stratum)
    groups = _groups(metrics, rows_a, rows_b, index, strata)
    tested: dict[int, tuple[float, str]] = {}
    between: dict[int, tuple[Interval, Interval]] = {}
    for group in groups:
        tested.update(_tests(group, seed))
        between.update(_between(group, margins, seed, alpha))
    adjusted = holm([tested[place][0] for place in range(len(metrics))])
    out: dict[int, Comparison] = {}
    for group in groups:
        for place in group.metrics:
            found = _Found(*tested[place], float(adjusted[place]), *between[place], margins[place])
            out[place] = _comparison(group, place, found, alpha=alpha, tests=len(metrics))
    return [out[place] for place in range(len(metrics))]


@dataclass(frozen=True, slots=True)
class _Group:
    """Metrics (by their place) that are defined on the same rows of both runs, and these rows."""

    metrics: Mapping[int, Measured]
    a: Rows
    b: Rows
    index: Index
    strata: Index | None
    units: int
    n_undefined: int


@dataclass(frozen=True, slots=True)
class _Found:
    """What the tests gave for one metric: ``narrow`` is the interval at 1 - 2 α, which decides on equivalence."""

    p: float
    method: str
    adjusted: float
    wide: Interval
    narrow: Interval
    margin: float | None


def _margin(margin: float | Mapping[str, float] | None, name: str) -> float | None:
    least = margin.get(name) if isinstance(margin, Mapping) else margin
    if least is not None and not 0 < least < math.inf:
        raise ValueError(f"a margin above 0 was expected (the difference that does not matter), not {least} for {name}")
    return least


def _groups(
    metrics: Sequence[Measured], rows_a: Rows, rows_b: Rows, index: Index, strata: Index | None
) -> list[_Group]:
    together: dict[bytes, dict[int, Measured]] = {}
    for place, metric in enumerate(metrics):
        there = defined(rows_a, metric.columns) & defined(rows_b, metric.columns)
        together.setdefault(there.tobytes(), {})[place] = metric
    out = []
    for mask, chosen in together.items():
        there = np.frombuffer(mask, dtype=np.bool_)
        names = dict.fromkeys(name for metric in chosen.values() for name in metric.columns)
        kept, compact = np.unique(index[there], return_inverse=True)
        a, b = ({name: rows[name][there] for name in names} for rows in (rows_a, rows_b))
        left = None if strata is None else np.unique(strata[kept], return_inverse=True)[1]
        out.append(_Group(chosen, a, b, compact, left, len(kept), int((~there).sum())))
    return out


def _tests(group: _Group, seed: int) -> dict[int, tuple[float, str]]:
    """The p-value of each metric and its method; means share their tosses."""
    if not group.units:
        return dict.fromkeys(group.metrics, (math.nan, "none"))
    out: dict[int, tuple[float, str]] = {}
    for place, metric in group.metrics.items():
        if metric.item is None:
            rng = stream(seed, "swap", metric.name)
            out[place] = swap(metric, group.a, group.b, group.index, resamples=SWAPS, rng=rng, mid=True), "swap"
    means = [place for place in group.metrics if place not in out]
    if means:
        with np.errstate(invalid="ignore"):  # infinity less infinity is undefined, and so is its p
            apart = np.column_stack([np.subtract(*_items(group, place)) for place in means])
        p, how = sign_flip(unit_sums(apart, group.index), resamples=FLIPS, rng=stream(seed, "sign-flip"), mid=True)
        out.update((place, (float(value), how)) for place, value in zip(means, p, strict=True))
    return out


def _items(group: _Group, place: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    item = group.metrics[place].item
    assert item is not None
    return np.asarray(group.a[item], dtype=np.float64), np.asarray(group.b[item], dtype=np.float64)


def _between(
    group: _Group, margins: Sequence[float | None], seed: int, alpha: float
) -> dict[int, tuple[Interval, Interval]]:
    """The difference of each metric with its interval at 1 - α, and at 1 - 2 α where there is a margin (else again at 1 - α)."""
    both = paired_rows(group.a, group.b)

    def over(places: Sequence[int], level: float) -> dict[int, Interval]:
        contrasts = [Contrast(group.metrics[place]) for place in places]
        strata = None if group.strata is None else group.strata[group.index]
        found = intervals(contrasts, both, group.index, stratum=strata, seed=seed, level=level)
        return dict(zip(places, found, strict=True))

    wide = over(list(group.metrics), 1 - alpha)
    narrow = over([place for place in group.metrics if margins[place] is not None], 1 - min(2 * alpha, 0.99))
    return {place: (wide[place], narrow.get(place, wide[place])) for place in group.metrics}


def _comparison(group: _Group, place: int, found: _Found, *, alpha: float, tests: int) -> Comparison:
    metric, wide = group.metrics[place], found.wide
    weights = np.ones((1, len(group.index)))
    a, b = (float(metric.aggregate(rows, weights)[0]) if group.units else math.nan for rows in (group.a, group.b))
    verdict = _verdict(metric, found, alpha)
    needed = None
    if verdict == "inconclusive":
        needed = units_to_decide(
            wide.value, wide.low, wide.high, group.units, margin=found.margin, alpha=alpha, tests=tests
        )
    correlation = None
    if metric.item is not None and group.units:
        known = unit_correlation(*_items(group, place), group.index)
        correlation = None if math.isnan(known) else known
    return Comparison(
        metric=metric.name,
        a=a,
        b=b,
        difference=wide.value,
        low=wide.low,
        high=wide.high,
        p=found.p,
        p_adjusted=found.adjusted,
        correlation=correlation,
        n=group.units,
        n_rows=len(group.index),
        n_undefined=group.n_undefined,
        verdict=verdict,
        n_needed=needed,
        margin=found.margin,
        method=found.method,
    )


def _verdict(metric: Measured, found: _Found, alpha: float) -> str:
    if math.isnan(found.wide.value):
        return "inconclusive"
    if found.margin is not None and -found.margin < found.narrow.low and found.narrow.high < found.margin:
        return "equivalent"
    if not found.adjusted < alpha:
        return "inconclusive"
    return "better" if (found.wide.value > 0) == (metric.better == "higher") else "worse"
