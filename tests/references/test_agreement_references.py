"""Agreement, regression and the Fréchet distance against krippendorff, statsmodels, scikit-learn and scipy."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from assay import metrics

laws = settings(max_examples=60, deadline=None)
RATING = st.sampled_from([None, 1, 2, 3, 5])


@laws
@given(
    st.integers(2, 4).flatmap(lambda raters: st.lists(st.lists(RATING, min_size=raters, max_size=raters), min_size=2)),
    st.sampled_from(["nominal", "ordinal", "interval", "ratio"]),
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_equal_to_krippendorff(units, level):
    krippendorff = pytest.importorskip("krippendorff")
    ratings = np.array(units, dtype=float).T
    pairable = ratings[:, (~np.isnan(ratings)).sum(axis=0) > 1]
    assume(len(np.unique(pairable[~np.isnan(pairable)])) > 1)
    expected = krippendorff.alpha(ratings, level_of_measurement=level)
    assert metrics.krippendorff_alpha(ratings, level=level).value == pytest.approx(expected, abs=1e-9)


@laws
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=40))
def test_cohen_equals_scikit_learns(pairs):
    sklearn = pytest.importorskip("sklearn.metrics")
    first, second = map(list, zip(*pairs, strict=True))
    labels = sorted({*first, *second})
    assume(len(labels) > 1)
    for weights in (None, "linear", "quadratic"):
        expected = sklearn.cohen_kappa_score(first, second, weights=weights)
        found = metrics.cohen_kappa(first, second, weights=weights)
        assert found.value == pytest.approx(expected, abs=1e-9), weights


@laws
@given(st.integers(0, 2**32 - 1))
def test_fleiss_equals_statsmodels(seed):
    inter_rater = pytest.importorskip("statsmodels.stats.inter_rater")
    rng = np.random.default_rng(seed)
    table = rng.multinomial(rng.integers(2, 9), rng.dirichlet(np.ones(4)), rng.integers(2, 30))
    assume((table.sum(axis=0) > 0).sum() > 1)
    assert metrics.fleiss_kappa(table).value == pytest.approx(inter_rater.fleiss_kappa(table), abs=1e-9)


@laws
@given(
    st.lists(
        st.tuples(st.integers(-3, 3) | st.floats(-1e3, 1e3), st.integers(-3, 3) | st.floats(-1e3, 1e3)),
        min_size=3,
        max_size=30,
    )
)
@pytest.mark.filterwarnings("ignore")
def test_numbers_equal_scipys_and_scikit_learns(pairs):
    sklearn, scipy_stats = pytest.importorskip("sklearn.metrics"), pytest.importorskip("scipy.stats")
    x, y = np.array(pairs, dtype=float).T
    found = {name: one.value for name, one in metrics.score(["mse", "mae", "r2", "pearson", "spearman"], x, y).items()}
    assert found["mse"] == pytest.approx(sklearn.mean_squared_error(y, x), rel=1e-9, abs=1e-9)
    assert found["mae"] == pytest.approx(sklearn.mean_absolute_error(y, x), rel=1e-9, abs=1e-9)
    assume(np.ptp(x) > 1e-3 and np.ptp(y) > 1e-3)
    assert found["r2"] == pytest.approx(sklearn.r2_score(y, x), rel=1e-6, abs=1e-6)
    assert found["pearson"] == pytest.approx(scipy_stats.pearsonr(x, y)[0], abs=1e-6)
    assert found["spearman"] == pytest.approx(scipy_stats.spearmanr(x, y)[0], abs=1e-9)


@pytest.mark.parametrize(("n", "m", "d"), [(300, 200, 12), (20, 30, 40), (200, 15, 20)])
def test_frechet_equals_the_formula_with_scipys_root(n, m, d):
    linalg = pytest.importorskip("scipy.linalg")
    rng = np.random.default_rng(n)
    x, y = rng.standard_normal((n, d)) @ rng.standard_normal((d, d)), 2 * rng.standard_normal((m, d)) + 0.3
    a, b = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = linalg.sqrtm(a @ b)
    expected = ((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(a) + np.trace(b) - 2 * np.trace(root).real
    # The product of singular covariances has no exact root; there scipy's is good to about seven digits.
    assert metrics.frechet_distance(x, y).value == pytest.approx(expected, rel=1e-9 if min(n, m) > d else 1e-6)
