"""Partial information decomposition of what two variables say of a third: redundant, unique to each, synergistic (bits).

The definition of Bertschinger, Rauh, Olbrich, Jost & Ay 2014 (BROJA), used for modalities by Liang et al. 2023: among all
distributions with the pair marginals (X1, Y) and (X2, Y), the least information I(Y; X1 X2) is what needs no synergy. It is
found by alternating projections (Csiszár & Tusnády 1984): q(x1, x2, y) is scaled to the pair marginals, then its (x1, x2)
marginal becomes the next reference. The objective is convex, so that the limit is the minimum; where it is approached as 1/k,
Richardson's extrapolation of the value at k and k/2 steps takes the rest away.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Values = NDArray[np.float64]
STEPS = 3_000


@dataclass(frozen=True)
class Decomposition:
    """The four parts, in bits: floats, or ``[b]`` for a batch of tables.

    Redundant and unique_i sum to I(Y; Xi), all four to ``total`` = I(Y; X1 X2).
    """

    redundant: Values
    unique_1: Values
    unique_2: Values
    synergistic: Values
    total: Values


def decompose(table: ArrayLike, *, steps: int = STEPS) -> Decomposition:
    """The decomposition of a joint table ``[x1, x2, y]`` (counts or probabilities), or of a batch ``[b, x1, x2, y]``.

    Raises `ValueError` for another shape, negative or non-finite entries, or a table without any weight.

    >>> xor = np.array([[[1, 0], [0, 1]], [[0, 1], [1, 0]]])
    >>> found = decompose(xor)
    >>> [round(float(x), 6) for x in (found.redundant, found.unique_1, found.unique_2, found.synergistic)]
    [0.0, 0.0, 0.0, 1.0]
    """
    given = np.asarray(table, dtype=np.float64)
    single = given.ndim == 3
    joint = given[None] if single else given
    if joint.ndim != 4 or not joint.size:
        raise ValueError(f"a table [x1, x2, y] or a batch of them was expected, got shape {given.shape}")
    if not (np.isfinite(joint).all() and (joint >= 0).all() and (joint.sum(axis=(1, 2, 3)) > 0).all()):
        raise ValueError("counts or probabilities, at least one above 0, were expected")
    joint = joint / joint.sum(axis=(1, 2, 3), keepdims=True)
    first, second = information(joint.sum(axis=2)), information(joint.sum(axis=1))
    total = information(joint.reshape(len(joint), -1, joint.shape[3]))
    # No distribution with these marginals says less of Y than either variable alone, or more than all together do here.
    least = np.clip(least_information(joint, steps), np.maximum(first, second), total)
    parts = (first + second - least, least - second, least - first, total - least, total)
    return Decomposition(*(part[0] if single else part for part in parts))


def information(joint: Values) -> Values:
    """I(X; Y) in bits of each table ``[b, x, y]``.

    >>> information(np.array([[[.5, 0.], [0., .5]]])).tolist()
    [1.0]
    """
    return np.maximum(
        entropy(joint.sum(axis=2)) + entropy(joint.sum(axis=1)) - entropy(joint.reshape(len(joint), -1)), 0.0
    )


def entropy(shares: Values) -> Values:
    """The entropy in bits of each row."""
    return np.asarray(-(shares * np.log2(np.where(shares > 0, shares, 1.0))).sum(axis=1))


def least_information(joint: Values, steps: int) -> Values:
    """min I_Q(Y; X1 X2) over Q with the pair marginals of each table ``[b, x1, x2, y]``.

    q is the reference r(x1, x2) times a factor of (x1, y) and one of (x2, y). The factors are kept from step to step: scaled
    anew each time, they would be far from a projection, and the limit another.
    """
    one, two, of_y = joint.sum(axis=2), joint.sum(axis=1), joint.sum(axis=(1, 2))
    r = np.einsum("bxy,bzy,by->bxz", one, two, scale(np.ones_like(of_y), of_y))
    second = (two > 0).astype(np.float64)
    first = second[:, :0]
    halfway = reached = np.zeros(len(joint))
    for step in range(1, steps + 1):
        first = scale(one, r @ second)
        second = scale(two, r.transpose(0, 2, 1) @ first)
        both = first @ second.transpose(0, 2, 1)
        if step in (steps // 2, steps):
            q = r[..., None] * first[:, :, None, :] * second[:, None, :, :]
            halfway, reached = reached, information(q.reshape(len(q), -1, q.shape[3]))
        r = r * both
    return np.asarray(reached - np.maximum(halfway - reached, 0.0))


def scale(wanted: Values, found: Values) -> Values:
    """What to multiply by to reach a marginal; 0 where there is nothing to scale."""
    return np.divide(wanted, found, out=np.zeros_like(wanted), where=found > 0)


def counts(x1: NDArray[np.intp], x2: NDArray[np.intp], y: NDArray[np.intp], weights: ArrayLike | None = None) -> Values:
    """The tables ``[b, x1, x2, y]`` of coded variables ``[n]`` under weight vectors ``[b, n]`` (None: one table of plain counts).

    >>> float(counts(np.array([0, 1]), np.array([0, 1]), np.array([0, 1])).sum())
    2.0
    """
    w = np.ones((1, len(x1))) if weights is None else np.asarray(weights, dtype=np.float64)
    shape = tuple(int(codes.max(initial=0)) + 1 for codes in (x1, x2, y))
    cells = np.ravel_multi_index((x1, x2, y), shape)
    size = int(np.prod(shape))
    return np.array([np.bincount(cells, one, size) for one in w]).reshape(len(w), *shape)
