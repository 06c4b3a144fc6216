"""Ratings: golden values, limits where models agree, uncertainty by simulation, and battles that cannot be rated."""

import math

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from assay.stats import preference
from assay.stats.preference import battles, bradley_terry, links

GOLDEN = battles(list("010212"), list("102021"), [1, 1, 1, 1, 1, 1], counts=[7, 3, 8, 2, 6, 4])
THETA = np.array([0.8, 0.3, -0.1, -1.0])


def drawn(rng, n, *, theta=THETA, position=0.0, seen=0.0, features=None, beta=()):
    """Battles of random pairs; differences below ``seen`` often tie (Rao and Kupper's model)."""
    a = rng.integers(0, len(theta), n)
    b = (a + rng.integers(1, len(theta), n)) % len(theta)
    d = theta[a] - theta[b] + position + (0 if features is None else features @ np.asarray(beta))
    u = rng.random(n)
    outcome = np.where(u < 1 / (1 + np.exp(seen - d)), 1.0, np.where(u > 1 - 1 / (1 + np.exp(seen + d)), 0.0, 0.5))
    names = np.array(list("abcdefgh"))
    return names[a].tolist(), names[b].tolist(), outcome


def test_golden():
    """Science E.6: 0≻1 7-3, 1≻2 6-4, 0≻2 8-2."""
    found = bradley_terry(GOLDEN)
    assert found.theta.tolist() == pytest.approx([0.740570, -0.149102, -0.591468], abs=1e-6)
    assert [one[0] for one in found.elo().values()] == pytest.approx([1128.65, 974.10, 897.25], abs=0.005)
    assert found.n == 30
    one_by_one = battles(list("0" * 10), list("1" * 10), [1] * 7 + [0] * 3)
    assert one_by_one.n == 10
    assert len(one_by_one) == 2


def test_the_sandwich_of_two_models_is_that_of_a_proportion():
    """70 of 100: θ_x - θ_y = ln(7/3), with variance 1/(n p q)."""
    found = bradley_terry(battles(["x", "x"], ["y", "y"], [1, 0], counts=[70, 30]))
    apart = found.difference("x", "y")
    assert (apart.value, apart.se) == pytest.approx((math.log(7 / 3), 1 / math.sqrt(100 * 0.21)))
    assert found.se[0] == pytest.approx(apart.se / 2)
    assert found.anchored("y").se.tolist() == pytest.approx([apart.se, 0.0], abs=1e-7)


@pytest.mark.parametrize("ties", ["half", "davidson", "rao_kupper"])
def test_ratings_and_what_stands_beside_them_are_found_again(ties):
    rng = np.random.default_rng(0)
    a, b, outcome = drawn(rng, 12_000, position=0.3, seen=0.0 if ties == "half" else 0.5)
    found = bradley_terry(battles(a, b, outcome), ties=ties, position=True)
    scale = 1.0 if ties != "davidson" else found.theta[0] / THETA[0]  # Davidson's is another scale
    np.testing.assert_allclose(found.theta / scale, THETA, atol=0.12)
    place = found.beside["position"]
    assert abs(place.value / scale - 0.3) < 4 * place.se
    assert place.p < 1e-6
    if ties == "rao_kupper":
        assert found.beside["tie"].value == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("link", [links.bradley_terry, links.davidson, links.rao_kupper])
@pytest.mark.parametrize("outcome", [0.0, 0.5, 1.0])
def test_slopes_are_the_derivatives(link, outcome):
    at = np.array([0.7, 0.4])

    def value(x):
        return link(x[:1], x[1], np.array([outcome])).value[0]

    def slope(x, which):
        return getattr(link(x[:1], x[1], np.array([outcome])), which)[0]

    found = link(at[:1], at[1], np.array([outcome]))
    np.testing.assert_allclose([found.d[0], found.t[0]], approx_fprime(at, value, 1e-7), atol=1e-5)
    np.testing.assert_allclose([-found.dd[0], -found.dt[0]], approx_fprime(at, slope, 1e-7, "d"), atol=1e-5)
    np.testing.assert_allclose([-found.dt[0], -found.tt[0]], approx_fprime(at, slope, 1e-7, "t"), atol=1e-5)


@pytest.mark.parametrize("link", [links.davidson, links.rao_kupper])
def test_outcomes_have_probabilities_that_sum_to_1(link):
    d = np.linspace(-3, 3, 7)
    p = [np.exp(link(d, 0.4, np.full(7, outcome)).value) for outcome in (0.0, 0.5, 1.0)]
    np.testing.assert_allclose(sum(p), 1.0)
    np.testing.assert_allclose(p[0], p[2][::-1])


def test_intervals_cover_and_units_widen_them():
    """Raters who each see one pair ten times: by battle the interval is too narrow, by rater it covers."""
    rng = np.random.default_rng(0)
    covered = {"unit": 0, "battle": 0}
    for _ in range(200):
        raters = 80
        a = rng.integers(0, 3, raters)
        b = (a + rng.integers(1, 3, raters)) % 3
        taste = rng.normal(0, 1.5, raters)
        rows = np.repeat(np.arange(raters), 10)
        won = rng.random(raters * 10) < 1 / (1 + np.exp(-taste[rows]))
        names = np.array(list("xyz"))
        given = battles(names[a][rows].tolist(), names[b][rows].tolist(), won * 1.0, unit=rows)
        alone = battles(names[a][rows].tolist(), names[b][rows].tolist(), won * 1.0)
        for name, one in (("unit", given), ("battle", alone)):
            found = bradley_terry(one)
            covered[name] += bool(found.low[0] < 0 < found.high[0])
    assert 0.9 < covered["unit"] / 200 < 0.99
    assert covered["battle"] / 200 < 0.8


def test_the_bootstrap_agrees_with_the_sandwich():
    rng = np.random.default_rng(0)
    a, b, outcome = drawn(rng, 600)
    given = battles(a, b, outcome)
    closed, resampled = bradley_terry(given), preference.bootstrap_ratings(given, resamples=300)
    np.testing.assert_allclose(resampled.theta, closed.theta)
    np.testing.assert_allclose(resampled.se, closed.se, rtol=0.15)
    np.testing.assert_allclose(resampled.high - resampled.low, closed.high - closed.low, rtol=0.2)
    clustered = battles(a, b, outcome, unit=np.arange(600) // 10)
    by_unit = preference.bootstrap_ratings(clustered, resamples=200)
    np.testing.assert_allclose(by_unit.se, bradley_terry(clustered).se, rtol=0.25)


def test_style_is_told_from_strength():
    """Model a only writes longer: without style it leads, with style it does not."""
    rng = np.random.default_rng(0)
    n = 6000
    a, b, _ = drawn(rng, n, theta=np.zeros(3))
    tokens = [np.where(np.array(side) == "a", 400, 200) * rng.uniform(0.5, 1.5, n) for side in (a, b)]
    style = preference.relative_style(*(side[:, None] for side in tokens))
    won = rng.random(n) < 1 / (1 + np.exp(-0.8 * style[:, 0]))
    plain, controlled = bradley_terry(battles(a, b, won * 1.0)), bradley_terry(battles(a, b, won * 1.0, features=style))
    assert plain.theta[0] > 0.3
    assert abs(controlled.theta[0]) < 4 * controlled.se[0]
    assert controlled.beside["style:0"].value == pytest.approx(0.8, abs=0.1)
    assert "style:1,l2:0.5*sum" in controlled.signature


def test_only_style_is_penalised():
    """A strong penalty shrinks style to nothing and leaves the ratings of the battles without it."""
    rng = np.random.default_rng(0)
    a, b, outcome = drawn(rng, 500)
    features = rng.standard_normal((500, 2))
    found = bradley_terry(battles(a, b, outcome, features=features), penalty=1e9)
    assert max(abs(found.beside[f"style:{i}"].value) for i in (0, 1)) < 1e-6
    np.testing.assert_allclose(found.theta, bradley_terry(battles(a, b, outcome)).theta, atol=1e-6)


def test_what_was_never_beaten_is_held_and_said():
    given = battles(["x", "x", "y", "z"], ["y", "z", "z", "y"], [1, 1, 1, 1], counts=[9, 9, 6, 4])
    assert preference.separated(given) == [["x"], ["y", "z"]]
    found = bradley_terry(given)
    assert found.separated == (("x",), ("y", "z"))
    assert np.isfinite(found.theta).all()
    assert found.names[int(found.theta.argmax())] == "x"
    assert (found.prior, "prior:0.5*sum" in found.signature) == (0.5, True)
    assert found.se[0] > 0.3, "a perfect record is not certainty"
    tied = battles(["x", "x"], ["y", "y"], [1, 0.5])
    assert preference.separated(tied) == [["x", "y"]]
    assert bradley_terry(battles(["x"], ["y"], [0.5])).se[0] > 0.5, "one tie is not certainty either"
    free = bradley_terry(battles(["x", "x"], ["y", "y"], [1, 0]))
    assert free.prior == 0.0


def test_models_that_never_met_are_not_rated_together():
    given = battles(["x", "u"], ["y", "v"], [1, 0])
    assert preference.components(given) == [["u", "v"], ["x", "y"]]
    with pytest.raises(ValueError, match="rate them apart: u, v; x, y"):
        bradley_terry(given)
    with pytest.raises(ValueError, match="rate them apart"):
        preference.plackett_luce([["x", "y"], ["u", "v"]])


def test_ranks_are_sets():
    rng = np.random.default_rng(4)
    a, b, outcome = drawn(rng, 3000, theta=np.array([1.0, 0.95, -0.9, -1.05]))
    sets = {one.name: (one.best, one.worst) for one in bradley_terry(battles(a, b, outcome)).ranks()}
    assert sets == {"a": (1, 2), "b": (1, 2), "c": (3, 4), "d": (3, 4)}


def test_intransitivity():
    rng = np.random.default_rng(0)
    circle = battles(list("rps") * 2, list("srp") * 2, [1, 1, 1, 0, 0, 0], counts=[30, 30, 30, 10, 10, 10])
    assert preference.intransitivity(circle).p < 1e-6
    assert bradley_terry(circle).theta.tolist() == pytest.approx([0, 0, 0], abs=1e-9)
    wolf = [preference.intransitivity(battles(*drawn(rng, 400))).p < 0.05 for _ in range(200)]
    assert 0.01 < np.mean(wolf) < 0.1
    two = battles(["x", "x"], ["y", "y"], [1, 0])
    assert preference.intransitivity(two).p == 1.0


def test_rankings_of_two_are_battles():
    rng = np.random.default_rng(0)
    a, b, outcome = drawn(rng, 300)
    pairs = [(x, y) if won else (y, x) for x, y, won in zip(a, b, outcome, strict=True)]
    found, expected = preference.plackett_luce(pairs), bradley_terry(battles(a, b, outcome))
    np.testing.assert_allclose(found.theta, expected.theta, atol=1e-8)
    np.testing.assert_allclose(found.se, expected.se, rtol=1e-6)
    assert found.log_likelihood == pytest.approx(expected.log_likelihood)


def test_rankings_are_found_again():
    rng = np.random.default_rng(0)
    gumbel = THETA + rng.gumbel(size=(3000, 4))
    rankings = [list(np.array(list("abcd"))[order][: rng.integers(2, 5)]) for order in np.argsort(-gumbel, axis=1)]
    full = [list(np.array(list("abcd"))[order]) for order in np.argsort(-gumbel, axis=1)]
    for given, exact in ((full, True), (rankings, False)):
        found = preference.plackett_luce(given)
        # A ranking that was cut says nothing of those it lacks: taken as if they had not been there.
        assert np.abs(found.theta - THETA).max() < (4 * found.se.max() if exact else 1.0)
    by_rater = preference.plackett_luce(full * 2, unit=list(range(3000)) * 2)
    np.testing.assert_allclose(by_rater.se, preference.plackett_luce(full).se, rtol=0.01)
    held = preference.plackett_luce([["a", "b", "c"]] * 3)
    assert held.prior == 0.5
    assert held.theta[0] > held.theta[1] > held.theta[2]


def test_elo_depends_on_the_order_and_says_how_much():
    rng = np.random.default_rng(0)
    a, b, outcome = drawn(rng, 2000)
    found = preference.elo(battles(a, b, outcome, unit=np.arange(2000)), k=16, orders=50)
    assert found.rating.sum() == pytest.approx(4000)
    assert (found.low <= found.mean).all()
    assert (found.mean <= found.high).all()
    assert (np.diff(found.mean) < 0).all()
    expected = bradley_terry(battles(a, b, outcome)).elo()
    np.testing.assert_allclose(found.mean, [expected[name][0] for name in "abcd"], atol=30)
    with pytest.raises(ValueError, match="whole battles"):
        preference.elo(battles(["x"], ["y"], [1], counts=[0.5]))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: battles([], [], []), "at least one"),
        (lambda: battles(["x"], ["y", "z"], [1]), "1 of A, 2 of B"),
        (lambda: battles(["x"], ["x"], [1]), "one against itself, row 0 is x"),
        (lambda: battles(["x"], ["y"], [math.nan]), "row 0 is nan"),
        (lambda: battles(["x"], ["y"], [2]), "row 0 is 2.0"),
        (lambda: battles(["x"], ["y"], [1], counts=[0]), "counts above 0"),
        (lambda: battles(["x"], ["y"], [1], weights=[-1]), "weights above 0"),
        (lambda: battles(["x"], ["y"], [1], features=[[math.inf]]), "features that are finite"),
        (lambda: battles(["x"], ["y"], [1], unit=["r", "s"]), "1 rows, 2 units"),
        (lambda: bradley_terry(GOLDEN, ties="both bad"), "half, davidson or rao_kupper"),
        (lambda: bradley_terry(GOLDEN, ties="davidson"), "needs ties"),
        (lambda: bradley_terry(GOLDEN, penalty=-1), "0 or more"),
        (lambda: bradley_terry(GOLDEN).anchored("nobody"), "'nobody' was not rated"),
        (lambda: preference.bootstrap_ratings(battles(["x"], ["y"], [1])), "one side won everything.*: x; y"),
        (lambda: preference.plackett_luce([]), "at least one ranking"),
        (lambda: preference.plackett_luce([["x", "y"], ["x", "x"]]), "ranking 1 is"),
        (lambda: preference.relative_style([[1]], [[1, 2]]), "one shape"),
    ],
)
def test_what_does_not_fit(call, message):
    with pytest.raises(ValueError, match=message):
        call()
