"""What predictions are like without references: how varied their n-grams are, and how long they are.

Distinct-n is the number of distinct n-grams over the number of all, in all predictions together. It falls as a corpus grows, so compare
corpora of one size; its interval (Student's t on the jackknife's standard error, which is never too small on average: Efron & Stein
1981) is for a corpus of this size. A row that is there twice says nothing new: distinct-n is the one metric here that is
not the same when all rows are doubled. N-grams are told apart by 64-bit hashes, alike on every machine.

Sources: Li et al. 2016 (distinct-1, distinct-2).
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.metrics.captions import DEFAULT, PREPARE, Captions, full_name, variant
from assay.metrics.metric import Metric, Rows, ratio, sign, weighted_mean
from assay.metrics.standalone import estimate
from assay.stats.measured import OfPrepared, Weights
from assay.types import Estimate

Values = NDArray[np.float64]
Hashes = NDArray[np.uint64]

MIX = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)
"""Odd constants of SplitMix64 (Steele et al. 2014)."""


def measure_distinct(name: str, captions: Captions) -> Rows:
    """Each prediction's distinct n-grams as 64-bit hashes, sorted, and how many n-grams it has in all."""
    order = order_of(name)
    own = captions.split
    token = np.array([_hash(word) for word in own.vocabulary], np.uint64)[own.tokens]
    grams, total = np.empty(len(captions), dtype=object), np.zeros(len(captions))
    for row, text in enumerate(captions.head.tolist()):
        found = hashed(token[own.starts[text] : own.starts[text + 1]], order)
        grams[row], total[row] = np.unique(found), len(found)
    return {f"{name}_grams": grams, f"{name}_total": captions.texts.over(total)}


def hashed(tokens: Hashes, order: int) -> Hashes:
    """The hashes of the n-grams of some tokens' hashes, in order.

    >>> hashed(np.array([1, 2, 3], np.uint64), 4).tolist()
    []
    """
    if len(tokens) < order:
        return np.zeros(0, np.uint64)
    out = tokens[: len(tokens) - order + 1].copy()
    for step in range(1, order):
        out = (out ^ (out >> np.uint64(29))) * MIX[0] + tokens[step : len(tokens) - order + 1 + step]
        out = (out ^ (out >> np.uint64(32))) * MIX[1]
    return out


def _hash(token: str) -> int:
    return int.from_bytes(hashlib.blake2b(token.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def _prepared(rows: Rows) -> tuple[NDArray[np.intp], tuple[Any, Values]]:
    """All rows in their order; which of the distinct n-grams each holds, as a sparse matrix, and their totals."""
    from scipy.sparse import csr_array

    grams, total = (next(rows[name] for name in rows if name.endswith(end)) for end in ("_grams", "_total"))
    size = np.fromiter(map(len, grams), np.int64, len(grams))
    distinct, column = np.unique(np.concatenate(grams), return_inverse=True)
    row = np.repeat(np.arange(len(grams)), size)
    held = csr_array((np.ones(len(column)), (row, column)), (len(grams), len(distinct)))
    return np.arange(len(grams)), (held.T.tocsr(), np.asarray(total, np.float64))


def _distinct(state: tuple[Any, Values], weights: Weights) -> Values:
    held, total = state
    there = np.minimum(held @ weights.T, 1)  # a share of a row holds a share of its n-grams, so that 1 is the most
    return ratio(there.sum(axis=0), weights @ total)


def order_of(name: str) -> int:
    """The n of ``distinct_n``."""
    return int(variant(name)[0].removeprefix("distinct_"))


def measure_length(name: str, captions: Captions) -> Rows:
    """How many tokens each prediction has."""
    return {name: captions.texts.over(captions.encoded.lengths[captions.head])}


@functools.cache
def named(name: str) -> Metric:
    """``distinct_1`` … , ``caption_length``, or any with ``:chars`` or ``:jieba``.

    >>> named("distinct_2:chars").signature.rpartition("|")[0]
    'distinct_2:chars|tok:chars'
    """
    short, tokenizer = variant(name)
    if short == "caption_length":
        return Metric(
            name,
            functools.partial(measure_length, name),
            weighted_mean(name),
            bounds=(0.0, np.inf),
            item=name,
            signature=sign(name, f"tok:{tokenizer}"),
            source="coco-caption, which counts so for BLEU",
            family="texts",
            prepare=PREPARE[tokenizer],
            definition="mean number of tokens of the predictions, without punctuation; a description: neither more nor less is better",
            edge="0 where all predictions are empty; undefined without rows",
        )
    columns = (f"{name}_grams", f"{name}_total")
    return Metric(
        name,
        functools.partial(measure_distinct, name),
        OfPrepared(_prepared, _distinct, columns),
        interval="t",
        columns=columns,
        signature=sign(name, f"tok:{tokenizer}"),
        source="Li et al. 2016",
        family="texts",
        prepare=PREPARE[tokenizer],
        definition=f"distinct {order_of(name)}-grams over all {order_of(name)}-grams of all predictions together; references have no say;"
        " falls as the corpus grows",
        edge=f"undefined where no prediction has {order_of(name)} tokens; 1 where no n-gram occurs twice",
    )


def distinct_1(
    predictions: Sequence[str | None],
    references: Sequence[str | Sequence[str]] | None = None,
    *,
    tokenizer: str = DEFAULT,
    unit: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
) -> Estimate:
    """Distinct words over all words of the predictions; see `distinct_2`."""
    return _of_predictions("distinct_1", predictions, references, tokenizer, unit, seed)


def distinct_2(
    predictions: Sequence[str | None],
    references: Sequence[str | Sequence[str]] | None = None,
    *,
    tokenizer: str = DEFAULT,
    unit: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
) -> Estimate:
    """Distinct pairs of words over all pairs of the predictions, in [0, 1]; other n by name: ``score(["distinct_3"], …)``.

    ``references`` have no say, and are taken so that all caption metrics can be called alike. Arguments and errors as
    `assay.metrics.bleu_4`.

    >>> distinct_2(["a dog runs", "a dog sits"]).value
    0.75
    """
    return _of_predictions("distinct_2", predictions, references, tokenizer, unit, seed)


def caption_length(
    predictions: Sequence[str | None],
    references: Sequence[str | Sequence[str]] | None = None,
    *,
    tokenizer: str = DEFAULT,
    unit: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
) -> Estimate:
    """The mean number of tokens of the predictions; ``items`` holds each row's. Arguments as `distinct_2`.

    >>> caption_length(["A dog runs.", ""]).value
    1.5
    """
    return _of_predictions("caption_length", predictions, references, tokenizer, unit, seed)


def _of_predictions(
    name: str, predictions: Sequence[str | None], references: Sequence[Any] | None, tokenizer: str, unit: Any, seed: int
) -> Estimate:
    given = [""] * len(predictions) if references is None else references
    return estimate(named(full_name(name, tokenizer)), predictions, given, unit=unit, seed=seed)
