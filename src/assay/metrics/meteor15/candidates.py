"""The candidate matches of pairs of a prediction and a reference, in the order in which the reference lists them.

A match joins a span of the reference to one of the prediction. Those that begin at one place of the reference come by
stage (exact, stem, synonym, paraphrase); words by their place in the prediction; forward paraphrases by the length of
the reference's phrase, the order of the table, then the place in the prediction; backward ones by the place in the
prediction, the length of its phrase, then the order of the table. Beams are cut and ties broken by this order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.metrics.meteor15.ragged import ranges, runs
from assay.metrics.meteor15.relations import EXACT, FORWARD, Occurrences, Relations

MIX_LEFT, MIX_RIGHT = np.uint32(0x9E3779B1), np.uint32(0x85EBCA77)
SLOTS_PER_RELATION, MOST_SLOT_BITS = 64, 24
BLOCK = 1 << 20
"""How many pairs of occurrences are looked at together."""

Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Matches:
    """``[m]`` matches by ``pair`` and ``place`` in the reference, there in the order of the reference.

    A match of ``kind`` joins ``length`` words from ``place`` of the reference to ``own_length`` from ``own_place`` of the
    prediction.
    """

    pair: Ids
    kind: NDArray[np.int8]
    place: Ids
    length: Ids
    own_place: Ids
    own_length: Ids


@dataclass(frozen=True, slots=True)
class Finder:
    """A sieve over the relations: a table that holds a bit at a hash of each, for the many pairs that are none."""

    relations: Relations
    sieve: NDArray[np.bool_]
    left: NDArray[np.uint32]
    right: NDArray[np.uint32]
    first: Ids
    count: Ids
    distinct: Ids

    @classmethod
    def of(cls, relations: Relations) -> Finder:
        """The sieve of these relations."""
        distinct, first, count = np.unique(relations.key, return_index=True, return_counts=True)
        bits = min(MOST_SLOT_BITS, max(10, int(np.log2(SLOTS_PER_RELATION * len(distinct) + 1))))
        unit = np.arange(relations.units, dtype=np.uint32)
        shift = np.uint32(32 - bits)
        left, right = _mixed(unit, MIX_LEFT) >> shift, _mixed(unit, MIX_RIGHT) >> shift
        sieve = np.zeros(1 << bits, dtype=np.bool_)
        a, b = np.divmod(distinct, max(relations.units, 1))
        sieve[left[a] ^ right[b]] = True
        return cls(relations, sieve, left, right, first, count, distinct)


def _mixed(unit: NDArray[np.uint32], factor: np.uint32) -> NDArray[np.uint32]:
    """A well spread 32-bit number for each unit."""
    mixed = (unit + np.uint32(1)) * factor
    mixed ^= mixed >> np.uint32(15)
    mixed *= np.uint32(0x2C1B3C6D)
    mixed ^= mixed >> np.uint32(12)
    return mixed * np.uint32(0x297A2D39)


def matches(
    finder: Finder, predicted: Occurrences, referred: Occurrences, captions: tuple[Ids, Ids], is_same: NDArray[np.bool_]
) -> Matches:
    """The matches of pairs of ``captions`` (predictions ``[p]``, references ``[p]``).

    Where ``is_same[p]`` says that the two are the same words, the reference looks at exact matches alone.
    """
    size = np.diff(predicted.start)[captions[0]] * np.diff(referred.start)[captions[1]]
    found = [_related(finder, predicted, referred, captions, block) for block in runs(size, BLOCK)]
    pair, own, other, relation = (
        (np.concatenate(column) for column in zip(*found, strict=True)) if found else np.zeros((4, 0), np.int64)
    )
    kind = finder.relations.kind[relation]
    kept = np.flatnonzero((kind == EXACT) | ~is_same[pair])
    pair, own, other, relation, kind = pair[kept], own[kept], other[kept], relation[kept], kind[kept]
    place, length = referred.place[other], referred.length[other]
    own_place, own_length = predicted.place[own], predicted.length[own]
    rank = finder.relations.rank[relation]
    is_forward = kind == FORWARD
    order = np.lexsort(
        (
            np.where(is_forward, own_place, rank),
            np.where(is_forward, rank, own_length),
            np.where(is_forward, length, own_place),
            kind,
            place,
            pair,
        )
    )
    return Matches(pair[order], kind[order], place[order], length[order], own_place[order], own_length[order])


def _related(
    finder: Finder, predicted: Occurrences, referred: Occurrences, captions: tuple[Ids, Ids], block: slice
) -> tuple[Ids, Ids, Ids, Ids]:
    """Every related pair of occurrences of a block: the pair of captions, the two occurrences, the relation."""
    left, right = captions[0][block], captions[1][block]
    n_left, n_right = np.diff(predicted.start)[left], np.diff(referred.start)[right]
    other = ranges(referred.start[right], n_right)
    pair = np.repeat(np.arange(len(left)), n_right)
    times = n_left[pair]
    own = ranges(predicted.start[left][pair], times)
    slot = finder.left[predicted.unit][own] ^ np.repeat(finder.right[referred.unit[other]], times)
    near = np.flatnonzero(finder.sieve[slot])
    own = own[near]
    ends = np.cumsum(times)
    which = np.searchsorted(ends, near, side="right")
    other, pair = other[which], pair[which]
    key = predicted.unit[own] * finder.relations.units + referred.unit[other]
    place = np.minimum(np.searchsorted(finder.distinct, key), len(finder.distinct) - 1)
    hit = np.flatnonzero(finder.distinct[place] == key)
    place, own, other, pair = place[hit], own[hit], other[hit], pair[hit]
    count = finder.count[place]
    again = np.repeat(np.arange(len(place)), count)
    return pair[again] + block.start, own[again], other[again], ranges(finder.first[place], count)
