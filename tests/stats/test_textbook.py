"""The textbook pieces by themselves: golden values, cases worked by hand, and what each does with what it cannot use."""

import math

import numpy as np
import pytest

from assay import stats
from assay.metrics.metric import Metric, of_sums, ratio
from assay.stats.permutation import sign_flip
from assay.stats.units import codes, unit_sums

NAN = math.nan
CLUSTERS = list("aaabbbcccddd")
SCORES = [1.0, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 0]


def test_proportions_of_8_in_10():
    """Science E.1."""
    assert stats.wilson(0.8, 10) == pytest.approx((0.490162, 0.943318), abs=1e-6)
    assert stats.clopper_pearson(8, 10) == pytest.approx((0.443905, 0.974789), abs=1e-6)
    assert stats.jeffreys(8, 10) == pytest.approx((0.497226, 0.955941), abs=1e-6)
    assert stats.wald(8, 10) == pytest.approx((0.552082, 1.0), abs=1e-6)


@pytest.mark.parametrize("interval", [stats.clopper_pearson, stats.jeffreys, stats.wald])
def test_proportions_at_the_ends(interval):
    assert all(math.isnan(x) for x in interval(0, 0))
    assert interval(0, 5)[0] == 0.0
    assert interval(5, 5)[1] == 1.0
    with pytest.raises(ValueError, match="6 of 5"):
        interval(6, 5)


def test_clustered_mean():
    """Science E.1: .215166 with G - 1 = 3 degrees of freedom; unclustered .150756."""
    found = stats.clustered_mean(SCORES, CLUSTERS)
    assert (found.value, found.n_rows, found.n_clusters, found.few) == (0.5, 12, 4, True)
    assert found.se == pytest.approx(0.215166, abs=1e-6)
    assert found.design_effect == pytest.approx((0.215166 / 0.150756) ** 2, abs=1e-4)
    assert found.high - 0.5 == pytest.approx(3.182446 * 0.215166, abs=1e-5)
    alone = stats.clustered_mean([2.0])
    assert alone.value == 2.0
    assert math.isnan(alone.low)
    assert stats.clustered_mean([2.0, 2.0]).se == 0.0


def test_wild_clusters_agree_with_t_where_both_hold():
    rng = np.random.default_rng(0)
    unit = np.repeat(np.arange(60), 4)
    y = rng.standard_normal(60)[unit] + rng.standard_normal(240)
    wild, t = stats.wild_cluster(y, unit, resamples=1999), stats.clustered_mean(y, unit)
    assert (wild.low, wild.high) == pytest.approx((t.low, t.high), abs=0.04)
    assert stats.wild_cluster(y, unit, null=wild.low, resamples=1999).p == pytest.approx(0.05, abs=0.01)
    assert stats.wild_cluster(y, unit, null=2.0, resamples=1999).p < 0.01


def test_wild_clusters_that_cannot_tell():
    assert math.isnan(stats.wild_cluster([1.0, 2.0], ["u", "u"]).p)
    same = stats.wild_cluster([0.5] * 6, list("aabbcc"), null=0.5)
    assert (same.low, same.high, same.p) == (0.5, 0.5, 1.0)
    assert stats.wild_cluster([0.5] * 6, list("aabbcc")).p == 0.0
    two = stats.wild_cluster([0.0, 1.0])
    assert (two.low, two.high) == (-math.inf, math.inf)


def test_repeats_reduce_only_what_varies_within_a_sample():
    rng = np.random.default_rng(0)
    ease = rng.beta(2, 2, 4000)
    few, many = (stats.replicated_mean((rng.random((4000, k)) < ease[:, None]) * 1.0) for k in (2, 16))
    assert few.between == pytest.approx(0.05, abs=0.012)  # the variance of Beta(2, 2)
    assert few.within == pytest.approx(0.2, abs=0.01)  # the mean of p(1 - p)
    assert few.se_at(16) == pytest.approx(many.se, rel=0.06)
    once = stats.replicated_mean([[0.0], [1.0], [1.0]])
    assert math.isnan(once.within)
    assert once.se == pytest.approx(stats.clustered_mean([0, 1, 1]).se)
    clustered = stats.replicated_mean(np.array(SCORES)[:, None], CLUSTERS)
    assert clustered.se == pytest.approx(0.215166, abs=1e-6)


def test_mcnemar_chi2():
    """[[50, 5], [15, 30]] (science E.3)."""
    found, plain = stats.mcnemar_chi2(5, 15), stats.mcnemar_chi2(5, 15, corrected=False)
    assert (found.statistic, plain.statistic) == (4.05, 5.0)
    assert (found.p, plain.p) == pytest.approx((0.044171, 0.025347), abs=1e-6)
    assert stats.mcnemar_chi2(0, 0).p == 1.0
    assert stats.mcnemar_chi2(3, 3).p == 1.0
    with pytest.raises(ValueError, match="-1"):
        stats.mcnemar(-1, 2)


def test_mcnemar_in_clusters():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 2, (2, 300))
    only_a, only_b = stats.discordant(a == 1, b == 1)
    alone = stats.mcnemar_clustered(a, b, np.arange(300))
    assert alone.statistic == pytest.approx((only_a - only_b) ** 2 / (only_a + only_b) * 299 / 300)
    # Each sample ten times: the clustered test sees 300 clusters still, and says the same.
    repeated = stats.mcnemar_clustered(np.repeat(a, 10), np.repeat(b, 10), np.repeat(np.arange(300), 10))
    assert repeated.statistic == pytest.approx(alone.statistic)
    same = stats.mcnemar_clustered([1, 0], [1, 0], ["u", "v"])
    assert same.p == 1.0
    with pytest.raises(ValueError, match=r"B: right \(1\) or wrong \(0\) was expected, row 1 is 0.5"):
        stats.mcnemar_clustered([1, 0], [1, 0.5], ["u", "v"])


def test_benjamini_yekutieli():
    """As statsmodels has them: the sixth is .06 · 8/6 · Σ 1/j = .21742857 (printed elsewhere as .217424, a slip of the pen)."""
    p = [0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205]
    expected = [0.021743, 0.086971, 0.18264, 0.18264, 0.18264, 0.217429, 0.229853, 0.557161]
    assert stats.benjamini_yekutieli(p).tolist() == pytest.approx(expected, abs=1e-6)
    assert stats.benjamini_yekutieli([]).tolist() == []
    with pytest.raises(ValueError, match="number 1 is 1.5"):
        stats.holm([0.5, 1.5])


def test_max_t_is_the_single_test_for_one_column_and_kinder_than_holm_for_copies():
    rng = np.random.default_rng(0)
    d = rng.standard_normal((80, 1)) + 0.25
    alone, _ = sign_flip(d, resamples=20_000, rng=np.random.default_rng(1))
    assert stats.max_t(d)[0] == pytest.approx(alone[0], abs=0.006)
    copies = d + rng.standard_normal((80, 10)) * 0.01
    assert stats.max_t(copies).max() < 2 * alone[0]
    assert stats.holm(np.repeat(alone, 10)).min() == pytest.approx(10 * alone[0])
    independent = rng.standard_normal((80, 5)) + np.array([0.5, 0, 0, 0, 0])
    p, _ = sign_flip(independent, resamples=20_000, rng=np.random.default_rng(1))
    assert stats.max_t(independent)[0] == pytest.approx(stats.holm(p)[0], abs=0.005)
    assert stats.max_t(np.zeros((5, 2))).tolist() == [1.0, 1.0]


def test_max_t_keeps_the_family_wise_error():
    rng = np.random.default_rng(3)
    wolf = 0
    for seed in range(300):
        shared = rng.standard_normal((40, 1))
        d = shared + rng.standard_normal((40, 6)) * 0.7
        wolf += stats.max_t(d, resamples=499, seed=seed).min() <= 0.05
    assert 0.02 <= wolf / 300 <= 0.08


def test_paired_permutation():
    found = stats.paired_permutation(SCORES, [0.0] * 12, CLUSTERS)
    assert (found.value, found.n_units, found.n_rows) == (0.5, 4, 12)
    assert found.p == 2 / 2**3  # three clusters differ, and all in one direction
    assert found.se == pytest.approx(0.215166, abs=1e-6)
    assert math.isnan(found.correlation)
    alone = stats.paired_permutation([1.0], [0.0])
    assert alone.p == 1.0
    assert math.isnan(alone.low)
    same = stats.paired_permutation([1, 0, 1], [1, 0, 1])
    assert (same.p, same.value, same.correlation) == (1.0, 0.0, pytest.approx(1.0))
    assert stats.paired_permutation([1, 0, 1], [1, 0, 1], list("xyz")).method == "sign-flip exact"


def test_pairing_gains_what_the_correlation_says():
    """SE² = SE_A² + SE_B² - 2 Cov/n (science E.1)."""
    rng = np.random.default_rng(0)
    a = rng.random(200)
    b = a * 0.7 + rng.random(200) * 0.3
    found = stats.paired_permutation(a, b, resamples=99)
    expected = (a.var(ddof=1) + b.var(ddof=1) - 2 * np.cov(a, b)[0, 1]) / 200
    assert found.se == pytest.approx(math.sqrt(expected))
    assert found.correlation == pytest.approx(np.corrcoef(a, b)[0, 1])


def test_paired_bootstrap():
    rng = np.random.default_rng(0)
    metric = Metric("m", dict, of_sums(lambda n, x, y: ratio(x, y), "x", "y"), columns=("x", "y"))
    a = {"x": rng.random(300), "y": np.ones(300)}
    better = {"x": a["x"] + 0.05 + 0.1 * rng.standard_normal(300), "y": np.ones(300)}
    found = stats.paired_bootstrap(metric, better, a)
    assert found.difference == pytest.approx(found.a - found.b)
    assert found.low < found.difference < found.high
    assert found.p == pytest.approx(2 / 10_000)  # no resample went the other way: (1 + 0)/(1 + B), twice
    assert stats.paired_bootstrap(metric, a, a).p == 1.0
    holed = {**a, "x": np.where(np.arange(300) < 10, NAN, a["x"])}
    assert stats.paired_bootstrap(metric, holed, better).n_undefined == 10
    nothing = stats.paired_bootstrap(metric, {"x": np.zeros(0), "y": np.zeros(0)}, {"x": np.zeros(0), "y": np.zeros(0)})
    assert nothing.n == 0
    assert math.isnan(nothing.p)
    with pytest.raises(ValueError, match="aligned rows"):
        stats.paired_bootstrap(metric, a, {"x": np.ones(2), "y": np.ones(2)})


def test_ordinal_tests():
    assert stats.wilcoxon([1, 2], [1, 2]).p == 1.0
    assert stats.wilcoxon([3, 3, 1, 1], [1, 1, 1, 1], list("uuvv")).n == 2
    apart = stats.brunner_munzel([3, 4, 5], [0, 1, 2])
    assert (apart.value, apart.p, apart.statistic) == (1.0, 0.0, math.inf)
    assert stats.brunner_munzel([1, 1], [1, 1]).p == 1.0
    assert stats.superiority([3, 4], [1, 2]) == 1.0


def test_labels_shuffled_within_strata_see_what_strata_hide():
    """Simpson: A is better in each stratum, but has more of the hard one."""
    rng = np.random.default_rng(0)
    a = np.concatenate([rng.normal(0.9, 0.05, 20), rng.normal(0.5, 0.05, 80)])
    b = np.concatenate([rng.normal(0.8, 0.05, 80), rng.normal(0.4, 0.05, 20)])
    strata = ["easy"] * 20 + ["hard"] * 80, ["easy"] * 80 + ["hard"] * 20
    pooled, within = stats.two_sample_permutation(a, b), stats.two_sample_permutation(a, b, *strata)
    assert pooled.statistic < 0
    assert within.statistic == pytest.approx(0.1, abs=0.02)
    assert within.p <= 1e-3
    apart = stats.two_sample_permutation([1, 2], [3, 4], ["x", "x"], ["y", "y"])
    assert apart.p == 1.0
    assert math.isnan(apart.statistic)
    with pytest.raises(ValueError, match="both groups"):
        stats.two_sample_permutation([1], [2], ["x"])


def test_equivalence():
    rng = np.random.default_rng(0)
    a = rng.random(400)
    b = a + rng.normal(0.004, 0.05, 400)
    both = stats.tost(a, b, 0.02)
    assert both.shown
    assert -0.02 < both.low < both.high < 0.02
    one = stats.non_inferiority(a - 0.01, a + rng.normal(0, 0.01, 400), 0.02)
    assert one.shown
    assert not stats.non_inferiority(a - 0.03, a, 0.02).shown
    assert stats.tost([1, 1], [1, 1], 0.1).p == 0.0
    assert math.isnan(stats.tost([1.0], [1.0], 0.1).p)
    with pytest.raises(ValueError, match="margin above 0"):
        stats.tost(a, b, 0.0)


def test_effects():
    assert stats.cohens_h(1.0, 0.0) == pytest.approx(math.pi)
    assert stats.cohens_d([1, 2, 3], [1, 2, 3]) == 0.0
    assert math.isnan(stats.cohens_d([1, 1], [0, 0]))
    assert stats.cohens_d([3, 4, 5, 6], [1, 2, 3, 4], hedges=True) == pytest.approx(1.549193 * (1 - 3 / 23))
    assert stats.matched_odds_ratio(15, 5)[0] == 3.0
    assert stats.matched_odds_ratio(3, 0)[::2] == (math.inf, math.inf)
    assert all(math.isnan(x) for x in stats.matched_odds_ratio(0, 0))
    with pytest.raises(ValueError, match=r"1\.2"):
        stats.cohens_h(1.2, 0.5)


def test_several_models():
    rng = np.random.default_rng(0)
    scores = rng.standard_normal((60, 4)) + np.array([1.0, 0.9, 0.0, 0.0])
    ranks, p = stats.nemenyi(scores)
    assert ranks.argmin() in (0, 1)
    assert p[0, 2] < 0.01 < 0.05 < p[2, 3]
    np.testing.assert_array_equal(p, p.T)
    for family in ("holm", "max_t"):
        found = stats.rank_sets(scores, list("abcd"), family=family, resamples=9999)
        sets = {one.name: (one.best, one.worst) for one in found}
        assert sets == {"a": (1, 2), "b": (1, 2), "c": (3, 4), "d": (3, 4)}
    assert stats.cochran_q([[1, 1], [0, 0]]).p == 1.0
    assert stats.friedman([[1, 1], [2, 2]]).p == 1.0
    alike = stats.rank_sets(np.ones((5, 3)))
    assert [(one.best, one.worst) for one in alike] == [(1, 3)] * 3
    with pytest.raises(ValueError, match="row 0, model 1 is 2"):
        stats.cochran_q([[1, 2], [0, 0]])
    with pytest.raises(ValueError, match="holm, max_t"):
        stats.rank_sets(scores, family="bonferroni")
    with pytest.raises(ValueError, match="each of 4 models"):
        stats.rank_sets(scores, ["a"])


def test_planning():
    assert stats.power(3876, 0.03, 1 / 9 + 1 / 3) == pytest.approx(0.8, abs=1e-4)
    assert stats.power(10, 0.1, 0.0) == 1.0
    assert math.isnan(stats.power(0, 0.1, 1.0))
    n = stats.sample_size(0.1, 2.0, alpha=0.01, power=0.9)
    assert stats.detectable(n, 2.0, alpha=0.01, power=0.9) == pytest.approx(0.1)
    unit = np.repeat(np.arange(500), 8)
    rng = np.random.default_rng(0)
    x = rng.standard_normal(500)[unit] + 2 * rng.standard_normal(4000)
    rho = stats.intraclass_correlation(x, unit)
    assert rho == pytest.approx(1 / 5, abs=0.03)
    assert stats.clustered_mean(x, unit).design_effect == pytest.approx(stats.design_effect(8, rho), rel=0.02)
    assert stats.paired_variance(x, 0 * x) == pytest.approx(x.var(ddof=1))
    assert math.isnan(stats.intraclass_correlation([1, 2], ["a", "b"]))
    with pytest.raises(ValueError, match="size of at least 1"):
        stats.design_effect(0, 0.1)


@pytest.mark.parametrize(
    ("difference", "low", "high", "margin"),
    [
        (0.0, 0.0, 0.0, None),  # no width
        (0.0, -0.1, 0.1, None),  # no difference
        (NAN, NAN, NAN, None),
        (0.1, -math.inf, math.inf, None),
        (1e-12, -0.1, 0.1, None),  # more units than there are
        (0.0, 0.0, 0.0, 0.1),
    ],
)
def test_no_number_of_units_where_none_can_be_given(difference, low, high, margin):
    assert stats.units_to_decide(difference, low, high, 100, margin=margin) is None


def test_the_units_that_would_decide_do_decide():
    """With so many units the test sees the difference in four of five samples."""
    rng = np.random.default_rng(0)
    pilot = rng.normal(0.1, 1, 200)
    se = pilot.std(ddof=1) / math.sqrt(200)
    needed = stats.units_to_decide(0.1, 0.1 - 1.96 * se, 0.1 + 1.96 * se, 200)
    assert needed == pytest.approx(785, rel=0.1)
    seen = [abs(x.mean()) / (x.std() / math.sqrt(needed)) > 1.96 for x in rng.normal(0.1, 1, (400, needed))]
    assert 0.7 < np.mean(seen) < 0.9
    assert stats.units_to_decide(0.028, -0.002, 0.058, 5000, margin=0.03) > 5000  # near the margin and near 0
    assert stats.units_to_decide(0.05, 0.049, 0.051, 5000, margin=0.05) is None  # decided


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: stats.paired_permutation([1, 2], [1]), "2 of A and 1 of B"),
        (lambda: stats.paired_permutation([], []), "at least 1"),
        (lambda: stats.paired_permutation([1, NAN], [1, 2]), "A: row 1 is nan"),
        (lambda: stats.paired_permutation([[1]], [[1]]), "shape"),
        (lambda: stats.clustered_mean([1, 2], ["u"]), "2 rows, 1 units"),
        (lambda: stats.clustered_mean([1, 2], level=95), "a level between 0 and 1 was expected, not 95"),
        (lambda: stats.brunner_munzel([1], [1, 2]), "at least 2"),
        (lambda: stats.friedman([[1], [2]]), "at least 2 models"),
        (lambda: stats.replicated_mean([[1, NAN]]), "row 0, model 1 is nan"),
        (lambda: stats.wild_cluster([]), "at least 1"),
        (lambda: stats.wilson(1.5, 10), "between 0 and 1"),
        (lambda: stats.mcnemar(2.5, 3), "2.5 and 3"),
        (lambda: stats.clopper_pearson(7.5, 10), "whole number"),
        (lambda: stats.holm([[0.1]]), "one row"),
        (lambda: stats.sample_size(0.1, -1.0), "variance of 0 or more"),
        (lambda: stats.power(10, 0.1, 1.0, alpha=5), "alpha between 0 and 1"),
        (lambda: stats.rank_sets([[1, 2]], ["a", "a"]), "name of its own"),
    ],
)
def test_what_cannot_be_used_is_told(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_unit_sums_in_any_order():
    index = codes(["b", "a", "b", "c"], 4)
    assert unit_sums(np.array([[1.0], [2], [3], [4]]), index).ravel().tolist() == [2, 4, 4]
