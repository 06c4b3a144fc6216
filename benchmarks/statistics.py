"""Intervals, tests and ratings beside scipy, scikit-learn and choix. Where the peer would take minutes it is given a part of
the resamples, and its time is scaled to all of them.
"""

from __future__ import annotations

from collections.abc import Iterator

import choix
import numpy as np
from scipy.stats import bootstrap, permutation_test
from sklearn.metrics import f1_score, roc_auc_score

from assay import metrics, stats
from assay.stats import OfSums, Statistic, preference
from benchmarks.pairing import Pairing, pair

ROWS, CLASSES, RESAMPLES = 100_000, 10, 1_000
UNITS, MANY = 5_000, 9_999
PART = 0.01

MEAN = Statistic("mean", OfSums(lambda n, x: x / n, ("x",)), ("x",), item="x")


def macro_f1() -> Pairing:
    """Merged rows: one multinomial draw over the cells of the confusion table."""
    rng = np.random.default_rng(0)
    true = rng.integers(CLASSES, size=ROWS)
    predicted = np.where(rng.random(ROWS) < 0.7, true, rng.integers(CLASSES, size=ROWS))
    f1, rows = metrics.get("macro_f1"), {"true": true, "predicted": predicted}

    def theirs() -> None:
        bootstrap(
            (true, predicted),
            lambda t, p: f1_score(t, p, average="macro"),
            paired=True,
            vectorized=False,
            n_resamples=round(RESAMPLES * PART),
            method="percentile",
            rng=0,
        )

    work = f"macro-F1's interval, {ROWS} rows, {RESAMPLES} resamples"
    return pair(
        work, lambda: stats.intervals([f1], rows, resamples=RESAMPLES), "scipy + scikit-learn", theirs, part=PART
    )


def auroc() -> Pairing:
    """An order made once, weights drawn in it."""
    rng = np.random.default_rng(0)
    positive = (rng.random(ROWS) < 0.3).astype(int)
    score = 1 / (1 + np.exp(-rng.standard_normal(ROWS) - positive))
    metric = metrics.get("auroc")
    rows = metrics.measure([metric], score, positive)

    def theirs() -> None:
        draw = np.random.default_rng(0)
        for _ in range(round(RESAMPLES * PART)):
            taken = draw.integers(0, ROWS, ROWS)
            roc_auc_score(positive[taken], score[taken])

    work = f"AUROC's interval, {ROWS} rows, {RESAMPLES} resamples"
    return pair(work, lambda: stats.intervals([metric], rows, resamples=RESAMPLES), "scikit-learn", theirs, part=PART)


def mean() -> Pairing:
    """BCa of a mean, from the distribution of all resamples."""
    x = np.random.default_rng(0).random(UNITS)
    work = f"BCa interval of a mean, {UNITS} units, {MANY} resamples"
    return pair(
        work,
        lambda: stats.interval(MEAN, {"x": x}, method="bca", resamples=MANY),
        "scipy",
        lambda: bootstrap((x,), np.mean, n_resamples=MANY, method="BCa", batch=200, rng=0),
    )


def accuracy() -> Pairing:
    """The same of answers that are right or wrong: two kinds of rows."""
    x = (np.random.default_rng(0).random(UNITS) < 0.7) * 1.0
    work = f"BCa interval of an accuracy, {UNITS} units, {MANY} resamples"
    return pair(
        work,
        lambda: stats.interval(MEAN, {"x": x}, method="bca", resamples=MANY),
        "scipy",
        lambda: bootstrap((x,), np.mean, n_resamples=MANY, method="BCa", batch=200, rng=0),
    )


def many_sums() -> Pairing:
    """What a corpus of captions needs: a formula of fifteen sums, and ten means over the same units."""
    rng = np.random.default_rng(0)
    rows = {f"c{i}": rng.integers(0, 20, UNITS) + rng.random(UNITS) for i in range(15)}
    table = np.column_stack(list(rows.values()))
    corpus = Statistic("corpus", OfSums(lambda n, *c: c[0] / sum(c[1:], c[0]), tuple(rows)), tuple(rows))
    means = [Statistic(name, OfSums(lambda n, x: x / n, (name,)), (name,), name) for name in list(rows)[:10]]

    def ratio(taken: np.ndarray) -> float:
        sums = table[taken].sum(axis=0)
        return float(sums[0] / sums.sum())

    def theirs() -> None:
        some = round(MANY * 0.1)
        bootstrap((np.arange(UNITS),), ratio, n_resamples=some, vectorized=False, method="percentile", rng=0)
        for name in list(rows)[:10]:
            bootstrap((rows[name],), np.mean, n_resamples=some, method="BCa", batch=200, rng=0)

    work = f"eleven metrics, {UNITS} units, {MANY} resamples"
    return pair(work, lambda: stats.intervals([corpus, *means], rows, resamples=MANY), "scipy", theirs, part=0.1)


def many_slices() -> Pairing:
    """1,400 intervals over 300 rows."""
    rng = np.random.default_rng(0)
    rows = {f"m{i}": rng.random(300) for i in range(14)}
    chosen = [Statistic(name, OfSums(lambda n, x: x / n, (name,)), (name,), name) for name in rows]
    masks = {"all": np.ones(300, dtype=bool)} | {f"part {i}": rng.random(300) < 0.4 for i in range(99)}
    return pair("1,400 intervals over 300 rows", lambda: stats.intervals(chosen, rows, slices=masks))


def permutation() -> Pairing:
    """Sign flips of paired differences."""
    a, b = np.random.default_rng(0).random((2, 2_000))
    work = f"paired permutation test, 2000 units, {MANY} flips"
    return pair(
        work,
        lambda: stats.paired_permutation(a, b, resamples=MANY),
        "scipy",
        lambda: permutation_test(
            (a - b,),
            lambda d, axis: d.mean(axis),
            permutation_type="samples",
            n_resamples=MANY,
            vectorized=True,
            batch=200,
        ),
    )


def ratings() -> Pairing:
    """Ratings of fifty models, ours with intervals."""
    rng = np.random.default_rng(0)
    theta = rng.standard_normal(50)
    a = rng.integers(0, 50, 20_000)
    b = (a + rng.integers(1, 50, 20_000)) % 50
    won = rng.random(20_000) < 1 / (1 + np.exp(theta[b] - theta[a]))
    pairs = [(int(i), int(j)) if w else (int(j), int(i)) for i, j, w in zip(a, b, won, strict=True)]
    names = [f"{i:02}" for i in range(50)]
    first, second = [names[i] for i in a], [names[i] for i in b]

    def ours() -> None:
        preference.bradley_terry(preference.battles(first, second, won * 1.0))

    return pair(
        "Bradley-Terry, 50 models, 20000 battles", ours, "choix", lambda: choix.ilsr_pairwise(50, pairs, alpha=0)
    )


def pairings() -> Iterator[Pairing]:
    """All of them."""
    yield macro_f1()
    yield auroc()
    yield mean()
    yield accuracy()
    yield many_sums()
    yield many_slices()
    yield permutation()
    yield ratings()
