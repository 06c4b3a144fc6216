import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.reporting import notation
from assay.types import Estimate

NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("value", "bounds", "shown"),
    [
        (0.6417, (0, 1), ".642"),
        (1.0, (0, 1), "1.000"),
        (0.99996, (0, 1), "1.000"),
        (0.0, (0, 1), ".000"),
        (-0.0001, (-1, 1), ".000"),
        (-0.25, (-1, 1), "−.250"),
        (12.0, (1, INF), "12.0"),
        (3.14159, (0, INF), "3.14"),
        (12345.6, (1, INF), "12,346"),
        (-12.5, (-INF, INF), "−12.5"),
        (INF, (0, INF), "∞"),
        (-INF, (-INF, 0), "−∞"),
        (NAN, (0, 1), "undefined"),
    ],
)
def test_numbers(value, bounds, shown):
    assert notation.number(value, bounds) == shown


def test_undefined_is_never_zero():
    nothing = Estimate("accuracy", NAN, NAN, NAN, 0)
    assert notation.figure(nothing) == "undefined"
    assert notation.interval(NAN, 0.5) == "no interval"
    assert notation.probability(NAN) == "p undefined"
    assert notation.difference(NAN) == "undefined"
    assert {notation.seconds(None), notation.size(None), notation.count(None), notation.seconds(NAN)} == {"unknown"}


@pytest.mark.parametrize(
    ("n", "missing", "reason"),
    [
        (0, 4, "all 4 planned concepts failed"),
        (0, 0, "no concept to measure"),
        (7, 0, "accuracy is not defined on these 7 concepts"),
    ],
)
def test_undefined_has_its_reason(n, missing, reason):
    assert notation.why_undefined(Estimate("accuracy", NAN, NAN, NAN, n, missing, unit="concept")) == reason


def test_values_of_one_figure_share_their_decimals():
    assert notation.figure(Estimate("median_rank", 9.0, 8.5, 120.4, 50), (1, INF)) == "9.00 [8.50, 120.40]"


@given(st.floats(-1, 1))
def test_a_share_reads_back_within_half_a_thousandth(value):
    text = notation.number(value, (-1, 1)).replace("−", "-")
    assert abs(float(text) - value) <= 0.0005 + 1e-12


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=1e-9, max_value=1e12))
def test_sizes_and_durations_never_fail(value):
    assert notation.seconds(value).split()[-1] in {"ms", "s", "min"}
    assert notation.size(value).split()[-1] in {"B", "kB", "MB", "GB"}
    assert notation.count(value)


def test_a_metric_of_ones_own_has_no_bounds():
    assert notation.bounds("median_rank") == (1.0, INF)
    assert notation.bounds("charm") == (-INF, INF) and notation.better("charm") == ""
