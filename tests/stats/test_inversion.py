"""The distribution of all resamples: equal to that of very many, and given up where it cannot be had."""

import math

import numpy as np
import pytest

from assay import stats
from assay.stats import OfSums, Statistic
from assay.stats.draws import draws
from assay.stats.inversion import mean_distribution

MEAN = Statistic("mean", OfSums(lambda n, x: x / n, ("x",)), ("x",), item="x")
DRAWN = Statistic("mean", OfSums(lambda n, x: x / n, ("x",)), ("x",))
SHARES = np.array([0.005, 0.025, 0.5, 0.975, 0.995])
CASES = {
    "uniform": lambda rng: rng.random(400),
    "exponential": lambda rng: rng.exponential(size=60),
    "heavy": lambda rng: rng.lognormal(0, 2, 300),
    "mostly 0": lambda rng: np.where(rng.random(400) < 0.9, 0.0, rng.random(400)),
    "one that outweighs": lambda rng: np.append(rng.random(200), 30.0),
    "far from 0": lambda rng: 1e6 + rng.random(100),
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_what_many_resamples_come_to(name):
    x = CASES[name](np.random.default_rng(0))
    found = mean_distribution(x)
    assert found is not None
    n, centre = len(x), x.mean()
    weights = draws(np.ones(n, dtype=np.int64), 60_000, np.random.default_rng(1))
    drawn = centre + np.concatenate([block @ (x - centre) for block in weights]) / n
    se = x.std() / math.sqrt(n)
    # The quantile of 60,000 resamples strays by √(p(1-p)/60,000)/density, at these shares some hundredths of a standard error.
    apart = np.abs(found.quantiles(SHARES) - np.quantile(drawn, SHARES)) / se
    assert apart.max() < (0.12 if name in ("heavy", "one that outweighs") else 0.05)
    assert found.share(np.array([centre]))[0] == pytest.approx((drawn < centre).mean(), abs=0.008)
    np.testing.assert_allclose(found.share(found.quantiles(SHARES)), SHARES, atol=1e-6)


@pytest.mark.parametrize("method", ["bca", "percentile", "basic", "bias_corrected"])
@pytest.mark.parametrize("size", [1, 4])
def test_intervals_without_draws_are_those_of_many_draws(method, size):
    rng = np.random.default_rng(0)
    x = rng.exponential(size=200) + np.repeat(rng.exponential(size=200 // size), size)
    unit = None if size == 1 else np.repeat(np.arange(200 // size), size)
    exact = stats.interval(MEAN, {"x": x}, unit, method=method)
    drawn = stats.interval(DRAWN, {"x": x}, unit, method=method, resamples=100_000)
    se = stats.mean_se(x, unit)
    assert np.abs(np.subtract(exact, drawn)).max() < 0.06 * se
    assert exact == stats.interval(MEAN, {"x": x}, unit, method=method, seed=1, resamples=7)


def test_scale_and_place_do_not_matter():
    x = np.random.default_rng(0).exponential(size=80)
    low, high = stats.interval(MEAN, {"x": x})
    for factor, shift in ((1e-9, 0.0), (1e9, 0.0), (1.0, 1e4), (-1.0, 0.0)):
        found = stats.interval(MEAN, {"x": factor * x + shift})
        expected = sorted((factor * low + shift, factor * high + shift))
        assert found == pytest.approx(expected, rel=1e-6)


def test_what_cannot_be_had_is_drawn():
    spike = np.append(np.linspace(0, 1e-6, 60), 1.0)  # a sum of a few spikes: its frequencies never fade
    assert mean_distribution(spike) is None
    assert mean_distribution(np.ones(50)) is None
    assert mean_distribution(np.append(np.random.default_rng(0).random(50), math.inf)) is None
    low, high = stats.interval(MEAN, {"x": spike})
    assert (low, high) == pytest.approx(stats.interval(DRAWN, {"x": spike}), rel=1e-3)
    unequal = np.repeat(np.arange(40), np.arange(40) % 3 + 1)
    x = np.random.default_rng(0).random(len(unequal))
    for seed in (0, 1):
        assert stats.interval(MEAN, {"x": x}, unequal, seed=seed) == stats.interval(DRAWN, {"x": x}, unequal, seed=seed)
    assert stats.interval(MEAN, {"x": x}, unequal) != stats.interval(MEAN, {"x": x}, unequal, seed=1)
