"""Intervals: goldens, what folding and merging must not change, degenerate cases, determinism."""

import math

import numpy as np
import pytest

from assay import metrics, stats
from assay.metrics.metric import Metric, of_sums, ratio, weighted_mean
from assay.stats import folded, units
from assay.stats.endpoints import acceleration, bca, jackknife_se
from assay.stats.resample import replicates

MEAN = Metric("mean", dict, weighted_mean("x"), item="x", bounds=(0.0, 1.0))
PLAIN = Metric("plain", dict, lambda rows, w: ratio(w @ rows["x"], w.sum(axis=1)), columns=("x",))
TEN = np.array([0.1, 0.4, 0.35, 0.9, 0.6, 0.2, 0.75, 0.55, 0.05, 0.8])


def test_bca_golden():
    """scipy.stats.bootstrap(method="BCa"), mean, 9,999 resamples: (0.295, 0.640) (science E.2)."""
    low, high = stats.interval(MEAN, {"x": TEN}, method="bca", seed=0)
    assert low == pytest.approx(0.295, abs=0.01)
    assert high == pytest.approx(0.640, abs=0.01)


def test_bca_equals_scipys_on_the_same_resamples():
    scipy_stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(5)
    x = rng.exponential(size=60)
    found = scipy_stats.bootstrap((x,), np.mean, method="BCa", n_resamples=2000, rng=rng, vectorized=True)
    skew = acceleration(units.LeftOut((x.sum() - x) / 59, np.ones(60, int), (60,)))
    low, high = bca(x.mean(), found.bootstrap_distribution, skew)
    assert (low, high) == pytest.approx(tuple(found.confidence_interval), rel=1e-9)


def test_wilson_goldens():
    """8 of 10 (science E.1)."""
    assert stats.wilson(0.8, 10) == pytest.approx((0.490162, 0.943318), abs=1e-6)
    rows = {"x": np.array([1.0] * 8 + [0.0] * 2)}
    assert stats.interval(MEAN, rows, method="wilson") == stats.wilson(0.8, 10)


@pytest.mark.parametrize(
    ("convention", "expected"),
    [("unclustered", 0.150756), ("sandwich", 0.186339), ("miller", 0.191354), ("finite", 0.215166)],
)
def test_clustered_goldens(convention, expected):
    """Scores 1,1,0 | 1,1,1 | 0,0,0 | 1,0,0 (science E.1)."""
    scores = np.array([1.0, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 0])
    assert stats.mean_se(scores, list("aaabbbcccddd"), convention=convention) == pytest.approx(expected, abs=1e-6)


def test_few_clusters_get_students_t():
    rows = {"x": np.array([1.0, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 0])}
    (found,) = stats.intervals([MEAN], rows, list("aaabbbcccddd"))
    assert found.method == "t"
    assert (found.n, found.value) == (4, 0.5)
    assert (found.low, found.high) == (0.0, 1.0)  # 0.5 ± 3.18 × .215, within the bounds
    wide = Metric("mean", dict, weighted_mean("x"), item="x", bounds=(-math.inf, math.inf))
    assert stats.interval(wide, rows, list("aaabbbcccddd")) == pytest.approx((0.5 - 0.684758, 0.5 + 0.684758), abs=1e-5)


def test_the_jackknife_of_a_mean_is_its_standard_error():
    one = folded.fold(MEAN, {"x": TEN}, np.arange(10))
    assert jackknife_se(one.jackknife()) == pytest.approx(TEN.std(ddof=1) / math.sqrt(10))


@pytest.mark.parametrize("metric", [MEAN, PLAIN])
@pytest.mark.parametrize("clusters", [None, 50])
@pytest.mark.parametrize("kinds", [3, 1000])
def test_folding_and_merging_change_nothing(metric, clusters, kinds):
    rng = np.random.default_rng(0)
    x = rng.integers(0, kinds, 400) / kinds
    index = units.codes(None if clusters is None else rng.permutation(np.arange(400) % clusters), 400)
    one = folded.fold(metric, {"x": x}, index)
    assert one.merged == (kinds == 3 and clusters is None)
    assert one.counts.sum() == (clusters or 400)
    assert one.evaluate(one.counts[None, :].astype(float))[0] == pytest.approx(x.mean())
    values, counts, _ = one.jackknife()
    brute = np.array([x[index != u].mean() for u in range(index.max() + 1)])
    np.testing.assert_allclose(np.sort(np.repeat(values, counts)), np.sort(brute))
    spread = replicates([one], 4000, np.random.default_rng(1))[0].std()
    assert spread == pytest.approx(stats.mean_se(x, index, convention="sandwich"), rel=0.1)


def test_groups_stand_for_units_in_the_jackknife_of_many(monkeypatch):
    rng = np.random.default_rng(2)
    rows = {"x": rng.exponential(size=3000)}
    single = acceleration(folded.fold(MEAN, rows, np.arange(3000)).jackknife())
    grouped = folded.fold(PLAIN, rows, np.arange(3000)).jackknife()
    assert len(grouped.values) == 375  # groups of eight
    assert jackknife_se(grouped) == pytest.approx(rows["x"].std() / math.sqrt(3000), rel=0.1)
    assert acceleration(grouped) == pytest.approx(single, rel=0.5)


def test_a_statistic_of_matrix_columns_folds():
    """A trace: a column of three numbers a row."""
    trace = Metric("m", dict, of_sums(lambda total, m: ratio(m.max(axis=1), total), "m"), columns=("m",))
    rows = {"m": np.random.default_rng(0).random((90, 3))}
    unit = np.arange(90) // 2
    (found,) = stats.intervals([trace], rows, unit)
    assert found.value == pytest.approx(rows["m"].mean(axis=0).max())
    assert (found.n, found.method) == (45, "bca")
    assert found.low < found.value < found.high


def test_all_alike_is_not_certain():
    for n, method in [(8, "unvaried"), (200, "unvaried")]:
        (found,) = stats.intervals([MEAN], {"x": np.ones(n)})
        assert (found.value, found.high, found.method) == (1.0, 1.0, method)
        assert found.low == pytest.approx(stats.wilson(1.0, n)[0])
    accuracy = metrics.get("accuracy")
    (found,) = stats.intervals([accuracy], {"correct": np.zeros(40)}, np.arange(40) // 4)
    assert found.method == "wilson_clustered"
    assert found.high > stats.wilson(0.0, 10)[1]
    rank = metrics.get("median_rank")
    assert stats.interval(rank, {"rank": np.ones(10)}) == (1.0, 1.0)
    assert stats.interval(rank, {"rank": np.ones(1)}) == (1.0, math.inf)


def test_undefined_rows_leave_and_are_counted():
    rows = {"x": np.array([0.0, 1.0, np.nan, np.nan] * 20), "y": np.full(80, np.nan)}
    other = Metric("other", dict, weighted_mean("y"), item="y")
    first, second = stats.intervals([MEAN, other], rows, np.arange(80) // 2)
    assert (first.n, first.n_undefined, first.value) == (20, 40, 0.5)
    assert (second.n, second.n_undefined, second.method) == (0, 80, "none")
    assert math.isnan(second.value)


def test_further_metrics_and_slices_change_nothing():
    rng = np.random.default_rng(0)
    rows = {"x": rng.random(100), "y": rng.random(100)}
    other = Metric("other", dict, weighted_mean("y"), item="y")
    masks = {"all": np.ones(100, bool), "odd": np.arange(100) % 2 == 1}
    alone = stats.intervals([MEAN], rows, slices={"odd": masks["odd"]}, seed=3)[0]
    among = stats.intervals([other, MEAN, PLAIN], rows, slices=masks, seed=3)[4]
    assert alone == among
    drawn = [stats.intervals([PLAIN], rows, slices={"odd": masks["odd"]}, seed=seed)[0] for seed in (3, 4)]
    assert drawn[0] == stats.intervals([other, MEAN, PLAIN], rows, slices=masks, seed=3)[5]
    assert drawn[0] != drawn[1]


def test_identical_questions_about_one_image_are_one_observation():
    """Ten identical questions an image: by row the interval is √10 too narrow, by image it is not."""
    rng = np.random.default_rng(0)
    x = np.repeat(rng.random(60), 10)
    by_image = stats.interval(MEAN, {"x": x}, np.repeat(np.arange(60), 10))
    by_row = stats.interval(MEAN, {"x": x})
    assert (by_image[1] - by_image[0]) / (by_row[1] - by_row[0]) == pytest.approx(math.sqrt(10), rel=0.1)


def test_streams_are_the_same_in_every_process():
    assert stats.stream(7, "bootstrap", "all").integers(1 << 40) == 762121592403


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: stats.intervals([MEAN], {"x": TEN}, ["a"]), "10 rows, 1 units"),
        (lambda: stats.intervals([MEAN], {"x": TEN}, slices={"s": np.ones(3, bool)}), "slice 's' has 3 places"),
        (lambda: stats.interval(MEAN, {"x": TEN}, method="magic"), "wilson, bca"),
        (lambda: stats.mean_se(TEN, convention="magic"), "finite, sandwich"),
    ],
)
def test_what_does_not_fit_is_told(call, message):
    with pytest.raises(ValueError, match=message):
        call()
