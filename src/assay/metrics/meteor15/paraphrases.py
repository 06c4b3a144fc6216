"""The paraphrase table as arrays: 5.3 million ordered pairs of phrases of up to seven words.

Phrases are paths in a tree whose edges are words. A state is a path; state 0 is the empty one, and state ``i + 1`` is
reached by edge ``i``, whose key is ``parent << WORD_BITS | word``. Edges are numbered by level and, within a level, by
key, so all keys ascend and an edge is found by binary search. The paraphrases of a state are kept in the order of the
file, since the reference breaks ties by it.

The file has three lines a pair: a probability (which METEOR does not use), a phrase, its paraphrase.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

WORD_BITS = 20
CHUNK_BYTES = 1 << 24
NEWLINE, SPACE = 10, 32

Ids = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Phrases:
    """The phrases of the file, one after the other: the ``words`` of all, and the ``length`` of each.

    Phrases 0, 2, 4 … have phrases 1, 3, 5 … as their paraphrases. Words are numbered as they first occur.
    """

    words: Ids
    length: NDArray[np.uint8]
    vocabulary: dict[bytes, int]


@dataclass(frozen=True, slots=True)
class Paraphrases:
    """The tree and its pairs: ``target[row_start[r]:row_start[r + 1]]`` are the paraphrases of state ``row_state[r]``."""

    edge: NDArray[np.uint64]
    row_state: Ids
    row_start: NDArray[np.int64]
    target: Ids


class _Numbers(dict[bytes, int]):
    """Numbers words as they are first asked for."""

    def __missing__(self, word: bytes) -> int:
        self[word] = len(self)
        return self[word]


def read(path: Path) -> Phrases:
    """Reads the table. Raises `ValueError` where it is not three lines a pair."""
    numbers = _Numbers()
    words: list[Ids] = []
    lengths: list[NDArray[np.uint8]] = []
    for text, length in _phrase_lines(path):
        found = np.fromiter(map(numbers.__getitem__, text.split()), dtype=np.int32)
        if len(found) != length.sum():
            raise ValueError(f"{path} is no paraphrase table of METEOR 1.5: words are not apart by single spaces")
        words.append(found)
        lengths.append(length.astype(np.uint8))
    if not words:
        raise ValueError(f"{path} holds no paraphrases")
    return Phrases(np.concatenate(words), np.concatenate(lengths), dict(numbers))


def _phrase_lines(path: Path) -> Iterator[tuple[bytes, NDArray[np.int64]]]:
    """Chunks of the file without the lines of probabilities, and the number of words of each line."""
    rest = b""
    with gzip.open(path, "rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            data = np.frombuffer(rest + chunk, dtype=np.uint8)
            ends = np.flatnonzero(data == NEWLINE)
            ends = ends[: len(ends) // 3 * 3]
            if not len(ends):
                rest = data.tobytes()
                continue
            data, rest = data[: ends[-1] + 1], data[ends[-1] + 1 :].tobytes()
            is_phrase = np.arange(len(ends)) % 3 != 0
            kept = data[np.repeat(is_phrase, np.diff(ends, prepend=-1))]
            line_ends = np.flatnonzero(kept == NEWLINE)
            spaces = np.concatenate([[0], np.cumsum(kept == SPACE)[line_ends]])
            yield kept.tobytes(), np.diff(spaces) + 1
    if rest.strip():
        raise ValueError(f"{path} is no paraphrase table of METEOR 1.5: its last pair is not whole")


def tree(phrases: Phrases, rank: Ids) -> Paraphrases:
    """The tree of all phrases and its pairs; ``rank`` gives the final number of each word."""
    length = phrases.length
    start = np.cumsum(length, dtype=np.int64) - length
    state = np.zeros(len(length), dtype=np.int32)
    edges: list[NDArray[np.uint64]] = []
    known = 0
    for level in range(int(length.max(initial=0))):
        here = np.flatnonzero(length > level)
        word = rank[phrases.words[start[here] + level]]
        edge, place = _numbered(state[here].astype(np.uint64) << np.uint64(WORD_BITS) | word.astype(np.uint64))
        state[here] = place + np.int32(known + 1)
        edges.append(edge)
        known += len(edge)
    first, target = state[::2], state[1::2]
    order = np.argsort(first, kind="stable")
    row_state, row_start = np.unique(first[order], return_index=True)
    return Paraphrases(
        np.concatenate(edges), row_state, np.append(row_start, len(first)).astype(np.int64), target[order]
    )


def _numbered(key: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], Ids]:
    """The distinct keys, ascending, and the place of each key among them (`np.unique` takes twice the memory)."""
    order = np.argsort(key)
    ascending = key[order]
    is_new = np.concatenate([[True], ascending[1:] != ascending[:-1]])
    place = np.empty(len(key), dtype=np.int32)
    place[order] = np.cumsum(is_new, dtype=np.int32) - 1
    return ascending[is_new], place
