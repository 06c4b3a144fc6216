"""Draws: multinomial to the letter, in blocks, within strata; and what single precision may not change."""

import math

import numpy as np
import pytest
from scipy import stats as reference

from assay import stats
from assay.metrics.metric import Metric, of_sums, ratio, weighted_mean
from assay.stats import folded, resample
from assay.stats.draws import BLOCK, draws, unit_counts
from assay.stats.resample import replicates

SUMS = Metric("sums", dict, of_sums(lambda n, x, y: ratio(x, n + y), "x", "y"), columns=("x", "y"))
MEAN = Metric("mean", dict, weighted_mean("x"), item="x", bounds=(-math.inf, math.inf))


@pytest.mark.parametrize(
    "counts", [np.ones(30, int), np.ones(40, int), np.array([200, 50, 3]), np.array([2] * 20 + [1])]
)
def test_draws_are_multinomial(counts):
    weights = np.concatenate(list(draws(counts, 5000, np.random.default_rng(0))))
    n = counts.sum()
    assert weights.shape == (5000, len(counts))
    assert (weights.sum(axis=1) == n).all()
    np.testing.assert_allclose(weights.mean(axis=0), counts, atol=5 * np.sqrt(counts.max() / 5000))
    np.testing.assert_allclose(weights.var(axis=0), counts * (1 - counts / n), rtol=0.15)


@pytest.mark.parametrize("n", [5, 32, 300, 4000])
def test_how_often_a_unit_is_drawn_is_binomial(n):
    """A χ² test of the counts' frequencies against the binomial's, and of their covariance."""
    rows = max(200, 2_000_000 // n)
    weights = unit_counts(rows, n, np.random.default_rng(3))
    assert (weights.sum(axis=1) == n).all()
    seen = np.bincount(weights.ravel().astype(int), minlength=9)
    chance = np.append(reference.binom.pmf(range(7), n, 1 / n), reference.binom.sf(6, n, 1 / n))
    seen = np.append(seen[:7], seen[7:].sum())
    likely = chance * weights.size > 5
    # Counts within a resample depend on each other a little (1/n), which makes the statistic smaller, never larger.
    expected = chance[likely] * weights.size
    statistic = ((seen[likely] - expected) ** 2 / expected).sum()
    assert reference.chi2.sf(statistic, likely.sum() - 1) > 1e-3
    halves = weights[:, : n // 2].sum(axis=1), weights[:, n // 2 :].sum(axis=1)
    assert np.var(halves[0]) == pytest.approx(n * (n // 2 / n) * (1 - n // 2 / n), rel=5 / math.sqrt(rows))


def test_resamples_beyond_the_bytes_are_drawn_anew():
    """At 32 units one Poisson total in a hundred exceeds the number of units: the sum must hold there too."""
    weights = unit_counts(20_000, 32, np.random.default_rng(0))
    assert (weights.sum(axis=1) == 32).all()
    assert weights.min() == 0
    assert weights.max() >= 6


def test_draws_come_in_blocks():
    sizes = [block.size for block in draws(np.ones(5000, int), 200, np.random.default_rng(0))]
    assert max(sizes) <= max(16 * 5000, BLOCK)
    assert len(sizes) > 1


def test_strata_keep_their_sizes():
    counts = np.array([1] * 40 + [7, 5] + [1, 1])
    weights = np.concatenate(list(draws(counts, 300, np.random.default_rng(0), (40, 2, 2))))
    assert (weights[:, :40].sum(axis=1) == 40).all()
    assert (weights[:, 40:42].sum(axis=1) == 12).all()
    assert (weights[:, 42:].sum(axis=1) == 2).all()


def test_single_precision_moves_replicates_by_less_than_a_thousandth_of_their_spread(monkeypatch):
    rng = np.random.default_rng(0)
    rows = {"x": 1e6 + rng.random(500), "y": rng.exponential(size=500) * 1e-9}
    one = folded.fold(SUMS, rows, np.arange(500))
    assert one.coarse is not None
    fast = replicates([one], 800, np.random.default_rng(1))[0]
    monkeypatch.setattr(resample, "SLACK", -1.0)  # nothing is good enough: double precision
    exact = replicates([one], 800, np.random.default_rng(1))[0]
    assert not np.array_equal(fast, exact)
    assert np.abs(fast - exact).max() < 1e-3 * exact.std()


def test_double_precision_where_a_formula_does_not_bear_rounding():
    """A difference that cancels: single precision would be noise."""
    cancelling = Metric("c", dict, of_sums(lambda n, x: np.sin(x * 1e9), "x"), columns=("x",))
    rows = {"x": np.random.default_rng(0).random(200)}
    one = folded.fold(cancelling, rows, np.arange(200))
    found = replicates([one], 100, np.random.default_rng(1))[0]
    weights = np.concatenate(list(draws(np.ones(200, int), 100, np.random.default_rng(1)))).astype(float)
    np.testing.assert_array_equal(found, one.evaluate(weights))


def test_infinite_sums_stay_what_they_are():
    (found,) = stats.intervals([MEAN], {"x": np.append(np.random.default_rng(0).random(60), math.inf)})
    assert (found.value, found.method) == (math.inf, "none")
    assert math.isnan(found.low)
