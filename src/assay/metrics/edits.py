"""Levenshtein distances between many texts at once, and what it may cost.

Distances come from rapidfuzz (bit-parallel: Myers 1999, Hyyrö 2003), whose cost is the product of the lengths over 64. A
pair whose product exceeds `MOST_CELLS` after its common beginning and end are cut off is refused by name instead of
hanging: 300,000 characters on each side take some seconds, ten million would take hours.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cpdist

from assay.metrics.texts import distinct

Ints = NDArray[np.int64]

MOST_CELLS = 10**11
"""The greatest product of two lengths of which a distance is computed."""

CODES = 0x110000 - 1
"""How many words can stand for one character each."""


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

    Raises `ValueError` for more different words in ``second`` than there are characters.

    >>> a, b = as_characters(["the cat sat"], ["the cat  sits"])
    >>> len(a[0]), distances(a, b, np.array([0])).tolist()
    (3, [1])
    """
    split = [text.split() for text in (*first, *second)]
    kinds, codes = distinct([*chain.from_iterable(split)])
    if len(kinds) > CODES:  # what the references do not hold need not be told apart
        known = distinct([*chain.from_iterable(split[len(first) :])])[0]
        if len(known) > CODES:
            raise ValueError(
                f"{len(known):,} different words among the references, at most {CODES:,} can be told apart"
            )
        number = {word: i for i, word in enumerate(known)}
        codes = np.array([number.get(kind, CODES) for kind in kinds])[codes]
    ends = np.cumsum([len(words) for words in split]).tolist()
    coded = codes.astype(np.uint32).tobytes().decode("utf-32", "surrogatepass")
    texts = [coded[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    return texts[: len(first)], texts[len(first) :]


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
