"""Do 95 % intervals hold the truth in 95 % of data sets, and do tests at 5 % err in 5 %? `python -m benchmarks.coverage`.

Every case draws thousands of data sets from a known truth. Printed: the share of intervals that hold it (or of tests that
err), the standard error of that share, and how many errors lay on either side. `--data-sets 2000` says how many,
`--only NAME` which cases.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay import metrics, stats
from assay.stats.contrast import Contrast, paired_rows
from assay.stats.permutation import sign_flip, swap

Rng = np.random.Generator
Drawn = tuple[dict[str, NDArray[Any]], NDArray[Any] | None, float]
RESAMPLES = 999


@dataclass(frozen=True)
class Case:
    """A metric's interval over data sets that ``draw`` makes: rows, units, the truth."""

    name: str
    metric: str
    draw: Callable[[Rng], Drawn]
    contrast: bool = False


def accuracy(n: int, p: float) -> Callable[[Rng], Drawn]:
    """Independent answers."""
    return lambda rng: ({"correct": (rng.random(n) < p) * 1.0}, None, p)


def clustered_accuracy(groups: int, size: int) -> Callable[[Rng], Drawn]:
    """Images of one to 2 ``size`` - 1 questions; some images are hard."""

    def draw(rng: Rng) -> Drawn:
        unit = np.repeat(np.arange(groups), rng.integers(1, 2 * size, groups))
        ease = rng.beta(3, 1, groups)
        return {"correct": (rng.random(len(unit)) < ease[unit]) * 1.0}, unit, 0.75

    return draw


def recall(n: int, groups: int | None = None) -> Callable[[Rng], Drawn]:
    """Recall at 5 of queries with five positives, most of them missed; in clusters half of a query's recall is its cluster's."""
    values, p = np.array([0, 0.2, 0.4, 1]), [0.6, 0.2, 0.1, 0.1]

    def draw(rng: Rng) -> Drawn:
        own = rng.choice(values, n, p=p)
        if groups is None:
            return {"recall@5": own}, None, 0.18
        unit = rng.integers(0, groups, n)
        shared = rng.choice(values, groups, p=p)[unit]
        return {"recall@5": np.where(rng.random(n) < 0.5, own, shared)}, unit, 0.18

    return draw


def skewed(n: int, size: int = 1) -> Callable[[Rng], Drawn]:
    """Exponential scores; in clusters of one size half of a score is its cluster's."""

    def draw(rng: Rng) -> Drawn:
        unit = np.repeat(np.arange(n // size), size)
        x = (
            rng.exponential(size=n)
            if size == 1
            else (rng.exponential(size=n) + rng.exponential(size=n // size)[unit]) / 2
        )
        return {"nll": x}, unit if size > 1 else None, 1.0

    return draw


SHARES = np.array([0.3, 0.25, 0.2, 0.15, 0.1])


def labels(n: int, groups: int | None = None) -> Callable[[Rng], Drawn]:
    """Five classes, none rare, three of four answers right and the rest by the classes' shares; clusters differ in ease."""
    confusion = 0.7 * np.diag(SHARES) + 0.3 * np.outer(SHARES, SHARES)
    truth = float(np.mean(2 * np.diag(confusion) / (confusion.sum(axis=0) + confusion.sum(axis=1))))

    def draw(rng: Rng) -> Drawn:
        unit = None if groups is None else rng.integers(0, groups, n)
        ease = np.full(n, 0.7) if unit is None or groups is None else rng.beta(7, 3, groups)[unit]
        true, other = rng.choice(5, n, p=SHARES), rng.choice(5, n, p=SHARES)
        return {"true": true, "predicted": np.where(rng.random(n) < ease, true, other)}, unit, truth

    return draw


def labels_twice(n: int) -> Callable[[Rng], Drawn]:
    """Two models on the same samples, alike in what they find hard, one better by 0.1."""
    truths = []
    for right in (0.7, 0.6):
        confusion = right * np.diag(SHARES) + (1 - right) * np.outer(SHARES, SHARES)
        truths.append(float(np.mean(2 * np.diag(confusion) / (confusion.sum(axis=0) + confusion.sum(axis=1)))))

    def draw(rng: Rng) -> Drawn:
        true, other, hard = rng.choice(5, n, p=SHARES), rng.choice(5, n, p=SHARES), rng.random(n)
        both = [{"true": true, "predicted": np.where(hard < right, true, other)} for right in (0.7, 0.6)]
        return dict(paired_rows(*both)), None, truths[0] - truths[1]

    return draw


def ranks(n: int) -> Callable[[Rng], Drawn]:
    """Geometric ranks of median 14."""
    return lambda rng: ({"rank": rng.geometric(0.05, n).astype(float)}, None, 14.0)


CASES = [
    Case("accuracy, n = 200, p = .9", "accuracy", accuracy(200, 0.9)),
    Case("accuracy, n = 2000, p = .7", "accuracy", accuracy(2000, 0.7)),
    Case("accuracy, 30 clusters of about 10", "accuracy", clustered_accuracy(30, 10)),
    Case("accuracy, 100 clusters of about 5", "accuracy", clustered_accuracy(100, 5)),
    Case("recall@5, n = 200", "recall@5", recall(200)),
    Case("recall@5, n = 2000", "recall@5", recall(2000)),
    Case("recall@5, n = 600 in 40 clusters", "recall@5", recall(600, 40)),
    Case("mean of exponential scores, n = 50", "nll", skewed(50)),
    Case("mean of exponential scores, n = 500", "nll", skewed(500)),
    Case("the same, 40 clusters of 10", "nll", skewed(400, 10)),
    Case("macro-F1, n = 200", "macro_f1", labels(200)),
    Case("macro-F1, n = 2000", "macro_f1", labels(2000)),
    Case("macro-F1, n = 600 in 30 clusters", "macro_f1", labels(600, 30)),
    Case("macro-F1, n = 2000 in 100 clusters", "macro_f1", labels(2000, 100)),
    Case("difference of macro-F1, n = 400", "macro_f1", labels_twice(400), contrast=True),
    Case("median rank, n = 201", "median_rank", ranks(201)),
]


@dataclass(frozen=True)
class Test:
    """A test of data sets in which nothing differs: how often does it err?"""

    name: str
    p: Callable[[Rng], float]


def alike(rng: Rng, n: int, groups: int | None = None) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.intp]]:
    """Two models that are right equally often, on samples that are hard for both; the numbers of the units."""
    index = np.arange(n) if groups is None else np.unique(rng.integers(0, groups, n), return_inverse=True)[1]
    ease = rng.beta(2, 1, int(index.max()) + 1)[index]
    a, b = ((rng.random(n) < ease) * 1.0 for _ in range(2))
    return a, b, index


def by_flips(n: int, groups: int | None = None, *, mid: bool = False, whole: bool = True) -> Callable[[Rng], float]:
    """Sign flips of the units' sums; of scores that are not ``whole`` but anything between 0 and 1."""

    def p(rng: Rng) -> float:
        a, b, index = alike(rng, n, groups)
        if not whole:
            a, b = (0.7 * side + 0.3 * rng.random(n) for side in (a, b))
        return float(sign_flip(np.bincount(index, a - b)[:, None], resamples=1999, rng=rng, mid=mid)[0][0])

    return p


def by_swaps(n: int) -> Callable[[Rng], float]:
    """Swapped answers, macro-F1."""
    metric = metrics.get("macro_f1")

    def p(rng: Rng) -> float:
        true, hard = rng.choice(5, n, p=SHARES), rng.random(n)
        a, b = (
            {"true": true, "predicted": np.where(hard + rng.normal(0, 0.2, n) < 0.7, true, rng.choice(5, n, p=SHARES))}
            for _ in range(2)
        )
        return swap(metric, a, b, np.arange(n), resamples=999, rng=rng)

    return p


def by_mcnemar(n: int, *, mid: bool) -> Callable[[Rng], float]:
    """McNemar's exact test, or its mid-p."""

    def p(rng: Rng) -> float:
        a, b, _ = alike(rng, n)
        return stats.mcnemar(*stats.discordant(a > 0, b > 0), mid=mid)

    return p


def by_cluster_mcnemar(groups: int) -> Callable[[Rng], float]:
    """Obuchowski's test."""
    return lambda rng: stats.mcnemar_clustered(*alike(rng, groups * 8, groups)).p


def by_wild_clusters(groups: int) -> Callable[[Rng], float]:
    """The wild cluster bootstrap of skewed differences."""

    def p(rng: Rng) -> float:
        unit = np.repeat(np.arange(groups), rng.integers(1, 12, groups))
        x = (rng.exponential(size=groups) - rng.exponential(size=groups))[unit] + rng.standard_normal(len(unit))
        return stats.wild_cluster(x, unit, resamples=499, seed=int(rng.integers(1 << 30))).p

    return p


def by_compare(n: int) -> Callable[[Rng], float]:
    """The least Holm-adjusted p of a comparison by three metrics: its family-wise error."""
    chosen = [metrics.get(name) for name in ("accuracy", "macro_f1", "balanced_accuracy")]

    def p(rng: Rng) -> float:
        true, hard = rng.choice(5, n, p=SHARES), rng.random(n)
        rows = []
        for _ in range(2):
            predicted = np.where(hard + rng.normal(0, 0.2, n) < 0.7, true, rng.choice(5, n, p=SHARES))
            rows.append({"true": true, "predicted": predicted, "correct": (true == predicted) * 1.0})
        return min(one.p_adjusted for one in stats.compare(chosen, *rows))

    return p


TESTS = [
    Test("sign flips, right or wrong, n = 200", by_flips(200)),
    Test("sign flips mid-p, right or wrong, n = 200", by_flips(200, mid=True)),
    Test("sign flips mid-p, right or wrong, 40 clusters", by_flips(400, 40, mid=True)),
    Test("sign flips, scores, n = 200", by_flips(200, whole=False)),
    Test("sign flips, scores, 40 clusters", by_flips(400, 40, whole=False)),
    Test("sign flips, scores, 15 clusters, exact", by_flips(90, 15, whole=False)),
    Test("swaps, macro-F1, n = 200", by_swaps(200)),
    Test("McNemar exact, n = 200", by_mcnemar(200, mid=False)),
    Test("McNemar mid-p, n = 200", by_mcnemar(200, mid=True)),
    Test("McNemar in 40 clusters", by_cluster_mcnemar(40)),
    Test("wild clusters, 12 skewed", by_wild_clusters(12)),
    Test("comparison of three metrics, n = 300 (family)", by_compare(300)),
]


def intervals_of(case: Case, data_sets: int) -> str:
    """A line about an interval."""
    rng, metric = np.random.default_rng(7), metrics.get(case.metric)
    below = above = 0
    for seed in range(data_sets):
        rows, unit, truth = case.draw(rng)
        chosen = Contrast(metric) if case.contrast else metric
        (found,) = stats.intervals([chosen], rows, unit, seed=seed, resamples=RESAMPLES)
        below += found.high < truth - 1e-12
        above += found.low > truth + 1e-12
    held = 1 - (below + above) / data_sets
    error = math.sqrt(held * (1 - held) / data_sets)
    return f"{case.name:<46} {held:.4f} ± {error:.4f}   too low {below}, too high {above}"


def errors_of(test: Test, data_sets: int) -> str:
    """A line about a test."""
    rng = np.random.default_rng(7)
    share = sum(test.p(rng) <= 0.05 for _ in range(data_sets)) / data_sets
    return f"{test.name:<46} {share:.4f} ± {math.sqrt(share * (1 - share) / data_sets):.4f}"


def lines(only: str, data_sets: int) -> Iterator[str]:
    """All of them, as they are done."""
    yield f"intervals at 95 %: the share of {data_sets} data sets whose truth they hold"
    yield from (intervals_of(case, data_sets) for case in CASES if only in case.name)
    yield f"tests at 5 %: the share of {data_sets} data sets without a difference in which they see one"
    yield from (errors_of(test, data_sets) for test in TESTS if only in test.name)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-sets", type=int, default=2000)
    parser.add_argument("--only", default="", help="part of a case's name")
    given = parser.parse_args()
    started = time.perf_counter()
    for line in lines(given.only, given.data_sets):
        print(line, flush=True)
    print(f"{time.perf_counter() - started:.0f} s")
