"""Calibration and selective prediction: golden values, edges of bins, what the parts add up to."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import metrics
from assay.metrics.calibration import bin_of, ece
from assay.metrics.selective import harmonic

CONFIDENCE = [0.1, 0.2, 0.3, 0.35, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
RIGHT = [0, 0, 1, 0, 1, 0, 1, 1, 1, 1]
chances = st.lists(st.tuples(st.sampled_from([0.0, 0.05, 0.1, 0.3, 0.5, 0.7, 1.0]), st.booleans()), min_size=1)


def value(metric, *inputs):
    """The value alone: intervals take time, and are tested elsewhere."""
    rows = metrics.measure([metric], *inputs)
    return float(metric.aggregate(rows, np.ones((1, len(inputs[1]))))[0])


def by_definition(p, right, bins, place):
    p, right = np.asarray(p, float), np.asarray(right, float)
    where = [place(x, bins) for x in p]
    gaps = {b: [i for i, at in enumerate(where) if at == b] for b in set(where)}
    return sum(len(rows) * abs(right[rows].mean() - p[rows].mean()) for rows in gaps.values()) / len(p)


def upper(x, bins):
    """(l, u], the first closed."""
    return max(0, min(b for b in range(bins) if x <= (b + 1) / bins + 1e-12))


def lower(x, bins):
    """[l, u), as torchmetrics, 1.0 in a bin of its own."""
    return int(np.searchsorted(np.linspace(0, 1, bins + 1), x, side="right")) - 1


def test_goldens():
    """Science, appendix 1: the same ten rows are .305 with bins (l, u] and .165 with [l, u)."""
    assert metrics.ece(CONFIDENCE, RIGHT, bins=10).value == pytest.approx(0.305, abs=1e-12)
    assert by_definition(CONFIDENCE, RIGHT, 10, lower) == pytest.approx(0.165, abs=1e-9)
    assert metrics.brier(CONFIDENCE, RIGHT).value == pytest.approx(0.14125, abs=1e-12)
    assert metrics.aurc([0.9, 0.8, 0.7, 0.6, 0.5], [1, 1, 0, 1, 0]).value == pytest.approx(0.19666667, abs=5e-9)


def test_an_edge_belongs_to_the_bin_below_whatever_rounding_says():
    assert bin_of(np.array([0.1 + 0.2, 0.3, 0.7, 0.1 * 7]), 10).tolist() == [2, 2, 6, 6]


@settings(max_examples=60, deadline=None)
@given(chances, st.integers(1, 12))
def test_kinds_of_calibration_error(rows, bins):
    p, right = [row[0] for row in rows], [float(row[1]) for row in rows]
    found = {kind: value(ece(bins, kind), p, right) for kind in ("width", "max", "debiased")}
    assert found["width"] == pytest.approx(by_definition(p, right, bins, upper), abs=1e-12)
    assert found["max"] >= found["width"] - 1e-12
    assert found["debiased"] >= 0
    assert value(ece(1, "mass"), p, right) == pytest.approx(abs(np.mean(right) - np.mean(p)), abs=1e-12)
    parts = [value(metrics.get(f"brier_{part}"), p, right) for part in ("reliability", "resolution", "uncertainty")]
    assert parts[0] - parts[1] + parts[2] == pytest.approx(value(metrics.get("brier"), p, right), abs=1e-12)


def test_bins_of_equal_mass_hold_as_many_rows():
    rng = np.random.default_rng(0)
    p, right = rng.random(120), rng.integers(0, 2, 120)
    order = np.argsort(p)
    parts = np.array_split(order, 8)
    expected = sum(len(part) * abs(right[part].mean() - p[part].mean()) for part in parts) / 120
    assert metrics.ece(p, right, bins=8, kind="mass").value == pytest.approx(expected, abs=1e-12)


def test_classwise_is_the_mean_over_the_classes():
    rng = np.random.default_rng(1)
    p, true = rng.dirichlet(np.ones(4), 150), rng.integers(0, 4, 150)
    expected = np.mean([metrics.ece(p[:, k], true == k).value for k in range(4)])
    assert metrics.ece(p, true, kind="classwise").value == pytest.approx(expected, abs=1e-12)


def test_the_debiased_error_is_that_of_kumar():
    rng = np.random.default_rng(2)
    p = rng.random(400)
    right = (rng.random(400) < p).astype(float)
    where, squared = bin_of(p, 10), 0.0
    for b in range(10):
        rows = where == b
        accuracy = right[rows].mean()
        squared += rows.sum() / 400 * ((accuracy - p[rows].mean()) ** 2 - accuracy * (1 - accuracy) / (rows.sum() - 1))
    found = metrics.ece(p, right, bins=10, kind="debiased").value
    assert found == pytest.approx(math.sqrt(max(squared, 0)), abs=1e-12)
    assert found < metrics.ece(p, right, bins=10).value


def test_scores_of_classes_and_confidence_of_the_best_are_one():
    rng = np.random.default_rng(4)
    p, true = rng.dirichlet(np.ones(3), 80), rng.integers(0, 3, 80)
    right = p.argmax(axis=1) == true
    for name in ("ece", "ece_adaptive", "mce", "ece_debiased", "aurc", "accuracy@coverage=0.8"):
        alone = value(metrics.get(name), p.max(axis=1), right)
        assert value(metrics.get(name), np.log(p), true) == pytest.approx(alone, abs=1e-12), name
    together = metrics.score(["aurc", "ece_adaptive"], np.log(p), true)
    assert together["ece_adaptive"].value == pytest.approx(metrics.ece(p, true, kind="mass").value, abs=1e-12)


@pytest.mark.parametrize(("bins", "kind"), [(0, "width"), (10, "best")])
def test_bins_and_kinds_that_there_are_not(bins, kind):
    with pytest.raises(ValueError, match=r"at least one bin|a kind of width"):
        ece(bins, kind)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.5, 0.9]), st.booleans()), min_size=1, max_size=20))
def test_areas_under_risk_and_coverage(rows):
    ordered = sorted(rows, key=lambda row: (-row[0], row[1]))
    risks = np.cumsum([not right for _, right in ordered]) / np.arange(1, len(rows) + 1)
    confidence, right = [row[0] for row in rows], [row[1] for row in rows]
    found = value(metrics.get("aurc"), confidence, right)
    assert found == pytest.approx(risks.mean(), abs=1e-12)
    errors = len(rows) - sum(right)
    best = np.cumsum([0] * sum(right) + [1] * errors) / np.arange(1, len(rows) + 1)
    assert value(metrics.get("eaurc"), confidence, right) == pytest.approx(found - best.mean(), abs=1e-9)
    coverage, curve = metrics.risk_coverage(confidence, right)
    assert curve == pytest.approx(risks)
    assert coverage[-1] == 1.0


def test_accuracy_at_a_coverage_and_coverage_at_a_risk():
    confidence, right = [0.9, 0.8, 0.7, 0.7, 0.1], [1, 1, 0, 1, 0]
    names = [
        "accuracy@coverage=0.4",
        "accuracy@coverage=0.5",
        "accuracy@coverage=1",
        "coverage@risk=0.3",
        "coverage@risk=0",
    ]
    found = metrics.score(names[:4], confidence, right)
    assert [found[name].value for name in names[:4]] == pytest.approx([1.0, 0.8, 0.6, 0.8])
    with pytest.raises(ValueError, match="unknown metric 'coverage@risk=0'"):
        metrics.get(names[4])


def test_harmonic_numbers_between_whole_ones():
    assert harmonic(np.array([2.5]))[0] == pytest.approx(1.680372305546776)
    assert harmonic(np.array([2.0 + 1e-7, 4.0]))[1] == pytest.approx(25 / 12, abs=1e-12)


def test_one_class_only_and_no_rows():
    for name in ("auroc", "auroc_ovo", "average_precision"):
        assert math.isnan(metrics.score([name], [0.1, 0.2], [0, 0])[name].value)
    for name, metric in metrics.METRICS.items():
        if metric.rpartition(".")[2].partition(":")[0] in ("scores", "discrimination", "calibration", "selective"):
            assert math.isnan(metrics.score([name], np.zeros((0, 3)), [])[name].value), name


def test_the_positive_label_may_be_named():
    assert metrics.auroc([0.1, 0.9], ["cat", "dog"], positive="dog").value == 1.0
    with pytest.raises(ValueError, match="the positive label 'cow' does not occur"):
        metrics.auroc([0.1, 0.9], ["cat", "dog"], positive="cow")
    with pytest.raises(ValueError, match="0 or 1 was expected, not 'cat'"):
        metrics.auroc([0.1, 0.9], ["cat", "dog"])
