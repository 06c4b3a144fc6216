"""CCA, mutual information, separability and RSA against statsmodels, scikit-learn and scipy."""

import math

import numpy as np
import pytest

from assay import metrics
from assay.metrics.separability import auroc_by_fold


@pytest.mark.parametrize(("n", "p", "q"), [(200, 6, 4), (500, 3, 12)])
def test_cca_equals_statsmodels(n, p, q):
    cancorr = pytest.importorskip("statsmodels.multivariate.cancorr")
    rng = np.random.default_rng(n)
    x = rng.standard_normal((n, p))
    y = x @ rng.standard_normal((p, q)) + 2 * rng.standard_normal((n, q)) + 3
    theirs = cancorr.CanCorr(x, y)
    found = metrics.cca(x, y, held_out=False, permutations=0)
    np.testing.assert_allclose(found["cca"].items, theirs.cancorr, atol=1e-9)
    assert found["wilks"].value == pytest.approx(theirs.corr_test().stats_mv.loc["Wilks' lambda", "Value"], rel=1e-9)


@pytest.mark.parametrize("rho", [0.0, 0.6, 0.95])
def test_ksg_equals_scikit_learns(rho):
    selection = pytest.importorskip("sklearn.feature_selection")
    rng = np.random.default_rng(int(100 * rho))
    x, y = rng.multivariate_normal([0, 0], [[1, rho], [rho, 1]], 700).T
    expected = selection.mutual_info_regression(x[:, None], y, n_neighbors=3)[0]  # scales both, adds noise, clips at 0
    found = metrics.mutual_information(x / x.std(), y / y.std(), base=math.e)
    assert max(found.value, 0) == pytest.approx(expected, abs=1e-6)


def test_separability_equals_scikit_learns():
    linear = pytest.importorskip("sklearn.linear_model")
    scores = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((80, 5)) + 0.4, rng.standard_normal((80, 5))
    fold, expected = np.arange(80) % 5, []
    for k in range(5):
        rows = np.vstack([x[fold != k], y[fold != k]])
        centre, scale = rows.mean(axis=0), rows.std(axis=0)
        model = linear.LogisticRegression(fit_intercept=False, tol=1e-10, max_iter=1000)
        model.fit((rows - centre) / scale, np.repeat([1, 0], len(rows) // 2))
        held = model.decision_function((np.vstack([x[fold == k], y[fold == k]]) - centre) / scale)
        expected.append(scores.roc_auc_score(np.repeat([1, 0], 16), held))
    assert auroc_by_fold(x, y) == pytest.approx(expected, abs=1e-9)


def test_rsa_equals_scipys():
    spatial, stats = pytest.importorskip("scipy.spatial.distance"), pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((40, 6)), rng.integers(0, 3, (40, 5)) + rng.standard_normal((40, 1))
    for distance in ("correlation", "sqeuclidean"):
        y_used = y + 0.1 * rng.standard_normal(y.shape)
        expected = stats.spearmanr(spatial.pdist(x, distance), spatial.pdist(y_used, distance))[0]
        found = metrics.rsa(x, y_used, distance=distance, permutations=0, resamples=0)
        assert found["rsa"].value == pytest.approx(expected, abs=1e-9)
