"""How many observations show that a quantile keeps within a bound: golden values, the binomial, coverage."""

import numpy as np
import pytest

from assay.stats.quantile_bounds import allowed_beyond, observations_needed

GOLDEN = {1: [64, 130, 219, 662], 2: [81, 165, 277, 838], 5: [127, 259, 433, 1307], 10: [197, 398, 667, 2010]}
SHARES = (0.9, 0.95, 0.97, 0.99)


@pytest.mark.parametrize(("beyond", "expected"), GOLDEN.items())
def test_golden_minima_of_loadgen(beyond, expected):
    assert [observations_needed(p, beyond) for p in SHARES] == expected


@pytest.mark.parametrize("p", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("beyond", [0, 3])
def test_the_binomial_says_so_and_one_fewer_does_not(p, beyond):
    binom = pytest.importorskip("scipy.stats").binom
    n = observations_needed(p, beyond, confidence=0.95)
    assert binom.cdf(beyond, n, 1 - p) <= 0.05 < binom.cdf(beyond, n - 1, 1 - p)


@pytest.mark.parametrize("n", [44, 63, 64, 500, 10_000])
def test_what_is_allowed_needs_no_more_than_there_are(n):
    allowed = allowed_beyond(0.9, n)
    assert observations_needed(0.9, allowed) <= n < observations_needed(0.9, allowed + 1)


def test_a_bound_that_is_shown_holds_in_99_of_100_data_sets():
    x = np.sort(np.random.default_rng(0).exponential(size=(4_000, 300)), axis=1)
    bound = x[:, -1 - allowed_beyond(0.9, 300)]
    assert 0.985 <= (1 - np.exp(-bound) >= 0.9).mean() <= 1.0


def test_what_does_not_fit():
    with pytest.raises(ValueError, match="a share between 0 and 1"):
        observations_needed(1.0, 0)
    with pytest.raises(ValueError, match="0 or more"):
        observations_needed(0.9, -1)
    with pytest.raises(ValueError, match="a confidence"):
        allowed_beyond(0.9, 10, confidence=1.0)
    assert allowed_beyond(0.99, 10) is None
