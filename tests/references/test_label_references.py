"""Label metrics against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import metrics

LABELS = st.sampled_from(["cat", "dog", "eel", "fox"])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(LABELS, LABELS), min_size=1, max_size=30))
@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true", "ignore:A single label was found")
def test_equal_to_scikit_learn(pairs):
    sklearn = pytest.importorskip("sklearn.metrics")
    predicted, true = map(list, zip(*pairs, strict=True))
    found = metrics.score(["accuracy", "macro_f1", "balanced_accuracy"], predicted, true)
    assert found["accuracy"].value == pytest.approx(sklearn.accuracy_score(true, predicted), abs=1e-12)
    assert found["macro_f1"].value == pytest.approx(sklearn.f1_score(true, predicted, average="macro"), abs=1e-12)
    assert found["balanced_accuracy"].value == pytest.approx(
        sklearn.balanced_accuracy_score(true, predicted), abs=1e-12
    )


def test_scores_equal_scikit_learns():
    sklearn = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(7), 200)
    true = rng.integers(0, 7, 200)
    found = metrics.score(["nll", "top_1_accuracy", "top_5_accuracy"], np.log(p), true)
    assert found["nll"].value == pytest.approx(sklearn.log_loss(true, p, labels=range(7)), abs=1e-9)
    for k in (1, 5):
        expected = sklearn.top_k_accuracy_score(true, p, k=k, labels=range(7))
        assert found[f"top_{k}_accuracy"].value == pytest.approx(expected, abs=1e-12)
