"""Temporal average precision against a plain reading of ActivityNet's procedure, one detection after the other."""

import numpy as np
import pytest
from detection_cases import films

from assay import metrics


def overlap(a, b):
    both = max(0.0, min(a[1], b[1]) - max(a[0], b[0]))
    whole = (a[1] - a[0]) + (b[1] - b[0]) - both
    return both / whole if whole > 0 else 0.0


def average_precision(predicted, targets, label, threshold):
    """Of one class at one threshold; None where the class has no true segment."""
    true = [
        (film, segment)
        for film, one in enumerate(targets)
        for segment, kind in zip(one["segments"], one["labels"], strict=True)
        if kind == label
    ]
    if not true:
        return None
    found = [
        (score, film, segment)
        for film, one in enumerate(predicted)
        for segment, kind, score in zip(one["segments"], one["labels"], one["scores"], strict=True)
        if kind == label
    ]
    taken, hits = set(), []
    for _, film, segment in sorted(found, key=lambda one: -one[0]):  # stable
        chances = [(overlap(segment, other), place) for place, (of, other) in enumerate(true) if of == film]
        free = [chance for chance in chances if chance[0] >= threshold and chance[1] not in taken]
        hits.append(bool(free))
        if free:
            taken.add(max(free)[1])
    return area_of(hits, len(true))


def area_of(hits, objects):
    right = np.cumsum(hits)
    precision = right / np.arange(1, len(hits) + 1)
    return sum(precision[place:].max() for place in np.flatnonzero(hits)) / objects


def mean_precision(predicted, targets, thresholds):
    labels = {int(kind) for one in targets for kind in one["labels"]}
    return np.mean([[average_precision(predicted, targets, label, at) for label in labels] for at in thresholds])


def test_the_golden_pattern():
    """Right, wrong, right, right, wrong with four true segments: .625."""
    assert area_of([1, 0, 1, 1, 0], 4) == 0.625
    true = [[0, 10], [20, 30], [40, 50], [60, 70]]
    found = [[0, 10], [90, 99], [20, 30], [40, 50], [80, 85]]
    out = metrics.temporal_detection(
        [{"segments": found, "labels": ["a"] * 5, "scores": [0.9, 0.8, 0.7, 0.6, 0.5]}],
        [{"segments": true, "labels": ["a"] * 4}],
    )
    assert out["map"].value == pytest.approx(0.625, abs=1e-12)
    assert out["map@0.5"].value == pytest.approx(0.625, abs=1e-12)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("thresholds", ["activitynet", "thumos", [0.1, 0.5, 1.0]])
def test_equal_to_the_plain_procedure(thresholds, ties):
    for seed in range(4):
        case = films(np.random.default_rng(seed), 12, 3, ties=ties)
        found = metrics.temporal_detection(*case, thresholds=thresholds, interval=False, per_class=True)
        at = {"activitynet": np.linspace(0.5, 0.95, 10), "thumos": [0.3, 0.4, 0.5, 0.6, 0.7]}.get(
            str(thresholds), thresholds
        )
        assert found["map"].value == pytest.approx(mean_precision(*case, at), abs=1e-12)
        for one in at:
            assert found[f"map@{one:.10g}"].value == pytest.approx(mean_precision(*case, [one]), abs=1e-12)
        for label in range(3):
            expected = np.mean([average_precision(*case, label, one) for one in at])
            assert found[f"map/{label}"].value == pytest.approx(expected, abs=1e-12)
