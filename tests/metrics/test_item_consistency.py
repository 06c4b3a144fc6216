"""Cronbach's α: a golden value, the formula as it is written, gaps, what is undefined."""

import math

import numpy as np
import pytest

from assay import metrics

GUTTMAN = [[int(one) for one in row] for row in ("1110", "1100", "1000", "1111", "0000", "1110")]


def written(table):
    k = table.shape[1]
    return k / (k - 1) * (1 - table.var(axis=0, ddof=1).sum() / table.sum(axis=1).var(ddof=1))


def test_golden():
    found = metrics.cronbach_alpha(GUTTMAN)
    assert found.value == pytest.approx(0.77948718, abs=5e-9)
    assert (found.n, found.unit) == (6, "respondent")
    assert found.low < found.value < found.high <= 1


@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_the_formula_as_it_is_written(offset):
    rng = np.random.default_rng(0)
    table = rng.normal(size=(80, 1)) + rng.normal(size=(80, 5)) + offset
    found = metrics.cronbach_alpha(table)
    assert found.value == pytest.approx(written(table), abs=1e-6)
    assert found.low < 5 / 6 < found.high


def test_items_that_oppose_each_other_are_negative():
    assert metrics.cronbach_alpha([[1, 0, 1], [0, 1, 0], [1, 0.5, 0], [0, 1, 1]]).value < 0


def test_a_respondent_with_a_gap_is_left_out():
    table = np.array([*GUTTMAN, [1, math.nan, 1, 1]])
    found = metrics.cronbach_alpha(table)
    assert (found.value, found.n) == (pytest.approx(0.77948718), 6)


def test_respondents_who_are_all_alike_say_nothing():
    assert math.isnan(metrics.cronbach_alpha([[1, 0], [0, 1], [1, 0]]).value)
    assert math.isnan(metrics.cronbach_alpha([]).value)


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ([[1], [0]], "two or more items"),
        ([1, 0], "not of shape"),
        ([[1, 0], [math.inf, 1]], "row 1: finite"),
        ([[1, 0], [1]], "row 1"),
    ],
)
def test_bad_scores_are_told(scores, message):
    with pytest.raises(ValueError, match=message):
        metrics.cronbach_alpha(scores)
