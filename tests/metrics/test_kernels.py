"""CKA: golden values, its bias, features against kernel matrices, the jackknife, minibatches."""

import math

import numpy as np
import pytest

from assay import metrics
from assay.metrics import kernels


@pytest.fixture(scope="module")
def golden():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 6))
    y = x @ rng.standard_normal((6, 4)) + 0.5 * rng.standard_normal((200, 4))
    return x, y, rng


def test_golden(golden):
    x, y, rng = golden
    assert metrics.cka(x, y).value == pytest.approx(0.64390806, abs=5e-9)
    assert metrics.cka(x, y, unbiased=False).value == pytest.approx(0.65043690, abs=5e-9)
    assert metrics.cka(x, y, kernel="rbf", unbiased=False).value == pytest.approx(0.58346588, abs=5e-9)
    assert metrics.cka(x, y, kernel="rbf", sigma=1.0, unbiased=False).value == pytest.approx(0.64276793, abs=5e-9)
    wide = rng.standard_normal((50, 512)), rng.standard_normal((50, 512))
    assert metrics.cka(*wide, unbiased=False).value == pytest.approx(0.9135, abs=5e-5)
    assert metrics.cka(*wide).value == pytest.approx(0.0082, abs=5e-5)


def hsic_by_definition(k, other):
    """Song et al. 2012, equation 4, as it is written."""
    n, one = len(k), np.ones(len(k))
    k, other = k - np.diag(np.diag(k)), other - np.diag(np.diag(other))
    middle = (one @ k @ one) * (one @ other @ one) / ((n - 1) * (n - 2))
    return (np.trace(k @ other) + middle - 2 / (n - 2) * one @ k @ other @ one) / (n * (n - 3))


def test_features_and_kernel_matrices_agree_with_the_definition():
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((30, 4)), rng.standard_normal((30, 3))
    k, other = x @ x.T, y @ y.T
    expected = [hsic_by_definition(*two) for two in ((k, other), (k, k), (other, other))]
    value = expected[0] / math.sqrt(expected[1] * expected[2])
    assert metrics.cka(x, y).value == pytest.approx(value, abs=1e-12)
    assert metrics.cka(x + 100, y).value == pytest.approx(value, abs=1e-9)
    assert metrics.cka(1e20 * x, 1e-20 * y).value == pytest.approx(value, abs=1e-12)
    np.testing.assert_allclose(kernels._unbiased(k.copy(), other.copy())[0], expected, rtol=1e-12)


@pytest.mark.parametrize("by_features", [True, False])
def test_what_is_left_out_is_what_it_would_be_without(by_features):
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal((12, 3)), rng.standard_normal((12, 2))
    x, y = ((side - side.mean(axis=0)) / np.sqrt(((side - side.mean(axis=0)) ** 2).mean()) for side in (x, y))
    _, left_out = kernels._unbiased_of_features(x, y) if by_features else kernels._unbiased(x @ x.T, y @ y.T)
    for row in (0, 7):
        rest = np.arange(12) != row
        expected = kernels._unbiased(x[rest] @ x[rest].T, y[rest] @ y[rest].T)[0]
        np.testing.assert_allclose(left_out[row], expected, rtol=1e-5, atol=1e-6)


def test_the_interval_covers():
    rng = np.random.default_rng(3)
    maps = rng.standard_normal((3, 3))

    def drawn(n):
        x = rng.standard_normal((n, 3))
        return metrics.cka(x, x @ maps + rng.standard_normal((n, 3)))

    true = drawn(200_000).value
    found = [drawn(150) for _ in range(200)]
    assert 0.88 <= np.mean([one.low <= true <= one.high for one in found]) <= 1


def test_invariances():
    rng = np.random.default_rng(4)
    x, y = rng.standard_normal((60, 5)), rng.standard_normal((60, 5))
    turn = np.linalg.qr(rng.standard_normal((5, 5)))[0]
    for kernel in ("linear", "rbf"):
        value = metrics.cka(x, y, kernel=kernel).value
        assert metrics.cka(3 * x @ turn + 2, y, kernel=kernel).value == pytest.approx(value, abs=1e-9)
        assert metrics.cka(x, x @ turn, kernel=kernel).value == pytest.approx(1.0, abs=1e-9)
        assert metrics.cka(y, x, kernel=kernel).value == pytest.approx(value, abs=1e-12)


def test_minibatches_estimate_the_same():
    rng = np.random.default_rng(5)
    x = rng.standard_normal((3000, 6))
    y = x[:, :3] + rng.standard_normal((3000, 3))
    whole = metrics.cka(x, y)
    for kernel in ("linear", "rbf"):
        batched = metrics.cka(x, y, batch=64, kernel=kernel)
        assert batched.n == 3000 // 64 * 64
        assert batched.low < batched.value < batched.high
        assert metrics.cka(x, y, batch=64, kernel=kernel).value == batched.value
    assert metrics.cka(x, y, batch=64).value == pytest.approx(whole.value, abs=0.02)
    assert "batch:64|seed:0" in metrics.cka(x, y, batch=64).signature


def test_undefined_and_refused():
    rng = np.random.default_rng(6)
    x = rng.standard_normal((20, 3))
    assert math.isnan(metrics.cka(np.ones((20, 2)), x).value)
    assert math.isnan(metrics.cka(np.ones((20, 2)), x, kernel="rbf").value)
    for call, message in (
        (lambda: metrics.cka(x, x, kernel="poly"), "linear, rbf"),
        (lambda: metrics.cka(x, x, kernel="rbf", sigma=0), "positive width"),
        (lambda: metrics.cka(x[:3], x[:3]), "at least 4 pairs"),
        (lambda: metrics.cka(x, x, batch=3), "a batch of 4 to 20"),
        (lambda: metrics.cka(np.zeros((10_001, 1)), np.zeros((10_001, 1)), kernel="rbf"), "give a batch"),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_some_rows_left_out_say_what_all_do(monkeypatch):
    rng = np.random.default_rng(4)
    x = rng.standard_normal((2_000, 6))
    y = x @ rng.standard_normal((6, 5)) + rng.standard_normal((2_000, 5))
    every = metrics.cka(x, y)
    monkeypatch.setattr(kernels, "LEFT_OUT", 700)
    some = metrics.cka(x, y)
    assert some.value == every.value
    assert some.high - some.low == pytest.approx(every.high - every.low, rel=0.1)
    assert some.high != every.high
