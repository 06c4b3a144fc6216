"""Looks that were planned: boundaries as published, and errors at their level."""

import numpy as np
import pytest

from assay.stats.sequential import group_sequential

EVEN = [0.2, 0.4, 0.6, 0.8, 1.0]


@pytest.mark.parametrize(
    ("spending", "z"),
    [
        # Lan & DeMets, two-sided .05, five even looks, as in Jennison & Turnbull 2000 and the R package ldbounds.
        ("obrien_fleming", [4.8769, 3.3569, 2.6803, 2.2898, 2.0310]),
        ("pocock", [2.4380, 2.4268, 2.4102, 2.3966, 2.3860]),
    ],
)
def test_boundaries_are_those_published(spending, z):
    found = group_sequential(EVEN, spending=spending)
    assert found.z == pytest.approx(z, abs=2e-4)
    assert found.spent[-1] == pytest.approx(0.05)


def test_one_look_is_the_fixed_test():
    found = group_sequential([1.0])
    assert found.z[0] == pytest.approx(1.959964, abs=1e-6)
    assert found.p[0] == pytest.approx(0.05)


@pytest.mark.parametrize("spending", ["obrien_fleming", "pocock"])
@pytest.mark.parametrize("looks", [EVEN, [0.1, 0.15, 0.7, 1.0]])
def test_errors_are_what_was_spent(spending, looks):
    rng = np.random.default_rng(0)
    steps = np.sqrt(np.diff(looks, prepend=0))
    z = np.cumsum(rng.standard_normal((100_000, len(looks))) * steps, axis=1) / np.sqrt(looks)
    found = group_sequential(looks, spending=spending)
    crossed = np.maximum.accumulate(np.abs(z) > found.z, axis=1).mean(axis=0)
    assert crossed == pytest.approx(found.spent, abs=0.003)


@pytest.mark.parametrize(
    ("fractions", "given", "message"),
    [
        ([], {}, "at least 1"),
        ([0.5, 0.5], {}, "rise within"),
        ([0.0, 1.0], {}, "rise within"),
        ([0.5, 1.2], {}, "rise within"),
        ([0.5, float("nan")], {}, "row 1"),
        ([1.0], {"spending": "linear"}, "obrien_fleming or pocock"),
        ([1.0], {"alpha": 0}, "alpha between 0 and 1"),
    ],
)
def test_what_does_not_fit(fractions, given, message):
    with pytest.raises(ValueError, match=message):
        group_sequential(fractions, **given)
