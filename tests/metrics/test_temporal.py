"""Segments of films: what counts, what is refused, what is missing."""

import math

import numpy as np
import pytest
from detection_cases import films

from assay import metrics, stats

TRUE = {"segments": [[0, 10], [20, 30]], "labels": ["run", "jump"]}
FOUND = TRUE | {"scores": [0.9, 0.8]}


def test_thresholds_and_names():
    out = metrics.temporal_detection([FOUND], [TRUE])
    assert list(out)[:3] == ["map", "map@0.5", "map@0.55"]
    assert len(out) == 11
    assert all(one.value == 1.0 and one.unit == "film" for one in out.values())
    assert out["map"].metric == "temporal_map"
    assert out["map@0.5"].metric == "temporal_map@0.5"
    thumos = metrics.temporal_detection([FOUND], [TRUE], thresholds="thumos")
    assert list(thumos) == ["map", "map@0.3", "map@0.4", "map@0.5", "map@0.6", "map@0.7"]
    assert thumos["map"].signature.startswith("temporal_map:thumos|tiou:thumos|")
    assert set(metrics.temporal_detection([FOUND], [TRUE], thresholds=[0.5])) == {"map", "map@0.5"}


def test_the_overlap_must_reach_the_threshold():
    half = {"segments": [[0, 5]], "labels": ["run"], "scores": [0.5]}
    one = {"segments": [[0, 10]], "labels": ["run"]}
    out = metrics.temporal_detection([half], [one])
    assert (out["map@0.5"].value, out["map@0.55"].value, out["map"].value) == (1.0, 0.0, pytest.approx(0.1))


def test_films_without_true_segments_hold_wrong_detections():
    empty = {"segments": [], "labels": []}
    wrong = {"segments": [[0, 1]], "labels": ["run"], "scores": [1.0]}
    one = {"segments": [[0, 10]], "labels": ["run"]}
    right = one | {"scores": [0.5]}
    assert metrics.temporal_detection([right, wrong], [one, empty])["map"].value == 0.5


def test_classes():
    only = {"segments": [[0, 10], [5, 6]], "labels": ["run", "swim"], "scores": [0.5, 0.9]}
    out = metrics.temporal_detection([only], [TRUE], per_class=True)
    assert out["map"].value == 0.5, (
        "a class that nothing was predicted of counts 0, one that only predictions have nothing"
    )
    assert (out["map/run"].value, out["map/jump"].value) == (1.0, 0.0)
    assert math.isnan(out["map/swim"].value)


def test_missing_and_empty():
    out = metrics.temporal_detection([FOUND, None], [TRUE, TRUE])["map"]
    assert (out.value, out.n, out.n_missing) == (1.0, 1, 1)
    assert math.isnan(metrics.temporal_detection([], [])["map"].value)
    assert metrics.temporal_detection([{"segments": [], "labels": [], "scores": []}], [TRUE])["map"].value == 0.0
    assert metrics.score(["temporal_map@0.5"], [FOUND], [TRUE])["temporal_map@0.5"].value == 1.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"segments": [[0, 10], [30, 20]]}, r"predicted\[0\], segment 1: it ends before it starts"),
        ({"segments": [[0, 10], [math.nan, 20]]}, r"predicted\[0\], segment 1: segments: a finite number"),
        ({"segments": [0, 10]}, r"predicted\[0\]: segments as numbers of shape \(2, 2\)"),
        ({"scores": [1]}, r"as many scores as segments were expected, not 2 segments, 1 scores"),
        ({"scores": [1, math.nan]}, r"predicted\[0\], segment 1: scores: a finite number"),
        ({"labels": 3}, r"predicted\[0\]: lists or arrays of segments and labels"),
    ],
)
def test_wrong_segments_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        metrics.temporal_detection([FOUND | change], [TRUE])


@pytest.mark.parametrize("thresholds", ["coco", [], [0.0], [1.5], np.linspace(0.01, 0.9, 65)])
def test_wrong_thresholds(thresholds):
    with pytest.raises(ValueError, match="thresholds"):
        metrics.temporal_detection([FOUND], [TRUE], thresholds=thresholds)


def test_two_models_are_compared_over_films():
    predicted, targets = films(np.random.default_rng(0), 60)
    worse = [one | {"segments": np.add(one["segments"], 2.0)} for one in predicted]
    one = metrics.get("temporal_map")
    rows = [metrics.measure([one], side, targets) for side in (predicted, worse)]
    (found,) = stats.compare([one], *rows)
    assert found.verdict == "better"
    assert found.low <= found.difference <= found.high


def test_temporal_iou():
    assert metrics.temporal_iou([0, 10], [[5, 15], [0, 10], [10, 20]]).tolist() == [pytest.approx(1 / 3), 1.0, 0.0]
    assert metrics.temporal_iou([3, 3], [3, 3]) == 0.0
    for a in ([3, 2], [0, math.inf], [1, 2, 3], 5):
        with pytest.raises(ValueError, match="a: segments"):
            metrics.temporal_iou(a, [0, 1])
