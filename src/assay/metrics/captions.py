"""What metrics of captions take: predictions and references, tokenised once for all of them.

``tok:ptb-py`` is coco-caption's tokenisation (`assay.metrics.ptb`); ``tok:chars`` makes every Han character, kana and Hangul
syllable a token, and every run of other letters and digits; ``tok:jieba`` cuts Chinese into words. The last two drop punctuation and
white space and lower the case. A metric's name says the last two: ``bleu_4:chars``, ``cider_d:jieba``.

A prediction of None is missing (NaN, counted in ``n_missing``). An empty or blank caption is an answer: a bad one. A caption over
`LONGEST` characters is refused. Characters that a tokeniser does not know, lone surrogates too, are in no token.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.catalog import nearest
from assay.metrics import ptb_corpus
from assay.metrics.ngrams import Overlap, overlap, rarity
from assay.metrics.texts import Texts, paired_texts
from assay.metrics.vocabulary import Encoded, encode_with

DEFAULT = "ptb-py"

LONGEST = 1_000_000
"""Characters of a caption; a longer one is a file that was taken for a caption."""

UNSPACED = (
    "\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303c\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
"""Han characters, kana and Hangul syllables, as the inside of a character class."""

ONE_EACH = re.compile(f"[{UNSPACED}]|(?:(?![{UNSPACED}])[^\\W_])+")


@dataclass(frozen=True)
class Captions:
    """Rows of a prediction and its references. ``encoded`` holds all captions, row after row, the prediction before its references.

    ``head[n]`` is the place of each row's prediction among the ``m`` captions, ``row[m]`` the row of each caption.
    """

    texts: Texts
    encoded: Encoded

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def head(self) -> NDArray[np.intp]:
        """The caption ``[n]`` that is each row's prediction; its references follow it."""
        return self.texts.first + np.arange(len(self))

    @functools.cached_property
    def row(self) -> NDArray[np.intp]:
        """The row of each caption ``[m]``."""
        return np.repeat(np.arange(len(self)), self.texts.count + 1)

    @functools.cached_property
    def is_head(self) -> NDArray[np.bool_]:
        """Whether a caption is a prediction ``[m]``."""
        out = np.zeros(len(self.encoded), np.bool_)
        out[self.head] = True
        return out

    @functools.cached_property
    def split(self) -> Encoded:
        """The captions as n-grams are counted: no white space inside a token (``1 1/2`` with U+00A0 is one until here)."""
        return self.encoded.split()

    @functools.cached_property
    def overlap(self) -> Overlap:
        """The n-grams that predictions share with their references, weighted by how few rows' references hold them."""
        return overlap(self.split, self.row, self.is_head, lambda grams, frequency: rarity(len(self), frequency))


def tokenized(tokenizer: str, predictions: Sequence[str | None], references: Sequence[str | Sequence[str]]) -> Captions:
    """Predictions and references, checked and tokenised. Raises `ValueError` as `paired_texts`, and for a caption over `LONGEST`.

    >>> captions = tokenized("ptb-py", ["A dog."], [["Dogs run", "a dog runs"]])
    >>> captions.encoded.words(0), captions.encoded.words(2)
    (['a', 'dog'], ['a', 'dog', 'runs'])
    """
    texts = paired_texts(predictions, references)
    flat: list[str] = []
    for prediction, first, count in zip(texts.predictions, texts.first.tolist(), texts.count.tolist(), strict=True):
        flat.append(prediction)
        flat.extend(texts.references[first : first + count])
    longest = max(map(len, flat), default=0)
    if longest > LONGEST:
        place = next(place for place, text in enumerate(flat) if len(text) > LONGEST)
        row = int(np.searchsorted(np.cumsum(texts.count + 1), place, side="right"))
        raise ValueError(
            f"row {row}: a caption of at most {LONGEST:,} characters was expected, not {len(flat[place]):,}"
        )
    return Captions(texts, ENCODERS[tokenizer](flat))


def variant(name: str) -> tuple[str, str]:
    """A metric's name without its tokeniser, and the tokeniser.

    >>> variant("bleu_4"), variant("cider_d:jieba")
    (('bleu_4', 'ptb-py'), ('cider_d', 'jieba'))
    """
    short, _, tokenizer = name.partition(":")
    return short, tokenizer or DEFAULT


def full_name(name: str, tokenizer: str) -> str:
    """A metric's name with its tokeniser. Raises `ValueError` for one that there is not.

    >>> full_name("bleu_4", "chars")
    'bleu_4:chars'
    """
    if tokenizer not in ENCODERS:
        raise ValueError(f"unknown tokenizer {tokenizer!r}: {nearest(tokenizer, ENCODERS)}")
    return name if tokenizer == DEFAULT else f"{name}:{tokenizer}"


def characters(text: str) -> list[str]:
    """Every Han character, kana and Hangul syllable, and every run of other letters and digits, lower-cased.

    >>> characters("一只狗 playing 2球。")
    ['一', '只', '狗', 'playing', '2', '球']
    """
    return ONE_EACH.findall(text.lower())


def jieba_words(text: str) -> list[str]:
    """Chinese words as jieba cuts them in its exact mode, lower-cased, without punctuation and white space."""
    return [
        word for word in map(str.strip, _jieba()(text.lower())) if any(unicodedata.category(c)[0] in "LN" for c in word)
    ]


@functools.cache
def _jieba() -> Callable[[str], list[str]]:
    try:
        import jieba
    except ImportError:
        raise ValueError("tok:jieba needs jieba, which is not installed: pip install 'assay[chinese]'") from None
    import logging

    jieba.setLogLevel(logging.WARNING)
    cut: Callable[[str], list[str]] = jieba.Tokenizer().lcut
    return cut


ENCODERS: Mapping[str, Callable[[Sequence[str]], Encoded]] = {
    "ptb-py": ptb_corpus.encode,
    "chars": functools.partial(encode_with, characters),
    "jieba": functools.partial(encode_with, jieba_words),
}

PREPARE: Mapping[str, Callable[..., Any]] = {name: functools.partial(tokenized, name) for name in ENCODERS}
"""By tokeniser, what all its metrics share: `Metric.prepare`."""
