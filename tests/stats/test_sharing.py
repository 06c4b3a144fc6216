"""Shapley values, additive projections and the decomposition of information: figures of the papers, and their identities."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.stats.pid import counts, decompose, information
from assay.stats.projection import Additive, donors, emap, prime_below
from assay.stats.shapley import importance, interactions, sampled, shapley

seeds = st.integers(0, 2**32 - 1)


def gate(rule):
    return np.array([[[0.25 * (rule(a, b) == y) for y in (0, 1)] for b in (0, 1)] for a in (0, 1)])


def test_golden_game():
    assert shapley([0.25, 0.4, 0.5, 0.9]).tolist() == pytest.approx([0.275, 0.375])
    assert interactions([0.25, 0.4, 0.5, 0.9])[0, 1] == pytest.approx(0.25)
    assert shapley({(): 0.25, ("a",): 0.4, ("b",): 0.5, ("a", "b"): 0.9}).tolist() == pytest.approx([0.275, 0.375])


@given(seeds, st.integers(1, 6))
def test_efficiency_symmetry_and_every_order(seed, m):
    game = np.random.default_rng(seed).normal(size=2**m)
    values = shapley(game)
    assert values.sum() == pytest.approx(game[-1] - game[0])
    if m <= 4:
        plain = np.zeros(m)
        every = list(permutations(range(m)))
        for order in every:
            code = 0
            for player in order:
                plain[player] += (game[code | 1 << player] - game[code]) / len(every)
                code |= 1 << player
        assert values == pytest.approx(plain)
    dummy = np.concatenate([game, game])  # a last player who adds nothing
    assert shapley(dummy)[-1] == pytest.approx(0) and shapley(dummy)[:-1] == pytest.approx(values)
    assert importance(dummy)[-1] == pytest.approx(0)


def test_values_of_many_samples_at_once():
    games = np.random.default_rng(0).normal(size=(8, 5))
    assert shapley(games)[:, 2] == pytest.approx(shapley(games[:, 2]))
    assert interactions(games)[0, 2, 3] == pytest.approx(interactions(games[:, 3])[0, 2])


def test_sampled_orders_are_exact_for_additive_games_and_near_for_others():
    weights = np.arange(1.0, 9.0)
    found = sampled(lambda s: s @ weights, 8, np.random.default_rng(0))
    assert found.values == pytest.approx(weights) and found.se == pytest.approx(0)

    def pair(s):
        return (s[:, 0] & s[:, 1]).astype(float)

    near = sampled(pair, 4, np.random.default_rng(0), count=200)
    assert near.values.sum() == pytest.approx(1) and abs(near.values[0] - 0.5) < 5 * near.se[0] + 1e-9


def test_what_is_no_game_is_refused():
    with pytest.raises(ValueError, match="each of 2\\^m coalitions"):
        shapley([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="there is none for"):
        shapley({("a",): 1.0, ("a", "b"): 2.0})
    with pytest.raises(ValueError, match="sample orders instead"):
        shapley(np.zeros(2**17))


def test_golden_projection():
    assert emap(np.arange(9.0).reshape(3, 3) ** 1.5) == pytest.approx([-1.43166445, 7.96008004, 21.48809576])


@given(seeds, st.integers(2, 3))
def test_additive_functions_are_their_own_projection(seed, m):
    rng, n = np.random.default_rng(seed), 7
    terms = rng.normal(size=(m, n, 2))
    found = Additive(n, m, 2)
    for shift in range(n):
        whose = donors(n, m, shift)
        found.add(shift, sum(terms[number, whose[number]] for number in range(m)))
    assert found.values() == pytest.approx(terms.sum(axis=0))


def test_shift_by_shift_is_the_whole_grid():
    grid = np.random.default_rng(0).normal(size=(5, 5, 3))
    found = Additive(5, 2, 3)
    for shift in range(5):
        first, second = donors(5, 2, shift)
        found.add(shift, grid[first, second])
    assert found.values() == pytest.approx(emap(grid))
    assert prime_below(500) == 499


@pytest.mark.parametrize(
    ("rule", "parts"),
    [
        (lambda a, b: a & b, (0.311278, 0, 0, 0.5)),
        (lambda a, b: a | b, (0.311278, 0, 0, 0.5)),
        (lambda a, b: a ^ b, (0, 0, 0, 1)),
        (lambda a, b: a, (0, 1, 0, 0)),
    ],
)
def test_golden_decompositions(rule, parts):
    found = decompose(gate(rule))
    assert [found.redundant, found.unique_1, found.unique_2, found.synergistic] == pytest.approx(parts, abs=1e-6)


def test_redundancy_alone():
    found = decompose(np.array([[[0.5, 0], [0, 0]], [[0, 0], [0, 0.5]]]))
    assert [found.redundant, found.unique_1, found.unique_2, found.synergistic] == pytest.approx([1, 0, 0, 0], abs=1e-9)


@settings(deadline=None, max_examples=25)
@given(seeds)
def test_identities_and_bounds(seed):
    table = np.random.default_rng(seed).dirichlet(np.full(18, 0.7)).reshape(3, 3, 2)
    found = decompose(table)
    assert found.redundant + found.unique_1 == pytest.approx(information(table.sum(axis=1)[None])[0], abs=1e-9)
    assert found.redundant + found.unique_2 == pytest.approx(information(table.sum(axis=0)[None])[0], abs=1e-9)
    whole = found.redundant + found.unique_1 + found.unique_2 + found.synergistic
    assert whole == pytest.approx(found.total, abs=1e-9)
    assert min(found.unique_1, found.unique_2, found.synergistic) >= -1e-12
    flipped = decompose(table.transpose(1, 0, 2))
    assert flipped.unique_1 == pytest.approx(found.unique_2, abs=1e-4)


def test_weighted_counts_are_a_batch():
    x, y = np.array([0, 1, 1]), np.array([0, 1, 0])
    tables = counts(x, x, y, np.array([[1.0, 1, 1], [0, 2, 0]]))
    assert tables.shape == (2, 2, 2, 2) and tables[1, 1, 1, 1] == 2
    with pytest.raises(ValueError, match="at least one above 0"):
        decompose(np.zeros((2, 2, 2)))
    with pytest.raises(ValueError, match=r"a table \[x1, x2, y\]"):
        decompose(np.zeros((2, 2)))
