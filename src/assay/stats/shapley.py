"""Shapley values: what each player adds to a game, exactly for few players, by sampled orders for many.

A game of ``m`` players is its value for every coalition: ``values[s]`` where bit ``i`` of ``s`` says whether player ``i`` is in, so
``values[0]`` is the empty coalition's and ``values[2**m - 1]`` that of all. Values may be arrays (a value for each sample), since all here
is linear in them.
Sources: Shapley 1953; Grabisch & Roubens 1999 (the interaction index); Castro, Gómez & Tejada 2009 and Mitchell et al. 2022 (sampled
orders, with their reverses).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Values = NDArray[np.float64]
MOST = 16
"""Up to so many players are counted out exactly: 2^16 coalitions."""


def shapley(values: ArrayLike | Mapping[Any, float]) -> Values:
    """The Shapley value of each player, ``[m]`` or ``[m, …]`` for values of shape ``[2**m, …]``; they sum to v(all) - v(none).

    A mapping names coalitions by their members, ``{(): .25, ("a",): .4, …}``; players are then in the order of their first appearance.
    Raises `ValueError` unless every coalition has a value.

    >>> shapley([.25, .4, .5, .9]).round(3).tolist()
    [0.275, 0.375]
    """
    game = coalitions(values)
    return np.tensordot(weights(players_of(game)), game, axes=1)


def interactions(values: ArrayLike | Mapping[Any, float]) -> Values:
    """The Shapley interaction index of every two players, ``[m, m]`` or ``[m, m, …]``, NaN on the diagonal.

    Positive where two are worth more together than apart, negative where each makes the other redundant. For two players it is
    v(12) - v(1) - v(2) + v(none).

    >>> float(interactions([.25, .4, .5, .9])[0, 1].round(3))
    0.25
    """
    game = coalitions(values)
    m = players_of(game)
    out = np.full((m, m, *game.shape[1:]), np.nan)
    for i in range(m):
        for j in range(i + 1, m):
            out[i, j] = out[j, i] = np.tensordot(pair_weights(m, i, j), game, axes=1)
    return out


def importance(values: ArrayLike | Mapping[Any, float]) -> Values:
    """The mean value of coalitions with a player less that of coalitions without, ``[m]`` or ``[m, …]``: the Banzhaf value.

    >>> importance([.25, .4, .5, .9]).round(3).tolist()
    [0.275, 0.375]
    """
    game = coalitions(values)
    m = players_of(game)
    member = membership(m)
    return np.tensordot(np.where(member.T, 1.0, -1.0) / 2 ** (m - 1), game, axes=1)


def coalitions(values: ArrayLike | Mapping[Any, float]) -> Values:
    """A game as an array ``[2**m, …]``. Raises `ValueError` unless every coalition has a value."""
    if isinstance(values, Mapping):
        return _named(values)
    game = np.asarray(values, dtype=np.float64)
    if game.ndim == 0 or len(game) == 0 or len(game) & (len(game) - 1):
        raise ValueError(f"a value for each of 2^m coalitions was expected, got shape {game.shape}")
    players_of(game)
    return game


def _named(values: Mapping[Any, float]) -> Values:
    members = {tuple(key) if not isinstance(key, str) else (key,): float(value) for key, value in values.items()}
    players = list(dict.fromkeys(player for key in members for player in sorted(key, key=str)))
    place = {player: number for number, player in enumerate(players)}
    game = np.full(2 ** len(players), np.nan)
    given = np.zeros(len(game), dtype=np.bool_)
    for key, value in members.items():
        code = sum(1 << place[player] for player in set(key))
        game[code], given[code] = value, True
    if not given.all():
        lacking = [players[i] for i in range(len(players)) if int(np.flatnonzero(~given)[0]) >> i & 1]
        raise ValueError(f"every coalition needs a value; there is none for {lacking or 'the empty one'}")
    return game


def players_of(game: Values) -> int:
    """How many players a game has. Raises `ValueError` beyond `MOST`."""
    m = len(game).bit_length() - 1
    if m > MOST:
        raise ValueError(f"{m} players have {len(game):,} coalitions: sample orders instead (`sampled`)")
    return m


def membership(m: int) -> NDArray[np.bool_]:
    """``bool[2**m, m]``: who is in which coalition."""
    return (np.arange(2**m)[:, None] >> np.arange(m) & 1).astype(np.bool_)


def weights(m: int) -> Values:
    """The matrix ``[m, 2**m]`` that makes Shapley values of a game.

    >>> weights(1).tolist()
    [[-1.0, 1.0]]
    """
    member = membership(m)
    size = member.sum(axis=1)
    joins = np.array([math.factorial(s) * math.factorial(m - s - 1) / math.factorial(m) for s in range(m)])
    # A coalition with the player counts by the weight of what it joined, one without by its own, negatively.
    plus = np.where(member, joins[np.maximum(size - 1, 0)][:, None], 0.0)
    minus = np.where(member, 0.0, joins[np.minimum(size, m - 1)][:, None])
    return np.asarray((plus - minus).T)


def pair_weights(m: int, i: int, j: int) -> Values:
    """The weights ``[2**m]`` of the interaction index of two players."""
    member = membership(m)
    size = member.sum(axis=1) - member[:, i] - member[:, j]
    each = np.array([math.factorial(s) * math.factorial(m - s - 2) / math.factorial(m - 1) for s in range(m - 1)])
    return np.asarray(np.where(member[:, i] == member[:, j], 1.0, -1.0) * each[size])


@dataclass(frozen=True)
class Sampled:
    """Shapley values ``[m]`` from sampled orders, with their standard errors over pairs of orders, and how often the game was asked."""

    values: Values
    se: Values
    evaluations: int


def orders(m: int, count: int, rng: np.random.Generator) -> Iterator[NDArray[np.intp]]:
    """``count`` orders of ``m`` players, every second one the reverse of the one before it."""
    for number in range(count):
        if number % 2 == 0:
            order = rng.permutation(m).astype(np.intp)
            yield order
        else:
            yield order[::-1]


def sampled(
    value: Callable[[NDArray[np.bool_]], ArrayLike], m: int, rng: np.random.Generator, *, count: int = 10
) -> Sampled:
    """Shapley values of ``m`` players by ``count`` orders, each followed by its reverse.

    ``value`` takes coalitions ``bool[c, m]`` and gives their values ``[c]``. Each order sums to v(all) - v(none) exactly, and so do the
    values. Raises `ValueError` for fewer than one player or an odd ``count``.

    >>> found = sampled(lambda s: s @ np.array([1.0, 2.0, 4.0]), 3, np.random.default_rng(0))
    >>> found.values.round(6).tolist()
    [1.0, 2.0, 4.0]
    """
    if m < 1 or count < 2 or count % 2:
        raise ValueError(f"at least one player and an even number of orders were expected, not {m} and {count}")
    added = [gains(np.asarray(value(prefixes(order)), dtype=np.float64), order) for order in orders(m, count, rng)]
    pairs = np.array(added).reshape(count // 2, 2, m).mean(axis=1)
    se = pairs.std(axis=0, ddof=1) / math.sqrt(len(pairs)) if len(pairs) > 1 else np.full(m, np.nan)
    return Sampled(pairs.mean(axis=0), se, count * (m + 1))


def prefixes(order: Sequence[int] | NDArray[np.intp]) -> NDArray[np.bool_]:
    """``bool[m + 1, m]``: the coalitions that an order makes, from none to all.

    >>> prefixes([1, 0]).astype(int).tolist()
    [[0, 0], [0, 1], [1, 1]]
    """
    m = len(order)
    out = np.zeros((m + 1, m), dtype=np.bool_)
    for step, player in enumerate(order):
        out[step + 1] = out[step]
        out[step + 1, player] = True
    return out


def gains(values: Values, order: Sequence[int] | NDArray[np.intp]) -> Values:
    """What each player added along an order, from the values ``[m + 1]`` of its prefixes."""
    out = np.empty(len(order))
    out[np.asarray(order)] = np.diff(values)
    return out
