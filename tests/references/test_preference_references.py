"""Ratings against choix and statsmodels on random battles."""

import numpy as np
import pytest

from assay.stats.preference import battles, bradley_terry, plackett_luce


@pytest.mark.parametrize("seed", range(4))
def test_bradley_terry_equals_choix(seed):
    choix = pytest.importorskip("choix")
    rng = np.random.default_rng(seed)
    theta = rng.normal(0, 1, 7)
    pairs = []
    for _ in range(400):
        i, j = rng.choice(7, 2, replace=False)
        pairs.append((int(i), int(j)) if rng.random() < 1 / (1 + np.exp(theta[j] - theta[i])) else (int(j), int(i)))
    found = bradley_terry(battles([i for i, _ in pairs], [j for _, j in pairs], np.ones(400)))
    np.testing.assert_allclose(found.theta, choix.ilsr_pairwise(7, pairs, alpha=0), atol=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_plackett_luce_equals_choix(seed):
    choix = pytest.importorskip("choix")
    rng = np.random.default_rng(seed)
    rankings = [rng.permutation(6)[: rng.integers(2, 7)].tolist() for _ in range(200)]
    found = plackett_luce(rankings)
    np.testing.assert_allclose(found.theta, choix.ilsr_rankings(6, rankings, alpha=0), atol=1e-6)


@pytest.mark.parametrize("clustered", [False, True])
def test_the_sandwich_equals_that_of_a_logistic_regression(clustered):
    api = pytest.importorskip("statsmodels.api")
    rng = np.random.default_rng(0)
    a = rng.integers(0, 4, 500)
    b = (a + rng.integers(1, 4, 500)) % 4
    won = (rng.random(500) < 0.5 + 0.1 * (a < b)) * 1.0
    unit = rng.integers(0, 50, 500)
    design = np.eye(4)[a] - np.eye(4)[b]
    # The last model is the anchor; the first place has a term of its own.
    x = np.column_stack([design[:, :3], np.ones(500)])
    kwds = {"groups": unit, "use_correction": False} if clustered else {}
    fitted = api.GLM(won, x, family=api.families.Binomial()).fit(
        cov_type="cluster" if clustered else "HC0", cov_kwds=kwds or None
    )
    names = [str(i) for i in range(4)]
    given = battles([names[i] for i in a], [names[i] for i in b], won, unit=unit if clustered else None)
    found = bradley_terry(given, position=True)
    anchored = found.anchored("3")
    np.testing.assert_allclose(anchored.theta[:3], fitted.params[:3], atol=1e-6)
    scale = np.sqrt(50 / 49) if clustered else 1.0  # ours corrects for few units
    np.testing.assert_allclose(anchored.se[:3], fitted.bse[:3] * scale, rtol=1e-4)
    assert found.beside["position"].se == pytest.approx(fitted.bse[3] * scale, rel=1e-4)
