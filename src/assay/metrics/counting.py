"""How many candidates score higher than each positive, and how many the same: exact, in blocks.

Scores are inner products in double precision. Those of single-precision embeddings are first computed as such, and
only candidates that score so close to a positive that rounding could have put them on either side are computed again.
So a rank depends neither on the blocks nor on the threads nor on how a product of matrices is summed. What double
precision cannot tell apart is a tie: equal candidates always tie. Bound on the rounding of an inner product of ``d``
terms: d u |q| |g| (Higham 2002), of which 8 √d u is used where that is less, as errors cancel.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Values = NDArray[np.float64]
Matrix = NDArray[np.floating[Any]]

BLOCK_BYTES = 64 << 20
"""The scores that are held at once."""

COUNT_UP_TO = 16
"""A query with more positives than this has its scores sorted once instead of being counted through for each."""

UNSETTLED = 32
"""With more close scores than one in so many, a block is computed again in double precision as a whole."""

PAIRS = 1 << 12
"""Inner products that are computed at once, one by one."""

PLAIN_NORMS = (1e-25, 1e35)
"""Products of norms within which single precision neither overflows nor loses small terms."""


LARGEST = 1e100
"""Larger numbers are scaled down, so that their products are finite."""


@dataclass(frozen=True, slots=True)
class Sought:
    """The positives of one direction: pairs (query, target), ordered by query.

    ``score[p]`` is the pair's inner product, ``slack[p]`` how far a computed score of the query may be from the true
    one at most, ``fine[p]`` the same in double precision. ``above`` and ``tied`` are counted up block by block.
    """

    query: Ints
    target: Ints
    score: Values
    slack: Values
    fine: Values
    above: Ints = field(init=False)
    tied: Ints = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "above", np.zeros(len(self.query), dtype=np.int64))
        object.__setattr__(self, "tied", np.zeros(len(self.query), dtype=np.int64))

    def window(self, pairs: Ints | slice, dtype: np.dtype[Any], *, fine: bool) -> tuple[Matrix, Matrix]:
        """The least and the greatest computed score that could equal that of each of ``pairs``, widened to ``dtype``."""
        score, slack = self.score[pairs], (self.fine if fine else self.slack)[pairs]
        low, high = (score - slack).astype(dtype), (score + slack).astype(dtype)
        if dtype == np.float64:
            return low, high
        down, up = np.array(-np.inf, dtype), np.array(np.inf, dtype)
        return np.nextafter(low, down), np.nextafter(high, up)


def stand(q: Matrix, g: Matrix, query: Ints, target: Ints) -> tuple[Ints, Ints]:
    """For each pair (``query[p]``, ``target[p]``), ordered by query, the candidates above ``target`` and those tied with it.

    ``q[n, d]`` are the queries, ``g[m, d]`` all candidates; the positive itself is among those tied.
    """
    if not len(query):
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    asking, row = np.unique(query, return_inverse=True)
    q, g = _plain(q if len(asking) == len(q) else q[asking], g)
    sought = _sought(q, g, row, target)
    for start, block in _blocks(q, g):
        _by_row(sought, block, start, q, g)
    return sought.above, np.maximum(sought.tied, 1)


def stand_both(a: Matrix, b: Matrix, first: Ints, second: Ints) -> tuple[tuple[Ints, Ints], tuple[Ints, Ints]]:
    """`stand` of pairs (``first[p]`` of ``a``, ``second[p]`` of ``b``) in both directions, from one pass over the scores.

    The pairs are ordered by ``first``; the answers, ``a`` asking and ``b`` asking, are in that order too.
    """
    back = np.lexsort((first, second))
    if not len(first) or np.bincount(second).max() > COUNT_UP_TO:
        found = stand(b, a, second[back], first[back])
        return stand(a, b, first, second), _reordered(found, back)
    a, b = _plain(a, b)
    rows = _sought(a, b, first, second)
    columns = _sought(b, a, second[back], first[back])
    for start, block in _blocks(a, b):
        _by_row(rows, block, start, a, b)
        _by_column(columns, block, start, b, a)
    found = columns.above, np.maximum(columns.tied, 1)
    return (rows.above, np.maximum(rows.tied, 1)), _reordered(found, back)


def _reordered(found: tuple[Ints, Ints], back: Ints) -> tuple[Ints, Ints]:
    out = np.empty((2, len(back)), dtype=np.int64)
    out[:, back] = found
    return out[0], out[1]


def _plain(q: Matrix, g: Matrix) -> tuple[Matrix, Matrix]:
    """Both of one precision: single where both are and their products neither overflow nor vanish, else double.

    Ranks are the same for embeddings that are all as many times larger, so enormous ones are made smaller.
    """
    if q.dtype == g.dtype == np.float32:
        norms = _norms(q), _norms(g)
        there = [norm[norm > 0] for norm in norms]
        least, most = (float(np.prod([pick(norm, initial=1.0) for norm in there])) for pick in (np.min, np.max))
        if PLAIN_NORMS[0] < least and most < PLAIN_NORMS[1]:
            return q, g
    return _scaled(q), _scaled(g)


def _scaled(x: Matrix) -> Values:
    values = x.astype(np.float64, copy=False)
    largest = float(np.abs(values).max(initial=0.0))
    return values if largest < LARGEST else np.ldexp(values, -int(np.frexp(largest)[1]))


def _norms(x: Matrix) -> Values:
    squares: Values = np.einsum("ij,ij->i", x, x, dtype=np.float64)
    return np.sqrt(squares)


def _sought(q: Matrix, g: Matrix, query: Ints, target: Ints) -> Sought:
    size = _norms(q)[query] * _norms(g).max(initial=0.0)
    terms = min(q.shape[1], 8 * np.sqrt(q.shape[1]))
    unit, fine = (float(np.finfo(kind).eps) / 2 * (terms + 1) * size for kind in (q.dtype, np.float64))
    return Sought(query, target, products(q, g, query, target), np.asarray(unit), np.asarray(fine))


def products(q: Matrix, g: Matrix, query: Ints, target: Ints) -> Values:
    """The inner products of pairs of rows, in double precision, each summed in the same order."""
    out = np.empty(len(query))
    for start in range(0, len(query), PAIRS):
        part = slice(start, start + PAIRS)
        np.einsum("ij,ij->i", q[query[part]], g[target[part]], dtype=np.float64, out=out[part])
    return out


def _blocks(q: Matrix, g: Matrix) -> Iterator[tuple[int, Matrix]]:
    """The scores of some queries after the other; each block lives until the next."""
    step = max(1, BLOCK_BYTES // max(1, len(g) * g.itemsize))
    scores = np.empty((min(step, len(q)), len(g)), dtype=g.dtype)
    for start in range(0, len(q), step):
        yield start, np.matmul(q[start : start + step], g.T, out=scores[: len(q) - start])


def _by_row(sought: Sought, block: Matrix, start: int, q: Matrix, g: Matrix) -> None:
    """Counts for the queries that are the rows ``start`` … of ``q``, whose scores are the rows of ``block``."""
    bounds = np.searchsorted(sought.query, np.arange(start, start + len(block) + 1))
    pairs = slice(int(bounds[0]), int(bounds[-1]))
    fine = block.dtype == np.float64
    low, high = sought.window(pairs, block.dtype, fine=fine)
    above, within = sought.above[pairs], sought.tied[pairs]
    open_pairs: list[int] = []
    close: list[Ints] = []
    many = len(block) * len(g) // UNSETTLED
    for row, line in enumerate(block):
        mine = slice(bounds[row] - bounds[0], bounds[row + 1] - bounds[0])
        if mine.start == mine.stop:
            continue
        above[mine], within[mine] = _count(line, low[mine], high[mine])
        if fine:
            continue
        for pair in (mine.start + np.flatnonzero(within[mine] != 1)).tolist():
            open_pairs.append(pair)
            close.append(np.flatnonzero((line >= low[pair]) & (line <= high[pair])))
            many -= len(close[-1])
        if many < 0:
            _by_row(sought, _again(q, g, start, len(block)), start, q, g)
            return
    if open_pairs:
        pair = np.repeat(np.array(open_pairs) + pairs.start, [len(found) for found in close])
        sought.tied[np.array(open_pairs) + pairs.start] = 0
        _settle(sought, pair, np.concatenate(close), q, g)


def _count(line: Matrix, low: Matrix, high: Matrix) -> tuple[Ints | list[int], Ints | list[int]]:
    """How many of one query's scores are higher than each window ``low`` … ``high``, and how many within it."""
    if len(low) > COUNT_UP_TO:
        ordered = np.sort(line)
        left, right = np.searchsorted(ordered, low, side="left"), np.searchsorted(ordered, high, side="right")
        return len(line) - right, right - left
    above = [int(np.count_nonzero(line > bound)) for bound in high]
    return above, [int(np.count_nonzero(line >= bound)) - over for bound, over in zip(low, above, strict=True)]


def _by_column(sought: Sought, block: Matrix, start: int, q: Matrix, g: Matrix) -> None:
    """Counts for all queries ``q``, the columns of ``block``, among the candidates ``start`` … of ``g``, its rows."""
    ordinal = np.arange(len(sought.query)) - np.searchsorted(sought.query, sought.query)
    fine = block.dtype == np.float64
    close: list[tuple[Ints, Ints]] = []
    before = sought.above.copy(), sought.tied.copy()
    many = len(block) * len(q) // UNSETTLED
    for layer in range(int(ordinal.max()) + 1):
        pairs = np.flatnonzero(ordinal == layer)
        part = block if len(pairs) == len(q) else block[:, sought.query[pairs]]
        low, high = sought.window(pairs, block.dtype, fine=fine)
        over, within = part > high, part >= low
        sought.above[pairs] += _per_column(over)
        np.not_equal(over, within, out=within)
        if fine:
            sought.tied[pairs] += _per_column(within)
            continue
        row, column = _places(within)
        close.append((pairs[column], row + start))
        many -= len(row)
        if many < 0:
            sought.above[:], sought.tied[:] = before
            _by_column(sought, _again(g, q, start, len(block)), start, q, g)
            return
    if close:
        pair, candidate = (np.concatenate(found) for found in zip(*close, strict=True))
        _settle(sought, pair, candidate, q, g)


def _again(q: Matrix, g: Matrix, start: int, rows: int) -> Values:
    """A block of scores in double precision."""
    block: Values = q[start : start + rows].astype(np.float64) @ g.astype(np.float64).T
    return block


def _settle(sought: Sought, pair: Ints, candidate: Ints, q: Matrix, g: Matrix) -> None:
    """Counts candidates that are close to a pair's score by their exact inner product."""
    lead = products(q, g, sought.query[pair], candidate) - sought.score[pair]
    above, tied = lead > sought.fine[pair], np.abs(lead) <= sought.fine[pair]
    sought.above[:] += np.bincount(pair[above], minlength=len(sought.query))
    sought.tied[:] += np.bincount(pair[tied], minlength=len(sought.query))


def _per_column(mask: NDArray[np.bool_]) -> Ints:
    """How many are true in each column; bytes are added as bytes, 255 rows at a time, which is several times faster."""
    out = np.zeros(mask.shape[1], dtype=np.int64)
    for start in range(0, len(mask), 255):
        out += np.add.reduce(mask[start : start + 255].view(np.uint8), axis=0, dtype=np.uint8)
    return out


def _places(mask: NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """Row and column of the few that are true; eight at a time are looked at."""
    flat = mask.reshape(-1)
    words = len(flat) // 8
    eights = np.flatnonzero(flat[: words * 8].view(np.uint64))
    near = (eights[:, None] * 8 + np.arange(8)).ravel()
    near = np.concatenate([near, np.arange(words * 8, len(flat))])
    found = near[flat[near]]
    return found // mask.shape[1], found % mask.shape[1]
