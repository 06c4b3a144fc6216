"""Item response theory: golden values of catsim, limits, derivatives."""

import math

import numpy as np
import pytest

from assay.stats import irt

ITEMS = ([1, 1.2, 0.8], [0, 0.3, -0.5], [0, 0.2, 0.25])


def test_golden_values_of_catsim():
    assert irt.response(0.5, 1.2, 0.3, 0.2) == pytest.approx(0.64777092, abs=5e-9)
    assert irt.information(0.5, 1.2, 0.3, 0.2) == pytest.approx(0.24530028, abs=5e-9)
    assert irt.most_informative(1.2, 0.3, 0.2) == pytest.approx(0.52261824, abs=5e-9)
    assert irt.standard_error(0, *ITEMS) == pytest.approx(1.32978167, abs=5e-9)
    assert irt.standard_error(0, np.ones(30), np.zeros(30)) == pytest.approx(0.365, abs=5e-4)


@pytest.mark.parametrize("item", [(1.2, 0.3, 0.2, 1.0), (0.7, -1.0, 0.0, 0.9), (2.0, 0.5, 0.25, 0.95)])
def test_information_is_the_squared_slope_over_the_variance(item):
    theta, step = np.linspace(-4, 4, 41), 1e-6
    p = irt.response(theta, *item)
    slope = (irt.response(theta + step, *item) - irt.response(theta - step, *item)) / (2 * step)
    assert irt.information(theta, *item) == pytest.approx(slope**2 / (p * (1 - p)), rel=1e-6)


def test_the_most_informative_ability_is_the_best_of_a_grid():
    theta = np.linspace(-3, 3, 60_001)
    best = theta[np.argmax(irt.information(theta, 1.4, -0.2, 0.25))]
    assert irt.most_informative(1.4, -0.2, 0.25) == pytest.approx(best, abs=2e-4)


def test_far_out_nothing_is_learnt_and_nothing_overflows():
    assert irt.response([-1e4, 1e4], 1.0, 0.0, 0.25).tolist() == [0.25, 1.0]
    assert irt.information([-1e4, 1e4], 1.0, 0.0, [0.25, 0.0]).tolist() == [0.0, 0.0]
    assert math.isnan(irt.standard_error(1e4, [1.0], [0.0]))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: irt.response("x", 1, 0), "theta: numbers were expected"),
        (lambda: irt.response(0, math.nan, 0), "a: finite numbers"),
        (lambda: irt.response(0, 1, 0, 0.5, 0.5), "0 <= c < d <= 1"),
        (lambda: irt.information(0, 1, 0, -0.1), "0 <= c < d <= 1"),
        (lambda: irt.most_informative(0, 0), "discrimination other than 0"),
    ],
)
def test_what_does_not_fit(call, message):
    with pytest.raises(ValueError, match=message):
        call()
