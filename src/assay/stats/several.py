"""More than two models on the same samples: Cochran's Q, Friedman's test, Nemenyi's pairs; each model's set of ranks.

Source: Cochran 1950; Friedman 1937 (ties: Conover 1999); Nemenyi 1963; Demšar 2006; Mogstad et al. 2024 (rank sets).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.stats.finding import Finding
from assay.stats.inputs import share, table
from assay.stats.multiplicity import holm, max_t
from assay.stats.permutation import sign_flip
from assay.stats.streams import stream
from assay.stats.units import Labels, codes, unit_sums

Values = NDArray[np.float64]

FAMILIES = ("holm", "max_t")


def cochran_q(right: ArrayLike) -> Finding:
    """Cochran's Q of ``right[n, m]`` (0 or 1): are m models right equally often? χ² with m - 1 degrees of freedom.

    NaN and p of 1 where every sample has one answer from all. Raises `ValueError` for what is not 0 or 1, naming it, and
    for fewer than two models.

    >>> found = cochran_q([[1, 1, 0], [1, 1, 0], [1, 0, 0], [1, 1, 1], [0, 1, 0], [1, 1, 0]])
    >>> round(found.statistic, 3), round(found.p, 4)
    (6.4, 0.0408)
    """
    given = table(right, "right")
    other = np.argwhere((given != 0) & (given != 1))
    if len(other):
        row, column = other[0]
        raise ValueError(f"right: 0 or 1 was expected, row {row}, model {column} is {given[row, column]}")
    m, of_model, of_sample = given.shape[1], given.sum(axis=0), given.sum(axis=1)
    below = m * of_sample.sum() - (of_sample**2).sum()
    if below == 0:
        return Finding(math.nan, 1.0, len(given), "cochran q")
    statistic = (m - 1) * (m * (of_model**2).sum() - of_model.sum() ** 2) / below
    return _chi2(float(statistic), m - 1, len(given), "cochran q")


def friedman(scores: ArrayLike) -> Finding:
    """Friedman's test of ``scores[n, m]``, ranked within each sample: have m models one mean rank? Ties corrected.

    NaN and p of 1 where all ranks tie. Raises `ValueError` for fewer than two models, a score that is not finite.

    >>> round(friedman([[9, 8, 7], [6, 5, 4], [9, 7, 8], [5, 4, 3]]).statistic, 3)
    6.5
    """
    ranks = _ranks(table(scores))
    n, m = ranks.shape
    apart = ((ranks.sum(axis=0) - n * (m + 1) / 2) ** 2).sum()
    spread = (ranks**2).sum() - n * m * (m + 1) ** 2 / 4
    if spread <= 1e-12:
        return Finding(math.nan, 1.0, n, "friedman")
    return _chi2(float((m - 1) * apart / spread), m - 1, n, "friedman")


def nemenyi(scores: ArrayLike) -> tuple[Values, Values]:
    """Nemenyi's pairs after `friedman`: the mean ranks ``[m]`` (1 is the highest score) and p-values ``[m, m]``.

    Mean ranks are compared with the range of m normal variables, so that the family-wise error keeps its level; Holm on
    pairwise tests (`rank_sets`) finds more.

    >>> ranks, p = nemenyi([[9, 8, 7], [6, 5, 4], [9, 7, 8], [5, 4, 3]] * 5)
    >>> ranks.tolist(), round(float(p[0, 2]), 4)
    ([1.0, 2.25, 2.75], 0.0)
    """
    from scipy.stats import studentized_range

    ranks = _ranks(-table(scores))
    n, m = ranks.shape
    mean = ranks.mean(axis=0)
    q = np.abs(mean[:, None] - mean) / math.sqrt(m * (m + 1) / (6 * n)) * math.sqrt(2)
    p = np.ones((m, m))
    upper = np.triu_indices(m, 1)
    p[upper] = studentized_range.sf(q[upper], m, np.inf)
    return mean, np.minimum(p, p.T)


@dataclass(frozen=True, slots=True)
class RankSet:
    """The ranks that a model can have: between 1 + how many are better and M - how many are worse, by the tests.

    With probability 1 - α at least, all models' true ranks lie in their sets at once.
    """

    name: str
    mean: float
    best: int
    worst: int


def rank_sets(
    scores: ArrayLike,
    names: Sequence[str] | None = None,
    unit: Labels | None = None,
    *,
    alpha: float = 0.05,
    family: str = "holm",
    resamples: int = 99_999,
    seed: int = 0,
) -> list[RankSet]:
    """Simultaneous sets of ranks of M models from ``scores[n, M]`` on the same samples, the highest mean first.

    All pairs are tested by sign flips of units' differences; ``family`` says how they are corrected: ``holm``, or
    ``max_t``, which knows how scores move together. Raises `ValueError` for names that do not fit, another family.

    >>> scores = np.random.default_rng(0).normal([0.9, 0.5, 0.5], 0.3, (80, 3))
    >>> [(one.name, one.best, one.worst) for one in rank_sets(scores, ["a", "b", "c"])]
    [('a', 1, 1), ('c', 2, 3), ('b', 2, 3)]
    """
    given = table(scores)
    share(alpha, "alpha")
    n, m = given.shape
    named = [str(place) for place in range(m)] if names is None else list(names)
    if len(named) != m or len(set(named)) < m:
        raise ValueError(f"a name of its own for each of {m} models was expected, not {named}")
    if family not in FAMILIES:
        raise ValueError(f"a family of {', '.join(FAMILIES)} was expected, not {family!r}")
    index = codes(unit, n)
    both = list(combinations(range(m), 2))
    apart = np.column_stack([given[:, i] - given[:, j] for i, j in both])
    if family == "holm":
        sums = unit_sums(apart, index)
        p = holm(sign_flip(sums, resamples=resamples, rng=stream(seed, "sign-flip"))[0])
    else:
        p = max_t(apart, index, resamples=resamples, seed=seed)
    return sets_of_ranks(named, given.mean(axis=0), both, apart.mean(axis=0), p < alpha)


def sets_of_ranks(
    names: Sequence[str],
    values: Values,
    pairs: Sequence[tuple[int, int]],
    differences: Values,
    significant: NDArray[np.bool_],
) -> list[RankSet]:
    """Each model's ranks from which of the ``pairs`` (i, j) differ significantly, by ``differences`` i - j; best value first."""
    m = len(names)
    better, worse = np.zeros(m, dtype=int), np.zeros(m, dtype=int)
    for (i, j), mean, one in zip(pairs, differences, significant, strict=True):
        if one:
            over, under = (i, j) if mean > 0 else (j, i)
            worse[over] += 1
            better[under] += 1
    order = np.argsort(-values, kind="stable")
    return [RankSet(names[k], float(values[k]), int(1 + better[k]), int(m - worse[k])) for k in order]


def _ranks(scores: Values) -> Values:
    from scipy.stats import rankdata

    return np.asarray(rankdata(scores, axis=1), dtype=np.float64)


def _chi2(statistic: float, freedom: int, n: int, method: str) -> Finding:
    from scipy.special import chdtrc

    return Finding(statistic, float(chdtrc(freedom, statistic)), n, method)
