"""One contract over every metric there is: what an aggregate under weights must obey."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_inputs import CHOICES, caption_inputs, inputs

from assay import metrics, stats
from assay.metrics.consensus import with_frequencies
from assay.metrics.ranking import rank

OF_COUNTS = {
    *("aurc", "bleu", "bleu:char", "bleu:none", "bleu:zh", "eaurc", "ece_debiased", "frechet_distance"),
    *(name for name in metrics.METRICS if name.startswith("krippendorff_alpha")),
}
"""Metrics that know how much data there is, not only its shares: smoothing counts one match in so many n-grams, a risk
is the share of errors among the first one, two, three rows, a covariance is a sum over n - 1."""

CORPUS = caption_inputs(np.random.default_rng(0), 9)[1]
"""Where CIDEr's document frequencies come from: frozen, as a law about rows needs them."""

GROWING = ("distinct_1", "distinct_2")
"""Metrics that are not the same when all rows are there twice."""

laws = settings(max_examples=12, deadline=None)
seeds = st.integers(0, 2**32 - 1)
every = pytest.mark.parametrize("name", metrics.METRICS)


def measured(metric, given_inputs):
    """The rows of a metric for such inputs."""
    if metric.family == "ranking":
        scores, positives = given_inputs
        return metric.measure(rank(scores, np.eye(7), positives))
    if metric.family == "directions":
        scores, positives = given_inputs
        way = scores[:, 0] > 1
        asked = ([p for p, there in zip(positives, way, strict=True) if there == side] for side in (True, False))
        return metric.measure(
            *(rank(scores[way == side], np.eye(7), p) for side, p in zip((True, False), asked, strict=True))
        )
    if metric.family == "labels":
        return metric.measure(*given_inputs, CHOICES)
    if metric.family in ("boxes", "maps", "masks", "segments"):
        return metric.measure(*given_inputs, range(len(CHOICES)))
    if metric.family == "groups":
        items, labels = given_inputs
        return metric.measure(np.concatenate([np.zeros(0), *items]), np.repeat(labels, [len(one) for one in items]))
    if metric.family in ("counts", "items", "winoground"):
        return metric.measure(given_inputs[0])
    if metric.name.startswith("cider"):
        metric = with_frequencies(metric, CORPUS)
    if metric.family == "ratings":
        raters = 2 if metric.name.startswith("cohen") else 3
        return metric.measure(given_inputs[0].T[:raters], categories=[1, 2, 3, 4])
    if metric.family.endswith("clipscore"):
        captions, pictures = given_inputs
        images, references = (list(side) for side in zip(*pictures, strict=True))
        return metric.measure(captions, images, *([references] if metric.family == "refclipscore" else []))
    if metric.family == "embeddings":
        embedded, is_real = given_inputs
        return metric.measure(embedded[~is_real], embedded[is_real])
    return metrics.measure([metric], *given_inputs)


def drawn(name: str, seed: int, n: int | None = None):
    """A metric, its rows and a random generator."""
    rng = np.random.default_rng(seed)
    metric = metrics.get(name)
    return metric, measured(metric, inputs(metric, rng, n or int(rng.integers(1, 25)))), rng


def size(rows):
    return len(next(iter(rows.values())))


def taken(rows, index):
    return {name: column[index] for name, column in rows.items()}


def value(metric, rows, weights=None):
    return metric.aggregate(rows, np.ones((1, size(rows))) if weights is None else np.atleast_2d(weights))[0]


def same(a, b):
    assert a == pytest.approx(b, rel=1e-9, abs=1e-12, nan_ok=True)


@every
@laws
@given(seed=seeds)
def test_a_weight_is_how_often_a_row_is_there(name, seed):
    metric, rows, rng = drawn(name, seed)
    counts = rng.integers(0, 4, size(rows))
    repeated = taken(rows, np.repeat(np.arange(size(rows)), counts))
    expected = value(metric, repeated) if counts.sum() else math.nan
    same(value(metric, rows, counts.astype(float)), expected)


@every
@laws
@given(seed=seeds)
def test_order_and_scale_do_not_matter(name, seed):
    metric, rows, rng = drawn(name, seed)
    weights, order = rng.random(size(rows)), rng.permutation(size(rows))
    same(value(metric, taken(rows, order), weights[order]), value(metric, rows, weights))
    if name not in (*OF_COUNTS, *GROWING):
        same(value(metric, rows, 7.3 * weights), value(metric, rows, weights))


@every
@laws
@given(seed=seeds)
def test_shards_make_the_whole(name, seed):
    rng = np.random.default_rng(seed)
    metric = metrics.get(name)
    first, second = inputs(metric, rng, 20)
    cut = int(rng.integers(1, 20))
    shards = [measured(metric, (first[part], second[part])) for part in (slice(0, cut), slice(cut, 20))]
    whole = measured(metric, (first, second))
    merged = {name: np.concatenate([shard[name] for shard in shards]) for name in whole}
    same(value(metric, merged), value(metric, whole))


@every
@laws
@given(seed=seeds)
def test_many_weight_vectors_are_each_their_own(name, seed):
    metric, rows, rng = drawn(name, seed)
    weights = rng.integers(0, 3, (5, size(rows))).astype(float)
    together = metric.aggregate(rows, weights)
    assert together.shape == (5,)
    assert together.dtype == np.float64
    for one, alone in zip(together, weights, strict=True):
        same(one, value(metric, rows, alone))


@every
@laws
@given(seed=seeds)
def test_values_keep_within_their_bounds(name, seed):
    metric, rows, rng = drawn(name, seed)
    found = value(metric, rows, rng.random(size(rows)))
    assert math.isnan(found) or metric.bounds[0] - 1e-12 <= found <= metric.bounds[1] + 1e-12


@every
def test_nothing_is_nan_and_never_0(name):
    metric, rows, _ = drawn(name, 0, 6)
    assert math.isnan(value(metric, rows, np.zeros(6)))
    assert math.isnan(value(metric, taken(rows, np.arange(0))))


@every
@laws
@given(seed=seeds)
def test_an_undefined_row_is_as_good_as_absent(name, seed):
    metric, rows, rng = drawn(name, seed, 12)
    lost = rng.random(12) < 0.4
    floats = [column for column in metric.columns if rows[column].dtype.kind == "f"]
    holed = {
        n: np.where(lost.reshape(-1, *[1] * (column.ndim - 1)), np.nan, column) if n in floats else column
        for n, column in rows.items()
    }
    if floats:
        expected = value(metric, taken(rows, ~lost)) if not lost.all() else math.nan
        same(value(metric, holed), expected)


@every
@pytest.mark.parametrize("clusters", [None, 3, 40])
@pytest.mark.parametrize("n", [1, 2, 7, 120])
def test_every_interval_contains_its_value_within_the_bounds(name, clusters, n):
    metric, rows, rng = drawn(name, n, n)
    unit = None if clusters is None else rng.integers(0, clusters, n)
    masks = {"all": np.ones(n, bool), "half": rng.random(n) < 0.5, "none": np.zeros(n, bool)}
    for one in stats.intervals([metric], rows, unit, slices=masks, resamples=500):
        if math.isnan(one.value):
            assert math.isnan(one.low)
            assert math.isnan(one.high)
            assert one.n == 0 or metric.item is None, "a metric may need more than one row to be defined"
        elif metric.interval != "none":
            assert metric.bounds[0] <= one.low <= one.value <= one.high <= metric.bounds[1]
            assert one.n > 0
            if metric.bounds[1] == 1:
                assert one.low < one.high, "a figure from a sample is never certain"


def two_runs(name, n):
    """Rows of two runs over the same samples: the second gives each sample another one's answer."""
    rng = np.random.default_rng(n)
    metric = metrics.get(name)
    first, second = inputs(metric, rng, n)
    order = rng.permutation(n)
    other = first[order] if isinstance(first, np.ndarray) else [first[place] for place in order]
    if metric.family == "correctness":
        return metric, measured(metric, (first, second)), measured(metric, (second, first))
    return metric, measured(metric, (first, second)), measured(metric, (other, second))


@every
def test_every_metric_can_be_compared_and_either_way_round_alike(name):
    metric, a, b = two_runs(name, 40)
    unit = np.arange(size(a)) % 10
    (forth,), (back,) = (stats.compare([metric], *sides, unit) for sides in ((a, b), (b, a)))
    same(forth.difference, -back.difference)
    if not math.isnan(forth.difference):
        assert metric.interval == "none" or forth.low <= forth.difference <= forth.high
        assert 0 < forth.p <= 1
        assert forth.p == pytest.approx(back.p, abs=0.02)
        assert {forth.verdict, back.verdict} in ({"inconclusive"}, {"better", "worse"})


@every
def test_no_metric_tells_a_run_from_itself(name):
    metric, a, _ = two_runs(name, 20)
    (found,) = stats.compare([metric], a, a)
    assert found.verdict == "inconclusive"
    assert math.isnan(found.difference) or (found.difference == 0 and found.p == 1)
