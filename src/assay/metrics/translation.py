"""BLEU, chrF and chrF++ as sacrebleu computes them, 0 … 100.

BLEU: clipped matches of 1- to 4-grams summed over the corpus, geometric mean of the four precisions, times the brevity
penalty against the closest reference length (the shorter of two equally close). An order without matches counts as
1 / (2^k · n-grams) of a match, k being its number among such orders (``exp``, Chen & Cherry 2014); no matches at all
give 0. Tokens: ``13a`` (mteval-v13a, default), ``zh`` (Chinese characters one by one, the rest as 13a), ``char``, ``none``.

chrF: character n-grams of order 1 to 6 without whitespace (chrF++: word 1- and 2-grams beside them, punctuation at a word's
end or beginning parted), F with β = 2 from the mean precision and recall over the orders that both sides have. Of several
references the one with the best F of the sentence counts.

These are corpus figures: matches are summed, sentences are never averaged, so there are no ``items``.

Source: Papineni et al. 2002; Post 2018; Popović 2015, 2017; sacrebleu 2.6.
"""

from __future__ import annotations

import functools
import re
import string
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.metrics import grams
from assay.metrics.metric import Metric, Rows, of_sums, sign
from assay.metrics.standalone import estimate
from assay.metrics.texts import Texts, paired_texts
from assay.types import Estimate

Values = NDArray[np.float64]

ORDERS, CHARACTERS, BETA = 4, 6, 2
PUNCTUATION = frozenset(string.punctuation)

ENTITIES = (("&quot;", '"'), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"))
SYMBOLS = '{|}~[\\]^_`!"#$%&()*+:;<=>?@/'
PARTED = (
    (re.compile(r"([^0-9\n])([.,])"), r"\1 \2 "),
    (re.compile(r"([.,])([^0-9\n])"), r" \1 \2"),
    (re.compile(r"([0-9])(-)"), r"\1 \2 "),
)
"""mteval-v13a: besides symbols, periods and commas beside what is no digit, dashes after digits."""

CHINESE = re.compile(
    "([\u2001-\u2a6d\u2e80-\u2eff\u2f00-\u2fdf\u2ff0-\u2fff\u3000-\u303f\u3100-\u312f\u31a0-\u31bf\u31c0-\u31ef\u3200-\u33ff"
    "\u3400-\u4db5\u4e00-\u9fbb\uf900-\ufa2d\ufa30-\ufa6a\ufa70-\ufad9\ufe10-\ufe1f\ufe30-\ufe4f\uff00-\uffef])"
)
"""What sacrebleu's ``zh`` takes for Chinese. Its two ranges beyond the basic plane are mistyped there, and cover U+2001
to U+2A6D (dashes, arrows, mathematics) instead; characters beyond the basic plane are no Chinese to it."""


def tokens_13a(texts: Sequence[str]) -> list[list[str]]:
    """The tokens of each text as mteval-v13a parts them.

    >>> tokens_13a(["It's 3.5%, isn't it?"])
    [["It's", '3.5', '%', ',', "isn't", 'it', '?']]
    """
    return _split([_joined(text) for text in texts])


def _joined(text: str) -> str:
    """One line, without markup, with a space on both sides."""
    line = text.rstrip().replace("<skipped>", "")
    if "\n" in line:
        line = line.replace("-\n", "").replace("\n", " ")
    if "&" in line:
        for entity, character in ENTITIES:
            line = line.replace(entity, character)
    return f" {line} "


def _split(lines: Sequence[str]) -> list[list[str]]:
    """The tokens of lines that hold no line break, parted all at once; nothing is parted across a line break."""
    text = "\n".join(lines)
    for symbol in SYMBOLS:
        text = text.replace(symbol, f" {symbol} ")
    for pattern, parted in PARTED:
        text = pattern.sub(parted, text)
    return [line.split() for line in text.split("\n")] if lines else []


def tokens_zh(texts: Sequence[str]) -> list[list[str]]:
    """The tokens of each text, every Chinese character by itself, the rest parted by symbols.

    >>> tokens_zh(["在2024年，NBA!"])
    [['在', '2024', '年', '，', 'NBA', '!']]
    """
    return _split([CHINESE.sub(r" \1 ", text.strip().replace("\n", " ")) for text in texts])


def tokens_char(texts: Sequence[str]) -> list[list[str]]:
    """The characters of each text but for whitespace."""
    return [list("".join(text.split())) for text in texts]


def tokens_none(texts: Sequence[str]) -> list[list[str]]:
    """What whitespace parts."""
    return [text.split() for text in texts]


TOKENISERS: dict[str, Callable[[Sequence[str]], list[list[str]]]] = {
    "13a": tokens_13a,
    "zh": tokens_zh,
    "char": tokens_char,
    "none": tokens_none,
}


def measure_bleu(name: str, tokens: str, texts: Texts) -> Rows:
    """Columns ``NAME.matched`` and ``NAME.total`` ``[n, 4]``, ``NAME.length`` and ``NAME.reference`` ``[n]``."""
    together = [*texts.predictions, *texts.references]
    words = TOKENISERS[tokens](together)
    row = np.concatenate([np.arange(len(texts)), texts.row])
    side = np.concatenate([np.zeros(len(texts), dtype=np.intp), 1 + np.arange(len(texts.row)) - texts.first[texts.row]])
    order = np.argsort(row, kind="stable")
    found = grams.matches(grams.of_words([words[i] for i in order], row[order], side[order], len(texts)), ORDERS)
    length = np.fromiter(map(len, words), dtype=np.int64, count=len(words))
    own, references = length[: len(texts)], length[len(texts) :]
    closest = np.lexsort((references, np.abs(references - own[texts.row]), texts.row))[texts.first]
    columns = {
        "matched": found.matched,
        "total": found.predicted,
        "length": own,
        "reference": references[closest],
    }
    return {f"{name}.{part}": texts.over(column) for part, column in columns.items()}


def corpus_bleu(weight: Values, matched: Values, total: Values, length: Values, reference: Values) -> Values:
    """BLEU ``[b]`` of summed counts ``[b, 4]`` and lengths ``[b]``; NaN where there is no weight."""
    with np.errstate(divide="ignore", invalid="ignore"):
        penalty = np.where(length < reference, np.where(length > 0, np.exp(1 - reference / length), 0.0), 1.0)
        halvings = 2.0 ** np.cumsum((matched == 0) & (total > 0), axis=1)
        # Weights may be fractions; less than one n-gram smooths no more than one does.
        precision = np.where(matched > 0, matched / total, 1 / (halvings * np.maximum(total, 1)))
        precision = np.where(total > 0, precision, 0.0)
        out = 100 * penalty * np.exp(np.log(precision).mean(axis=1))
    return np.where(weight > 0, np.where(matched.any(axis=1), out, 0.0), np.nan)


def measure_chrf(name: str, words: int, texts: Texts) -> Rows:
    """The column ``NAME.counts`` ``[n, 3 · orders]``: n-grams of the prediction, of the best reference, and of both."""
    together = [*texts.repeated, *texts.references]
    pairs = len(texts.references)
    row, side = np.tile(np.arange(pairs), 2), np.repeat([0, 1], pairs)
    order = np.argsort(row, kind="stable")
    squeezed = ["".join(together[i].split()) for i in order]
    found = [grams.matches(grams.of_characters(squeezed, row[order], side[order], pairs), CHARACTERS)]
    if words:
        split = [_words(together[i]) for i in order]
        found.append(grams.matches(grams.of_words(split, row[order], side[order], pairs), words))
    parts = [np.hstack([getattr(one, part) for one in found]) for part in ("predicted", "references", "matched")]
    parts[0] = np.where(parts[1] > 0, parts[0], 0)  # n-grams of an order that the reference lacks do not count
    counts = np.hstack(parts).astype(np.float64)
    best = np.lexsort((-f_score(counts), texts.row))[texts.first]
    return {f"{name}.counts": texts.over(counts[best])}


def f_score(counts: Values) -> Values:
    """F ``[b]``, 0 … 100, of counts ``[b, 3 · orders]``; 0 where no order is on both sides."""
    predicted, reference, matched = np.split(counts, 3, axis=1)
    there = (predicted > 0) & (reference > 0)
    orders = np.maximum(there.sum(axis=1), 1)
    precision = np.divide(matched, predicted, out=np.zeros_like(matched), where=there).sum(axis=1) / orders
    recall = np.divide(matched, reference, out=np.zeros_like(matched), where=there).sum(axis=1) / orders
    below = BETA**2 * precision + recall
    f = np.divide((1 + BETA**2) * precision * recall, below, out=np.zeros_like(below), where=below > 0)
    return np.asarray(100 * f)


def _corpus_f(weight: Values, counts: Values) -> Values:
    return np.where(weight > 0, f_score(counts), np.nan)


def _words(text: str) -> list[str]:
    """Words with a punctuation mark at their end, or else at their beginning, parted."""
    out: list[str] = []
    for word in text.split():
        if len(word) > 1 and word[-1] in PUNCTUATION:
            out += (word[:-1], word[-1])
        elif len(word) > 1 and word[0] in PUNCTUATION:
            out += (word[0], word[1:])
        else:
            out.append(word)
    return out


def named(name: str) -> Metric:
    """``bleu`` (``bleu:zh``, ``bleu:char``, ``bleu:none``), ``chrf`` or ``chrf++``."""
    if name.startswith("bleu"):
        tokens = name.partition(":")[2] or "13a"
        columns = tuple(f"{name}.{part}" for part in ("matched", "total", "length", "reference"))
        return Metric(
            name,
            functools.partial(measure_bleu, name, tokens),
            of_sums(corpus_bleu, *columns),
            bounds=(0.0, 100.0),
            signature=sign(name, "case:mixed", f"tok:{tokens}", "smooth:exp", "eff:no"),
            source="Papineni et al. 2002; Post 2018 (sacrebleu 2.6)",
            family="texts",
            columns=columns,
            prepare=paired_texts,
            definition="geometric mean of clipped 1- to 4-gram precisions of the corpus, times exp(1 - reference/length) if shorter",
            edge="0 without any match or with no n-gram of some order; an order without matches is smoothed (exp)",
        )
    words = 2 if name == "chrf++" else 0
    return Metric(
        name,
        functools.partial(measure_chrf, name, words),
        of_sums(_corpus_f, f"{name}.counts"),
        bounds=(0.0, 100.0),
        signature=sign(name, "case:mixed", f"nc:{CHARACTERS}", f"nw:{words}", "space:no", f"beta:{BETA}", "eff:yes"),
        source="Popović 2015, 2017; sacrebleu 2.6",
        family="texts",
        columns=(f"{name}.counts",),
        prepare=paired_texts,
        definition="F2 of the mean precision and recall of character 1- to 6-grams"
        + (", word 1- and 2-grams" * bool(words)),
        edge="0 where nothing matches; orders that one side lacks do not count",
    )


def bleu(
    predictions: Sequence[str | None],
    references: Sequence[str | Sequence[str]],
    *,
    tokens: str = "13a",
    unit: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
) -> Estimate:
    """Corpus BLEU, 0 … 100, equal to sacrebleu's; ``tokens`` is ``13a``, ``zh``, ``char`` or ``none``.

    COCO's BLEU is `bleu_4`: other tokens, 0 … 1. Raises `ValueError` for other tokens and as
    `assay.metrics.texts.paired_texts`.

    >>> round(bleu(["The cat sat on a mat."], [["The cat sat on the mat.", "A cat sat."]]).value, 4)
    48.8923
    """
    if tokens not in TOKENISERS:
        raise ValueError(f"tokens as {', '.join(TOKENISERS)} were expected, not {tokens!r}")
    name = "bleu" if tokens == "13a" else f"bleu:{tokens}"
    return estimate(named(name), predictions, references, unit=unit, seed=seed)


def chrf(
    predictions: Sequence[str | None],
    references: Sequence[str | Sequence[str]],
    *,
    word_order: int = 0,
    unit: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
) -> Estimate:
    """Corpus chrF, 0 … 100, equal to sacrebleu's; ``word_order=2`` is chrF++.

    Raises `ValueError` for another word order and as `assay.metrics.texts.paired_texts`.

    >>> round(chrf(["The cat sat on a mat."], ["The cat sat on the mat."]).value, 4)
    65.8003
    """
    if word_order not in (0, 2):
        raise ValueError(f"a word order of 0 (chrF) or 2 (chrF++) was expected, not {word_order!r}")
    return estimate(named("chrf++" if word_order else "chrf"), predictions, references, unit=unit, seed=seed)
