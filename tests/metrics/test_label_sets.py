"""Rows with several labels, confusion matrices, shares by class: inputs that differ and what is refused."""

import math

import numpy as np
import pytest

from assay import metrics


def test_f1_of_means_is_not_the_mean_of_f1():
    predicted, true = ["a", "a", "a", "b"], ["a", "b", "b", "b"]
    precision, recall = (f(predicted, true).value for f in (metrics.precision, metrics.recall))
    assert metrics.macro_f1(predicted, true).value == pytest.approx(0.5)
    assert 2 * precision * recall / (precision + recall) == pytest.approx(0.6666667)


def test_confusion_and_shares_by_class():
    labels, table = metrics.confusion_matrix(["b", None, "b", "c"], ["a", "a", "b", "b"])
    assert labels == ["a", "b", "c"]
    assert table.tolist() == [[0, 1, 0, 1], [0, 1, 1, 0], [0, 0, 0, 0]]
    by_class = metrics.per_class(["b", None, "b", "c"], ["a", "a", "b", "b"])
    assert math.isnan(by_class["a"]["precision"])
    assert math.isnan(by_class["c"]["recall"])
    assert by_class["b"] == {"precision": 0.5, "recall": 0.5, "f1": 0.5, "true": 2.0, "predicted": 2.0}


def test_sets_matrices_and_answers_that_could_not_be_parsed():
    found = metrics.score(["samples_f1", "samples_recall"], [["a"], None, ["b"]], [["a"], ["b"], []])
    assert (found["samples_f1"].value, found["samples_f1"].n) == (pytest.approx(1 / 3), 3)
    assert (found["samples_recall"].value, found["samples_recall"].n) == (0.5, 2)
    assert found["samples_recall"].items.tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    ("predicted", "true", "message"),
    [
        ([["a"]], [], "1 answers, 0 rows"),
        ([["a"]], ["abc"], "row 0: a collection of true labels was expected, not 'abc'"),
        ([["a"], ["a"]], [["a"], None], "row 1: a collection of true labels"),
        (np.zeros((2, 3)), np.zeros((2, 4)), "matrices of one shape"),
        (np.array([[0, 2]]), np.array([[0, 1]]), "row 0: 0 or 1 was expected for label 1"),
    ],
)
def test_what_does_not_fit(predicted, true, message):
    with pytest.raises(ValueError, match=message):
        metrics.score(["samples_f1"], predicted, true)


def test_options_that_there_are_not():
    with pytest.raises(ValueError, match="macro or micro or weighted"):
        metrics.f1(["a"], ["a"], average="best")
    with pytest.raises(ValueError, match="zero_division as 0, 1 or NaN"):
        metrics.precision(["a"], ["a"], zero_division=0.5)
    with pytest.raises(ValueError, match="does not go with it"):
        metrics.precision([["a"]], [["a"]], average="samples", zero_division=0)
    with pytest.raises(ValueError, match="ovr or ovo"):
        metrics.auroc([0.5], [1], average="best")


def test_a_metric_without_a_function_of_its_own_is_one_by_its_name():
    assert metrics.weighted_f1(["a", "b"], ["a", "b"]).value == 1.0
    assert "Gorodkin" in metrics.mcc.__doc__
    assert "mcc" in dir(metrics)
