"""Masks: bitmaps and run lengths say the same, overlap is counted to the pixel, what is refused."""

import math

import numpy as np
import pytest
from detection_cases import outlined

from assay import metrics
from assay.metrics.masks import flatten_masks, shared

SQUARE = np.zeros((6, 8), bool)
SQUARE[1:4, 2:5] = True
RUNS = {"size": [6, 8], "counts": [13, 3, 3, 3, 3, 3, 20]}
TRUE = {"masks": [SQUARE], "labels": ["a"]}


def found(*masks):
    return {"masks": list(masks), "labels": ["a"] * len(masks), "scores": np.linspace(0.9, 0.5, len(masks))}


def test_bitmaps_and_run_lengths_are_the_same():
    for mask in (SQUARE, SQUARE.astype(np.uint8), SQUARE.tolist(), RUNS, RUNS | {"counts": np.array(RUNS["counts"])}):
        out = metrics.detection([found(mask)], [TRUE], iou="masks", interval=False)
        assert (out["map"].value, out["map"].metric) == (1.0, "coco_map:masks")


def test_overlap_is_counted():
    moved = np.roll(SQUARE, 1, axis=1)  # 6 pixels in common, 12 in all
    out = metrics.detection([found(moved)], [TRUE], iou="masks", interval=False)
    assert (out["map_50"].value, out["map"].value) == (1.0, pytest.approx(0.1))


def test_shared_pixels_are_those_of_the_bitmaps():
    rng = np.random.default_rng(0)
    predicted, targets = outlined(rng, 20)
    corpus = flatten_masks(predicted, targets)
    a, b = ([mask for one in side for mask in one["masks"]] for side in (predicted, targets))
    d, g = (index.ravel() for index in np.meshgrid(np.arange(len(a)), np.arange(len(b)), indexing="ij"))
    expected = [int((a[i] & b[j]).sum()) for i, j in zip(d, g, strict=True)]
    assert shared(corpus.found_masks, corpus.true_masks, d, g).tolist() == expected
    assert corpus.found_masks.area.tolist() == [int(one.sum()) for one in a]


def test_sizes_go_by_the_pixels():
    big = np.ones((40, 40), bool)
    out = metrics.detection([found(big)], [{"masks": [big], "labels": ["a"]}], iou="masks", interval=False)
    assert (math.isnan(out["map_small"].value), out["map_medium"].value) == (True, 1.0)


def test_empty_masks_overlap_nothing():
    nothing = np.zeros((6, 8), bool)
    targets = {"masks": [nothing], "labels": ["a"]}
    assert metrics.detection([found(nothing)], [targets], iou="masks", interval=False)["map"].value == 0.0
    none = {"masks": [], "labels": [], "scores": []}
    assert math.isnan(metrics.detection([none], [none], iou="masks", interval=False)["map"].value)


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        ({"size": [6, 8], "counts": [40]}, r"predicted\[0\], mask 1: its run lengths do not add up to height x width"),
        ({"size": [6, 8], "counts": [50, -2]}, r"predicted\[0\], mask 1: a run length or a size is negative"),
        ({"size": [6, 8], "counts": [1.5]}, r"predicted\[0\], mask 1: run lengths as whole numbers"),
        ({"size": [6, 8]}, r"predicted\[0\], mask 1: run lengths with size \[height, width\] and counts"),
        ({"size": [6, 8], "counts": "~~"}, r"predicted\[0\], mask 1: its run lengths are no compressed text"),
        ({"size": [6, 8], "counts": "P"}, r"predicted\[0\], mask 1: its run lengths are no compressed text"),
        ({"size": [6, 8], "counts": "o" * 40 + "0"}, r"predicted\[0\], mask 1: its run lengths are no compressed text"),
        ([[0, 2]], r"predicted\[0\], mask 1: a bitmap \[height, width\] of 0 and 1"),
        ([1, 0], r"predicted\[0\], mask 1: a bitmap"),
        ([[1, 2, 3, 4, 5, 6]], r"predicted\[0\], mask 1: a bitmap"),
        (np.ones((6, 9), bool), r"predicted\[0\], mask 1: masks of one picture have one size: \[6, 9\], not \[6, 8\]"),
    ],
)
def test_wrong_masks_are_named(mask, message):
    with pytest.raises(ValueError, match=message):
        metrics.detection([found(SQUARE, mask)], [TRUE], iou="masks")


def test_another_kind_is_refused():
    with pytest.raises(ValueError, match="iou of boxes or masks was expected, not 'segm'"):
        metrics.detection([], [], iou="segm")
    with pytest.raises(ValueError, match=r"predicted\[0\]: a dict with boxes and labels"):
        metrics.detection([found(SQUARE)], [TRUE])
