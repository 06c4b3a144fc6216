"""Contrasts, prepared aggregates and swaps: however they are folded, the figures are those of the plain aggregate."""

import math

import numpy as np
import pytest

from assay import metrics, stats
from assay.metrics.metric import Metric, of_sums, ratio
from assay.stats import units
from assay.stats.contrast import Contrast, paired_rows
from assay.stats.folded import fold
from assay.stats.measured import OfPrepared
from assay.stats.permutation import swap

SUMS = Metric("sums", dict, of_sums(lambda n, x, m: ratio(x, n + m[:, 0]) + m[:, 1], "x", "m"), columns=("x", "m"))
F1 = metrics.get("macro_f1")


def prepare(rows):
    """Positives and negatives by score, and where a new score starts."""
    order = np.argsort(rows["score"], kind="stable")
    score, positive = rows["score"][order], rows["positive"][order]
    return order, (positive, np.flatnonzero(np.diff(score, prepend=np.nan) != 0))


def area(state, weights):
    """The area under the ROC curve, ties half."""
    positive, starts = state
    above = np.add.reduceat(weights * positive, starts, axis=1)
    below = np.add.reduceat(weights * (1 - positive), starts, axis=1)
    beaten = np.cumsum(below, axis=1) - below / 2
    return ratio((above * beaten).sum(axis=1), above.sum(axis=1) * below.sum(axis=1))


AREA = Metric("area", dict, OfPrepared(prepare, area, ("score", "positive")), columns=("score", "positive"))


def plain(metric):
    """The same metric whose aggregate says nothing of itself."""
    return Metric(metric.name, dict, lambda rows, w: metric.aggregate(rows, w), columns=metric.columns)


def rows_of(metric, rng, n, kinds=1000):
    if metric is SUMS:
        return {"x": rng.integers(0, kinds, n) / kinds, "m": rng.integers(0, kinds, (n, 2)) / kinds}
    if metric is F1:
        return {"true": rng.integers(0, 4, n), "predicted": rng.integers(-1, 5, n)}
    return {"score": rng.integers(0, kinds, n) / kinds, "positive": rng.integers(0, 2, n) * 1.0}


every = pytest.mark.parametrize("metric", [SUMS, F1, AREA], ids=lambda m: m.name)
clustered = pytest.mark.parametrize("clusters", [None, 60])


@every
@clustered
@pytest.mark.parametrize("kinds", [3, 1000])
@pytest.mark.parametrize("contrast", [False, True])
def test_a_folded_metric_is_the_metric(metric, clusters, kinds, contrast):
    rng = np.random.default_rng(0)
    index = np.arange(240) if clusters is None else units.codes(rng.permutation(np.arange(240) % clusters), 240)
    rows = rows_of(metric, rng, 240, kinds)
    if contrast:
        rows = paired_rows(rows, rows_of(metric, rng, 240, kinds))
        metric = Contrast(metric)
    one = fold(metric, rows, index)
    assert one.counts.sum() == (clusters or 240)
    value = metric.aggregate(rows, np.ones((1, 240)))[0]
    assert one.evaluate(one.counts[None, :].astype(float))[0] == pytest.approx(value)
    left, counts, runs = one.jackknife()
    brute = metric.aggregate(rows, (index != np.arange(index.max() + 1)[:, None]).astype(float))
    np.testing.assert_allclose(np.sort(np.repeat(left, counts)), np.sort(brute))
    assert sum(runs) == len(left)


@every
@clustered
def test_swaps_of_a_folded_metric_are_swaps(metric, clusters):
    rng = np.random.default_rng(1)
    index = np.arange(90) if clusters is None else np.arange(90) % clusters
    a, b = rows_of(metric, rng, 90), rows_of(metric, rng, 90)
    found, expected = (
        swap(one, a, b, index, resamples=2000, rng=np.random.default_rng(2)) for one in (metric, plain(metric))
    )
    assert found == pytest.approx(expected, abs=1e-12)


def test_all_swaps_of_few_units_are_gone_through():
    rng = np.random.default_rng(0)
    a, b = rows_of(SUMS, rng, 8), rows_of(SUMS, rng, 8)
    tossed = []
    for pattern in range(256):
        go = (pattern >> np.arange(8)) & 1 == 1
        first, second = (
            {name: np.where(go.reshape(-1, *[1] * (one[name].ndim - 1)), other[name], one[name]) for name in one}
            for one, other in ((a, b), (b, a))
        )
        tossed.append(SUMS.aggregate(first, np.ones((1, 8)))[0] - SUMS.aggregate(second, np.ones((1, 8)))[0])
    expected = np.mean(np.abs(tossed) >= abs(tossed[0]) - 1e-12)
    for metric in (SUMS, plain(SUMS)):
        assert swap(metric, a, b, np.arange(8), resamples=500, rng=rng) == pytest.approx(expected)


def test_a_prepared_metric_has_the_intervals_of_a_plain_one():
    rng = np.random.default_rng(0)
    rows = rows_of(AREA, rng, 3000)
    rows["score"] = rows["score"] + 0.2 * rows["positive"]
    prepared, direct = (stats.intervals([one], rows, seed=1, resamples=4_999)[0] for one in (AREA, plain(AREA)))
    assert prepared.value == pytest.approx(direct.value)
    assert (prepared.low, prepared.high) == pytest.approx((direct.low, direct.high), abs=0.008)
    empty = {name: column[:0] for name, column in rows.items()}
    assert math.isnan(AREA.aggregate(empty, np.zeros((1, 0)))[0])


def test_rows_that_are_undefined_have_no_say_in_a_prepared_metric():
    rows = rows_of(AREA, np.random.default_rng(0), 50)
    holed = {**rows, "score": np.where(np.arange(50) < 20, np.nan, rows["score"])}
    rest = {name: column[20:] for name, column in rows.items()}
    weights = np.random.default_rng(1).random((3, 50))
    np.testing.assert_allclose(AREA.aggregate(holed, weights), AREA.aggregate(rest, weights[:, 20:]))


def test_strata_narrow_the_interval_of_what_they_explain():
    """Two strata of 0.2 and 0.8: drawn within them the mean varies as within, √(p q/n); without, as over all."""
    rng = np.random.default_rng(0)
    stratum = np.repeat(["easy", "hard"], 400)
    x = np.where(stratum == "easy", 0.8, 0.2) + rng.uniform(-0.1, 0.1, 800)
    mean = Metric("mean", dict, of_sums(lambda n, x: ratio(x, n), "x"), columns=("x",))
    for one in (mean, plain(mean)):
        low, high = stats.interval(one, {"x": x}, stratum=stratum)
        assert (high - low) / (2 * 1.96) == pytest.approx(0.1 / math.sqrt(3 * 800), rel=0.08)
    wide = stats.interval(mean, {"x": x})
    assert (wide[1] - wide[0]) / (high - low) == pytest.approx(
        math.sqrt(0.09 + 0.01 / 3) / (0.1 / math.sqrt(3)), rel=0.1
    )


def test_strata_in_closed_forms():
    """Stratified proportions: the variance is Σ n_h² p_h q_h/(n_h - 1)/n²."""
    stratum = np.repeat(["a", "b"], [60, 40])
    right = np.concatenate([np.repeat([1.0, 0.0], [54, 6]), np.repeat([1.0, 0.0], [10, 30])])
    (found,) = stats.intervals([metrics.get("accuracy")], {"correct": right}, stratum=stratum)
    assert found.method == "wilson_clustered"
    se = math.sqrt(60**2 * 0.9 * 0.1 / 59 + 40**2 * 0.25 * 0.75 / 39) / 100
    effective = 0.64 * 0.36 / se**2
    assert effective > 100
    assert (found.low, found.high) == pytest.approx(stats.wilson(0.64, effective, z=1.9845), abs=1e-3)


def test_strata_of_single_units_say_nothing():
    mean = Metric("mean", dict, of_sums(lambda n, x: ratio(x, n), "x"), columns=("x",), bounds=(0.0, 50.0))
    (found,) = stats.intervals([mean], {"x": np.arange(40.0)}, stratum=list(range(40)))
    assert (found.value, found.method) == (19.5, "unvaried")
    assert found.high - found.low > 35


@pytest.mark.parametrize(
    ("unit", "stratum", "message"),
    [
        (None, ["s"] * 9, "10 rows, 9 stratums"),
        (list("aabbccddee"), list("xyyyyyyyyy"), "every unit lies in one stratum, but the unit of row"),
        ([1.0] * 9 + [math.nan], None, "the unit of row 9 is missing"),
        (["a"] * 9 + [None], None, "the unit of row 9 is missing"),
        (np.zeros((10, 2)), None, "not an array of shape"),
    ],
)
def test_units_and_strata_that_do_not_fit(unit, stratum, message):
    with pytest.raises(ValueError, match=message):
        stats.intervals([SUMS], rows_of(SUMS, np.random.default_rng(0), 10), unit, stratum=stratum)


def test_labels_of_several_kinds_are_units():
    rows = {"x": np.arange(6.0), "m": np.zeros((6, 2))}
    mixed = np.array(["a", 1, (2, 3), "a", 1, "b"], dtype=object)
    (found,) = stats.intervals([SUMS], rows, mixed, resamples=50)
    assert found.n == 4
