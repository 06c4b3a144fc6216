"""Levenshtein distances between many texts at once, and what it may cost.

Distances come from rapidfuzz (bit-parallel: Myers 1999, Hyyrö 2003), whose cost is the product of the lengths over 64. A
pair whose product exceeds `MOST_CELLS` after its common beginning and end are cut off is refused by name instead of
hanging: 300,000 characters on each side take some seconds, ten million would take hours.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cpdist

Ints = NDArray[np.int64]

MOST_CELLS = 10**11
"""The greatest product of two lengths of which a distance is computed."""

CODES = 0x110000 - 1
"""How many words can stand for one character each."""

OTHER = chr(0)
"""Stands for a word that the other side does not hold."""


def distances(first: Sequence[str], second: Sequence[str], row: NDArray[np.intp]) -> Ints:
    """The Levenshtein distance ``[m]`` of each pair of texts, in characters; ``row[m]`` says which row a pair is of.

    Raises `ValueError` for a pair that would cost too much, naming its row.

    >>> distances(["kitten", ""], ["sitting", "ab"], np.array([0, 1])).tolist()
    [3, 2]
    """
    if not len(first):
        return np.zeros(0, dtype=np.int64)
    _check_cost(first, second, row)
    return np.asarray(cpdist(first, second, scorer=Levenshtein.distance, dtype=np.int64))


def as_characters(first: Sequence[str], second: Sequence[str]) -> tuple[list[str], list[str]]:
    """Texts whose words (what `str.split` parts) each became one character, so that distances count words.

    Words of ``first`` that ``second`` lacks share one character: they equal nothing.

    >>> a, b = as_characters(["the cat sat"], ["the cat  sits"])
    >>> len(a[0]), distances(a, b, np.array([0])).tolist()
    (3, [1])
    """
    split = [text.split() for text in second]
    words = set().union(*split)
    if len(words) > CODES:
        raise ValueError(f"{len(words):,} different words among the references, at most {CODES:,} can be told apart")
    char = dict(zip(words, map(chr, range(1, len(words) + 1)), strict=True))
    coded = ["".join([char.get(word, OTHER) for word in text.split()]) for text in first]
    return coded, ["".join([char[word] for word in line]) for line in split]


def _check_cost(first: Sequence[str], second: Sequence[str], row: NDArray[np.intp]) -> None:
    lengths = np.array([[len(text) for text in side] for side in (first, second)], dtype=np.float64)
    for place in np.flatnonzero(lengths[0] * lengths[1] > MOST_CELLS).tolist():
        a, b = _apart(first[place], second[place])
        if a * b > MOST_CELLS:
            raise ValueError(
                f"row {row[place]}: texts of {len(first[place]):,} and {len(second[place]):,} units are too long to be "
                f"aligned (at most {MOST_CELLS:.0e} pairs of units); split them, or leave a run-away answer out"
            )


def _apart(a: str, b: str) -> tuple[int, int]:
    """The lengths that remain of two texts when their common beginning and end are cut off."""
    n = min(len(a), len(b))
    start = _equal(a[:n], b[:n])
    end = _equal(a[len(a) - n :][::-1], b[len(b) - n :][::-1])
    end = min(end, n - start)
    return len(a) - start - end, len(b) - start - end


def _equal(a: str, b: str) -> int:
    """How many characters two texts of one length begin with alike."""
    codes = [np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32) for text in (a, b)]
    different = codes[0] != codes[1]
    return int(different.argmax()) if different.any() else len(a)
