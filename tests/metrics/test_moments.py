"""Moments for queries: the first k, several true ones, queries without an answer, what is refused."""

import math

import pytest

from assay import metrics


def test_recall_at_k_and_tiou():
    predicted = [[[0, 10], [4, 8], [4, 9]], [[20, 30]]]
    out = metrics.moment_retrieval(predicted, [[4, 9], [[0, 5], [20, 28]]], k=(1, 2, 3), tiou=(0.5, 0.9))
    assert out["recall@1,tiou=0.5"].value == 1.0
    assert out["recall@1,tiou=0.9"].value == 0.0
    assert out["recall@3,tiou=0.9"].value == 0.5
    assert out["tiou"].value == pytest.approx((0.5 + 0.8) / 2)
    assert out["tiou"].items.tolist() == [0.5, 0.8]
    assert out["recall@1,tiou=0.5"].metric == "moment_recall@1,tiou=0.5"


def test_no_segment_is_wrong_and_no_answer_is_missing():
    out = metrics.moment_retrieval([[], None, [[0, 1]]], [[0, 1]] * 3)
    assert all((one.value, one.n, one.n_missing) == (0.5, 2, 1) for one in out.values())
    scored = metrics.score(["moment_recall@1,tiou=0.7"], [[[0, 1]], None], [[0, 1]] * 2)
    assert scored["moment_recall@1,tiou=0.7"].n_missing == 1
    assert all(math.isnan(one.value) for one in metrics.moment_retrieval([], []).values())


@pytest.mark.parametrize(
    ("predicted", "targets", "message"),
    [
        ([], [[0, 1]], "predictions for every query were expected: 0 predicted, 1 targets"),
        ([[[3, 1]]], [[0, 1]], r"predicted\[0\]: segments from a finite start to an end not before it"),
        ([[[1, math.nan]]], [[0, 1]], r"predicted\[0\]: segments from a finite start"),
        ([[1, 2, 3]], [[0, 1]], r"predicted\[0\]: segments as start, end were expected"),
        (["x"], [[0, 1]], r"predicted\[0\]: segments as start, end were expected"),
        ([[[0, 1]]], [[]], r"targets\[0\]: one true segment at least"),
        ([[[0, 1]]], [None], r"targets\[0\]"),
    ],
)
def test_wrong_segments_are_named(predicted, targets, message):
    with pytest.raises(ValueError, match=message):
        metrics.moment_retrieval(predicted, targets)


def test_wrong_settings():
    for setting in ({"k": (0,)}, {"tiou": (0.0,)}, {"tiou": (1.1,)}):
        with pytest.raises(ValueError, match="k from 1 on and tIoU above 0"):
            metrics.moment_retrieval([[[0, 1]]], [[0, 1]], **setting)
