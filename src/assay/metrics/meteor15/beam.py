"""The alignment that METEOR 1.5 chooses among candidate matches: a beam search, for many pairs of captions in step.

A partial alignment grows along the reference. At each place it takes one of the matches that begin there and that touch
no word already taken, or none. Partial alignments are ordered by the words matched (exact words count 1, others half,
rounded down for each match and side), then fewer chunks, then less distance, then by the order in which they were made;
the first 40 go on. A match whose words occur in no other match is taken from the start.

Three habits of the reference decide ties, and are kept: half weights round down, so that a single stem, synonym or
paraphrased word counts nothing in the order; a match's distance is charged to the alignments made after it from the
same parent, not to its own; and sorting is stable, step after step.

Places of a reference where no match can be, next to another such place, are no steps: nothing changes there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from assay.metrics.meteor15.candidates import Matches
from assay.metrics.meteor15.ragged import ranges
from assay.metrics.meteor15.relations import EXACT

WIDTH = 40
BLOCK = 2048
"""Pairs that are aligned in step."""

BITS = 64
MOST_PACKED_BITS = 63
NO_MATCH = -1

Ids = NDArray[np.int64]
Sets = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Alignments:
    """For ``p`` pairs: the ``chunks[p]``, and which of the ``[m]`` candidate matches are ``taken``."""

    chunks: Ids
    taken: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Problem:
    """A block of pairs. Matches are sorted by ``pair * places + place``, of which ``first`` and ``count`` give the runs.

    ``words`` and ``own_words`` are the matches' words as sets of bits ``[m, w]``. A partial alignment's ``key`` is
    ``(most - gained) << gain_at | chunks << chunk_at | distance``: the smaller, the better. ``length`` counts steps.
    """

    length: Ids
    places: int
    first: Ids
    count: Ids
    certain: Ids
    end: Ids
    own_place: Ids
    own_end: Ids
    gain: Ids
    distance: Ids
    words: Sets
    own_words: Sets
    chunk_at: int
    gain_at: int
    key_bits: int


@dataclass(frozen=True, slots=True)
class _Partials:
    """Partial alignments by pair, best first. ``at`` is the place after the last step, ``last`` the end in the prediction
    of the match just made, or -1; ``words`` and ``own_words`` are the words taken."""

    pair: Ids
    key: Ids
    at: Ids
    last: Ids
    words: Sets
    own_words: Sets

    def __getitem__(self, index: NDArray[np.integer] | NDArray[np.bool_]) -> _Partials:
        return _Partials(
            self.pair[index],
            self.key[index],
            self.at[index],
            self.last[index],
            self.words[index],
            self.own_words[index],
        )

    def and_(self, other: _Partials) -> _Partials:
        """These and then those."""
        return _Partials(*(np.concatenate([getattr(self, name), getattr(other, name)]) for name in _Partials.__slots__))


def aligned(matches: Matches, lengths: tuple[Ids, Ids]) -> Alignments:
    """Aligns pairs with ``lengths`` (words of the predictions ``[p]``, of the references ``[p]``)."""
    pairs = len(lengths[0])
    chunks, taken = np.zeros(pairs, dtype=np.int64), np.zeros(len(matches.pair), dtype=np.bool_)
    begin = np.searchsorted(matches.pair, np.arange(pairs + 1))
    for block in _blocks(begin, lengths):
        count = begin[block + 1] - begin[block]
        which = ranges(begin[block], count)
        owner = np.repeat(np.arange(len(block)), count)
        own = Matches(owner, *(getattr(matches, name)[which] for name in Matches.__slots__ if name != "pair"))
        chunks[block], chosen = _align(_problem(own, (lengths[0][block], lengths[1][block])))
        taken[which[chosen]] = True
    return Alignments(chunks, taken)


def _blocks(begin: Ids, lengths: tuple[Ids, Ids]) -> Iterator[Ids]:
    """The pairs that have matches, those of like size together."""
    words = np.maximum(*lengths)
    some = np.flatnonzero(np.diff(begin))
    order = some[np.lexsort((lengths[1][some], words[some] // BITS))]
    wide = words[order] // BITS
    for start in range(0, len(order), BLOCK):
        block, width = order[start : start + BLOCK], wide[start : start + BLOCK]
        for cut in np.split(block, np.flatnonzero(np.diff(width)) + 1):
            pieces = len(cut) if words[cut[0]] >= BITS else 1
            yield from np.array_split(cut, pieces)


def _problem(matches: Matches, lengths: tuple[Ids, Ids]) -> _Problem:
    """A block's matches as the search needs them."""
    n_own, n_words = lengths
    is_exact = matches.kind == EXACT
    gain = np.where(is_exact, matches.length + matches.own_length, matches.length // 2 + matches.own_length // 2)
    distance = np.abs(matches.place - matches.own_place)
    cover = _covered(matches.pair, matches.place, matches.length, n_words)
    own_cover = _covered(matches.pair, matches.own_place, matches.own_length, n_own)
    step, length = _steps(cover, n_words)
    place = step[matches.pair, matches.place]
    places = int(length.max(initial=0)) + 1
    slot = matches.pair * places + place
    count = np.bincount(slot, minlength=len(length) * places)
    alone = _all_once(cover, matches.pair, matches.place, matches.length)
    alone &= _all_once(own_cover, matches.pair, matches.own_place, matches.own_length)
    certain = np.full(len(length) * places, NO_MATCH)
    certain[slot[alone]] = np.flatnonzero(alone)
    chunk_at = int(np.bincount(matches.pair, weights=distance).max(initial=0)).bit_length()
    gain_at = chunk_at + places.bit_length()
    return _Problem(
        length,
        places,
        np.cumsum(count) - count,
        count,
        certain,
        place + matches.length,
        matches.own_place,
        matches.own_place + matches.own_length,
        gain << gain_at,
        distance,
        _as_sets(place, matches.length, places),
        _as_sets(matches.own_place, matches.own_length, int(n_own.max(initial=0))),
        chunk_at,
        gain_at,
        gain_at + int((n_own + n_words).max(initial=0)).bit_length(),
    )


def _covered(pair: Ids, place: Ids, length: Ids, n_words: Ids) -> Ids:
    """How many matches hold each word ``[pairs, words]``."""
    wide = int(n_words.max(initial=0)) + 1
    cover = np.zeros(len(n_words) * wide, dtype=np.int64)
    for offset in range(int(length.max(initial=0))):
        there = length > offset
        cover += np.bincount(pair[there] * wide + place[there] + offset, minlength=len(cover))
    return cover.reshape(len(n_words), wide)


def _all_once(cover: Ids, pair: Ids, place: Ids, length: Ids) -> NDArray[np.bool_]:
    """Whether no other match holds any word of a match."""
    once = np.ones(len(pair), dtype=np.bool_)
    for offset in range(int(length.max(initial=0))):
        there = length > offset
        once[there] &= cover[pair[there], place[there] + offset] == 1
    return once


def _steps(cover: Ids, n_words: Ids) -> tuple[Ids, Ids]:
    """The step of each place ``[pairs, words]`` and the number of steps ``[pairs]``."""
    is_covered = cover > 0
    is_step = is_covered.copy()
    is_step[:, 1:] |= is_covered[:, :-1]
    step = np.cumsum(is_step, axis=1) - 1
    last = is_covered.shape[1] - 1 - np.argmax(is_covered[:, ::-1], axis=1)
    rows = np.arange(len(n_words))
    return step, np.where(is_covered.any(axis=1), step[rows, last] + 1, 0)


def _as_sets(place: Ids, length: Ids, places: int) -> Sets:
    """The words of matches as sets of bits ``[m, w]``."""
    sets = np.zeros((len(place), places // BITS + 1), dtype=np.uint64)
    for offset in range(int(length.max(initial=0))):
        there = np.flatnonzero(length > offset)
        word = place[there] + offset
        sets[there, word // BITS] |= np.uint64(1) << (word % BITS).astype(np.uint64)
    return sets


def _align(problem: _Problem) -> tuple[Ids, Ids]:
    """The chunks of each pair's alignment, and the matches that the alignments take."""
    pairs = len(problem.length)
    chunks, winner = np.zeros(pairs, dtype=np.int64), np.zeros(pairs, dtype=np.int64)
    partials = _start(problem)
    trail: list[tuple[Ids, Ids]] = []
    for step in range(problem.places):
        ends = problem.length[partials.pair] == step
        if ends.any():
            places = np.flatnonzero(ends)
            best, key = _best(partials[places], problem.chunk_at)
            pair = partials.pair[places[best]]
            winner[pair] = places[best]
            chunks[pair] = (key >> problem.chunk_at) & ((1 << (problem.gain_at - problem.chunk_at)) - 1)
        going = np.flatnonzero(~ends)
        if not len(going):
            break
        partials, parent, match = _advanced(partials[going], step, problem)
        trail.append((going[parent], match))
    return chunks, _retraced(trail, winner, problem.length)


def _start(problem: _Problem) -> _Partials:
    """One empty alignment a pair, with the words of certain matches taken."""
    pairs = len(problem.length)
    certain = problem.certain[problem.certain != NO_MATCH]
    owner = np.flatnonzero(problem.certain != NO_MATCH) // problem.places
    words = np.zeros((pairs, problem.words.shape[1]), dtype=np.uint64)
    own_words = np.zeros((pairs, problem.own_words.shape[1]), dtype=np.uint64)
    np.bitwise_or.at(words, owner, problem.words[certain])
    np.bitwise_or.at(own_words, owner, problem.own_words[certain])
    most = ((1 << (problem.key_bits - problem.gain_at)) - 1) << problem.gain_at
    zero = np.zeros(pairs, dtype=np.int64)
    return _Partials(np.arange(pairs), zero + most, zero, zero - 1, words, own_words)


def _best(partials: _Partials, chunk_at: int) -> tuple[Ids, Ids]:
    """The first of the best alignments of each pair once the last chunk is closed, and their keys."""
    key = partials.key + ((partials.last >= 0).astype(np.int64) << chunk_at)
    first = np.flatnonzero(np.diff(partials.pair, prepend=-1))
    rank = np.arange(len(key)) - np.repeat(first, np.diff(first, append=len(key)))
    ranked = np.minimum.reduceat(key * WIDTH + rank, first)
    return first + ranked % WIDTH, ranked // WIDTH


def _advanced(partials: _Partials, step: int, problem: _Problem) -> tuple[_Partials, Ids, Ids]:
    """All alignments one step on, cut to the beam; each one's parent and the match that it has just made, or `NO_MATCH`."""
    n = len(partials.pair)
    slot = partials.pair * problem.places + step
    is_taken = (partials.words[:, step // BITS] >> np.uint64(step % BITS) & np.uint64(1)).astype(np.bool_)
    is_certain = np.flatnonzero(is_taken & (partials.at <= step))
    open_ = np.flatnonzero(~is_taken)
    children, parent, match, nth, charged = _children(partials, open_, slot[open_], problem)
    match = np.concatenate([np.full(n, NO_MATCH), match])
    match[is_certain] = problem.certain[slot[is_certain]]
    key, at, last = partials.key.copy(), partials.at.copy(), partials.last.copy()
    key[open_] += charged + ((last[open_] >= 0).astype(np.int64) << problem.chunk_at)
    last[open_] = -1
    at[open_] = step + 1
    made = match[is_certain]
    key[is_certain] = _extended(partials[is_certain], made, problem)  # the distance is the same for all of the pair
    at[is_certain], last[is_certain] = problem.end[made], problem.own_end[made]
    grown = replace(partials, key=key, at=at, last=last).and_(children)
    parents = np.concatenate([np.arange(n), parent])
    siblings = int(nth.max(initial=-1)) + 2
    order = np.concatenate([np.full(n, siblings - 1), nth])
    if len(parents) > n or n > 1:
        kept = _pruned(grown, parents, order, siblings, problem.key_bits)
        return grown[kept], parents[kept], match[kept]
    return grown, parents, match


def _children(partials: _Partials, open_: Ids, slot: Ids, problem: _Problem) -> tuple[_Partials, Ids, Ids, Ids, Ids]:
    """The alignments that take a match here: with their parents, matches, places among their siblings; and the distance
    that is charged to each open parent."""
    count = problem.count[slot]
    match = ranges(problem.first[slot], count)
    begin = np.cumsum(count) - count
    parent = np.repeat(open_, count)
    free = ~_meet(partials.own_words[parent], problem.own_words[match])
    free &= ~_meet(partials.words[parent], problem.words[match])
    charge = np.concatenate([[0], np.cumsum(np.where(free, problem.distance[match], 0))])
    before = charge[:-1] - np.repeat(charge[begin], count)
    nth = np.arange(len(match)) - np.repeat(begin, count)
    kept = np.flatnonzero(free)
    parent, match, nth = parent[kept], match[kept], nth[kept]
    of = partials[parent]
    children = _Partials(
        of.pair,
        _extended(of, match, problem) + before[kept],
        problem.end[match],
        problem.own_end[match],
        of.words | problem.words[match],
        of.own_words | problem.own_words[match],
    )
    return children, parent, match, nth, charge[begin + count] - charge[begin]


def _extended(partials: _Partials, match: Ids, problem: _Problem) -> Ids:
    """The keys of alignments that take these matches, but for the distance."""
    is_new_chunk = (partials.last >= 0) & (problem.own_place[match] != partials.last)
    key: Ids = partials.key - problem.gain[match] + (is_new_chunk.astype(np.int64) << problem.chunk_at)
    return key


def _meet(a: Sets, b: Sets) -> NDArray[np.bool_]:
    """Whether sets have a word in common."""
    both = a & b
    return np.asarray(both[:, 0] if both.shape[1] == 1 else both.any(axis=1), dtype=np.bool_)


def _pruned(partials: _Partials, parent: Ids, order: Ids, siblings: int, key_bits: int) -> Ids:
    """The places of the best of each pair, in order: by key, then their parents' order, then their own."""
    ordered = parent * siblings + order
    bits = int(ordered.max()).bit_length()
    if int(partials.pair.max()).bit_length() + key_bits + bits <= MOST_PACKED_BITS:
        by = np.argsort((partials.pair << key_bits | partials.key) << bits | ordered)
    else:
        by = np.lexsort((ordered, partials.key, partials.pair))
    pair = partials.pair[by]
    first = np.flatnonzero(np.diff(pair, prepend=-1))
    rank = np.arange(len(pair)) - np.repeat(first, np.diff(first, append=len(pair)))
    return by[rank < WIDTH]


def _retraced(trail: list[tuple[Ids, Ids]], winner: Ids, length: Ids) -> Ids:
    """The matches on the way to each pair's best alignment."""
    place = winner.copy()
    found = [np.zeros(0, dtype=np.int64)]
    for step in range(len(trail), 0, -1):
        pairs = np.flatnonzero(length >= step)
        parent, match = trail[step - 1]
        made = match[place[pairs]]
        found.append(made[made != NO_MATCH])
        place[pairs] = parent[place[pairs]]
    return np.concatenate(found)
