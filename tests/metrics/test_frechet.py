"""Fréchet distance: closed forms, few embeddings, weights, its interval."""

import math

import numpy as np
import pytest

from assay import metrics
from assay.metrics.frechet import frechet, influence, measure_embeddings


def test_known_gaussians():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((400, 6))
    assert metrics.frechet_distance(x, x).value == pytest.approx(0, abs=1e-9)
    assert metrics.frechet_distance(x, x + 2).value == pytest.approx(6 * 4, abs=1e-9)
    # Scaling by 3 about the mean: μ differs by 2μ, and each axis' root by a factor of 3.
    expected = ((2 * x.mean(0)) ** 2).sum() + 4 * np.trace(np.cov(x, rowvar=False))
    assert metrics.frechet_distance(3 * x, x).value == pytest.approx(expected, rel=1e-9)


def test_it_is_symmetric_and_knows_fewer_embeddings_than_dimensions():
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((12, 40)), rng.standard_normal((90, 40)) * 1.5
    there, back = metrics.frechet_distance(x, y).value, metrics.frechet_distance(y, x).value
    assert there == pytest.approx(back, rel=1e-9)


def test_a_weight_is_an_embedding_repeated():
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal((15, 3)), rng.standard_normal((11, 3))
    counts = rng.integers(0, 4, 26)
    rows = measure_embeddings(x, y)
    repeated = metrics.frechet_distance(np.repeat(x, counts[:15], axis=0), np.repeat(y, counts[15:], axis=0))
    assert frechet(rows, counts[None].astype(float))[0] == pytest.approx(repeated.value, rel=1e-9)


def test_embed_is_asked_for_both_sets():
    found = metrics.frechet_distance(
        ["ab", "c", "abc"], ["x", "yy"], embed=lambda texts: [[len(t), 1.0] for t in texts]
    )
    assert found.value == pytest.approx(metrics.frechet_distance([[2], [1], [3]], [[1], [2]]).value, abs=1e-9)
    assert "|generated:3|real:2|d:2|" in found.signature
    assert (found.n, found.unit) == (5, "embedding")


def test_influence_is_the_derivative():
    rng = np.random.default_rng(3)
    x, y = rng.standard_normal((60, 4)) @ rng.standard_normal((4, 4)) + 1, rng.standard_normal((50, 4))
    rows, step = measure_embeddings(x, y), 1e-4
    weights = np.ones((61, 110))
    weights[np.arange(1, 61), np.arange(60)] += step * 60
    values = frechet(rows, weights)
    slope = (values[1:] - values[0]) / step
    pull = influence(x, y)
    assert np.corrcoef(slope, pull)[0, 1] > 0.999
    assert (slope - slope.mean()).std() == pytest.approx(pull.std(), rel=0.05)


def test_the_interval_covers_in_few_dimensions():
    rng = np.random.default_rng(4)
    true = 1.0 + 2 * (2 - 1) ** 2
    found = [
        metrics.frechet_distance(2 * rng.standard_normal((300, 2)) + [1, 0], rng.standard_normal((300, 2)))
        for _ in range(300)
    ]
    assert 0.9 < np.mean([one.low <= true <= one.high for one in found]) < 0.99


def test_undefined_and_refused():
    assert math.isnan(metrics.frechet_distance([[1.0]], [[1.0], [2.0]]).value)
    assert math.isnan(metrics.frechet_distance([], []).value)
    with pytest.raises(ValueError, match="of one width"):
        metrics.frechet_distance(np.zeros((3, 2)), np.zeros((3, 4)))
    with pytest.raises(ValueError, match="real: row 1 holds a value that is not finite"):
        metrics.frechet_distance(np.zeros((3, 2)), [[1, 2], [np.nan, 1]])
    with pytest.raises(ValueError, match=r"generated embeddings \[n, d\]"):
        metrics.frechet_distance([1.0, 2.0], [[1.0]])
