"""Mean IoU against scikit-learn and against sets of pixels counted one class after the other."""

import numpy as np
import pytest

from assay import metrics


def maps(seed, pictures=7, classes=6, ignored=0.1):
    rng = np.random.default_rng(seed)
    targets = [rng.integers(0, classes, (9, 11)) for _ in range(pictures)]
    predicted = [np.where(rng.random((9, 11)) < 0.4, rng.integers(0, classes + 1, (9, 11)), one) for one in targets]
    return predicted, [np.where(rng.random((9, 11)) < ignored, 255, one) for one in targets]


def class_by_class(predicted, targets):
    """The IoU of every class that occurs where the truth is not ignored."""
    judged = targets != 255
    predicted, targets = predicted[judged], targets[judged]
    found = []
    for label in np.union1d(predicted, targets):
        a, b = set(np.flatnonzero(predicted == label)), set(np.flatnonzero(targets == label))
        found.append(len(a & b) / len(a | b))
    return found


@pytest.mark.parametrize("seed", range(5))
def test_equal_to_scikit_learn_and_to_sets(seed):
    sklearn = pytest.importorskip("sklearn.metrics")
    predicted, targets = maps(seed)
    flat, true = (np.concatenate([one.ravel() for one in side]) for side in (predicted, targets))
    judged = true != 255
    out = metrics.segmentation(predicted, targets, per_class=True)
    labels = np.union1d(flat[judged], true[judged])
    scores = sklearn.jaccard_score(true[judged], flat[judged], average=None, labels=labels)
    assert out["miou"].value == pytest.approx(scores.mean(), abs=1e-12)
    for label, score in zip(labels, scores, strict=True):
        assert out[f"iou/{label}"].value == pytest.approx(score, abs=1e-12)
    assert out["miou"].value == pytest.approx(np.mean(class_by_class(flat, true)), abs=1e-12)
    each = [np.mean(class_by_class(*pair)) for pair in zip(predicted, targets, strict=True)]
    assert out["miou_per_image"].value == pytest.approx(np.mean(each), abs=1e-12)
    assert out["pixel_accuracy"].value == pytest.approx(sklearn.accuracy_score(true[judged], flat[judged]), abs=1e-12)
    recall = sklearn.recall_score(true[judged], flat[judged], average=None, labels=np.unique(true[judged]))
    assert out["mean_pixel_accuracy"].value == pytest.approx(recall.mean(), abs=1e-12)
