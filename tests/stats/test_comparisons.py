"""Paired comparisons: exact tests by hand, verdicts, goldens of the textbook pieces."""

import itertools
import math

import numpy as np
import pytest

from assay import metrics, stats
from assay.metrics.metric import Metric, of_sums, ratio, weighted_mean
from assay.stats.mcnemar import discordant
from assay.stats.permutation import sign_flip, swap
from assay.stats.power import detectable

MEAN = Metric("mean", dict, weighted_mean("x"), item="x")
RANK = metrics.get("median_rank")


def test_mcnemar_goldens():
    """[[50, 5], [15, 30]] (science E.3)."""
    assert stats.mcnemar(5, 15) == pytest.approx(0.041389, abs=1e-6)
    assert stats.mcnemar(5, 15, mid=True) == pytest.approx(0.026604, abs=1e-6)
    assert stats.mcnemar(0, 0) == 1.0
    assert stats.mcnemar(4, 4) == 1.0
    assert discordant(np.array([1, 1, 0], bool), np.array([0, 1, 1], bool)) == (1, 1)


def test_power_golden():
    """δ = .03, ω² = 1/9, σ² = 1/6 each (science E.1)."""
    variance = 1 / 9 + 2 / 6
    assert stats.sample_size(0.03, variance) == pytest.approx(3875.99, abs=0.01)
    assert detectable(3876, variance) == pytest.approx(0.03, abs=1e-6)
    assert math.isnan(stats.sample_size(0.0, variance))


def test_multiplicity_goldens():
    """Science E.4."""
    p = [0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205]
    assert stats.holm(p).tolist() == pytest.approx([0.008, 0.056, *[0.234] * 6])
    expected = [0.008, 0.032, 0.0672, 0.0672, 0.0672, 0.08, 0.084571, 0.205]
    assert stats.benjamini_hochberg(p).tolist() == pytest.approx(expected, abs=1e-6)
    shuffled = stats.holm([0.041, math.nan, 0.001, 0.2])
    assert shuffled.tolist() == pytest.approx([0.082, math.nan, 0.003, 0.2], nan_ok=True)


def test_sign_flips_are_exact_for_few_units():
    differences = np.array([[0.3, 1], [-0.1, -1], [0.5, 1], [0.2, 0], [0.2, 1]])
    signs = np.array(list(itertools.product([1, -1], repeat=5)))
    expected = (np.abs(signs @ differences) >= np.abs(differences.sum(axis=0)) - 1e-12).mean(axis=0)
    found, how = sign_flip(differences, resamples=10, rng=np.random.default_rng(0))
    assert found.tolist() == pytest.approx(expected.tolist())
    assert how == "sign-flip exact"


def test_sign_flips_of_many_units_approach_the_normal_limit():
    d = np.random.default_rng(0).standard_normal((400, 1)) + 0.1
    found, how = sign_flip(d, resamples=50_000, rng=np.random.default_rng(1))
    z = abs(d.sum()) / math.sqrt((d**2).sum())
    assert found[0] == pytest.approx(math.erfc(z / math.sqrt(2)), abs=0.01)
    assert how == "sign-flip"


@pytest.mark.parametrize("clusters", [None, 60])
def test_swaps_agree_with_sign_flips_where_both_apply(clusters):
    rng = np.random.default_rng(0)
    a, b = (rng.integers(0, 2, 240) * 1.0 for _ in range(2))
    index = np.arange(240) if clusters is None else np.arange(240) % clusters
    sums = np.bincount(index, weights=a - b)[:, None]
    flipped, _ = sign_flip(sums, resamples=20_000, rng=np.random.default_rng(1))
    swapped = swap(MEAN, {"x": a}, {"x": b}, index, resamples=20_000, rng=np.random.default_rng(2))
    assert swapped == pytest.approx(flipped[0], abs=0.015)


def pair(n=400, gain=0.1, seed=0):
    rng = np.random.default_rng(seed)
    ease = rng.random(n)
    return {"x": (rng.random(n) < ease + gain) * 1.0}, {"x": (rng.random(n) < ease) * 1.0}


def test_verdicts():
    a, b = pair(gain=0.3)
    better, worse = (stats.compare([MEAN], *rows)[0] for rows in ((a, b), (b, a)))
    assert (better.verdict, worse.verdict) == ("better", "worse")
    assert better.difference == pytest.approx(better.a - better.b)
    assert better.low < better.difference < better.high
    assert (worse.low, worse.high) == pytest.approx((-better.high, -better.low), abs=0.01)
    assert better.p == worse.p < 1e-3
    assert better.n_needed is None
    assert 0 < better.correlation < 1
    (unclear,) = stats.compare([MEAN], *pair(gain=0.02))
    assert unclear.verdict == "inconclusive"
    assert unclear.n_needed > 400


def test_lower_is_better_where_it_is():
    rng = np.random.default_rng(0)
    ranks = {"rank": rng.integers(1, 50, 300).astype(float)}
    worse = {"rank": ranks["rank"] * 2}
    (found,) = stats.compare([RANK], ranks, worse)
    assert found.difference < 0
    assert (found.verdict, found.method, found.correlation) == ("better", "swap", None)


def test_equivalence_needs_a_margin_and_an_interval_within_it():
    a, b = pair(4000, 0.0)
    assert stats.compare([MEAN], a, b)[0].verdict == "inconclusive"
    assert stats.compare([MEAN], a, b, margin=0.1)[0].verdict == "equivalent"
    assert stats.compare([MEAN], a, b, margin={"mean": 0.001})[0].verdict == "inconclusive"
    assert stats.compare([MEAN], a, b, margin={"other": 0.1})[0].margin is None
    narrow = stats.compare([MEAN], *pair(40, 0.0), margin=0.05)[0]
    assert narrow.verdict == "inconclusive"
    assert narrow.n_needed > 40


def test_the_same_answers_twice():
    a, _ = pair(200)
    (found,) = stats.compare([MEAN], a, a)
    assert (found.difference, found.p, found.verdict, found.n_needed) == (0.0, 1.0, "inconclusive", None)
    assert found.low < 0 < found.high
    assert found.correlation == pytest.approx(1.0)


def test_units_move_together():
    a, b = pair(100, 0.15)
    rows = [{"x": np.repeat(r["x"], 10)} for r in (a, b)]
    alone, repeated = stats.compare([MEAN], a, b)[0], stats.compare([MEAN], *rows, np.repeat(np.arange(100), 10))[0]
    assert repeated.n == 100
    assert repeated.n_rows == 1000
    assert repeated.p == alone.p
    assert (repeated.low, repeated.high) == pytest.approx((alone.low, alone.high), abs=0.01)


def test_rows_undefined_in_either_run_leave():
    a, b = {"x": np.array([1.0, np.nan, 1, 0, 1])}, {"x": np.array([0.0, 1, np.nan, 0, 0])}
    (found,) = stats.compare([MEAN], a, b)
    assert (found.n, found.n_undefined, found.difference) == (3, 2, pytest.approx(2 / 3))
    (nothing,) = stats.compare([MEAN], {"x": np.full(3, np.nan)}, {"x": np.ones(3)})
    assert (nothing.n, nothing.verdict, nothing.n_needed) == (0, "inconclusive", None)
    assert math.isnan(nothing.p)


def test_several_metrics_are_corrected():
    a, b = pair(400, 0.12, seed=3)
    other = Metric("other", dict, weighted_mean("y"), item="y")
    noise = [np.random.default_rng(s).random(400) for s in (1, 2)]
    alone = stats.compare([MEAN], a, b)[0]
    both = stats.compare([MEAN, other], {**a, "y": noise[0]}, {**b, "y": noise[1]})
    assert both[0].p == alone.p
    assert both[0].p_adjusted == pytest.approx(2 * alone.p)


def test_labels_compare_whole():
    rng = np.random.default_rng(0)
    true = rng.choice(list("abcd"), 500).tolist()
    answers = [[t if rng.random() < right else "a" for t in true] for right in (0.8, 0.5)]
    wanted = [metrics.get(name) for name in ("accuracy", "macro_f1", "unparsed")]
    rows = [metrics.measure(wanted, one, true, list("abcd")) for one in answers]
    accuracy, f1, unparsed = stats.compare(wanted, *rows)
    assert (accuracy.verdict, f1.verdict, unparsed.verdict) == ("better", "better", "inconclusive")
    assert f1.low < f1.difference < f1.high
    assert f1.p <= 2e-4


def test_shared_keys():
    a, b = stats.shared(["p", "q", "r"], ["r", "s", "p"])
    assert (a.tolist(), b.tolist()) == ([0, 2], [2, 0])
    with pytest.raises(ValueError, match="'p' occurs twice in B"):
        stats.shared(["p"], ["p", "p"])


def test_rows_must_be_aligned():
    with pytest.raises(ValueError, match="aligned rows"):
        stats.compare([MEAN], {"x": np.ones(3)}, {"x": np.ones(4)})


def test_infinity_is_no_evidence():
    scores = np.random.default_rng(0).random(40)
    a, b = {"x": np.append(scores, math.inf)}, {"x": np.append(scores / 2, 0.0)}
    sums = Metric("sums", dict, of_sums(lambda n, x: ratio(x, n), "x"), columns=("x",))
    for metric in (MEAN, sums):
        (found,) = stats.compare([metric], a, b)
        assert (found.difference, found.verdict, found.n_needed) == (math.inf, "inconclusive", None)
        assert math.isnan(found.p)
        (both,) = stats.compare([metric], a, a)
        assert both.verdict == "inconclusive"


def test_rows_are_checked():
    with pytest.raises(ValueError, match="mean reads the column 'x'; the rows have y"):
        stats.compare([MEAN], {"y": np.ones(3)}, {"x": np.ones(3)})
    with pytest.raises(ValueError, match="margin above 0"):
        stats.compare([MEAN], {"x": np.ones(3)}, {"x": np.ones(3)}, margin=0.0)
    (found,) = stats.compare([MEAN], {"x": [1, 0, 1, 1]}, {"x": [0, 0, 1, 1]})
    assert found.difference == 0.25


def test_strata_narrow_a_comparison_that_they_explain():
    rng = np.random.default_rng(0)
    stratum = np.repeat(["easy", "hard"], 100)
    a = {"x": np.where(stratum == "easy", 0.9, 0.3) + rng.uniform(-0.05, 0.05, 200)}
    b = {"x": np.full(200, 0.5) + rng.uniform(-0.05, 0.05, 200)}
    within, whole = (stats.compare([MEAN], a, b, stratum=of)[0] for of in (stratum, None))
    assert within.difference == whole.difference
    assert within.high - within.low < 0.3 * (whole.high - whole.low)
