"""Boxes and points for phrases: thresholds, several true boxes, answers without a box, what is refused."""

import math

import numpy as np
import pytest

from assay import metrics

BOX = [10, 10, 20, 20]


def test_an_overlap_of_one_half_is_enough():
    out = metrics.grounding([[10, 10, 20, 10], [10, 10, 20, 9]], [BOX, BOX], thresholds=(0.45, 0.5))
    assert (out["accuracy@0.5"].value, out["accuracy@0.45"].value) == (0.5, 1.0)
    assert out["iou"].value == pytest.approx((0.5 + 0.45) / 2)
    assert out["accuracy@0.5"].metric == "grounding_accuracy"
    assert out["accuracy@0.45"].metric == "grounding_accuracy@0.45"
    assert out["accuracy@0.5"].items.tolist() == [1.0, 0.0]


def test_the_best_of_several_true_boxes_counts():
    several = [[0, 0, 5, 5], BOX]
    assert metrics.grounding([BOX], [several])["iou"].value == 1.0
    assert metrics.pointing_accuracy([[15, 15]], [several]).value == 1.0


def test_no_box_is_wrong_and_no_answer_is_missing():
    out = metrics.grounding([[], None, BOX], [BOX] * 3)
    assert all((one.value, one.n, one.n_missing) == (0.5, 2, 1) for one in out.values())
    found = metrics.pointing_accuracy([[], None, [10, 30]], [BOX] * 3)
    assert (found.value, found.n, found.n_missing) == (0.5, 2, 1)
    scored = metrics.score(["grounding_accuracy@0.9", "grounding_iou"], [[], None, BOX], [BOX] * 3)
    assert (scored["grounding_iou"].value, scored["grounding_iou"].n_missing) == (0.5, 1)


def test_points_within_a_tolerance():
    points = [[30, 30], [30, 31], [33, 34]]
    assert metrics.pointing_accuracy(points, [BOX] * 3).value == pytest.approx(1 / 3)
    assert metrics.pointing_accuracy(points, [BOX] * 3, tolerance_px=1).value == pytest.approx(2 / 3)
    assert metrics.pointing_accuracy(points, [BOX] * 3, tolerance_px=5).value == 1.0
    assert "tolerance_px:5" in metrics.pointing_accuracy(points, [BOX] * 3, tolerance_px=5).signature


def test_phrases_of_one_picture_belong_together():
    boxes = np.tile([BOX], (40, 1))
    found = np.where(np.arange(40)[:, None] // 4 % 2, boxes, 0)
    alone, grouped = (metrics.grounding(found, boxes, unit=u)["accuracy@0.5"] for u in (None, np.arange(40) // 4))
    assert (alone.n, grouped.n) == (40, 10)
    assert grouped.high - grouped.low > alone.high - alone.low


def test_no_phrases():
    assert all(math.isnan(one.value) for one in metrics.grounding([], []).values())


@pytest.mark.parametrize(
    ("predicted", "targets", "message"),
    [
        ([], [BOX], "a prediction for each of the targets was expected: 0 predicted, 1 targets"),
        ([[1, 2, 3]], [BOX], r"predicted\[0\]: one box \(x, y, width, height\) was expected"),
        ([[BOX, BOX]], [BOX], r"predicted\[0\]: one box"),
        ([[1, 2, -3, 4]], [BOX], r"predicted\[0\]: a side is negative"),
        ([[1, 2, math.nan, 4]], [BOX], r"predicted\[0\]: finite numbers were expected"),
        (["left"], [BOX], r"predicted\[0\]: numbers were expected, not 'left'"),
        ([BOX], [[]], r"targets\[0\]: one box \(x, y, width, height\) or several"),
        ([BOX], [None], r"targets\[0\]: one box"),
        ([BOX], [[1, 2, -3, 4]], r"targets\[0\]: a side is negative"),
    ],
)
def test_wrong_boxes_are_named(predicted, targets, message):
    with pytest.raises(ValueError, match=message):
        metrics.grounding(predicted, targets)


def test_wrong_settings():
    with pytest.raises(ValueError, match="thresholds above 0"):
        metrics.grounding([BOX], [BOX], thresholds=(0,))
    with pytest.raises(ValueError, match="tolerance of 0 pixels or more"):
        metrics.pointing_accuracy([[1, 1]], [BOX], tolerance_px=-1)
    with pytest.raises(ValueError, match=r"predicted\[0\]: one point"):
        metrics.pointing_accuracy([BOX], [BOX])
