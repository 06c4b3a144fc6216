"""Raters and models: golden values, gaps, undefined cases, what is refused."""

import math

import numpy as np
import pytest

from assay import metrics

FOUR_BY_TWELVE = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
]
FLEISS = [
    [0, 0, 0, 0, 14],
    [0, 2, 6, 4, 2],
    [0, 0, 3, 5, 6],
    [0, 3, 9, 2, 0],
    [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0],
    [3, 2, 6, 3, 0],
    [2, 5, 3, 2, 2],
    [6, 5, 2, 1, 0],
    [0, 2, 2, 3, 7],
]


@pytest.mark.parametrize(
    ("level", "expected"), [("nominal", 0.743421), ("ordinal", 0.815388), ("interval", 0.849107), ("ratio", 0.797403)]
)
def test_golden_krippendorff(level, expected):
    found = metrics.krippendorff_alpha(FOUR_BY_TWELVE, level=level)
    assert found.value == pytest.approx(expected, abs=5e-7)
    assert found.n == 11  # the twelfth unit has one rating
    assert found.low < found.value < found.high
    missing_as_nan = np.array(FOUR_BY_TWELVE, dtype=float)
    assert metrics.krippendorff_alpha(missing_as_nan, level=level).value == pytest.approx(found.value, abs=1e-12)


def test_golden_kappas():
    first, second = ["y"] * 25 + ["n"] * 25, ["y"] * 20 + ["n"] * 5 + ["y"] * 10 + ["n"] * 15
    assert metrics.cohen_kappa(first, second).value == pytest.approx(0.4, abs=1e-12)
    assert metrics.fleiss_kappa(FLEISS).value == pytest.approx(0.20993070, abs=5e-9)


def test_ordinal_categories_have_the_order_given():
    ratings = [["low", "mid", "high", "low"], ["high", "mid", "high", "low"]]
    given = metrics.krippendorff_alpha(ratings, level="ordinal", categories=["low", "mid", "high"]).value
    numbers = metrics.krippendorff_alpha([[0, 1, 2, 0], [2, 1, 2, 0]], level="ordinal").value
    assert given == pytest.approx(numbers, abs=1e-12)
    assert given != pytest.approx(metrics.krippendorff_alpha(ratings, level="ordinal").value, abs=1e-3)
    weighted = metrics.cohen_kappa(*ratings, weights="linear", categories=["low", "mid", "high"]).value
    assert weighted == pytest.approx(metrics.cohen_kappa([0, 1, 2, 0], [2, 1, 2, 0], weights="linear").value, abs=1e-12)


def test_ac1_is_not_misled_by_a_rare_category():
    first, second = ["no"] * 96 + ["yes"] * 2 + ["no"] * 2, ["no"] * 96 + ["no"] * 2 + ["yes"] * 2
    assert metrics.cohen_kappa(first, second).value < 0
    share = (98 / 100 * 2 / 100) * 2
    assert metrics.gwet_ac1([first, second]).value == pytest.approx((0.96 - share) / (1 - share), abs=1e-12)


def test_one_category_only_is_undefined():
    same = [["a"] * 5, ["a"] * 5]
    assert math.isnan(metrics.cohen_kappa(*same).value)
    assert math.isnan(metrics.krippendorff_alpha(same).value)
    assert math.isnan(metrics.gwet_ac1(same).value)
    assert metrics.gwet_ac1(same, categories=["a", "b"]).value == 1.0
    assert math.isnan(metrics.fleiss_kappa([[5, 0], [5, 0]]).value)
    assert math.isnan(metrics.krippendorff_alpha([[0.1 + 0.2] * 4, [0.3] * 4], level="interval").value)
    assert math.isnan(metrics.krippendorff_alpha([[], []]).value)
    assert math.isnan(metrics.krippendorff_alpha([[1, None], [None, 2]]).value)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.krippendorff_alpha([[1, 2]]), "at least two raters"),
        (lambda: metrics.krippendorff_alpha([[1, 2], [1]]), r"as many ratings from every rater.*\[1, 2\]"),
        (lambda: metrics.krippendorff_alpha([[1], [1]], level="cardinal"), "nominal, ordinal, interval, ratio"),
        (lambda: metrics.krippendorff_alpha([[1, 2], [1, "x"]], level="interval"), "unit 1, rater 1: 'x' is no rating"),
        (lambda: metrics.krippendorff_alpha([[1, 2], [-1, 2]], level="ratio"), "unit 0, rater 1: -1 is no rating"),
        (lambda: metrics.krippendorff_alpha([[1, 2], [1, 3]], categories=[1, 2]), "none of the categories: 3"),
        (lambda: metrics.cohen_kappa([1], [1], weights="cubic"), "linear or quadratic"),
        (lambda: metrics.fleiss_kappa([[3, 0], [2, 0]]), "row 1: 2 ratings; Fleiss"),
        (lambda: metrics.fleiss_kappa([[3, -1]]), "row 0: counts of 0 and more"),
        (lambda: metrics.fleiss_kappa([3, 1]), "counts"),
        (lambda: metrics.error_consistency([1, 0], [1]), "two lists of one length"),
        (lambda: metrics.error_consistency([1, 0], [1, 2]), "row 1: right"),
    ],
)
def test_bad_ratings_are_told(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_many_different_values():
    rng = np.random.default_rng(0)
    x = rng.standard_normal(20_000)
    found = metrics.krippendorff_alpha([x, x + 0.5 * rng.standard_normal(20_000)], level="interval")
    assert found.value == pytest.approx(1 - 0.25 / 2 / (1 + 0.125), abs=0.01)
    with pytest.raises(ValueError, match="too many for the level ordinal"):
        metrics.krippendorff_alpha([x, x + 1], level="ordinal")
    codes = rng.integers(0, 5000, 20_000)
    other = np.where(rng.random(20_000) < 0.5, codes, rng.integers(0, 5000, 20_000))
    assert metrics.cohen_kappa(codes, other).value == pytest.approx(0.5, abs=0.02)


def test_two_models_by_hand():
    first = [1] * 5 + [1] * 2 + [0] * 1 + [0] * 2
    second = [1] * 5 + [0] * 2 + [1] * 1 + [0] * 2
    found = {name: one.value for name, one in metrics.complementarity(first, second).items()}
    expected = 0.7 * 0.6 + 0.3 * 0.4
    assert found == pytest.approx(
        {
            "error_consistency": (0.7 - expected) / (1 - expected),
            "oracle_gain": 0.8 - 0.7,
            "double_fault": 0.2,
            "disagreement": 0.3,
            "q_statistic": (5 * 2 - 2 * 1) / (5 * 2 + 2 * 1),
        }
    )
    for name, value in found.items():
        assert getattr(metrics, name)(first, second).value == pytest.approx(value)


def test_models_that_are_always_right_have_no_consistency():
    found = metrics.complementarity([1, 1], [1, 1])
    assert math.isnan(found["error_consistency"].value)
    assert math.isnan(found["q_statistic"].value)
    assert found["oracle_gain"].value == 0.0
    assert metrics.double_fault([0, np.nan], [0, 1]).n == 1
