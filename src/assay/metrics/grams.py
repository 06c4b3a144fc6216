"""Clipped n-gram matches between texts and their references, exact, for many texts in a few sorts.

Tokens (words or characters) are whole numbers; an n-gram is the number ``gram * size + token``, made dense again by one
sort where it would outgrow 63 bits, so that nothing is hashed and nothing collides. Row, n-gram and side are packed into
one integer each; sorted, equal ones lie together, and their runs are the counts.

A `Corpus` holds the sequences of all texts one after another: ``tokens[t]``, and of each sequence its ``length``, its
``row`` and its ``side`` (0: the prediction, 1 … : references).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.metrics.texts import distinct

Ints = NDArray[np.int64]

BITS = 62
"""What a packed number may take."""

BLOCK = 1 << 17
"""Tokens that are counted at once; a longer text is a block of its own."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """Sequences of tokens, those of one row one after another (see the module)."""

    tokens: Ints
    length: Ints
    row: Ints
    side: Ints
    rows: int

    def blocks(self) -> Iterator[Corpus]:
        """The corpus in parts of whole rows with about `BLOCK` tokens, rows counted from 0 in each."""
        ends = np.cumsum(np.bincount(self.row, weights=self.length, minlength=self.rows)).astype(np.int64)
        start, token = 0, 0
        while start < self.rows:
            stop = max(start + 1, int(np.searchsorted(ends, token + BLOCK, side="right")))
            first, last = np.searchsorted(self.row, [start, stop])
            inside = slice(int(first), int(last))
            yield Corpus(
                self.tokens[token : int(ends[stop - 1])],
                self.length[inside],
                self.row[inside] - start,
                self.side[inside],
                stop - start,
            )
            start, token = stop, int(ends[stop - 1])


@dataclass(frozen=True, slots=True)
class Matches:
    """Of each row and order: n-grams of the prediction, of its references in all, and those that both have ``[rows, orders]``.

    An n-gram that occurs twice in the prediction matches twice only if some one reference holds it twice.
    """

    predicted: Ints
    references: Ints
    matched: Ints


def of_words(sequences: Sequence[Sequence[str]], row: NDArray[Any], side: NDArray[Any], rows: int) -> Corpus:
    """The corpus of texts that are lists of words, those of one row together."""
    words = [word for words in sequences for word in words]
    return _corpus(distinct(words)[1].astype(np.int64), sequences, row, side, rows)


def of_characters(texts: Sequence[str], row: NDArray[Any], side: NDArray[Any], rows: int) -> Corpus:
    """The corpus of texts whose characters are the tokens, those of one row together."""
    codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    return _corpus(codes.astype(np.int64), texts, row, side, rows)


def _corpus(tokens: Ints, sequences: Sequence[Any], row: NDArray[Any], side: NDArray[Any], rows: int) -> Corpus:
    length = np.fromiter(map(len, sequences), dtype=np.int64, count=len(sequences))
    return Corpus(tokens, length, np.asarray(row, dtype=np.int64), np.asarray(side, dtype=np.int64), rows)


def matches(corpus: Corpus, orders: int) -> Matches:
    """The clipped matches of orders 1 … ``orders``.

    >>> corpus = of_words([["a", "b", "a"], ["a", "b", "b"]], np.array([0, 0]), np.array([0, 1]), 1)
    >>> found = matches(corpus, 2)
    >>> found.predicted.tolist(), found.matched.tolist()
    ([[3, 2]], [[2, 1]])
    """
    out = np.zeros((3, corpus.rows, orders), dtype=np.int64)
    place = 0
    for block in corpus.blocks():
        out[:, place : place + block.rows] = _of_block(block, orders)
        place += block.rows
    return Matches(*out)


def _of_block(block: Corpus, orders: int) -> Ints:
    out = np.zeros((3, block.rows, orders), dtype=np.int64)
    left = np.maximum(block.length[:, None] - np.arange(orders), 0)
    for of, chosen in ((0, block.side == 0), (1, block.side > 0)):
        np.add.at(out[of], block.row[chosen], left[chosen])
    token, size = _dense(block.tokens)
    remaining = np.repeat(np.cumsum(block.length), block.length) - np.arange(len(token))
    sides, top = _bits(int(block.side.max(initial=0)) + 1), BITS - _bits(block.rows)
    place = np.repeat((block.row << top) | block.side, block.length)
    gram, kinds = token, size
    for order in range(orders):
        if order:
            if _bits(kinds) + _bits(size) + sides > top:
                gram, kinds = _dense(gram)
            gram, kinds = gram[:-1] * size + token[order:], kinds * size
        whole = remaining[: len(gram)] > order
        key = ((gram << sides) | place[: len(gram)])[whole]
        key.sort()
        out[2, :, order] = _matched(key, sides, top, block.rows)
    return out


def _matched(key: Ints, sides: int, top: int, rows: int) -> Ints:
    """How many n-grams of each row's prediction its references hold, from the sorted numbers row, n-gram, side."""
    if not len(key):
        return np.zeros(rows, dtype=np.int64)
    start = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]]))
    count = np.diff(start, append=len(key))
    key = key[start]
    kind, predicted = key >> sides, (key & ((1 << sides) - 1)) == 0
    # The prediction's side is 0 and sorts first: a run of one kind without it, or of it alone, matches nothing.
    first = np.flatnonzero(predicted & np.concatenate([kind[1:] == kind[:-1], [False]]))
    best = count[first + 1]
    if sides > 1:
        end = np.flatnonzero(np.concatenate([kind[1:] != kind[:-1], [True]]))
        last = end[np.searchsorted(end, first)] + 1
        spans = np.stack([first + 1, last], axis=1).ravel()
        best = np.maximum.reduceat(np.append(count, 0), spans)[::2] if len(spans) else best
    return np.bincount(key[first] >> top, weights=np.minimum(count[first], best), minlength=rows).astype(np.int64)


def _dense(values: Ints) -> tuple[Ints, int]:
    """Values replaced by their places among the distinct ones, and how many those are."""
    if len(values) and values.min() >= 0 and values.max() < 1 << 21:
        there = np.zeros(int(values.max()) + 1, dtype=np.bool_)
        there[values] = True
        return (np.cumsum(there) - 1)[values], int(there.sum())
    kinds, place = np.unique(values, return_inverse=True)
    return place.astype(np.int64), len(kinds)


def _bits(kinds: int) -> int:
    """How many bits tell so many kinds apart."""
    return max(kinds - 1, 0).bit_length()
