"""Comparisons of two models at a time, checked and numbered; whether they can be rated at all.

Ratings exist when the graph of comparisons hangs together, and are finite when nobody, alone or as a group, won (or
lost) everything against the rest (Ford 1957): when the graph of wins, ties counting both ways, is strongly connected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.stats.units import Index, Labels, codes

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Battles:
    """Row i: model ``a[i]`` met ``b[i]`` (numbers of ``names``), with ``outcome[i]`` 1 (A won), ½ (a tie) or 0.

    ``counts``: how many equal battles a row stands for; ``weights``: what each of them weighs; ``unit``: which battles
    move together (one rater's, one prompt's), or None; ``features[n, k]``: A's style less B's.
    """

    names: tuple[str, ...]
    a: Index
    b: Index
    outcome: Values
    counts: Values
    weights: Values
    unit: Index | None
    features: Values

    def __len__(self) -> int:
        return len(self.a)

    @property
    def n(self) -> int:
        """How many battles there were."""
        return round(float(self.counts.sum()))


def battles(
    a: Sequence[Any],
    b: Sequence[Any],
    outcome: ArrayLike,
    *,
    counts: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    unit: Labels | None = None,
    features: ArrayLike | None = None,
) -> Battles:
    """Battles from the names of both sides and A's outcomes: 1, ½ or 0. Equal rows are joined where nothing tells them apart.

    Raises `ValueError`, naming the row, for unequal lengths, no battles, a model against itself, another outcome, counts
    or weights that are not above 0, features that are not finite.

    >>> found = battles(["x", "x", "y"], ["y", "y", "z"], [1, 1, 0.5])
    >>> len(found), found.n, found.names
    (2, 3, ('x', 'y', 'z'))
    """
    n = len(a)
    result = np.asarray(outcome, dtype=np.float64)
    if n == 0 or len(b) != n or result.shape != (n,):
        raise ValueError(
            f"one outcome a pair was expected, at least one: {n} of A, {len(b)} of B, outcomes {result.shape}"
        )
    _refuse(~np.isin(result, (0.0, 0.5, 1.0)), "an outcome of 1 (A won), 0.5 (a tie) or 0 was expected", result)
    both = [str(name) for name in (*a, *b)]
    names = tuple(sorted(set(both)))
    number = {name: place for place, name in enumerate(names)}
    index = np.array([number[name] for name in both], dtype=np.intp)
    first, second = index[:n], index[n:]
    _refuse(first == second, "two models were expected, not one against itself", np.array(both[:n]))
    times, weight = _positive(counts, n, "counts"), _positive(weights, n, "weights")
    style = np.zeros((n, 0)) if features is None else np.asarray(features, dtype=np.float64)
    if style.ndim != 2 or len(style) != n:
        raise ValueError(f"features of {n} rows were expected, not shape {style.shape}")
    _refuse(np.asarray(~np.isfinite(style).all(axis=1)), "features that are finite were expected", style)
    of = None if unit is None else codes(unit, n)
    given = Battles(names, first, second, result, times, weight, of, style)
    return given if of is not None or style.shape[1] else _joined(given)


def components(given: Battles) -> list[list[str]]:
    """The models that were compared with each other, directly or through others; more than one list cannot be rated as one.

    >>> components(battles(["x", "u"], ["y", "v"], [1, 0]))
    [['u', 'v'], ['x', 'y']]
    """
    return _parts(given.names, [(given.a, given.b)], strong=False)


def separated(given: Battles) -> list[list[str]]:
    """Groups between which one side won everything, the unbeaten and the winless among them; one group: ratings are finite.

    >>> separated(battles(["x", "y", "y"], ["y", "z", "z"], [1, 1, 0]))
    [['x'], ['y', 'z']]
    """
    won, lost = given.outcome > 0, given.outcome < 1
    edges = [(given.a[won], given.b[won]), (given.b[lost], given.a[lost])]
    return _parts(given.names, edges, strong=True)


def _parts(names: Sequence[str], edges: Sequence[tuple[Index, Index]], *, strong: bool) -> list[list[str]]:
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    start, end = (np.concatenate([edge[side] for edge in edges]) for side in (0, 1))
    graph = coo_matrix((np.ones(len(start)), (start, end)), shape=(len(names), len(names)))
    _, label = connected_components(graph, directed=True, connection="strong" if strong else "weak")
    parts: dict[int, list[str]] = {}
    for name, of in zip(names, label.tolist(), strict=True):
        parts.setdefault(of, []).append(name)
    return sorted(parts.values())


def _joined(given: Battles) -> Battles:
    key = np.column_stack([given.a, given.b, given.outcome, given.weights])
    kinds, index = np.unique(key, axis=0, return_inverse=True)
    a, b = (kinds[:, side].astype(np.intp) for side in (0, 1))
    counts = np.bincount(index.ravel(), given.counts).astype(np.float64)
    return Battles(given.names, a, b, kinds[:, 2], counts, kinds[:, 3], None, np.zeros((len(kinds), 0)))


def _positive(given: ArrayLike | None, n: int, name: str) -> Values:
    if given is None:
        return np.ones(n)
    values = np.asarray(given, dtype=np.float64)
    if values.shape != (n,):
        raise ValueError(f"{n} {name} were expected, not shape {values.shape}")
    _refuse(~((values > 0) & np.isfinite(values)), f"{name} above 0 were expected", values)
    return values


def _refuse(broken: NDArray[np.bool_], expected: str, given: NDArray[Any]) -> None:
    rows = np.flatnonzero(broken)
    if len(rows):
        raise ValueError(f"{expected}, row {rows[0]} is {given[rows[0]]}")
