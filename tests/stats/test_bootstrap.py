"""The bootstrap of any statistic: by row, unit and stratum; what is degenerate is said to be."""

import math

import numpy as np
import pytest

from assay import stats
from assay.stats import OfSums, Statistic

TEN = [0.1, 0.4, 0.35, 0.9, 0.6, 0.2, 0.75, 0.55, 0.05, 0.8]
MEAN = Statistic("mean", OfSums(lambda n, x: x / n, ("x",)), ("x",))


def test_bca_golden():
    """Science E.2: (0.295, 0.640), tolerance .01."""
    found = stats.bootstrap(TEN, np.mean)
    assert (found.low, found.high) == pytest.approx((0.295, 0.640), abs=0.01)
    assert (found.value, found.n, found.degenerate, found.n_undefined) == (pytest.approx(0.47), 10, False, 0)
    assert found.se == pytest.approx(np.std(TEN) / math.sqrt(10), rel=0.05)
    assert len(found.replicates) == 9999


@pytest.mark.parametrize("method", ["bca", "percentile", "basic", "bias_corrected"])
@pytest.mark.parametrize("clusters", [None, 40])
def test_the_same_as_by_weights(method, clusters):
    rng = np.random.default_rng(0)
    x = rng.exponential(size=200)
    unit = None if clusters is None else rng.permutation(np.arange(200) % clusters)
    one = stats.bootstrap(x, np.mean, unit, method=method, resamples=3000)
    low, high = stats.interval(MEAN, {"x": x}, unit, method=method)
    assert (one.low, one.high) == pytest.approx((low, high), abs=0.03)
    assert one.n == (clusters or 200)


def test_strata_keep_their_sizes():
    stratum = ["a"] * 30 + ["b"] * 10
    x = np.array([0.0] * 30 + [1.0] * 10)
    found = stats.bootstrap(x, np.mean, stratum=stratum, resamples=200)
    assert (found.low, found.high, found.degenerate) == (0.25, 0.25, True)
    assert not stats.bootstrap(x, np.mean, resamples=200).degenerate


def test_clusters_of_several_sizes_are_drawn_whole():
    unit = ["u"] * 3 + ["v"] * 1
    seen = set()

    def keep(rows):
        seen.add(tuple(sorted(rows.tolist())))
        return float(len(rows))

    stats.bootstrap(np.arange(4), keep, unit, resamples=200, method="percentile")
    assert seen == {(0, 1, 2, 3), (0, 0, 1, 1, 2, 2), (3, 3)}


def test_what_is_undefined_is_counted():
    def ratio(x, y):
        return x.sum() / y.sum() if y.sum() else math.nan

    found = stats.bootstrap(([1.0, 2, 3, 4], [0.0, 0, 0, 1]), ratio, resamples=500)
    assert 100 < found.n_undefined < 220  # (3/4)⁴ of them
    assert found.low <= found.value <= found.high
    never = stats.bootstrap([1.0, 2], lambda x: math.nan, resamples=50)
    assert never.n_undefined == 50
    assert math.isnan(never.low)


def test_one_row_and_equal_rows_are_degenerate():
    for x in ([3.0], [3.0] * 5):
        found = stats.bootstrap(x, np.mean, resamples=50)
        assert (found.value, found.low, found.high, found.degenerate) == (3.0, 3.0, 3.0, True)


def test_rows_of_any_shape():
    matrix = np.random.default_rng(0).standard_normal((60, 3))
    found = stats.bootstrap(matrix, lambda m: np.linalg.svd(m, compute_uv=False)[0], resamples=300)
    assert found.low < found.value < found.high


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: stats.bootstrap(([1], [1, 2]), np.mean), "one length"),
        (lambda: stats.bootstrap([], np.mean), "at least one row"),
        (lambda: stats.bootstrap(3.0, np.mean), "one array of rows"),
        (lambda: stats.bootstrap(TEN, np.mean, method="magic"), "bca, percentile"),
        (lambda: stats.bootstrap(TEN, np.mean, resamples=0), "at least one resample"),
        (lambda: stats.bootstrap(TEN, np.mean, level=95), "level between 0 and 1"),
        (lambda: stats.bootstrap(TEN, np.mean, ["u"]), "10 rows, 1 units"),
        (lambda: stats.intervals([MEAN], {"x": np.array(TEN)}, level=1.0), "0.95 for 95 %"),
        (lambda: stats.interval(MEAN, {"x": np.array(TEN)}, resamples=0), "at least one resample"),
    ],
)
def test_what_does_not_fit(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_two_stages_draw_rows_within_the_units_drawn():
    """Balanced units: the variance of a resampled mean is (var of means + mean of variances / m) / G."""
    rng = np.random.default_rng(3)
    table = rng.normal(size=(25, 1)) + rng.normal(size=(25, 6))
    unit = np.repeat(np.arange(25), 6)
    found = stats.two_stage_bootstrap(table.ravel(), np.mean, unit)
    expected = math.sqrt((table.mean(axis=1).var() + table.var(axis=1).mean() / 6) / 25)
    assert found.se == pytest.approx(expected, rel=0.03)
    one_stage = stats.bootstrap(table.ravel(), np.mean, unit, method="percentile")
    assert one_stage.se == pytest.approx(math.sqrt(table.mean(axis=1).var() / 25), rel=0.03)
    assert found.low < one_stage.low < found.value < one_stage.high < found.high
    assert (found.n, found.method) == (25, "percentile")


def test_two_stages_of_units_of_one_row_are_one():
    one, two = (
        f(TEN, np.mean, np.arange(10), method="percentile") for f in (stats.bootstrap, stats.two_stage_bootstrap)
    )
    assert (two.low, two.high) == (one.low, one.high)


def test_two_stages_keep_units_of_several_sizes_apart():
    unit, seen = np.repeat(np.arange(3), [1, 4, 2]), set()

    def mean(x, of):
        seen.add(tuple(sorted(np.unique(of, return_counts=True)[1].tolist())))
        assert all(count % size == 0 for size, count in zip([1, 4, 2], np.bincount(of, minlength=3), strict=True))
        return float(x.mean())

    found = stats.two_stage_bootstrap((np.arange(7.0), unit), mean, unit, method="bca", resamples=200)
    assert found.low < found.value < found.high
    assert len(seen) > 3
