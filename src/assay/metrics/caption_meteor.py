"""METEOR 1.5 (English) as coco-caption computes it, without Java, of tokenised captions.

The words of a prediction are aligned with those of each reference: exact words, stems, WordNet synonyms, paraphrases of up to
seven words. The row counts with the reference that scores best. The corpus is the formula of summed statistics, not the mean
of the rows' scores, which are the `items`. The tables of synonyms, function words and paraphrases come with the extra
``[meteor]``; without it there is ``meteor15_noparaphrase``, which knows exact words and stems alone and has another name because its
figures are others.

Sources: Denkowski & Lavie 2014; `assay.metrics.meteor15` says where each part comes from.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.metrics.captions import PREPARE, Captions
from assay.metrics.meteor15 import index, source
from assay.metrics.meteor15.segments import ALPHA, BETA, DELTA, GAMMA, score, segments
from assay.metrics.meteor15.source import INSTALL
from assay.metrics.metric import Metric, Rows, of_sums, sign
from assay.metrics.standalone import estimate
from assay.types import Estimate

Values = NDArray[np.float64]

COLUMNS = ("matched", "length", "chunks", "words")


@dataclass(frozen=True, slots=True)
class Variant:
    """What distinguishes a METEOR: whether it has the tables, and how signature and explanation put its stages."""

    has_tables: bool
    recipe: tuple[str, ...]
    stages: str
    edge: str


VARIANTS = {
    "meteor": Variant(
        True,
        ("ex_st_sy_pa", "1.0_0.6_0.8_0.6"),
        f"exact words 1, stems (Snowball) 0.6, WordNet synonyms 0.8, paraphrases 0.6; content words {DELTA}, function words {1 - DELTA}",
        f"the tables must be installed: {INSTALL}",
    ),
    "meteor15_noparaphrase": Variant(
        False,
        ("ex_st", "1.0_0.6", "function:none"),
        "exact words 1, stems (Snowball) 0.6; every word alike",
        "METEOR 1.5 itself has synonyms, paraphrases and function words too, and other figures",
    ),
}


def corpus_meteor(total: Values, matched: Values, length: Values, chunks: Values, words: Values) -> Values:
    """METEOR ``[b]`` of sums: ``matched`` and ``length`` ``[b, 2]``, the others ``[b]``; NaN where ``total`` is 0."""
    return np.where(total > 0, score(matched, length, chunks, words), np.nan)


def measure(name: str, captions: Captions) -> Rows:
    """The statistics that METEOR is a formula of, by row. Raises `ValueError` where the tables are not installed."""
    tables = index.opened(source.installed()) if VARIANTS[name].has_tables else None
    is_reference = np.ones(len(captions.row), dtype=np.bool_)
    is_reference[captions.head] = False
    row = captions.row[is_reference]
    found = segments(captions.encoded, captions.head[row], np.flatnonzero(is_reference), row, tables)
    return {f"{name}_{column}": captions.texts.over(getattr(found, column)) for column in COLUMNS}


@functools.cache
def named(name: str) -> Metric:
    """``meteor``, or ``meteor15_noparaphrase``.

    >>> named("meteor").signature.split("|")[:5]
    ['meteor', '1.5', 'en', 'norm', '0.85_0.2_0.6_0.75']
    """
    variant = VARIANTS[name]
    columns = tuple(f"{name}_{column}" for column in COLUMNS)
    parameters = f"{ALPHA}_{BETA}_{GAMMA}_{DELTA}"
    return Metric(
        name,
        functools.partial(measure, name),
        of_sums(corpus_meteor, *columns),
        columns=columns,
        per_unit=True,
        signature=sign(name, "1.5", "en", "norm", parameters, *variant.recipe, "tok:ptb-py"),
        source="Denkowski & Lavie 2014; METEOR 1.5 as coco-caption runs it (-l en -norm)",
        family="texts",
        prepare=PREPARE["ptb-py"],
        definition=f"F (1 - {GAMMA} (chunks / words matched)^{BETA}) of statistics summed over the rows, each with its best reference;"
        f" F = P R / ({ALPHA} P + {1 - ALPHA:.2f} R), P and R the weighted shares of words matched: {variant.stages}",
        edge="0 where no word matches, so for an empty caption; undefined without rows; the mean of the rows' scores is another figure;"
        f" {variant.edge}",
    )


def meteor(
    predictions: Sequence[str | None],
    references: Sequence[str | Sequence[str]],
    *,
    unit: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
) -> Estimate:
    """METEOR 1.5 of predicted captions against one or several references each, as pycocoevalcap gives it with Java.

    ``items`` are the rows' scores, of which the value is not the mean. A prediction of None is missing. Raises `ValueError` as
    `assay.metrics.captions.tokenized`, for a caption of over a thousand words (naming the row), and where the tables are not
    installed (saying how). The first call builds an index of the tables (`assay.metrics.meteor15.index`): about 12 seconds.

    >>> round(meteor(["a cat sat on the mat"], [["the cat was sitting on the mat"]]).value, 6)
    0.460083
    """
    return estimate(named("meteor"), predictions, references, unit=unit, seed=seed)
