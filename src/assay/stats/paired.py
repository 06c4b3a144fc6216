"""Two systems on the same samples: permutation, bootstrap and rank tests of the difference, clusters moving together.

Which to take: `paired_permutation` for a mean of scores (accuracy, recall, CIDEr-D); `paired_bootstrap` for the interval
of a corpus metric's difference (BLEU, macro-F1, mAP), whose test is a swap of outputs (`assay.stats.compare` gives
both); `wilcoxon` for ordinal scores whose differences can be ranked, not averaged.

Source: Fisher 1935; Noreen 1989; Wilcoxon 1945; Pratt 1959; Koehn 2004 (bootstrap); North, Curtis & Sham 2002 (+1).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.stats.clustered import mean_se
from assay.stats.contrast import Contrast, paired_rows
from assay.stats.finding import Finding
from assay.stats.folded import fold
from assay.stats.inputs import pairs, share
from assay.stats.interval import check_plan, interval
from assay.stats.measured import Measured, Rows, columns_of, defined
from assay.stats.permutation import sign_flip
from assay.stats.quantiles import student
from assay.stats.resample import replicates
from assay.stats.streams import stream
from assay.stats.units import Labels, codes, unit_sums


@dataclass(frozen=True, slots=True)
class Difference:
    """A mean difference A - B with its paired standard error, Student's interval over units, and p by sign flips.

    ``correlation`` is that of the units' mean scores (NaN where a side is constant): what pairing gains.
    """

    value: float
    se: float
    low: float
    high: float
    p: float
    correlation: float
    n_rows: int
    n_units: int
    method: str


def paired_permutation(
    a: ArrayLike,
    b: ArrayLike,
    unit: Labels | None = None,
    *,
    mid: bool = False,
    level: float = 0.95,
    resamples: int = 99_999,
    seed: int = 0,
) -> Difference:
    """Is the mean of ``a[n]`` that of ``b[n]``, row i of both the same sample? By sign flips of the units' differences.

    Exact up to 20 units, beyond by ``resamples`` random flips with p = (1 + #)/(1 + B). ``mid``: of flips that equal what
    was observed half are counted beyond 20 units, for scores that are right or wrong. With one unit nothing can be said:
    p is 1, the interval NaN. Raises `ValueError` for unequal lengths, no rows, a score that is not finite.

    >>> found = paired_permutation([1, 1, 1, 1, 0, 1], [0, 0, 1, 0, 0, 0])
    >>> found.p, round(found.value, 4), found.method
    (0.125, 0.6667, 'sign-flip exact')
    """
    first, second = pairs(a, b)
    index = codes(unit, len(first))
    apart = first - second
    sums = unit_sums(apart[:, None], index)
    p, how = sign_flip(sums, resamples=resamples, rng=stream(seed, "sign-flip"), mid=mid)
    units, value, se = int(index.max()) + 1, float(apart.mean()), mean_se(apart, index)
    half = student(0.5 + share(level, "a level") / 2, units - 1) * se if units > 1 else math.nan
    return Difference(
        value,
        se,
        value - half,
        value + half,
        float(p[0]),
        unit_correlation(first, second, index),
        len(first),
        units,
        how,
    )


def unit_correlation(a: NDArray[np.float64], b: NDArray[np.float64], index: NDArray[np.intp]) -> float:
    """Pearson's correlation of the units' mean scores; NaN where there is one unit, or a side is constant or infinite."""
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return math.nan
    sums = unit_sums(np.column_stack([a, b, np.ones(len(a))]), index)
    first, second = sums[:, 0] / sums[:, 2], sums[:, 1] / sums[:, 2]
    spread = float(first.std() * second.std())
    if spread <= 1e-14 * max(1.0, abs(float(first.mean() * second.mean()))):
        return math.nan
    return float(((first - first.mean()) * (second - second.mean())).mean() / spread)


@dataclass(frozen=True, slots=True)
class PairedBootstrap:
    """A metric of two runs: the difference A - B, its interval, and p from the share of resamples on either side of 0.

    ``n_undefined`` rows are NaN in either run and were left out.
    """

    a: float
    b: float
    difference: float
    low: float
    high: float
    p: float
    n: int
    n_undefined: int


def paired_bootstrap(
    metric: Measured,
    rows_a: Rows,
    rows_b: Rows,
    unit: Sequence[Any] | NDArray[Any] | None = None,
    *,
    level: float = 0.95,
    resamples: int = 9_999,
    seed: int = 0,
) -> PairedBootstrap:
    """The difference of any metric between two runs, units drawn for both at once; row i of both is the same sample.

    p = 2 min((1 + #{Δ* ≤ 0})/(1 + B), (1 + #{Δ* ≥ 0})/(1 + B)), at most 1: it asks whether the interval around the
    difference holds 0. As a *test* the swap of `assay.stats.compare` keeps its level better. The interval is BCa.
    Raises `ValueError` for rows that are not aligned.
    """
    check_plan(resamples, level)
    (rows_a, n), (rows_b, n_b) = columns_of([metric], rows_a), columns_of([metric], rows_b)
    if n != n_b:
        raise ValueError(f"aligned rows were expected (row i of both is one sample), not lengths {n} and {n_b}")
    there = defined(rows_a, metric.columns) & defined(rows_b, metric.columns)
    a, b = ({name: rows[name][there] for name in metric.columns} for rows in (rows_a, rows_b))
    index = codes(unit, len(there))[there]
    if not len(index):
        nan = math.nan
        return PairedBootstrap(nan, nan, nan, nan, nan, nan, 0, len(there))
    index = np.unique(index, return_inverse=True)[1]
    contrast, both = Contrast(metric), paired_rows(a, b)
    weights = np.ones((1, len(index)))
    first, second = (float(metric.aggregate(rows, weights)[0]) for rows in (a, b))
    low, high = interval(contrast, both, index, seed=seed, resamples=resamples, level=level)
    (found,) = replicates([fold(contrast, both, index)], resamples, stream(seed, "bootstrap", "all"))
    known = found[~np.isnan(found)]
    tails = [(1 + int(side.sum())) / (1 + len(known)) for side in (known <= 0, known >= 0)]
    p = min(1.0, 2 * min(tails))
    return PairedBootstrap(first, second, first - second, low, high, p, int(index.max()) + 1, int((~there).sum()))


def wilcoxon(a: ArrayLike, b: ArrayLike, unit: Labels | None = None) -> Finding:
    """Wilcoxon's signed-rank test of paired ordinal scores, two-sided, zeros ranked and then dropped (Pratt).

    Rows of one ``unit`` are averaged first. Exact where scipy can be (few units, no ties, no zeros), else normal. With
    no difference at all p is 1 and the statistic NaN. Raises `ValueError` as `paired_permutation`.

    >>> round(wilcoxon([5, 4, 5, 3, 4, 5, 5, 2], [3, 4, 4, 3, 2, 4, 3, 1]).p, 4)
    0.0312
    """
    first, second = pairs(a, b)
    index = codes(unit, len(first))
    apart = unit_sums((first - second)[:, None], index)[:, 0] / np.bincount(index)
    if not apart.any():
        return Finding(math.nan, 1.0, len(apart), "wilcoxon pratt")
    from scipy import stats as scipy_stats

    found = scipy_stats.wilcoxon(apart, zero_method="pratt", method="auto")
    return Finding(float(found.statistic), float(found.pvalue), len(apart), "wilcoxon pratt")
