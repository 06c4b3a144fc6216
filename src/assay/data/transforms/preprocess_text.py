"""Texts made ready: one form of letters and spaces, words, numbers of a vocabulary."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from assay.catalog import nearest
from assay.data.transforms.held import with_text
from assay.types import Sample, Transform

FORMS = ("NFC", "NFD", "NFKC", "NFKD")
# Words with inner apostrophes and hyphens, numbers with their points, single Chinese, Japanese and Korean signs, other signs alone.
TOKEN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|\d+(?:[.,]\d+)*|[^\W\d_]+(?:['’-][^\W\d_]+)*|[^\w\s]|_")
PADDING, UNKNOWN = 0, 1


def normalise_text(form: str = "NFKC", *, lower: bool = True) -> Transform:
    """Texts in one Unicode form, in lower case if wanted, single spaces. `ValueError` for an unknown form.

    >>> normalise_text()(Sample("a", {"text": " Ｆull\\n WIDTH "}), np.random.default_rng(0)).inputs["text"]
    'full width'
    """
    if form not in FORMS:
        raise ValueError(f"unknown form {form!r}: {nearest(form, FORMS)}")
    return partial(_normalise, form=form, lower=lower)


def _normalise(sample: Sample, rng: np.random.Generator, form: str, lower: bool) -> Sample:
    def plain(text: str) -> str:
        formed = unicodedata.normalize(form, text)  # type: ignore[arg-type]
        return " ".join((formed.lower() if lower else formed).split())

    return with_text(sample, plain)


def cut_words(most: int) -> Transform:
    """Texts of at most so many words; white space becomes single spaces where something is cut. `ValueError` below 1."""
    if most < 1:
        raise ValueError(f"at least 1 word was expected, got {most}")
    return partial(_cut, most=most)


def _cut(sample: Sample, rng: np.random.Generator, most: int) -> Sample:
    def shorter(text: str) -> str:
        words = text.split()
        return text if len(words) <= most else " ".join(words[:most])

    return with_text(sample, shorter)


def tokens(text: str) -> list[str]:
    """Words, numbers and signs in their order; nothing but white space is lost.

    >>> tokens("It's 3.5 km, 你好!")
    ["It's", '3.5', 'km', ',', '你', '好', '!']
    """
    return TOKEN.findall(text)


@dataclass(frozen=True)
class Vocabulary:
    """Words by number; 0 is padding, 1 every other word.

    >>> v = vocabulary(["a red cat", "a cat"], size=4)
    >>> v.ids(["a cat", "a red dog"], length=4).tolist()
    [[2, 3, 0, 0], [2, 1, 1, 0]]
    """

    words: tuple[str, ...]
    number: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "number", {word: place + 2 for place, word in enumerate(self.words)})

    def __len__(self) -> int:
        return len(self.words) + 2

    def ids(self, texts: Sequence[str], length: int) -> NDArray[np.int64]:
        """``int64[n, length]``: the first words of each text, padded with 0. `ValueError` for a length below 1."""
        if length < 1:
            raise ValueError(f"a length of at least 1 was expected, got {length}")
        out = np.full((len(texts), length), PADDING, np.int64)
        for row, text in enumerate(texts):
            found = [self.number.get(word, UNKNOWN) for word in tokens(text)[:length]]
            out[row, : len(found)] = found
        return out


def vocabulary(texts: Iterable[str], size: int = 10_000) -> Vocabulary:
    """The most frequent words, of equals the first in the alphabet; ``size`` numbers in all, padding and unknown words included.

    `ValueError` for a size below 3.
    """
    if size < 3:
        raise ValueError(f"a size of at least 3 was expected, got {size}")
    counts = Counter(word for text in texts for word in tokens(text))
    ranked = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return Vocabulary(tuple(word for word, _ in ranked[: size - 2]))
