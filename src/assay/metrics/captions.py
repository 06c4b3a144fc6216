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

from assay.metrics import ptb_corpus
from assay.metrics.texts import Texts, paired_texts
from assay.metrics.vocabulary import Encoded, encode_with

LONGEST = 1_000_000
"""Characters of a caption; a longer one is a file that was taken for a caption."""

ONE_EACH = re.compile(
    "[\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303c\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]"
    r"|(?:(?![\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303c\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff])[^\\W_])+"
)


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
    def split(self) -> Encoded:
        """The captions as n-grams are counted: no white space inside a token (``1 1/2`` with U+00A0 is one until here)."""
        return self.encoded.split()


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
    captions = functools.partial(Captions, texts)
    longest = max(map(len, flat), default=0)
    if longest > LONGEST:
        place = next(place for place, text in enumerate(flat) if len(text) > LONGEST)
        row = int(np.searchsorted(np.cumsum(texts.count + 1), place, side="right"))
        raise ValueError(
            f"row {row}: a caption of at most {LONGEST:,} characters was expected, not {len(flat[place]):,}"
        )
    return captions(ENCODERS[tokenizer](flat))


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
