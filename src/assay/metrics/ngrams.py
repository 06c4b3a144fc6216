"""The n-grams that captions share with their references, exactly, by sorting numbers.

An n-gram is one number (a pair of token numbers, or of numbers of pairs), and with its caption's number in the low bits one
sort brings equal n-grams together, row by row, the prediction first. All else is runs in that order: counts,
document frequencies, clipped matches, tf-idf products. Nothing is hashed, so nothing collides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.metrics.vocabulary import Encoded

Values = NDArray[np.float64]
Numbers = NDArray[np.int64]
Weigh = Callable[[Sequence[Numbers], Numbers], Values]
"""From the n-grams of all orders so far, the last being asked about, and in how many rows each of those is: their weights."""

ORDERS = 4


@dataclass(frozen=True, slots=True)
class Counted:
    """Each n-gram of each caption once, sorted by n-gram and caption: entry ``e`` is n-gram ``grams[gram[e]]`` in ``caption[e]``."""

    grams: Numbers
    gram: Numbers
    caption: Numbers
    count: Numbers


@dataclass(frozen=True, slots=True)
class Overlap:
    """What predictions share with references, one column an order: by row, and by caption (0 for the predictions).

    ``matched[n, 4]`` counts a prediction's n-grams, each at most as often as in one reference; ``clipped[m, 4]`` is
    Σ w² min(c, r) r, ``product[m, 4]`` Σ w² c r and ``square[m, 4]`` Σ (w r)² for counts c, r and weights w.
    """

    matched: Values
    clipped: Values
    product: Values
    square: Values


def grams(encoded: Encoded) -> Iterator[tuple[Numbers, Numbers]]:
    """For each order the n-grams in their places, as numbers, and the caption of each.

    A word is its number, a pair ``first * size + second``, three words ``pair * size + third`` and four
    ``pair * pairs + pair``, with the distinct pairs numbered in their order.
    """
    tokens, length, size = encoded.tokens.astype(np.int64), encoded.lengths, max(len(encoded.vocabulary), 1)
    caption = np.repeat(np.arange(len(encoded)), length)
    left = np.repeat(encoded.starts[1:], length) - np.arange(len(tokens))
    yield tokens, caption
    at = np.flatnonzero(left >= 2)
    pair = tokens[at] * size + tokens[at + 1]
    yield pair, caption[at]
    distinct, rank = np.unique(pair, return_inverse=True)
    numbered = np.zeros(len(tokens), np.int64)
    numbered[at] = rank
    at = np.flatnonzero(left >= 3)
    yield numbered[at] * size + tokens[at + 2], caption[at]
    at = np.flatnonzero(left >= 4)
    yield numbered[at] * len(distinct) + numbered[at + 2], caption[at]


def counted(gram: Numbers, caption: Numbers, captions: int) -> Counted:
    """Equal n-grams of a caption taken together.

    >>> found = counted(np.array([7, 7, 5]), np.array([0, 0, 1]), 2)
    >>> found.grams.tolist(), found.gram.tolist(), found.caption.tolist(), found.count.tolist()
    ([5, 7], [0, 1], [1, 0], [1, 2])
    """
    bits = max(captions - 1, 1).bit_length()
    names = None
    if len(gram) and int(gram.max()) >> (63 - bits):
        names, gram = np.unique(gram, return_inverse=True)
    both = np.sort(gram << bits | caption)
    first = np.flatnonzero(_changes(both))
    count = np.diff(np.append(first, len(both)))
    both = both[first]
    gram, caption = both >> bits, both & ((1 << bits) - 1)
    new = _changes(gram)
    distinct = gram[new]
    return Counted(distinct if names is None else names[distinct], np.cumsum(new) - 1, caption, count)


def overlap(encoded: Encoded, row: NDArray[np.intp], is_head: NDArray[np.bool_], weigh: Weigh) -> Overlap:
    """What every prediction shares with its references, n-grams of each order weighted by ``weigh``.

    The ``m`` captions lie row after row, ``row[m]``, the prediction first, ``is_head[m]``.
    """
    columns, seen = [], []
    for gram, caption in grams(encoded):
        found = counted(gram, caption, len(is_head))
        seen.append(found.grams)
        weight = weigh(seen, document_frequency(found, row, is_head))
        columns.append(_shared(found, row[found.caption], is_head, weight))
    matched, clipped, product, square = (
        np.stack(column, axis=1).astype(np.float64) for column in zip(*columns, strict=True)
    )
    return Overlap(matched[: int(is_head.sum())], clipped, product, square)


def rarity(rows: int, frequency: Numbers) -> Values:
    """The inverse document frequency log N - log max(1, df) of n-grams, in nats, N being the number of rows.

    >>> rarity(2, np.array([0, 1, 2])).round(4).tolist()
    [0.6931, 0.6931, 0.0]
    """
    out: Values = np.log(max(rows, 1)) - np.log(np.maximum(frequency, 1))
    return out


def document_frequency(found: Counted, row: NDArray[np.intp], is_head: NDArray[np.bool_]) -> Numbers:
    """In how many rows some reference holds each n-gram; ``row[m]`` and ``is_head[m]`` are of the captions."""
    reference = ~is_head[found.caption]
    gram, place = found.gram[reference], row[found.caption[reference]]
    return np.bincount(gram[_changes(gram) | _changes(place)], minlength=len(found.grams))


def _shared(found: Counted, row: Numbers, is_head: NDArray[np.bool_], weight: Values) -> tuple[NDArray[Any], ...]:
    """The columns of `Overlap` for one order, each as long as there are captions; ``row`` is that of each entry."""
    caption, count, captions = found.caption, found.count, len(is_head)
    square = np.bincount(caption, (weight[found.gram] * count) ** 2, minlength=captions)
    head = is_head[caption]
    starts = np.flatnonzero(_changes(found.gram) | _changes(row))
    first = np.repeat(starts, np.diff(np.append(starts, len(row))))
    both = np.flatnonzero(head[first] & ~head)
    said, there, at = count[first[both]], count[both], caption[both]
    squared = weight[found.gram[both]] ** 2
    clipped = np.bincount(at, squared * (np.minimum(said, there) * there), minlength=captions)
    product = np.bincount(at, squared * (said * there), minlength=captions)
    new = np.flatnonzero(_changes(first[both]))
    most = np.minimum(np.maximum.reduceat(there, new), said[new]) if len(new) else new
    return np.bincount(row[both[new]], most, minlength=captions), clipped, product, square


def _changes(values: Numbers) -> NDArray[np.bool_]:
    """True where a value differs from the one before; the first does."""
    out = np.ones(len(values), np.bool_)
    np.not_equal(values[1:], values[:-1], out=out[1:])
    return out
