"""Tokenised texts as numbers: a vocabulary, all tokens end to end, and where each text begins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Encoded:
    """Text ``i`` is ``vocabulary[t]`` for ``t`` in ``tokens[starts[i]:starts[i + 1]]``; ``starts`` has one more than there are texts."""

    vocabulary: list[str]
    tokens: Ids
    starts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """The number of tokens of each text."""
        return np.diff(self.starts)

    def words(self, text: int) -> list[str]:
        """The tokens of one text."""
        return [self.vocabulary[token] for token in self.tokens[self.starts[text] : self.starts[text + 1]].tolist()]

    def split(self) -> Encoded:
        """The same with every token cut at the white space inside it, as coco-caption's n-gram counts read its tokens."""
        if all(len(token.split()) == 1 for token in self.vocabulary):
            return self
        place = {token: number for number, token in enumerate(self.vocabulary)}
        parts = [[place.setdefault(part, len(place)) for part in token.split()] for token in self.vocabulary]
        return gathered(list(place), parts, self.tokens, self.starts)


def gathered(vocabulary: list[str], parts: Sequence[Sequence[int]], numbers: Ids, starts: NDArray[np.int64]) -> Encoded:
    """Texts of ``numbers`` where number ``k`` stands for the tokens ``parts[k]``."""
    length = np.fromiter(map(len, parts), np.int64, len(parts))
    flat = np.fromiter(chain.from_iterable(parts), np.int32, int(length.sum()))
    lengths = length[numbers]
    ends = np.cumsum(lengths)
    inside = np.arange(int(lengths.sum())) - np.repeat(ends - lengths - (np.cumsum(length) - length)[numbers], lengths)
    return Encoded(vocabulary, flat[inside], np.concatenate([[0], ends])[starts])


def encode_with(tokenize: Callable[[str], Sequence[str]], texts: Sequence[str]) -> Encoded:
    """Texts tokenised one by one, equal ones once."""
    place: dict[str, int] = {}
    parts: list[list[int]] = []
    known: dict[str, int] = {}
    for text in texts:
        if text not in known:
            known[text] = len(parts)
            parts.append([place.setdefault(token, len(place)) for token in tokenize(text)])
    numbers = np.fromiter(map(known.__getitem__, texts), np.int32, len(texts))
    return gathered(list(place), parts, numbers, np.arange(len(texts) + 1, dtype=np.int64))
