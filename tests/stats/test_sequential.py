"""Sequential tests: the golden ratio, products by hand, and the error when one stops at the most tempting moment."""

import math

import numpy as np
import pytest

from assay.stats import sequential

ALPHA = 0.05


def test_mixture_golden():
    """Science E.5: d̄ = .05, n = 1000, σ² = .5, τ² = 1e-3."""
    assert sequential.mixture_ratio(0.05, 1000, 0.5, 1e-3) == pytest.approx(3.05677526, abs=1e-8)
    found = sequential.msprt(np.full(1000, 0.05), tau2=1e-3, variance=0.5)
    assert found.e[-1] == pytest.approx(3.05677526, abs=1e-8)
    half = math.sqrt(2 * 0.5 * 1.5 / (1e6 * 1e-3) * math.log(math.sqrt(3) / ALPHA))
    assert found.high[-1] - 0.05 == pytest.approx(half)


def test_the_confidence_sequence_is_the_values_that_are_not_rejected():
    d = np.random.default_rng(0).standard_normal(400)
    found = sequential.msprt(d, tau2=0.01, variance=1.0)
    at = 250
    for bound in (found.low[at], found.high[at]):
        e = sequential.msprt(d, tau2=0.01, variance=1.0, null=bound).e[at]
        assert e == pytest.approx(1 / ALPHA)


def test_a_product_of_bets_by_hand():
    x, m = np.array([1.0, 0.0, 0.6]), 0.4
    k_up = k_down = 1.0
    squares, total = 0.25, 0.5
    spread = 0.25
    for t, value in enumerate(x, 1):
        stake = math.sqrt(2 * math.log(2 / ALPHA) / (spread * t * math.log(1 + t)))
        k_up *= 1 + min(stake, 0.5 / m) * (value - m)
        k_down *= 1 - min(stake, 0.5 / (1 - m)) * (value - m)
        total += value
        squares += (value - total / (t + 1)) ** 2
        spread = squares / (t + 1)
    assert sequential.betting(x, m).e[-1] == pytest.approx((k_up + k_down) / 2)


def test_bounds_are_where_the_bets_reach_their_goal():
    x = np.random.default_rng(0).beta(2, 3, 300)
    low, high = sequential.confidence_sequence(x)
    for bound in (low[-1], high[-1]):
        assert sequential.betting(x, float(bound)).e.max() == pytest.approx(1 / ALPHA, rel=1e-4)
    coarse = sequential.confidence_sequence(x, points=50)
    assert (coarse[0] <= low + 1e-12).all()
    assert (coarse[1] >= high - 1e-12).all()
    assert (np.diff(low) >= 0).all()
    assert (np.diff(high) <= 0).all()


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng: (rng.random(300) < 0.5) * 1.0,
        lambda rng: (rng.random(300) < 0.03) * 1.0,
        lambda rng: rng.beta(0.5, 4.5, 300),
    ],
    ids=["coin", "rare", "skewed"],
)
def test_bets_err_at_most_at_their_level_whenever_one_stops(draw):
    """The true mean is lost by the sequence if its bets ever reach 1/α: in 500 sequences of 300 looks each."""
    rng = np.random.default_rng(0)
    truth = {0: 0.5, 1: 0.03, 2: 0.1}[["coin", "rare", "skewed"].index(_name(draw))]
    lost = sum(sequential.betting(draw(rng), truth, points=10).stopped is not None for _ in range(500))
    assert lost / 500 <= ALPHA + 2 * math.sqrt(ALPHA * (1 - ALPHA) / 500)


def _name(draw):
    mean = np.mean([draw(np.random.default_rng(s)).mean() for s in range(40)])
    return "coin" if mean > 0.3 else "rare" if mean < 0.06 else "skewed"


@pytest.mark.parametrize(("variance", "start"), [(1.0, 1), (None, 50)])
def test_mixtures_err_at_most_at_their_level_whenever_one_stops(variance, start):
    rng = np.random.default_rng(0)
    wolf = 0
    for _ in range(1000):
        found = sequential.msprt(rng.standard_normal(1500), tau2=0.01, variance=variance, start=start)
        wolf += found.stopped is not None
    assert wolf / 1000 <= ALPHA + 2 * math.sqrt(ALPHA * (1 - ALPHA) / 1000)


def test_a_fixed_test_looked_at_after_every_sample_would_err_often():
    """Why this module exists."""
    rng = np.random.default_rng(0)
    n = np.arange(1, 1501)
    wolf = [(np.abs(np.cumsum(rng.standard_normal(1500)))[50:] / np.sqrt(n[50:]) > 1.96).any() for _ in range(300)]
    assert np.mean(wolf) > 0.2


def test_a_real_difference_is_found():
    rng = np.random.default_rng(0)
    a, b = (rng.random(3000) < 0.75) * 1.0, (rng.random(3000) < 0.65) * 1.0
    found = sequential.betting_paired(a, b)
    assert found.stopped is not None
    assert found.low[-1] < 0.1 < found.high[-1]
    swapped = sequential.betting_paired(b, a)
    assert swapped.e[-1] == pytest.approx(found.e[-1])
    assert (-swapped.high[-1], -swapped.low[-1]) == pytest.approx((found.low[-1], found.high[-1]), abs=1e-9)
    assert sequential.msprt(a - b, tau2=0.01).stopped is not None


def test_nothing_is_said_before_there_is_a_variance():
    found = sequential.msprt([1.0] * 60, tau2=0.1)
    assert (found.e == 1).all()
    assert (found.high == math.inf).all()
    assert found.stopped is None
    early = sequential.msprt(np.random.default_rng(0).normal(3, 1, 60), tau2=0.1)
    assert early.stopped == 50


def test_constant_scores_narrow_the_sequence_towards_them():
    low, high = sequential.confidence_sequence(np.ones(300))
    assert high[-1] == 1.0
    assert 0.95 < low[-1] < 1.0
    assert sequential.betting(np.zeros(1)).stopped is None


def test_a_thousand_points_do_not_limit_many_samples():
    """Where the sequence is narrower than the points lie apart, the last place is exact all the same."""
    x = np.random.default_rng(0).normal(0.5, 0.001, 4000)
    low, high = sequential.confidence_sequence(x, points=20)
    assert low[-1] <= 0.5 <= high[-1]
    fine = sequential.confidence_sequence(x, points=2000)
    assert (low[-1], high[-1]) == pytest.approx((fine[0][-1], fine[1][-1]), abs=0.1)


def test_e_values():
    """Thresholds 4/(.05 k): 80 for one, 40 for two, 26.7 for three."""
    assert sequential.e_bh([41.0, 79.0, 20.0, 1.0]).tolist() == [True, True, False, False]
    assert not sequential.e_bh([39.0, 79.0, 20.0, 1.0]).any()
    assert sequential.average_e([1.0, 3.0], [3.0, 1.0]) == 1.5


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sequential.betting([0.5, 1.5]), "row 1 is 1.5"),
        (lambda: sequential.betting([math.nan]), "row 0 is nan"),
        (lambda: sequential.betting([]), "at least 1"),
        (lambda: sequential.betting([0.5], mean=1.0), "a mean between 0 and 1"),
        (lambda: sequential.betting_paired([0.5], [0.5, 0.1]), "1 of A and 2 of B"),
        (lambda: sequential.betting_paired([5.0], [0.5]), "A: scores between 0 and 1"),
        (lambda: sequential.confidence_sequence([0.5], alpha=5), "alpha between 0 and 1"),
        (lambda: sequential.msprt([1.0], tau2=0.0), "above 0"),
        (lambda: sequential.msprt([1.0], tau2=0.1, variance=-1.0), "above 0"),
        (lambda: sequential.average_e([-1.0]), "0 or more"),
        (lambda: sequential.average_e([1.0], [0.0]), "not all 0"),
        (lambda: sequential.e_bh([]), "at least one"),
    ],
)
def test_what_does_not_fit(call, message):
    with pytest.raises(ValueError, match=message):
        call()
