"""Which of two runs is better: paired over the units that both answered, with a verdict.

The interval is that of the difference A - B, made as any metric's is (`assay.stats.interval`); the test is a paired
permutation over units: sign flips where the metric is a mean, swapped rows where it is not. Verdicts go by the p-value,
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
from assay.stats.interval import Interval, intervals
from assay.stats.measured import Measured, Rows, defined
from assay.stats.multiplicity import holm
from assay.stats.permutation import sign_flip, swap
from assay.stats.power import sample_size
from assay.stats.quantiles import normal
from assay.stats.streams import stream
from assay.stats.units import codes, unit_sums

FLIPS = 99_999
SWAPS = 9_999


@dataclass(frozen=True, slots=True)
class Comparison:
    """One metric of two runs. ``difference`` is A - B and ``verdict`` speaks of A, in the metric's own direction:
    ``better``, ``worse``, ``equivalent`` (within ``margin``) or ``inconclusive``.

    ``n`` units in ``n_rows`` rows were compared; ``n_undefined`` rows were NaN in either run and left out.
    ``correlation`` is that of the units' items (None where the metric has none). ``n_needed``: units for 80 % power
    to see ``margin``, or without one a difference as large as this, where inconclusive; None where no number can be
    given.
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
    unit: Sequence[Any] | NDArray[Any] | None = None,
    *,
    margin: float | Mapping[str, float] | None = None,
    seed: int = 0,
    alpha: float = 0.05,
) -> list[Comparison]:
    """Compare two runs by each of ``metrics``; row i of ``rows_a`` and of ``rows_b`` is the same sample.

    ``unit`` labels the rows' units (None: the row); ``margin`` is the difference that does not matter, one for all
    or by metric. Raises `ValueError` when the rows are not of one length.
    """
    if not metrics:
        return []
    lengths = {len(rows[name]) for rows in (rows_a, rows_b) for metric in metrics for name in metric.columns}
    if len(lengths) != 1:
        raise ValueError(f"aligned rows were expected (row i of both is one sample), not lengths {sorted(lengths)}")
    index = codes(unit, lengths.pop())
    pairs = [_pair(metric, rows_a, rows_b, index) for metric in metrics]
    p, methods = _tests(pairs, seed)
    adjusted = holm(p)
    out = []
    for place, pair in enumerate(pairs):
        least = margin.get(pair.metric.name) if isinstance(margin, Mapping) else margin
        found = _Found(p[place], float(adjusted[place]), methods[place])
        out.append(_comparison(pair, found, margin=least, seed=seed, alpha=alpha, tests=len(metrics)))
    return out


@dataclass(frozen=True, slots=True)
class _Paired:
    """The rows of one metric that are defined in both runs."""

    metric: Measured
    a: Rows
    b: Rows
    index: NDArray[np.intp]
    units: int
    n_undefined: int


@dataclass(frozen=True, slots=True)
class _Found:
    """What the test gave."""

    p: float
    adjusted: float
    method: str


def _pair(metric: Measured, rows_a: Rows, rows_b: Rows, index: NDArray[np.intp]) -> _Paired:
    there = defined(rows_a, metric.columns) & defined(rows_b, metric.columns)
    kept, compact = np.unique(index[there], return_inverse=True)
    a, b = ({name: rows[name][there] for name in metric.columns} for rows in (rows_a, rows_b))
    return _Paired(metric, a, b, compact, len(kept), int((~there).sum()))


def _tests(pairs: Sequence[_Paired], seed: int) -> tuple[list[float], list[str]]:
    """The p-value and its method for every pair; means over the same units share their tosses."""
    p, methods = [math.nan] * len(pairs), ["none"] * len(pairs)
    means: dict[bytes, list[int]] = {}
    for place, pair in enumerate(pairs):
        if not pair.units:
            continue
        if pair.metric.item is not None:
            means.setdefault(pair.index.tobytes(), []).append(place)
        else:
            rng = stream(seed, "swap", pair.metric.name)
            p[place] = swap(pair.metric, pair.a, pair.b, pair.index, resamples=SWAPS, rng=rng)
            methods[place] = "swap"
    for places in means.values():
        differences = np.column_stack([_item(pairs[place], "a") - _item(pairs[place], "b") for place in places])
        sums = unit_sums(differences, pairs[places[0]].index)
        found, how = sign_flip(sums, resamples=FLIPS, rng=stream(seed, "sign-flip"))
        for place, value in zip(places, found, strict=True):
            p[place], methods[place] = float(value), how
    return p, methods


def _item(pair: _Paired, side: str) -> NDArray[np.float64]:
    assert pair.metric.item is not None
    return np.asarray((pair.a if side == "a" else pair.b)[pair.metric.item], dtype=np.float64)


def _comparison(
    pair: _Paired, found: _Found, *, margin: float | None, seed: int, alpha: float, tests: int
) -> Comparison:
    weights = np.ones((1, len(pair.index)))
    a, b = (float(pair.metric.aggregate(rows, weights)[0]) if pair.units else math.nan for rows in (pair.a, pair.b))
    between = _between(pair, seed, 1 - alpha)
    verdict = _verdict(pair, found, between.value, margin=margin, seed=seed, alpha=alpha)
    needed = _needed(between, pair.units, margin, alpha=alpha, tests=tests) if verdict == "inconclusive" else None
    return Comparison(
        pair.metric.name,
        a,
        b,
        between.value,
        between.low,
        between.high,
        found.p,
        found.adjusted,
        _correlation(pair),
        pair.units,
        len(pair.index),
        pair.n_undefined,
        verdict,
        needed,
        margin,
        found.method,
    )


def _between(pair: _Paired, seed: int, level: float) -> Interval:
    """The difference with its interval."""
    (found,) = intervals([Contrast(pair.metric)], paired_rows(pair.a, pair.b), pair.index, seed=seed, level=level)
    return found


def _verdict(pair: _Paired, found: _Found, difference: float, *, margin: float | None, seed: int, alpha: float) -> str:
    if math.isnan(difference):
        return "inconclusive"
    if margin is not None:
        narrow = _between(pair, seed, 1 - 2 * alpha)
        if -margin < narrow.low and narrow.high < margin:
            return "equivalent"
    if not found.adjusted < alpha:
        return "inconclusive"
    return "better" if (difference > 0) == (pair.metric.better == "higher") else "worse"


def _needed(between: Interval, units: int, margin: float | None, *, alpha: float, tests: int) -> int | None:
    """From the interval's width: one unit's variance is n SE². The tests share the level, as in Holm's first step."""
    if not 0 < between.high - between.low < math.inf:
        return None
    se = (between.high - between.low) / (2 * normal(1 - alpha / 2))
    effect = abs(between.value) if margin is None else margin
    n = sample_size(effect, se**2 * units, alpha=alpha / tests)
    return None if math.isnan(n) else math.ceil(n)


def _correlation(pair: _Paired) -> float | None:
    if pair.metric.item is None or pair.units < 2:
        return None
    sums = unit_sums(np.column_stack([_item(pair, "a"), _item(pair, "b"), np.ones(len(pair.index))]), pair.index)
    a, b = sums[:, 0] / sums[:, 2], sums[:, 1] / sums[:, 2]
    spread = float(a.std() * b.std())
    return float(((a - a.mean()) * (b - b.mean())).mean() / spread) if spread > 0 else None
