"""Metrics of labels, label sets and scores against scikit-learn, on random and adversarial input."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import metrics
from assay.metrics import classification, labelsets

sklearn = pytest.importorskip("sklearn.metrics")
pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:sklearn"),
    pytest.mark.filterwarnings("ignore::FutureWarning:sklearn"),
]
LABELS = st.sampled_from(["cat", "dog", "eel", "fox"])
pairs = st.lists(st.tuples(LABELS, LABELS), min_size=1, max_size=30)
SHARES = ("precision", "recall", "f1")
AVERAGES = ("macro", "micro", "weighted")


def value(metric, *inputs):
    """The value alone, without its interval."""
    return float(metric.aggregate(metrics.measure([metric], *inputs), np.ones((1, len(inputs[1]))))[0])


def expected(kind, average, true, predicted, zero_division):
    function = {"precision": sklearn.precision_score, "recall": sklearn.recall_score, "f1": sklearn.f1_score}[kind]
    return function(true, predicted, average=average, zero_division=zero_division)


@settings(max_examples=40, deadline=None)
@given(pairs, st.sampled_from([math.nan, 0.0, 1.0]))
def test_shares_over_classes(given_pairs, zero_division):
    predicted, true = map(list, zip(*given_pairs, strict=True))
    for kind in SHARES:
        for average in AVERAGES:
            found = value(classification.averaged(kind, average, zero_division), predicted, true)
            if average == "weighted" and math.isnan(found):
                continue  # every true class was left out, of which scikit-learn makes 0
            assert found == pytest.approx(
                expected(kind, average, true, predicted, zero_division), abs=1e-12, nan_ok=True
            )


@settings(max_examples=40, deadline=None)
@given(pairs)
def test_matthews_correlation(given_pairs):
    predicted, true = map(list, zip(*given_pairs, strict=True))
    found = value(metrics.get("mcc"), predicted, true)
    if math.isnan(found):
        assert len(set(predicted)) == 1 or len(set(true)) == 1
    else:
        assert found == pytest.approx(sklearn.matthews_corrcoef(true, predicted), abs=1e-12)


def test_an_unparsed_answer_is_a_class_that_is_never_true():
    predicted, true = ["a", None, "b", "b", None], ["a", "a", "b", "a", "b"]
    other = ["?" if p is None else p for p in predicted]
    assert metrics.mcc(predicted, true).value == pytest.approx(sklearn.matthews_corrcoef(true, other), abs=1e-12)
    assert metrics.precision(predicted, true, average="micro").value == pytest.approx(2 / 3)
    assert metrics.recall(predicted, true, average="micro").value == pytest.approx(2 / 5)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 20))
def test_several_labels_a_row(seed, n):
    rng = np.random.default_rng(seed)
    true, predicted = rng.integers(0, 2, (2, n, 4))
    for kind in SHARES:
        for average in AVERAGES:
            found = value(labelsets.averaged(kind, average, 0.0), predicted, true)
            if average == "weighted" and not true.any():
                continue  # there is nothing to weigh by
            assert found == pytest.approx(expected(kind, average, true, predicted, 0.0), abs=1e-12)
        found = value(metrics.get(f"samples_{kind}"), predicted, true)
        assert found == pytest.approx(expected(kind, "samples", true, predicted, math.nan), abs=1e-12, nan_ok=True)
    exact, lost = (value(metrics.get(name), predicted, true) for name in ("subset_accuracy", "hamming_loss"))
    assert exact == pytest.approx(sklearn.accuracy_score(true, predicted), abs=1e-12)
    assert lost == pytest.approx(sklearn.hamming_loss(true, predicted), abs=1e-12)
    sets = [[set(np.flatnonzero(row)) for row in table] for table in (predicted, true)]
    micro = labelsets.averaged("f1", "micro")
    assert value(micro, *sets) == pytest.approx(value(micro, predicted, true), nan_ok=True)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([-1e300, -1.0, 0.0, 1e-300, 0.5, 0.5000000001, 1e9, math.inf]), st.booleans()))
)
def test_areas_with_ties(rows):
    scores, true = [row[0] for row in rows], [row[1] for row in rows]
    area, precision = (value(metrics.get(name), scores, true) for name in ("auroc", "average_precision"))
    if len(set(true)) < 2:
        assert math.isnan(area)
    else:
        finite = [min(score, 1e301) for score in scores]
        assert area == pytest.approx(sklearn.roc_auc_score(true, finite), abs=1e-12)
    if any(true):
        assert precision == pytest.approx(sklearn.average_precision_score(true, np.minimum(scores, 1e301)), abs=1e-12)
    else:
        assert math.isnan(precision)


@pytest.mark.parametrize("decimals", [1, 12])
def test_areas_of_several_classes(decimals):
    rng = np.random.default_rng(decimals)
    p = np.round(rng.dirichlet(np.ones(4), 300), decimals)
    p[:, 3] = 1 - p[:, :3].sum(axis=1)
    true = rng.integers(0, 4, 300)
    for average in ("ovr", "ovo"):
        theirs = sklearn.roc_auc_score(true, p, multi_class=average, average="macro")
        assert metrics.auroc(p, true, average=average).value == pytest.approx(theirs, abs=1e-12)
    one_hot = true[:, None] == np.arange(4)
    theirs = sklearn.average_precision_score(one_hot, p, average="macro")
    assert metrics.average_precision(p, true).value == pytest.approx(theirs, abs=1e-12)


def test_probabilities():
    rng = np.random.default_rng(3)
    p, true = rng.dirichlet(np.ones(3), 200), rng.integers(0, 3, 200)
    one_hot = (true[:, None] == np.arange(3)).astype(float)
    assert metrics.brier(p, true).value == pytest.approx(((p - one_hot) ** 2).sum(axis=1).mean(), abs=1e-12)
    assert metrics.brier(p[:, 0], true == 0).value == pytest.approx(
        sklearn.brier_score_loss(true == 0, p[:, 0]), abs=1e-12
    )
    assert metrics.nll(p, true).value == pytest.approx(sklearn.log_loss(true, p), abs=1e-9)
    assert metrics.nll(p[:, 0], true == 0).value == pytest.approx(sklearn.log_loss(true == 0, p[:, 0]), abs=1e-9)
    assert metrics.nll(np.log(p), true).value == pytest.approx(metrics.nll(p, true).value, abs=1e-9)
