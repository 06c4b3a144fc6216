"""Mutual information: golden values, known truths, ties, ceilings, what is refused."""

import math

import numpy as np
import pytest

from assay import metrics

NATS = math.e


def gaussian(rng, rho, n):
    return rng.multivariate_normal([0, 0], [[1, rho], [rho, 1]], n).T


def test_golden():
    x, y = gaussian(np.random.default_rng(1), 0.8, 2000)
    assert metrics.mutual_information(x, y, base=NATS).value == pytest.approx(0.52486139, abs=5e-9)
    assert metrics.mutual_information(x, y).value == pytest.approx(0.52486139 / math.log(2), abs=5e-9)
    rng = np.random.default_rng(0)
    a = rng.standard_normal((200, 6))
    b = a @ rng.standard_normal((6, 4)) + 0.5 * rng.standard_normal((200, 4))
    assert metrics.mutual_information(a, b, method="gaussian", base=NATS).value == pytest.approx(4.99637821, abs=5e-9)


@pytest.mark.parametrize("method", ["ksg1", "ksg2"])
@pytest.mark.parametrize(("rho", "true"), [(0.0, 0.0), (0.5, 0.1438), (0.9, 0.8304)])
def test_known_truths(method, rho, true):
    x, y = gaussian(np.random.default_rng(7), rho, 5000)
    found = metrics.mutual_information(x, y, method=method, base=NATS)
    assert found.value == pytest.approx(true, abs=0.05)
    assert found.low < true < found.high
    assert found.items.mean() == pytest.approx(found.value, abs=1e-12)


def test_several_dimensions_and_monotone_maps():
    rng = np.random.default_rng(8)
    x = rng.standard_normal((3000, 2))
    y = 0.6 * x + 0.8 * rng.standard_normal((3000, 2))
    true = -math.log(1 - 0.36)
    assert metrics.mutual_information(x, y, base=NATS).value == pytest.approx(true, abs=0.08)
    assert metrics.mutual_information(np.sinh(x), np.exp(y / 2), base=NATS).value == pytest.approx(true, abs=0.1)
    wide = np.hstack([x, 0.01 * rng.standard_normal((3000, 40))])
    reduced = metrics.mutual_information(wide, y, components=2, base=NATS)
    assert reduced.value == pytest.approx(true, abs=0.08)
    assert "components:2" in reduced.signature


def test_repeated_values_are_parted():
    rng = np.random.default_rng(9)
    x = np.repeat(np.arange(8.0), 60)
    same, none = metrics.mutual_information(x, x), metrics.mutual_information(x, rng.permutation(x))
    assert "ties:noise" in same.signature
    assert same.value == pytest.approx(3.0, abs=0.25)
    assert none.value == pytest.approx(0.0, abs=0.25)
    assert metrics.mutual_information(np.ones(400), np.ones(400)).value == pytest.approx(0, abs=0.25)


def test_the_contrastive_bound_and_its_ceiling():
    rng = np.random.default_rng(10)
    x = rng.standard_normal((256, 64))
    same = metrics.mutual_information(x, x, method="infonce", temperature=0.01, base=NATS)
    assert same.value == pytest.approx(math.log(256), abs=1e-6)
    assert "ceiling:5.545" in same.signature
    other = metrics.mutual_information(x, rng.standard_normal((256, 64)), method="infonce", temperature=1.0, base=NATS)
    assert other.value < 0.05


def test_the_contrastive_bound_is_computed_in_blocks(monkeypatch):
    from assay.metrics import information

    rng = np.random.default_rng(11)
    x, y = rng.standard_normal((2, 50, 4))
    whole = metrics.mutual_information(x, y, method="infonce").value
    monkeypatch.setattr(information, "MOST_SCORES", 170)
    assert metrics.mutual_information(x, y, method="infonce").value == pytest.approx(whole, abs=1e-12)


def test_gaussian_held_out_is_not_fooled():
    rng = np.random.default_rng(12)
    x, y = rng.standard_normal((100, 8)), rng.standard_normal((100, 8))
    assert metrics.mutual_information(x, y, method="gaussian").value > 0.2
    assert metrics.mutual_information(x, y, method="gaussian_held_out").value < 0.2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: metrics.mutual_information(x, x, method="mine"), "ksg1, ksg2, gaussian"),
        (lambda x: metrics.mutual_information(x, x, base=1), "a base above 1"),
        (lambda x: metrics.mutual_information(x[:, :2], x[:, :2], k=40), "from 1 to 39"),
        (lambda x: metrics.mutual_information(x, x), "6 \\+ 6 dimensions are too many"),
        (lambda x: metrics.mutual_information(x, x, components=0), "at least one component"),
        (lambda x: metrics.mutual_information(x, x[:, :2], method="infonce"), "of one space"),
        (lambda x: metrics.mutual_information(x, x, method="infonce", temperature=0), "positive temperature"),
        (lambda x: metrics.mutual_information(0 * x, x, method="infonce"), "row 0 has length 0"),
        (lambda x: metrics.mutual_information(x, x, method="gaussian"), "40 pairs of up to 6 dimensions"),
    ],
)
def test_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.random.default_rng(0).standard_normal((40, 6)))
