"""Numbers: values by hand, precision under an offset, what is missing, what is refused."""

import math

import numpy as np
import pytest

from assay import metrics

NAMES = ["mse", "rmse", "mae", "r2", "pearson", "spearman"]


def test_by_hand():
    found = metrics.score(NAMES, [1.0, 2.0, 3.0, 5.0], [1.0, 3.0, 2.0, 4.0])
    assert found["mse"].value == 0.75
    assert found["mse"].items.tolist() == [0, 1, 1, 1]
    assert found["rmse"].value == pytest.approx(math.sqrt(0.75))
    assert found["mae"].value == 0.75
    assert found["r2"].value == pytest.approx(1 - 3 / 5)
    assert found["spearman"].value == pytest.approx(0.8)
    assert found["pearson"].value == pytest.approx(5.5 / math.sqrt(8.75 * 5))


def test_an_offset_costs_no_digits():
    rng = np.random.default_rng(0)
    x = rng.standard_normal(500)
    y = x + rng.standard_normal(500)
    plain = metrics.score(["pearson", "r2"], x, y)
    moved = metrics.score(["pearson", "r2"], x + 1e9, y + 1e9)
    for name, one in plain.items():
        assert moved[name].value == pytest.approx(one.value, abs=1e-6), name


def test_perfect_and_reversed():
    x = np.arange(40.0)
    assert metrics.pearson(x, -x).value == -1.0
    assert metrics.spearman(x, np.exp(x)).value == 1.0
    assert metrics.r2(x, x).value == 1.0


def test_what_does_not_vary_is_undefined():
    for name in ("pearson", "spearman"):
        assert math.isnan(metrics.score([name], [1.0, 1, 1], [1.0, 2, 3])[name].value)
        assert math.isnan(metrics.score([name], [0.1 + 0.2] * 3, [1.0, 2, 3])[name].value)
    assert math.isnan(metrics.r2([1.0, 2, 3], [0.3, 0.3, 0.1 + 0.2]).value)
    assert metrics.mse([1.0, 1], [1.0, 1]).value == 0.0
    assert all(math.isnan(one.value) for one in metrics.score(NAMES, [], []).values())


def test_missing_predictions_are_counted():
    for name, one in metrics.score(NAMES, [1.0, None, math.nan, 4.0, 3.0], [1.0, 2.0, 3.0, 4.0, 3.5]).items():
        assert (one.n, one.n_missing) == (3, 2), name


@pytest.mark.parametrize(
    ("predictions", "references", "message"),
    [
        ([1.0], [1.0, 2.0], "1 predictions, 2 references"),
        ([1.0, "x"], [1.0, 2.0], "row 1: a number was expected as prediction, not 'x'"),
        ([1.0, math.inf], [1.0, 2.0], "row 1: a finite number"),
        ([1.0, 1.0], [1.0, None], "the reference of row 1 is missing"),
        ([[1.0], [2.0, 3.0]], [1.0, 2.0], "row 0: a number"),
    ],
)
def test_bad_numbers_name_their_row(predictions, references, message):
    with pytest.raises(ValueError, match=message):
        metrics.pearson(predictions, references)


def test_units_are_resampled():
    x = np.arange(60.0)
    found = metrics.pearson(x, x + np.tile([0, 3, -2], 20), unit=np.repeat(np.arange(20), 3))
    assert found.n == 20
    assert found.low < found.value <= found.high
