"""Statistics against statsmodels and scipy on random inputs."""

import numpy as np
import pytest
from scipy import stats as scipy_stats

from assay import stats
from assay.stats.quantiles import student

SEEDS = range(6)
every = pytest.mark.parametrize("seed", SEEDS)


@every
def test_proportions(seed):
    reference = pytest.importorskip("statsmodels.stats.proportion")
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 400))
    for right in {0, n, int(rng.integers(0, n + 1))}:
        for ours, method in ((stats.clopper_pearson, "beta"), (stats.jeffreys, "jeffreys"), (stats.wald, "normal")):
            low, high = reference.proportion_confint(right, n, 0.1, method)
            if method == "jeffreys":  # which we let reach the end where all are alike
                low, high = (0.0 if not right else low), (1.0 if right == n else high)
            assert ours(right, n, level=0.9) == pytest.approx((low, high), abs=1e-9)
        assert stats.wilson(right / n, n, level=0.9) == pytest.approx(
            reference.proportion_confint(right, n, 0.1, "wilson"), abs=1e-9
        )


@every
def test_clustered_means(seed):
    api = pytest.importorskip("statsmodels.api")
    rng = np.random.default_rng(seed)
    unit = rng.integers(0, 12, 90)
    y = rng.random(90) + rng.random(12)[unit]
    for correct, convention in ((True, "finite"), (False, "sandwich")):
        fitted = api.OLS(y, np.ones(90)).fit(
            cov_type="cluster", cov_kwds={"groups": unit, "use_correction": correct, "df_correction": True}, use_t=True
        )
        assert stats.mean_se(y, unit, convention=convention) == pytest.approx(fitted.bse[0])
    found = stats.clustered_mean(y, unit)
    groups = len(np.unique(unit))
    assert found.high - found.value == pytest.approx(student(0.975, groups - 1) * stats.mean_se(y, unit))


@every
def test_mcnemar(seed):
    reference = pytest.importorskip("statsmodels.stats.contingency_tables")
    rng = np.random.default_rng(seed)
    b, c = (int(x) for x in rng.integers(0, 40, 2))
    table = [[10, b], [c, 10]]
    assert stats.mcnemar(b, c) == pytest.approx(reference.mcnemar(table, exact=True).pvalue)
    for corrected in (True, False):
        expected = reference.mcnemar(table, exact=False, correction=corrected)
        found = stats.mcnemar_chi2(b, c, corrected=corrected)
        assert (found.statistic, found.p) == pytest.approx((expected.statistic, expected.pvalue))


@every
def test_multiplicity(seed):
    reference = pytest.importorskip("statsmodels.stats.multitest")
    p = np.random.default_rng(seed).beta(0.5, 2, 17).round(3)
    for ours, method in (
        (stats.holm, "holm"),
        (stats.benjamini_hochberg, "fdr_bh"),
        (stats.benjamini_yekutieli, "fdr_by"),
    ):
        np.testing.assert_allclose(ours(p), reference.multipletests(p, method=method)[1])


@every
def test_several_models(seed):
    contingency = pytest.importorskip("statsmodels.stats.contingency_tables")
    rng = np.random.default_rng(seed)
    right = (rng.random((60, 4)) < [0.4, 0.5, 0.6, 0.6]) * 1
    expected = contingency.cochrans_q(right)
    found = stats.cochran_q(right)
    assert (found.statistic, found.p) == pytest.approx((expected.statistic, expected.pvalue))
    scores = rng.integers(0, 5, (30, 4)) + np.array([0, 0, 1, 1])
    statistic, p = scipy_stats.friedmanchisquare(*scores.T)
    found = stats.friedman(scores)
    assert (found.statistic, found.p) == pytest.approx((statistic, p))


@every
def test_ranks(seed):
    rng = np.random.default_rng(seed)
    a, b = rng.integers(1, 6, 30), rng.integers(1, 7, 40)
    expected = scipy_stats.brunnermunzel(b, a)
    found = stats.brunner_munzel(a, b)
    assert (found.statistic, found.p) == pytest.approx((expected.statistic, expected.pvalue))
    x, y = rng.standard_normal((2, 25)).round(seed % 2 + 1)
    expected = scipy_stats.wilcoxon(x, y, zero_method="pratt", method="auto")
    assert stats.wilcoxon(x, y).p == pytest.approx(expected.pvalue)
    u = scipy_stats.mannwhitneyu(a, b).statistic
    assert stats.superiority(a, b) == pytest.approx(u / (30 * 40))


@every
def test_permutations(seed):
    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal((2, 10)).round(1)
    expected = scipy_stats.permutation_test(
        (a - b,), np.mean, permutation_type="samples", n_resamples=np.inf, vectorized=False
    )
    assert stats.paired_permutation(a, b).p == pytest.approx(expected.pvalue)
    x, y = rng.standard_normal(8), rng.standard_normal(7) + 1
    exact = scipy_stats.permutation_test(
        (x, y), lambda p, q, axis: p.mean(axis) - q.mean(axis), n_resamples=np.inf, vectorized=True
    )
    assert stats.two_sample_permutation(x, y, resamples=20_000).p == pytest.approx(exact.pvalue, abs=0.015)


@every
def test_equivalence(seed):
    reference = pytest.importorskip("statsmodels.stats.weightstats")
    rng = np.random.default_rng(seed)
    a = rng.standard_normal(40)
    b = a + rng.standard_normal(40) * 0.3
    p, *_ = reference.DescrStatsW(a - b).ttost_mean(-0.1, 0.1)
    found = stats.tost(a, b, 0.1)
    assert found.p == pytest.approx(p)
    assert found.shown == (found.low > -0.1 and found.high < 0.1)


@every
def test_power(seed):
    reference = pytest.importorskip("statsmodels.stats.power")
    rng = np.random.default_rng(seed)
    effect, n = float(rng.uniform(0.05, 0.6)), int(rng.integers(20, 300))
    expected = reference.NormalIndPower(ddof=0).power(effect, n, 0.05, ratio=0)
    assert stats.power(n, effect, 1.0) == pytest.approx(expected)


@pytest.mark.parametrize("method", ["percentile", "basic", "BCa"])
def test_bootstrap_of_any_statistic(method):
    rng = np.random.default_rng(1)
    x = rng.exponential(size=50)
    y = x + rng.standard_normal(50)

    def correlation(x, y):
        return np.corrcoef(x, y)[0, 1]

    ours = stats.bootstrap((x, y), correlation, method=method.lower(), resamples=4000)
    theirs = scipy_stats.bootstrap(
        (x, y), correlation, paired=True, vectorized=False, method=method, n_resamples=4000, rng=1
    )
    assert (ours.low, ours.high) == pytest.approx(tuple(theirs.confidence_interval), abs=0.012)
    assert ours.se == pytest.approx(theirs.standard_error, rel=0.06)
