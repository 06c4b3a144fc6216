"""BLEU-1 to BLEU-4 as coco-caption computes them: of the whole corpus, from clipped n-gram counts.

With matches m, guesses g (n-grams said) and lengths c (said) and r (of the closest reference, the shorter of two as close), all
summed over the rows: pₙ = m/g, BLEU-N = (p₁ … p_N)^(1/N), times exp(1 - r/c) where c < r. coco-caption adds 1e-15 to what is matched
and 1e-9 to what is guessed. That tells only where an order has no match: there pₙ is 1e-15/g, and 1e-6 if nothing so long was
said. `items` are the same formula of each row alone; their mean is not the corpus's BLEU.

Sources: Papineni et al. 2002; coco-caption (bleu_scorer.py, ``option="closest"``).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.metrics.captions import DEFAULT, PREPARE, Captions, full_name, variant
from assay.metrics.metric import Metric, Rows, of_sums, sign
from assay.metrics.ngrams import ORDERS
from assay.metrics.standalone import estimate
from assay.types import Estimate

Values = NDArray[np.float64]

TINY, NONE = 1e-15, 1e-6
"""What coco-caption takes for no match at all: matches where something was guessed, the precision where nothing was."""


def corpus_bleu(total: Values, *sums: Values) -> Values:
    """BLEU-N ``[b]`` of sums over rows, each ``[b]``: what was matched for n = 1 … N, what was guessed, the closest lengths.

    NaN where the sum of weights ``total`` is 0. (The predictions' length is how many single words were guessed.)

    >>> sums = [19.0, 10.0, 3.0, 1.0, 24.0, 21.0, 18.0, 15.0, 26.0]
    >>> corpus_bleu(np.ones(1), *(np.array([one]) for one in sums)).round(8)
    array([0.23406093])
    """
    order = len(sums) // 2
    hit, said, closest = np.stack(sums[:order]), np.stack(sums[order : 2 * order]), sums[-1]
    precision = np.full(hit.shape, NONE)
    np.divide(np.maximum(hit, TINY), said, out=precision, where=said > 0)
    length = said[0]
    short = np.divide(closest, length, out=np.zeros(len(length)), where=length > 0)
    brevity = np.where(length > 0, np.exp(np.minimum(1 - short, 0)), 0)
    value: Values = np.where(total > 0, np.exp(np.log(precision).mean(axis=0)) * brevity, np.nan)
    return value


def measure(tokenizer: str, captions: Captions) -> Rows:
    """The counts that BLEU is a formula of, by row and order."""
    length = captions.split.lengths
    said = length[captions.head]
    counts: dict[str, NDArray[Any]] = {"closest": closest(captions, length)}
    for order in range(1, ORDERS + 1):
        counts[f"matched_{order}"] = captions.overlap.matched[:, order - 1]
        counts[f"guessed_{order}"] = np.maximum(said - order + 1, 0)
    return {column(name, tokenizer): captions.texts.over(values) for name, values in counts.items()}


def closest(captions: Captions, length: NDArray[np.int64]) -> NDArray[np.int64]:
    """The length ``[n]`` of each row's reference that is closest to the prediction's; the shorter of two as close."""
    there = length[~captions.is_head]
    far = np.abs(there - np.repeat(length[captions.head], captions.texts.count))
    if not len(captions):
        return there
    bits = int(length.max()).bit_length()
    return np.minimum.reduceat(far << bits | there, captions.texts.first) & ((1 << bits) - 1)


def column(name: str, tokenizer: str) -> str:
    """A column's name, by tokeniser, so that variants can be asked for together."""
    return f"bleu_{name}:{tokenizer}"


@functools.cache
def named(name: str) -> Metric:
    """The BLEU of this name: ``bleu_1`` … ``bleu_4``, ``bleu_4:chars``, ``bleu_4:jieba``.

    >>> named("bleu_4").signature.split("|")[:3]
    ['bleu_4', 'tok:ptb-py', 'closest']
    """
    short, tokenizer = variant(name)
    order = int(short[-1])
    parts = [f"{what}_{n}" for what in ("matched", "guessed") for n in range(1, order + 1)]
    columns = [column(part, tokenizer) for part in (*parts, "closest")]
    return Metric(
        name,
        MEASURE[tokenizer],
        of_sums(corpus_bleu, *columns),
        per_unit=True,
        columns=tuple(columns),
        signature=sign(name, f"tok:{tokenizer}", "closest", "smooth:coco"),
        source="Papineni et al. 2002; coco-caption, bleu_scorer.py",
        family="texts",
        prepare=PREPARE[tokenizer],
        definition=f"the geometric mean of the clipped n-gram precisions of the corpus, n = 1 … {order}, times exp(1 - r/c) where the"
        " predictions' length c is below that of the closest references, r (the shorter of two as close)",
        edge="nearly 0, as coco-caption has it, where no n-gram of an order matches (1e-15 matches) or none is so long (precision 1e-6);"
        " 0 where all predictions are empty; undefined without rows; the mean of the items is another figure",
    )


MEASURE = {tokenizer: functools.partial(measure, tokenizer) for tokenizer in PREPARE}


def bleu_1(
    predictions: Sequence[str | None],
    references: Sequence[str | Sequence[str]],
    *,
    tokenizer: str = DEFAULT,
    unit: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
) -> Estimate:
    """COCO's BLEU-1; see `bleu_4`."""
    return estimate(named(full_name("bleu_1", tokenizer)), predictions, references, unit=unit, seed=seed)


def bleu_2(
    predictions: Sequence[str | None],
    references: Sequence[str | Sequence[str]],
    *,
    tokenizer: str = DEFAULT,
    unit: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
) -> Estimate:
    """COCO's BLEU-2; see `bleu_4`."""
    return estimate(named(full_name("bleu_2", tokenizer)), predictions, references, unit=unit, seed=seed)


def bleu_3(
    predictions: Sequence[str | None],
    references: Sequence[str | Sequence[str]],
    *,
    tokenizer: str = DEFAULT,
    unit: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
) -> Estimate:
    """COCO's BLEU-3; see `bleu_4`."""
    return estimate(named(full_name("bleu_3", tokenizer)), predictions, references, unit=unit, seed=seed)


def bleu_4(
    predictions: Sequence[str | None],
    references: Sequence[str | Sequence[str]],
    *,
    tokenizer: str = DEFAULT,
    unit: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
) -> Estimate:
    """COCO's BLEU-4 of a caption a row against one or several references; ``items`` are the formula of each row alone.

    ``tokenizer`` is ``ptb-py`` (English, as coco-caption), ``chars`` or ``jieba`` (Chinese); ``unit`` labels what is resampled
    together. A prediction of None is left out and counted. Raises `ValueError` for another tokenizer and as
    `assay.metrics.captions.tokenized`.

    >>> found = bleu_4(["A man riding a horse on a beach."], [["A man is riding a horse on the beach.", "A person rides."]])
    >>> round(found.value, 8), found.n
    (0.37707946, 1)
    """
    return estimate(named(full_name("bleu_4", tokenizer)), predictions, references, unit=unit, seed=seed)
