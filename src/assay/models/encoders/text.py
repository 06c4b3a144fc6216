"""Words and short sentences in any language: hashed words and their letter trigrams, mixed by one Transformer block.

A word is the mean of the embeddings of its parts: the word itself, and the trigrams of ``^word$``, all hashed into one
table (the hashing trick: Weinberger et al. 2009; subwords: Bojanowski et al. 2017). So a word that was never seen
still says something through its letters. Chinese, Japanese and Thai, which write no spaces, are cut into single
characters, each with itself and the pair it begins.
"""

from __future__ import annotations

import math
import re
import unicodedata
import zlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from assay.models.layers import AttentionPool, TransformerBlock, expect_shape, masked_mean

WORDS = 24
PARTS = 14
# Nets that learn from names never learn what "a" says: with it a query for "a red fruit" found leaves. "A button" keeps its A.
_ARTICLES = re.compile(r"(?<!\S)(?:a|an|the)(?=\s+\w)")
_UNSPACED = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]")


@lru_cache(maxsize=65536)
def words_of(text: str) -> tuple[str, ...]:
    """Lower-case words, single characters where no spaces are written, and symbols.

    Punctuation is left out, and so are English articles in small letters that stand before a word.

    >>> words_of("Man: red hair"), words_of("the red one"), words_of("红苹果")
    (('man', 'red', 'hair'), ('red', 'one'), ('红', '苹', '果'))
    """
    words, open_word = [], False
    for character in _ARTICLES.sub(" ", unicodedata.normalize("NFKC", text)).casefold():
        kind = unicodedata.category(character)[0]
        if kind not in "LMNS":
            open_word = False
        elif kind == "S" or (_UNSPACED.match(character) and kind != "M"):
            words.append(character)
            open_word = False
        elif open_word or (kind == "M" and words):
            words[-1] += character
        else:
            words.append(character)
            open_word = True
    return tuple(words)


def parts_of(word: str, following: str = "") -> list[str]:
    """What a word is made of: itself and its trigrams, or a character and the pair that it begins.

    >>> parts_of("cat")
    ['cat', '^ca', 'cat', 'at$']
    """
    if _UNSPACED.match(word):
        pair = word + following if following and _UNSPACED.match(following) else ""
        return [f"={word}", f"={pair}"] if pair else [f"={word}"]
    marked = f"^{word}$"
    return [word, *(marked[i : i + 3] for i in range(len(marked) - 2))]


@lru_cache(maxsize=65536)
def word_ids(word: str, following: str, buckets: int) -> NDArray[np.int64]:
    """The numbers 1 … ``buckets`` - 1 of a word's parts (at most `PARTS`), then zeros."""
    ids = np.zeros(PARTS, dtype=np.int64)
    for i, part in enumerate(parts_of(word, following)[:PARTS]):
        # The word as a whole and its trigrams are told apart by a prefix, else "cat" would count twice.
        ids[i] = zlib.crc32(f"{'w' if i == 0 else 'g'}{part}".encode()) % (buckets - 1) + 1
    return ids


def text_tensor(texts: Sequence[str], buckets: int) -> Tensor:
    """``int64[n, words, parts]``, 0 where there is nothing; as many words as the longest text has (1 … `WORDS`)."""
    rows = [words_of(text)[:WORDS] for text in texts]
    ids = np.zeros((len(rows), max([1, *map(len, rows)]), PARTS), dtype=np.int64)
    for i, words in enumerate(rows):
        for j, word in enumerate(words):
            ids[i, j] = word_ids(word, words[j + 1] if j + 1 < len(words) else "", buckets)
    return torch.from_numpy(ids)


class WordTokens(nn.Module):
    """``int64[n, words, parts]`` -> word vectors ``[n, words, dim]`` and the mask of the words present."""

    def __init__(self, buckets: int, dim: int) -> None:
        super().__init__()
        self.table = nn.Embedding(buckets, dim, padding_idx=0)
        nn.init.normal_(self.table.weight, std=1.0 / math.sqrt(dim))
        with torch.no_grad():
            self.table.weight[0].zero_()

    def forward(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        expect_shape(self, ids, ("n", "words", "parts"))
        n, words, parts = ids.shape
        bags = F.embedding_bag(ids.reshape(-1, parts), self.table.weight, mode="sum", padding_idx=0)
        counts = (ids > 0).sum(2, keepdim=True)
        # Divided by the root of the count: parts are nearly independent, so words keep one length.
        return bags.view(n, words, -1) / counts.clamp(min=1).sqrt(), counts[..., 0] > 0


class TextEncoder(nn.Module):
    """``int64[n, words, parts]`` -> one vector ``[n, dim]``: the words' mean beside what attention picks."""

    def __init__(
        self, dim: int, *, buckets: int = 12288, width: int = 96, heads: int = 4, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.words = WordTokens(buckets, width)
        self.channels = 2 * width
        self.positions = nn.Parameter(torch.randn(WORDS, width) * 0.02)
        self.mix = TransformerBlock(width, heads, expansion=2, dropout=dropout)
        self.pool = AttentionPool(width, heads)
        self.project = nn.Sequential(nn.LayerNorm(2 * width), nn.Dropout(dropout), nn.Linear(2 * width, dim))

    def features(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Each word by itself beside itself in context, ``[n, words, channels]``, and which are there ``bool[n, words]``."""
        words, mask = self.words(ids)
        return torch.cat([words, self.mix(words + self.positions[: words.shape[1]], mask)], 2), mask

    def summary(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """One vector ``[n, dim]`` from `features`."""
        words, mixed = tokens.chunk(2, 2)
        out: Tensor = self.project(torch.cat([masked_mean(words, mask), self.pool(mixed, mask)], 1))
        return out

    def forward(self, ids: Tensor) -> Tensor:
        return self.summary(*self.features(ids))

    def prompted(self, ids: Tensor, context: Tensor) -> Tensor:
        """One vector ``[n, dim]`` of texts behind word vectors ``context [n, c, width]``; c + words are at most `WORDS`."""
        words, mask = self.words(ids)
        words = torch.cat([context.to(words.dtype), words], 1)
        mask = torch.cat([mask.new_ones(context.shape[:2]), mask], 1)
        return self.summary(torch.cat([words, self.mix(words + self.positions[: words.shape[1]], mask)], 2), mask)
