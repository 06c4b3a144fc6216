"""Many captions tokenised at once: the same tokens as `assay.metrics.ptb.tokenize`, each word read once.

Nearly every token lies between two spaces and depends on nothing outside them. So captions are cut at spaces, each
distinct *chunk* is tokenised once, and a caption is read as a whole only where two neighbouring chunks, or one by itself, might
be part of a longer token: ``1 1/2``, ``555 1234``, ``Fig. 3``, ``<a href="b">``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from assay.metrics import ptb_words as words
from assay.metrics.ptb import tokenize
from assay.metrics.ptb_grammar import capital, either
from assay.metrics.vocabulary import Encoded, Ids, gathered

BLOCK = 20_000
"""Captions that are cut at once: their chunks are held as strings for that long."""

END = "\n"
"""The chunk between two captions."""

PLAIN = re.compile(r"([A-Za-z]{2,}(?:-[A-Za-z]+)*)('s)?[.,!?;:]?")
"""Words whose tokens are seen at a glance, but for `KNOWN`."""

KNOWN = re.compile(
    either(words.MONTHS_AND_DAYS, words.STATES, words.COMPANIES, words.OTHERS, words.TITLES, words.BEFORE_NUMBERS)
    + "|"
    + either(*words.CAPITAL_STATES, "pp?t[ye]s?", "m[ft]g")
)
"""Abbreviations, which keep their period."""

SENTENCE_START = capital(*words.SENTENCE_STARTS.split("|"))

ALONE = 1 << 30
"""Marks a chunk whose caption is read as a whole."""

NEIGHBOURS = (
    (r".*[0-9]{2}$|.*\)$", r"[0-9]{3}"),  # telephone numbers
    (r".*\d$", r"\d{1,4}(?:\\?/|\u2044)\d"),  # fractions
    (r".*\.$", r"\."),  # dots with spaces between
    (rf".*(?ai:{words.BEFORE_NUMBERS})\.$", r"\d"),
    (r"(?:.*[^A-Za-z])?[A-Za-z]\.$", rf"{SENTENCE_START}(?:\s|$)"),
    (r".*(?ai:pt[ey]|co)\.$", "(?ai:ltd|lim)"),
)
"""What the end of a chunk and the start of the next look like where a token may reach over the space."""


FOLLOWS = re.compile(f"{SENTENCE_START}$|(?ai:ltd|lim)")
"""Plain words among what may come second there."""


class Chunks(dict[str, int]):
    """The number of every chunk met so far; a new one is tokenised when it is first asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.vocabulary: dict[str, int] = {}
        self.tokens: list[tuple[int, ...]] = []
        self.left: list[int] = []
        self.right: list[int] = []
        for chunk in (END, ""):
            self.add(chunk, (), 0, 0)

    def __missing__(self, chunk: str) -> int:
        plain = PLAIN.fullmatch(chunk)
        if plain is not None:
            word, ending = plain[1].lower(), plain[2]
            if word not in words.SPLIT and not (chunk[-1] == "." and KNOWN.fullmatch(word)):
                return self.add(
                    chunk, (word, ending) if ending else (word,), 0, _bits(chunk, 1) if FOLLOWS.match(chunk) else 0
                )
        whole = "<" in chunk or chunk[:1].isspace()
        return self.add(chunk, tokenize(chunk), ALONE if whole else _bits(chunk, 0), _bits(chunk, 1))

    def add(self, chunk: str, tokens: Sequence[str], left: int, right: int) -> int:
        """A chunk's number, for these tokens and marks of what its end and its start look like."""
        vocabulary = self.vocabulary
        self.tokens.append(tuple([vocabulary.setdefault(token, len(vocabulary)) for token in tokens]))
        self.left.append(left)
        self.right.append(right)
        self[chunk] = number = len(self.tokens) - 1
        return number


def _bits(chunk: str, side: int) -> int:
    return sum(1 << bit for bit, pair in enumerate(NEIGHBOURS) if re.match(pair[side], chunk, re.DOTALL))


def encode(captions: Sequence[str]) -> Encoded:
    """The captions' tokens as numbers into a common vocabulary.

    >>> encode(["A dog, running.", "a 1 1/2 dog"]).words(0)
    ['a', 'dog', 'running']
    """
    chunks = Chunks()
    blocks = [_cut(captions[at : at + BLOCK], chunks) for at in range(0, len(captions), BLOCK)]
    numbers = np.concatenate([np.zeros(0, np.int32), *blocks])
    ends = np.flatnonzero(numbers == chunks[END])
    return gathered(list(chunks.vocabulary), chunks.tokens, numbers, np.concatenate([[0], ends + 1]))


def _cut(captions: Sequence[str], chunks: Chunks) -> Ids:
    """The numbers of the captions' chunks, with that of `END` after each caption."""
    joined = f" {END} ".join(captions)
    if joined.count(END) >= len(captions):
        captions = [caption.replace(END, " ") for caption in captions]
        joined = f" {END} ".join(captions)
    pieces = joined.split(" ")
    pieces.append(END)
    numbers = np.fromiter(map(chunks.__getitem__, pieces), np.int32, len(pieces))
    left, right = np.array(chunks.left, np.int32), np.array(chunks.right, np.int32)
    marked = np.flatnonzero((left != 0)[numbers])
    solid = np.flatnonzero(numbers != chunks[""])
    after = solid[np.searchsorted(solid, marked, side="right")]
    of = left[numbers[marked]]
    suspect = marked[(of == ALONE) | (of & right[numbers[after]] != 0)]
    if not len(suspect):
        return numbers
    ends = np.flatnonzero(numbers == chunks[END])
    for caption in np.unique(np.searchsorted(ends, suspect)).tolist():
        whole = f"{END} {captions[caption]}"  # no chunk is called so
        number = chunks.get(whole)
        if number is None:
            number = chunks.add(whole, tokenize(captions[caption]), 0, 0)
        begin = ends[caption - 1] + 1 if caption else 0
        numbers[begin : ends[caption]] = chunks[""]
        numbers[begin] = number
    return numbers
