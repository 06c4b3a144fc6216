"""A trained tokeniser: byte-pair encoding over UTF-8 bytes (Sennrich et al. 2016; over bytes: Radford et al. 2019).

Any text comes back exactly, in any script, since a byte that no merge takes stays a token. Texts are first cut into
words with the space before them, runs of digits, of signs and of white space; merges never cross a cut. Token 0 is
padding, 1 starts an answer, 2 ends it; then 256 bytes; then one token for each merge, in the order it was learned.
"""

from __future__ import annotations

import heapq
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import torch
from torch import Tensor

PAD, START, END = 0, 1, 2
FIRST_BYTE = 3
FIRST_MERGE = FIRST_BYTE + 256
LONGEST_CACHE = 65_536
_WORDS = re.compile(r" ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+")

Pair = tuple[int, int]


@dataclass(frozen=True)
class Bpe:
    """The merges, first learned first: each joins two earlier tokens into a new one.

    >>> bpe = train_bpe(["low lower lowest"], size=262)
    >>> bpe.encode("lower"), bpe.decode(bpe.encode("a 旗 \\ud800")) == "a 旗 \\ud800"
    ([260, 104, 117], True)
    """

    merges: tuple[Pair, ...]
    cache: dict[str, tuple[int, ...]] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        for place, pair in enumerate(self.merges):
            if len(pair) != 2 or not all(FIRST_BYTE <= part < FIRST_MERGE + place for part in pair):
                raise ValueError(f"merge {place} of a tokeniser joins two earlier tokens, not {pair!r}")

    @property
    def size(self) -> int:
        """How many tokens there are, special ones included."""
        return FIRST_MERGE + len(self.merges)

    @cached_property
    def ranks(self) -> Mapping[Pair, int]:
        """For each pair the token that it becomes."""
        return {pair: FIRST_MERGE + place for place, pair in enumerate(self.merges)}

    @cached_property
    def pieces(self) -> tuple[bytes, ...]:
        """The bytes of every token; none for the special ones."""
        out = [b""] * FIRST_BYTE + [bytes([value]) for value in range(256)]
        for left, right in self.merges:
            out.append(out[left] + out[right])
        return tuple(out)

    def encode(self, text: str) -> list[int]:
        """The tokens of a text. None is special, whatever the text says: ``<eos>`` in it is five signs and letters."""
        return [token for word in _WORDS.findall(text) for token in self._word(word)]

    def decode(self, tokens: Iterable[int]) -> str:
        """The text of tokens; special ones say nothing, bytes that are no UTF-8 become ``�``."""
        data = b"".join(self.pieces[token] for token in tokens)
        try:
            return data.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return data.decode("utf-8", "replace")

    def batch(self, texts: Sequence[str], longest: int) -> Tensor:
        """``int64[n, t]`` of several texts, each cut after ``longest`` tokens, `PAD` after its end; t is at least 1."""
        return padded([self.encode(text)[:longest] for text in texts])

    def to_json(self) -> str:
        """What ``tokenizer.json`` holds; `read_bpe` reads it."""
        pairs = " ".join(f"{left},{right}" for left, right in self.merges)
        return json.dumps({"format": 1, "kind": "byte-pair encoding", "merges": pairs}, indent=1) + "\n"

    def _word(self, word: str) -> tuple[int, ...]:
        known = self.cache.get(word)
        if known is None:
            known = _merged([FIRST_BYTE + value for value in word.encode("utf-8", "surrogatepass")], self.ranks)
            if len(self.cache) < LONGEST_CACHE:
                self.cache[word] = known
        return known


def read_bpe(text: str) -> Bpe:
    """The tokeniser of a ``tokenizer.json``. `ValueError` for anything else.

    >>> read_bpe(train_bpe(["aa aa"], size=260).to_json()).merges
    ((100, 100),)
    """
    try:
        found = json.loads(text)["merges"].split()
        merges = tuple((int(left), int(right)) for left, right in (pair.split(",") for pair in found))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"tokenizer.json holds no byte-pair encoding: {error}") from error
    return Bpe(merges)


def train_bpe(texts: Iterable[str], size: int) -> Bpe:
    """The tokeniser of at most ``size`` tokens whose merges join, one after the other, the most frequent pair.

    Of equally frequent pairs the one with the lower tokens is joined; pairs that occur once are left alone.
    `ValueError` for a size below the 259 that are always there.
    """
    if size < FIRST_MERGE:
        raise ValueError(f"a tokeniser has at least {FIRST_MERGE} tokens (3 special, 256 bytes), {size} were asked for")
    counts = Counter(word for text in texts for word in _WORDS.findall(text))
    words = [[FIRST_BYTE + value for value in word.encode("utf-8", "surrogatepass")] for word in counts]
    weights = list(counts.values())
    table = _Pairs(words, weights)
    merges: list[Pair] = []
    while FIRST_MERGE + len(merges) < size:
        best = table.most_frequent()
        if best is None:
            break
        table.join(best, FIRST_MERGE + len(merges))
        merges.append(best)
    return Bpe(tuple(merges))


class _Pairs:
    """How often each pair of neighbours occurs, kept up to date while pairs are joined."""

    def __init__(self, words: list[list[int]], weights: Sequence[int]) -> None:
        self.words, self.weights = words, weights
        self.counts: Counter[Pair] = Counter()
        self.holders: defaultdict[Pair, set[int]] = defaultdict(set)
        for number in range(len(words)):
            self._count(number, 1)
        self.heap = [(-count, pair) for pair, count in self.counts.items()]
        heapq.heapify(self.heap)

    def most_frequent(self) -> Pair | None:
        """The pair to join next; ``None`` when none occurs twice."""
        while self.heap:
            count, pair = self.heap[0]
            if -count == self.counts[pair]:
                return pair if -count > 1 else None
            heapq.heappop(self.heap)  # counted before something was joined
        return None

    def join(self, pair: Pair, token: int) -> None:
        """Replace the pair by the token wherever it occurs."""
        touched: set[Pair] = set()
        for number in sorted(self.holders.pop(pair)):
            touched |= self._count(number, -1)
            self.words[number] = _joined(self.words[number], pair, token)
            touched |= self._count(number, 1)
        for changed in touched:
            if self.counts[changed] > 0:
                heapq.heappush(self.heap, (-self.counts[changed], changed))

    def _count(self, number: int, sign: int) -> set[Pair]:
        found = set()
        for pair in pairwise(self.words[number]):
            self.counts[pair] += sign * self.weights[number]
            if sign > 0:
                self.holders[pair].add(number)
            found.add(pair)
        return found


def _merged(tokens: list[int], ranks: Mapping[Pair, int]) -> tuple[int, ...]:
    """A word's tokens after all merges that apply, first learned first."""
    while len(tokens) > 1:
        found = [(ranks[pair], pair) for pair in pairwise(tokens) if pair in ranks]
        if not found:
            break
        token, pair = min(found)
        tokens = _joined(tokens, pair, token)
    return tuple(tokens)


def _joined(tokens: list[int], pair: Pair, token: int) -> list[int]:
    """The tokens with every occurrence of the pair, from the left, replaced."""
    out: list[int] = []
    place = 0
    while place < len(tokens):
        if place + 1 < len(tokens) and (tokens[place], tokens[place + 1]) == pair:
            out.append(token)
            place += 2
        else:
            out.append(tokens[place])
            place += 1
    return out


def padded(rows: Sequence[Sequence[int]]) -> Tensor:
    """``int64[n, t]``: rows of tokens with `PAD` after their end; t is the longest row's length, at least 1.

    >>> padded([[5, 6], []]).tolist()
    [[5, 6], [0, 0]]
    """
    width = max([1, *map(len, rows)])
    return torch.tensor([[*row, *([PAD] * (width - len(row)))] for row in rows], dtype=torch.int64).view(
        len(rows), width
    )
