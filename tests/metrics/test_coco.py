"""Detection: what each figure means on cases worked by hand, bad input, what is missing, classes, units."""

import math

import numpy as np
import pytest
from detection_cases import scenes

from assay import metrics, stats
from assay.metrics import pooled_precision

BOX = [10.0, 10.0, 20.0, 20.0]


def true(*boxes, **more):
    return {"boxes": list(boxes), "labels": ["a"] * len(boxes), **more}


def found(*boxes, scores=None):
    return true(*boxes) | {"scores": np.linspace(0.9, 0.1, len(boxes)) if scores is None else scores}


def value(name, predicted, targets, **more):
    return metrics.detection([predicted], [targets], interval=False, **more)[name].value


def test_every_figure_of_the_contract():
    names = {"map", "map_50", "map_75", "map_small", "map_medium", "map_large"}
    names |= {"mar_1", "mar_10", "mar_100", "mar_small", "mar_medium", "mar_large"}
    out = metrics.detection(*scenes(np.random.default_rng(0), 40))
    assert set(out) == names
    for name, one in out.items():
        assert one.metric == f"coco_{name}"
        assert one.signature.startswith(f"coco_{name}|")
        assert (one.n, one.unit) == (40, "image")
        assert one.low <= one.value <= one.high


def test_an_overlap_of_seven_tenths_counts_at_five_thresholds():
    # Intersection 20 x 14 over union 20 x 20: IoU .7 is reached at .5, .55, .6, .65 and .7.
    out = metrics.detection([found([10, 10, 20, 14])], [true(BOX)], interval=False)
    assert out["map"].value == pytest.approx(0.5)
    assert (out["map_50"].value, out["map_75"].value) == (1.0, 0.0)
    assert out["mar_100"].value == pytest.approx(0.5)


def test_a_wrong_detection_before_the_right_one_halves_precision():
    assert value("map_50", found([200, 200, 5, 5], BOX), true(BOX)) == 0.5
    assert value("map_50", found(BOX, [200, 200, 5, 5]), true(BOX)) == 1.0


def test_half_of_the_objects_found_reach_fifty_one_of_the_points():
    assert value("map_50", found(BOX), true(BOX, [200, 200, 5, 5])) == pytest.approx(51 / 101)


def test_points_of_recall_are_those_of_linspace():
    # 57 of 100 objects: numpy's linspace puts the point .57 a hair above 57/100, so that it is not reached.
    boxes = [[30.0 * i, 0, 20, 20] for i in range(100)]
    assert value("map_50", found(*boxes[:57]), true(*boxes)) == pytest.approx(57 / 101)
    assert value("map_50", found(*boxes[:50]), true(*boxes)) == pytest.approx(51 / 101)


def test_a_second_detection_of_an_object_is_wrong():
    assert value("map_50", found(BOX, BOX), true(BOX, [200, 200, 5, 5])) == pytest.approx(51 / 101)
    assert value("map_50", found(BOX, BOX, [200, 200, 5, 5]), true(BOX, [200, 200, 5, 5])) == pytest.approx(
        (51 + 50 * 2 / 3) / 101
    )


def test_crowds_are_neither_missed_nor_found_wrongly():
    crowd = true(BOX, [100, 100, 50, 50], crowd=[False, True])
    inside = [110, 110, 10, 10]
    assert value("map", found(inside, inside, BOX), crowd) == 1.0
    assert value("map", found(BOX), crowd) == 1.0
    assert math.isnan(value("map", found(inside), true([100, 100, 50, 50], crowd=[True])))


def test_sizes_go_by_the_stated_area_and_both_ends_belong():
    for area, sizes in ((1024.0, ("small", "medium")), (9216.0, ("medium", "large")), (1023.9, ("small",))):
        out = metrics.detection([found(BOX)], [true(BOX, area=[area])], interval=False)
        for size in ("small", "medium", "large"):
            assert out[f"map_{size}"].value == pytest.approx(1.0 if size in sizes else math.nan, nan_ok=True)
    assert value("map_small", found(BOX), true(BOX)) == 1.0, "without an area it is width x height"


def test_only_the_best_hundred_are_looked_at():
    wrong = [[200.0, 200, 5, 5]] * 100
    assert value("map", found(*wrong, BOX), true(BOX)) == 0.0
    assert value("map", found(*wrong[:99], BOX), true(BOX)) == pytest.approx(0.01)
    assert value("mar_10", found(*wrong[:9], BOX), true(BOX)) == 1.0
    assert value("mar_10", found(*wrong[:10], BOX), true(BOX)) == 0.0
    assert value("mar_1", found(BOX, BOX), true(BOX, [200, 200, 5, 5])) == 0.5


def test_boxes_without_area_overlap_nothing():
    line = [10.0, 10.0, 0.0, 20.0]
    assert value("map", found(line), true(line)) == 0.0


def test_per_class():
    predicted = {"boxes": [BOX, BOX], "labels": ["a", "c"], "scores": [0.5, 0.5]}
    targets = {"boxes": [BOX, BOX], "labels": ["a", "b"]}
    out = metrics.detection([predicted], [targets], per_class=True)
    assert (out["map/a"].value, out["map/b"].value) == (1.0, 0.0)
    assert math.isnan(out["map/c"].value), "nobody can find what is not there"
    assert out["map/a"].slice == "class=a"
    assert out["map"].value == 0.5, "classes without objects have no say"


def test_labels_of_any_kind():
    for labels in ([1, 2], ["a", "b"], np.array([1, 2], np.uint8), [("x", 1), 2], np.array(["a", "b"])):
        targets = {"boxes": [BOX, [0, 0, 5, 5]], "labels": labels}
        assert value("map", targets | {"scores": [0.5, 0.2]}, targets) == 1.0


def test_no_images_no_objects_no_detections():
    assert all(math.isnan(one.value) and one.n == 0 for one in metrics.detection([], []).values())
    empty = {"boxes": [], "labels": [], "scores": []}
    assert math.isnan(value("map", empty, empty))
    assert math.isnan(value("map", found(BOX), empty))
    assert value("map", empty, true(BOX)) == 0.0
    assert value("mar_100", empty, true(BOX)) == 0.0
    assert value("map", {"boxes": np.zeros((0, 4)), "labels": np.zeros(0, int), "scores": np.zeros(0)}, true(BOX)) == 0


def test_an_answer_that_never_came_is_missing_and_not_wrong():
    out = metrics.detection([found(BOX), None, found(BOX)], [true(BOX)] * 3)
    assert (out["map"].value, out["map"].n, out["map"].n_missing) == (1.0, 2, 1)
    scored = metrics.score(["coco_map"], [found(BOX), None], [true(BOX)] * 2)["coco_map"]
    assert (scored.value, scored.n, scored.n_missing) == (1.0, 1, 1)
    nothing = metrics.detection([None], [true(BOX)])["map"]
    assert (math.isnan(nothing.value), nothing.n, nothing.n_missing) == (True, 0, 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"boxes": [BOX, [1, 1, -2, 3]]}, r"predicted\[1\], box 1: a side is negative; boxes are x, y, width, height"),
        ({"boxes": [BOX, [1, math.nan, 2, 3]]}, r"predicted\[1\], box 1: boxes: a finite number"),
        ({"boxes": [BOX, [1, 1, 1e200, 1e200]]}, r"predicted\[1\], box 1: it is larger than a float can hold"),
        ({"boxes": [[1, 2, 3], [1, 2, 3]]}, r"predicted\[1\]: boxes as numbers of shape \(2, 4\)"),
        ({"boxes": [BOX, None]}, r"predicted\[1\]: boxes as numbers of shape \(2, 4\)"),
        ({"boxes": ["x", "y"]}, r"predicted\[1\]: boxes as numbers of shape \(2, 4\)"),
        ({"scores": [0.5, math.nan]}, r"predicted\[1\], box 1: scores: a finite number"),
        ({"scores": [0.5]}, r"predicted\[1\]: as many scores as boxes were expected, not 2 boxes, 1 scores"),
        ({"scores": None}, r"predicted\[1\]: scores as numbers of shape \(2,\) were expected, not None"),
        ({"labels": ["a"]}, r"predicted\[1\]: as many labels as boxes were expected, not 2 boxes, 1 labels"),
        ({"labels": ["a", "z"]}, r"predicted\[1\], box 1: label 'z' is none of the classes: there is a, b"),
        ({"labels": ["a", None]}, r"predicted\[1\], box 1: a label was expected, not None"),
        ({"labels": ["a", ["b"]]}, r"predicted\[1\], box 1: a label was expected, not \['b'\]"),
    ],
)
def test_wrong_predictions_are_named(change, message):
    good = found(BOX, BOX)
    with pytest.raises(ValueError, match=message):
        metrics.detection([good, good | change], [true(BOX)] * 2, classes=["a", "b"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"area": [-1.0]}, r"targets\[1\], box 0: its area is negative"),
        ({"area": [1.0, 2.0]}, r"targets\[1\]: as many area as boxes"),
        ({"crowd": [2]}, r"targets\[1\], box 0: crowd as true or false"),
        ({"labels": ["z"]}, r"targets\[1\], box 0: label 'z' is none of the classes"),
    ],
)
def test_wrong_targets_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        metrics.detection([found(BOX)] * 2, [true(BOX), true(BOX) | change], classes=["a", "b"])


@pytest.mark.parametrize(
    ("predicted", "targets", "message"),
    [
        (
            [],
            [{"boxes": [], "labels": []}],
            "one prediction for each of the targets was expected: 0 predicted, 1 targets",
        ),
        ([{"boxes": []}], [{"boxes": [], "labels": []}], r"predicted\[0\]: a dict with boxes and labels"),
        ([[]], [{"boxes": [], "labels": []}], r"predicted\[0\]: a dict with boxes and labels was expected, not list"),
        ([None], [None], r"targets\[0\]: a dict with boxes and labels was expected, not None"),
    ],
)
def test_wrong_shapes_are_named(predicted, targets, message):
    with pytest.raises(ValueError, match=message):
        metrics.detection(predicted, targets)


def test_images_that_belong_together_are_drawn_together():
    case = scenes(np.random.default_rng(1), 60)
    alone, films = (metrics.detection(*case, unit=unit)["map"] for unit in (None, np.arange(60) // 2))
    assert alone.value == films.value
    assert (alone.n, films.n) == (60, 30)
    assert (alone.low, alone.high) != (films.low, films.high)


def test_two_models_are_compared_over_images():
    predicted, targets = scenes(np.random.default_rng(2), 80, objects=5, detections=12)
    worse = [one | {"boxes": np.add(one["boxes"], [6.0, 6.0, 0, 0])} for one in predicted]
    one = metrics.get("coco_map")
    rows = [metrics.measure([one], side, targets) for side in (predicted, worse)]
    (compared,) = stats.compare([one], *rows)
    assert compared.verdict == "better"
    assert 0 < compared.low <= compared.difference <= compared.high
    assert compared.p < 0.01
    (same,) = stats.compare([one], rows[0], rows[0])
    assert (same.difference, same.p, same.verdict) == (0.0, 1.0, "inconclusive")


def test_blocks_of_weights_and_of_steps_change_nothing(monkeypatch):
    one = metrics.get("coco_map_medium")
    rows = metrics.measure([one], *scenes(np.random.default_rng(3), 30, 6, objects=12, detections=40, crowds=0.2))
    weights = np.random.default_rng(4).random((7, 30))
    whole = one.aggregate(rows, weights)
    monkeypatch.setattr(pooled_precision, "BLOCK", 64)
    monkeypatch.setattr(pooled_precision, "WIDTH", 3)
    assert one.aggregate(rows, weights) == pytest.approx(whole, abs=1e-12)


def test_intervals_hold_the_figure_of_the_population():
    """Wide bounds, few samples; `python -m benchmarks.detection_coverage` has 2,000."""
    rng = np.random.default_rng(5)
    one = metrics.get("coco_map")
    rows = one.measure(*scenes(rng, 3_000, 2, objects=3, detections=4, crowds=0))
    truth = one.aggregate(rows, np.ones((1, 3_000)))[0]
    held = 0
    for seed in range(100):
        drawn = rng.integers(3_000, size=500)
        taken = {name: column[drawn] for name, column in rows.items()}
        (found,) = stats.intervals([one], taken, seed=seed, resamples=299)
        held += found.low <= truth <= found.high
    assert 0.87 <= held / 100 <= 1
