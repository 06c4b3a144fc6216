"""Aggregates that prepare: rows that are records, preparing once for all, dear ones resampled less."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from assay import stats
from assay.stats.folded import fold
from assay.stats.interval import interval
from assay.stats.measured import OfPrepared
from assay.stats.permutation import swap
from assay.stats.resample import folded_resamples


@dataclass(frozen=True)
class Pooled:
    """The share of the weight before the first negative number, over the records of all rows in their order."""

    name: str = "pooled"
    aggregate: OfPrepared = None
    columns: tuple[str, ...] = ("records",)
    item: str | None = None
    interval: str = "bca"
    bounds: tuple[float, float] = (0.0, 1.0)
    better: str = "higher"


def records(rng, n):
    out = np.empty(n, dtype=object)
    for place in range(n):
        out[place] = rng.normal(size=rng.integers(1, 4))
    return {"records": out}


def metric(calls=None, cost=None):
    def prepare(rows):
        if calls is not None:
            calls.append(len(rows["records"]))
        flat = np.concatenate(rows["records"])
        return np.arange(len(rows["records"])), (
            flat > 0,
            np.repeat(np.arange(len(rows["records"])), list(map(len, rows["records"]))),
        )

    def evaluate(state, weights):
        positive, row = state
        return (weights[:, row] * positive).sum(axis=1) / weights[:, row].sum(axis=1)

    return Pooled(aggregate=OfPrepared(prepare, evaluate, ("records",), None if cost is None else lambda _: cost))


def test_records_are_resampled_and_compared():
    rng = np.random.default_rng(0)
    a, b = records(rng, 60), records(rng, 60)
    one = metric()
    (found,) = stats.intervals([one], a, resamples=500)
    flat = np.concatenate(a["records"])
    assert found.value == pytest.approx((flat > 0).mean())
    assert 0 < found.low < found.value < found.high < 1
    (compared,) = stats.compare([one], a, b)
    assert compared.difference == pytest.approx(compared.a - compared.b)
    assert 0 < compared.p <= 1


def test_rows_keep_their_order_whatever_their_units_are_called():
    rows = records(np.random.default_rng(1), 5)
    first = replace(metric(), aggregate=OfPrepared(lambda r: (np.arange(5), r["records"]), first_record, ("records",)))
    for unit in (None, list("edcba"), list("aabbc")):
        index = np.unique(unit, return_inverse=True)[1] if unit else np.arange(5)
        folded = fold(first, rows, index)
        assert folded.evaluate(np.ones((1, len(folded.counts))))[0] == rows["records"][0][0]


def first_record(state, weights):
    return np.full(len(weights), state[0][0])


def test_metrics_that_prepare_alike_prepare_once():
    calls = []
    one = metric(calls)
    other = replace(one, name="other", aggregate=replace(one.aggregate, evaluate=first_record))
    stats.intervals([one, other], records(np.random.default_rng(2), 40), resamples=50)
    assert calls == [40]


def test_the_dear_are_resampled_less_and_change_nothing_for_others():
    rows = records(np.random.default_rng(3), 40)
    cheap, dear = metric(cost=40), replace(metric(cost=10**9), name="dear")
    index = np.arange(40)
    assert folded_resamples(fold(cheap, rows, index), 5_000) == 5_000
    assert folded_resamples(fold(dear, rows, index), 5_000) == 999
    together = stats.intervals([cheap, dear], rows)
    assert (together[0].low, together[0].high) == interval(cheap, rows)
    assert together[1].low != together[0].low


def test_dear_swaps_are_fewer():
    rng = np.random.default_rng(4)
    a, b = records(rng, 40), records(rng, 40)
    p = swap(metric(cost=10**9), a, b, np.arange(40), resamples=9_999, rng=rng)
    assert p * 1_000 == pytest.approx(round(p * 1_000))
