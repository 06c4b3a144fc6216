"""Maps of labels: sums over pictures or pictures averaged, what is ignored, what is refused."""

import math

import numpy as np
import pytest

from assay import metrics


def test_worked_by_hand():
    predicted, targets = [np.array([[0, 0, 1, 2]])], [np.array([[0, 1, 1, 255]])]
    out = metrics.segmentation(predicted, targets, per_class=True)
    assert out["miou"].value == pytest.approx((1 / 2 + 1 / 2) / 2)
    assert out["pixel_accuracy"].value == pytest.approx(2 / 3)
    assert out["mean_pixel_accuracy"].value == pytest.approx((1 + 1 / 2) / 2)
    assert (out["iou/0"].value, out["iou/1"].value) == (0.5, 0.5)
    assert out["iou/0"].slice == "class=0"
    assert "iou/2" not in out, "what is predicted where the truth is ignored does not count"


def test_classes_occur_in_targets_or_predictions():
    assert metrics.miou([[[0, 2]]], [[[0, 0]]]).value == pytest.approx((1 / 2 + 0) / 2)
    assert metrics.miou([[[0, 2]]], [[[0, 0]]], classes=150).value == pytest.approx((1 / 2 + 0) / 2)


def test_over_all_pictures_or_each():
    predicted, targets = [[[0, 0]], [[0, 1]]], [[[0, 0]], [[1, 1]]]
    assert metrics.miou(predicted, targets).value == pytest.approx((2 / 3 + 1 / 2) / 2)
    each = metrics.miou_per_image(predicted, targets)
    assert each.value == pytest.approx((1 + (0 + 1 / 2) / 2) / 2)
    assert each.items.tolist() == [1.0, 0.25]
    assert each.signature.startswith("miou_per_image|ignore:255|")


def test_a_prediction_of_the_ignored_label_is_a_miss_and_no_class():
    out = metrics.segmentation([[[0, 255]]], [[[0, 0]]])
    assert (out["miou"].value, out["pixel_accuracy"].value) == (0.5, 0.5)


def test_what_is_ignored_can_be_chosen():
    assert metrics.miou([[[0, 1]]], [[[0, 7]]], ignore_index=7).value == 1.0
    assert metrics.miou([[[0, 1]]], [[[0, -1]]], ignore_index=-1).value == 1.0
    kept = metrics.miou([[[0, 255]]], [[[0, 255]]], ignore_index=None)
    assert kept.value == 1.0
    assert "ignore:none" in kept.signature
    assert metrics.pixel_accuracy([np.array([[True, False]])], [np.array([[True, True]])]).value == 0.5


def test_labels_of_any_width():
    for kind in (np.uint8, np.int16, np.uint16, np.int32, np.int64, np.uint64):
        assert metrics.miou([np.array([[3, 200]], kind)], [np.array([[3, 201]], kind)]).value == pytest.approx(1 / 3)
    assert metrics.miou([[[0, 65535]]], [[[0, 65535]]]).value == 1.0


def test_nothing_to_judge():
    assert math.isnan(metrics.miou([], []).value)
    assert math.isnan(metrics.miou([[[1, 1]]], [[[255, 255]]]).value)
    assert math.isnan(metrics.miou([np.zeros((0, 5))], [np.zeros((0, 5))]).value)
    out = metrics.segmentation([[[1]], [[1]]], [[[255]], [[1]]])
    assert (out["miou_per_image"].value, out["miou_per_image"].n) == (1.0, 1)


def test_a_map_that_never_came():
    out = metrics.segmentation([None, [[1]]], [[[0]], [[1]]])
    assert all((one.value, one.n, one.n_missing) == (1.0, 1, 1) for one in out.values())
    scored = metrics.score(["miou"], [None, [[1]]], [[[0]], [[1]]])["miou"]
    assert (scored.value, scored.n, scored.n_missing) == (1.0, 1, 1)


@pytest.mark.parametrize(
    ("predicted", "targets", "message"),
    [
        ([], [[[0]]], "one prediction a picture was expected: 0 predicted, 1 targets"),
        ([[[0, 1]]], [[[0]]], r"picture 0: maps of one shape were expected, not \(1, 2\) and \(1, 1\)"),
        ([[[0.5]]], [[[0]]], r"predicted\[0\]: a map of whole numbers was expected, not float64"),
        ([[[0], [1, 2]]], [[[0]]], r"predicted\[0\]: a map of whole numbers was expected"),
        ([["a"]], [[0]], r"predicted\[0\]: a map of whole numbers was expected"),
        ([[[0]]], [None], r"targets\[0\]: a map of whole numbers was expected"),
        ([[[-3]]], [[[0]]], r"predicted\[0\]: labels from 0 to 65535, or ignore_index, were expected, not -3"),
        ([[[70000]]], [[[0]]], r"predicted\[0\]: labels from 0 to 65535"),
        ([[[4]]], [[[0]]], r"predicted\[0\]: label 4 is none of the classes \(1 pixels\): there is 0, 1, 2"),
        ([[[0]]], [[[4]]], r"targets\[0\]: label 4 is none of the classes"),
    ],
)
def test_wrong_maps_are_named(predicted, targets, message):
    with pytest.raises(ValueError, match=message):
        metrics.segmentation(predicted, targets, classes=3)
