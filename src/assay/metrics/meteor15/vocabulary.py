"""The distinct words of a corpus, and what METEOR's stages compare of each.

The reference compares words, and stems, by Java's 32-bit hash of their UTF-16 units, so two words with one hash are one
word to it. Ours are compared by the same number: equal hash, equal word.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.metrics.meteor15.index import Arrays
from assay.metrics.meteor15.stem import stem
from assay.metrics.meteor15.wordtables import base_forms

UNKNOWN = -1
CACHED = 1 << 16
BEYOND_BMP = 0xFFFF

Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """For each of ``v`` distinct words: its hash and its stem's ``[v]``, whether it is a function word, its number in the
    tables (`UNKNOWN` without), and its synsets ``synset[start[i]:start[i + 1]]``."""

    hash: Ids
    stem_hash: Ids
    is_function: NDArray[np.bool_]
    table: Ids
    synset_start: Ids
    synset: Ids

    def __len__(self) -> int:
        return len(self.hash)


def look_up(words: Sequence[str], arrays: Arrays | None) -> Vocabulary:
    """What is known of distinct lower-case words; without tables none is a function word and none has synsets."""
    hashes = np.fromiter(map(java_hash, words), dtype=np.int64, count=len(words))
    stems = np.fromiter(map(_stem_hash, words), dtype=np.int64, count=len(words))
    if arrays is None:
        nothing = np.zeros(0, dtype=np.int64)
        none = np.zeros(len(words), dtype=np.bool_)
        return Vocabulary(
            hashes, stems, none, np.full(len(words), UNKNOWN), np.zeros(len(words) + 1, np.int64), nothing
        )
    table = places(words, arrays)
    known = table != UNKNOWN
    begin, end = arrays.all_start[table], arrays.all_start[table + 1]
    synsets = [arrays.all_synset[a:b] for a, b in zip(begin.tolist(), end.tolist(), strict=True)]
    unknown = np.flatnonzero(~known).tolist()
    for place, found in zip(unknown, _synsets_of_bases([words[i] for i in unknown], arrays), strict=True):
        synsets[place] = found
    length = np.fromiter(map(len, synsets), dtype=np.int64, count=len(words))
    return Vocabulary(
        hashes,
        stems,
        known & arrays.is_function[np.where(known, table, 0)],
        table,
        np.concatenate([[0], np.cumsum(length)]),
        np.concatenate([*synsets, np.zeros(0)]).astype(np.int64),
    )


def places(words: Sequence[str], arrays: Arrays) -> Ids:
    """The number of each word in the tables, `UNKNOWN` for one that they do not hold."""
    encoded = [word.encode("utf-8", "surrogatepass") for word in words]
    if not encoded:
        return np.zeros(0, dtype=np.int64)
    cut = np.array(encoded, dtype=arrays.words.dtype)  # longer words are cut here, and unequal below
    place = np.minimum(np.searchsorted(arrays.words, cut), len(arrays.words) - 1)
    same = np.fromiter(map(bytes.__eq__, arrays.words[place].tolist(), encoded), dtype=np.bool_, count=len(words))
    return np.where(same, place, UNKNOWN)


def _synsets_of_bases(words: Sequence[str], arrays: Arrays) -> list[NDArray[np.int32]]:
    """The synsets of words that the tables do not hold: those of the first base form that has some."""
    forms = [base_forms(word) for word in words]
    place = places([form for made in forms for form in made], arrays)
    length = np.where(place == UNKNOWN, 0, arrays.own_start[place + 1] - arrays.own_start[place])
    owner = np.repeat(np.arange(len(words)), [len(made) for made in forms])[length > 0]
    found = [arrays.own_synset[:0]] * len(words)
    for word, base in zip(owner[::-1].tolist(), place[length > 0][::-1].tolist(), strict=True):  # the first one stays
        found[word] = arrays.own_synset[arrays.own_start[base] : arrays.own_start[base + 1]]
    return found


def _units(word: str) -> str:
    """A word as a string of UTF-16 units, characters beyond the basic plane as two surrogates."""
    if word.isascii() or max(map(ord, word)) <= BEYOND_BMP:
        return word
    return "".join(map(chr, np.frombuffer(word.encode("utf-16-le", "surrogatepass"), dtype="<u2").tolist()))


def java_hash(word: str) -> int:
    """Java's hash of a string, as an unsigned number.

    >>> java_hash("Aa") == java_hash("BB"), java_hash("dog")
    (True, 99644)
    """
    value = 0
    for unit in map(ord, _units(word)):
        value = (31 * value + unit) & 0xFFFFFFFF
    return value


@functools.lru_cache(maxsize=CACHED)
def _stem_hash(word: str) -> int:
    return java_hash(stem(_units(word)))
