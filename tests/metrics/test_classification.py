"""Labels and scores: codes, unparsed answers, what is refused."""

import math

import numpy as np
import pytest

from assay import metrics
from assay.metrics import classification
from assay.metrics.classification import measure_labels
from assay.metrics.scores import measure_nll, measure_top, weighed


def test_choices_fix_the_codes_so_that_shards_fit():
    first = measure_labels(["b"], ["c"], ["c", "b", "a"])
    assert (first["predicted"].tolist(), first["true"].tolist()) == ([1], [0])
    other = measure_labels(["elephant", None], ["a", "a"], ["c", "b", "a"])
    assert other["unparsed"].tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("predicted", "true", "choices", "message"),
    [
        (["a"], ["a", "b"], (), "1 answers, 2 labels"),
        (["a", "a"], ["a", None], (), "row 1 is missing"),
        ([1.0, 1.0], [1.0, np.nan], (), "row 1 is missing"),
        ([["a"], ["a"]], [["a"], ["b"]], (), "row 0: one label was expected.*samples_f1"),
        (["cat"], ["catt"], ("cat", "dog"), "row 0 'catt' is none of the choices: did you mean cat"),
    ],
)
def test_labels_that_do_not_fit(predicted, true, choices, message):
    with pytest.raises(ValueError, match=message):
        measure_labels(predicted, true, choices)


@pytest.mark.parametrize(
    ("scores", "true", "message"),
    [
        ([[0.0]], [0, 0], "were expected, not"),
        ([[0.0]], [1], "row 0: 1 is no class of 1"),
        ([[0.0, np.nan]], [0], "row 0: a score is NaN"),
        ([[-0.7, -0.7], [-2.0, -1.0]], [0, 0], "row 1: log-probabilities were expected"),
        ([[0.5, 0.5], [2.0, 1.0]], [0, 0], "row 1: probabilities"),
        ([[0.5, 0.5], [1.5, -0.5]], [0, 0], "row 1: probabilities"),
        ([0.5, 1.5], [0, 1], "row 1: a probability from 0 to 1"),
        ([0.5, None], [0, 1], "row 1: a score is NaN or missing"),
        ([0.5, 0.5], [0, 2], "row 1: 2 is neither 0 nor 1"),
        ([0.5, 0.5], [0, "cat"], "row 1: 0 or 1 was expected, not 'cat'"),
        ([[0.5, 0.5]], [0.5], "row 0: a class of 0 to 1 was expected, not 0.5"),
    ],
)
def test_scores_that_do_not_fit(scores, true, message):
    with pytest.raises(ValueError, match=message):
        measure_nll(weighed(scores, true))


def test_equal_scores_count_as_expected():
    given = weighed(np.full((1, 4), -np.log(4)), [2])
    assert measure_top(given, 3)["top_3_accuracy"].tolist() == [0.75]
    assert measure_nll(given)["nll"][0] == pytest.approx(np.log(4))


def test_few_and_many_classes_are_summed_alike(monkeypatch):
    rng = np.random.default_rng(0)
    true, predicted = rng.integers(0, 12, (2, 300))
    rows = measure_labels([None if p == 11 else p for p in predicted], [t % 9 for t in true])
    weights = rng.integers(0, 3, (5, 300)).astype(float)
    names = ("macro_f1", "balanced_accuracy")
    dense = [metrics.get(name).aggregate(rows, weights) for name in names]
    monkeypatch.setattr(classification, "DENSE_CLASSES", 0)
    for name, expected in zip(names, dense, strict=True):
        np.testing.assert_allclose(metrics.get(name).aggregate(rows, weights), expected, atol=1e-14)


def test_a_probability_of_0_does_not_end_all():
    with np.errstate(divide="ignore"):
        rows = measure_nll(weighed(np.log([[0.0, 1.0]]), [0]))
    assert rows["nll"][0] == pytest.approx(36.04, abs=0.01)


def test_arrays_of_integers_are_lists_of_integers():
    rng = np.random.default_rng(1)
    predicted, true = rng.integers(-3, 9, (2, 200))
    for name in ("accuracy", "macro_f1", "mcc"):
        metric = metrics.get(name)
        values = [
            metric.aggregate(measure_labels(*given), np.ones((1, 200)))[0]
            for given in ((predicted, true), (predicted.tolist(), true.tolist()))
        ]
        assert values[0] == pytest.approx(values[1], abs=1e-15), name


def test_a_prediction_of_nan_could_not_be_parsed():
    assert measure_labels([np.nan, 1.0], [1.0, 1.0])["unparsed"].tolist() == [1.0, 0.0]


@pytest.mark.parametrize("kind", [list, np.array])
def test_more_than_ten_whole_numbers_stand_in_their_order(kind):
    rng = np.random.default_rng(0)
    true, predicted = rng.integers(0, 14, 200).tolist(), rng.integers(0, 14, 200).tolist()
    labels, table = metrics.confusion_matrix(kind(predicted), kind(true))
    assert labels == list(range(14))
    for at, one in enumerate(labels):
        for place, other in enumerate(labels):
            assert table[at, place] == sum((t, p) == (one, other) for t, p in zip(true, predicted, strict=True))
    assert metrics.per_class(kind(predicted), kind(true))[10]["true"] == true.count(10)


def test_a_prediction_of_nan_is_in_the_last_column():
    labels, table = metrics.confusion_matrix(["a", math.nan, None], ["a", "a", "a"])
    assert (labels, table.tolist()) == (["a"], [[1, 2]])
