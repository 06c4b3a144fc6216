"""ROUGE-L as coco-caption computes it: the longest common subsequence, the best precision and the best recall apart.

With L the length of the longest common subsequence of prediction c and reference r: P = max L/|c| and R = max L/|r| over the
references, each on its own; F = (1 + β²) P R / (R + β² P), β = 1.2, and 0 where nothing is common. An empty caption
counts as one empty word, as there. The corpus's value is the mean.

Sources: Lin 2004; coco-caption (rouge.py). Subsequences: RapidFuzz's bit-parallel algorithm (Hyyrö 2004).
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.metrics.captions import DEFAULT, PREPARE, Captions, full_name, variant
from assay.metrics.metric import Metric, Rows, ratio, sign, weighted_mean
from assay.metrics.standalone import estimate
from assay.metrics.vocabulary import Encoded
from assay.types import Estimate

Values = NDArray[np.float64]

BETA = 1.2
SURROGATES = 0xD800, 0x800
"""Where code points that are no characters begin, and how many they are."""

CHARACTERS = 0x110000 - SURROGATES[1]
"""How many words can be told apart as characters."""


def common(encoded: Encoded, one: NDArray[np.intp], other: NDArray[np.intp]) -> NDArray[np.int64]:
    """The lengths of the longest common subsequences of the texts ``one[k]`` and ``other[k]``, tokens being compared.

    >>> encoded = Encoded(["a", "b"], np.array([0, 1, 0, 1, 1], np.int32), np.array([0, 3, 5]))
    >>> common(encoded, np.array([0]), np.array([1])).tolist()
    [1]
    """
    from rapidfuzz.distance import LCSseq
    from rapidfuzz.process import cpdist

    if len(encoded.vocabulary) > CHARACTERS:
        pairs = zip(one.tolist(), other.tolist(), strict=True)
        spans = [
            [encoded.tokens[encoded.starts[text] : encoded.starts[text + 1]].tolist() for text in pair]
            for pair in pairs
        ]
        return np.array([LCSseq.similarity(*span) for span in spans], np.int64)
    code = encoded.tokens.astype("<u4")
    code += (code >= SURROGATES[0]) * np.uint32(SURROGATES[1])
    whole, starts = code.tobytes().decode("utf-32-le"), encoded.starts.tolist()
    texts = [whole[start:end] for start, end in itertools.pairwise(starts)]
    pair = ([texts[text] for text in places.tolist()] for places in (one, other))
    found: NDArray[np.int64] = cpdist(*pair, scorer=LCSseq.similarity, dtype=np.int64)
    return found


def scores(captions: Captions) -> Values:
    """ROUGE-L ``[n]`` of each row."""
    texts, encoded = captions.texts, captions.encoded
    said, there = np.repeat(captions.head, texts.count), np.flatnonzero(~captions.is_head)
    shared = common(encoded, said, there).astype(np.float64)
    length = encoded.lengths
    shared[(length[said] == 0) & (length[there] == 0)] = 1
    precision = texts.best(shared / np.maximum(length[said], 1))
    recall = texts.best(shared / np.maximum(length[there], 1))
    return np.nan_to_num(ratio((1 + BETA**2) * precision * recall, recall + BETA**2 * precision))


def measure(tokenizer: str, captions: Captions) -> Rows:
    """The column of the metric."""
    return {full_name("rouge_l", tokenizer): captions.texts.over(scores(captions))}


MEASURE = {tokenizer: functools.partial(measure, tokenizer) for tokenizer in PREPARE}


@functools.cache
def named(name: str) -> Metric:
    """``rouge_l``, ``rouge_l:chars`` or ``rouge_l:jieba``.

    >>> named("rouge_l").item
    'rouge_l'
    """
    _, tokenizer = variant(name)
    return Metric(
        name,
        MEASURE[tokenizer],
        weighted_mean(name),
        item=name,
        signature=sign(name, f"tok:{tokenizer}", f"beta:{BETA}", "refs:max-p-max-r"),
        source="Lin 2004; coco-caption, rouge.py",
        family="texts",
        prepare=PREPARE[tokenizer],
        definition="mean over the rows of (1 + β²) P R / (R + β² P), β = 1.2, from the longest common subsequence of tokens; P and R are"
        " the best over the references, each on its own",
        edge="0 where no token is common; an empty caption counts as one empty word, so that two empty ones agree; undefined without rows",
    )


def rouge_l(
    predictions: Sequence[str | None],
    references: Sequence[str | Sequence[str]],
    *,
    tokenizer: str = DEFAULT,
    unit: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
) -> Estimate:
    """COCO's ROUGE-L; ``items`` holds each row's. Arguments and errors as `assay.metrics.bleu_4`.

    >>> found = rouge_l(["a dog runs"], [["a big dog runs", "dogs"]])
    >>> round(found.value, 4)
    0.8356
    """
    return estimate(named(full_name("rouge_l", tokenizer)), predictions, references, unit=unit, seed=seed)
