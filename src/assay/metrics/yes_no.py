"""Yes-no questions: POPE's accuracy, precision, recall, F1 and share of yes, with a parser that never guesses.

``yes`` is the positive class. A text says yes or no when it begins with the word, or says "the answer is yes", without
saying the other too; 是, 是的, 否 and 不是 count. Anything else is unparsed: wrong (it is neither a true positive nor a
true negative), no yes, and counted in ``yes_no_unparsed``.

``pope_…:official`` reads answers as POPE's script does: *no* if the first sentence holds one of the words ``No``,
``no``, ``not``, else *yes*, so that a refusal or an empty answer is a yes. Comparable with published figures, and biased.

Source: Li et al. 2023 (POPE); AoiDragon/POPE, evaluate.py.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.metrics.metric import Metric, Rows, of_sums, ratio, sign
from assay.metrics.standalone import scored
from assay.metrics.texts import Texts, normal_form, paired_texts
from assay.types import Estimate

Values = NDArray[np.float64]
Answer = bool | None

WORDS = {"yes": True, "no": False, "是": True, "是的": True, "否": False, "不是": False}
ONE = r"(yes|no|是的|不是|是|否)(?![\w'-])"
FIRST = re.compile(rf"[\W_]{{0,9}}{ONE}(?!\s*(?:and|or|/|&)\s*(?:yes|no)\b)")
SAID = re.compile(rf"\banswer(?:\sis)?\s?[:=]?\s?[\"'*(]{{0,9}}{ONE}|答案是?[::]?\s?{ONE}")


def parse_yes_no(text: str) -> Answer:
    """True for yes, False for no, None for neither or both.

    >>> [parse_yes_no(t) for t in ("Yes, there is.", "NO", "The answer is no.", "Not sure", "There is no dog", "yes or no")]
    [True, False, False, None, None, None]
    """
    plain = " ".join(normal_form("NFKC", text).lower().split())
    first = FIRST.match(plain)
    if first is not None:
        return WORDS[first[1]]
    said = {WORDS[found[1] or found[2]] for found in SAID.finditer(plain)}
    return said.pop() if len(said) == 1 else None


def parse_as_pope(text: str) -> Answer:
    """What POPE's script makes of a text: False if its first sentence holds No, no or not as a word, else True.

    >>> [parse_as_pope(t) for t in ("I cannot say", "There is no dog.", "")]
    [True, False, True]
    """
    words = text.partition(".")[0].replace(",", "").split(" ")
    return not {"No", "not", "no"} & set(words)


PARSERS: dict[str, Callable[[str], Answer]] = {"strict": parse_yes_no, "official": parse_as_pope}


def measure_yes_no(parser: str, texts: Texts) -> Rows:
    """Columns ``yes_no.PARSER`` ``[n, 4]`` (true positives, false positives, true negatives, positives) and the unparsed."""
    parse = functools.lru_cache(maxsize=None)(PARSERS[parser])
    if len(texts.references) != len(texts):
        raise ValueError("one right answer a row was expected, not several")
    said = np.array([_code(parse(text)) for text in texts.predictions], dtype=np.intp)
    true = np.array([_truth(row, text) for row, text in enumerate(texts.references)], dtype=np.bool_)
    table = np.column_stack([(said == 1) & true, (said == 1) & ~true, (said == 0) & ~true, true])
    rows = {f"yes_no.{parser}": texts.over(table.astype(np.float64))}
    return rows | ({"yes_no_unparsed": texts.over(said == -1)} if parser == "strict" else {})


def _code(answer: Answer) -> int:
    return -1 if answer is None else int(answer)


def _truth(row: int, text: str) -> bool:
    word = text.strip().lower()
    if word not in WORDS:
        raise ValueError(f"row {row}: yes or no was expected as the right answer, not {text!r:.80}")
    return WORDS[word]


def accuracy(total: Values, counts: Values) -> Values:
    """True positives and true negatives over all."""
    return ratio(counts[:, 0] + counts[:, 2], total)


def precision(total: Values, counts: Values) -> Values:
    """True positives over all that were answered yes."""
    return ratio(counts[:, 0], counts[:, 0] + counts[:, 1])


def recall(total: Values, counts: Values) -> Values:
    """True positives over all where yes is right."""
    return ratio(counts[:, 0], counts[:, 3])


def f1(total: Values, counts: Values) -> Values:
    """2 true positives over the answered and the right yeses; 0 where none is right."""
    return ratio(2 * counts[:, 0], counts[:, 0] + counts[:, 1] + counts[:, 3])


def yes_ratio(total: Values, counts: Values) -> Values:
    """The share of yeses among the answers."""
    return ratio(counts[:, 0] + counts[:, 1], total)


def unparsed(total: Values, summed: Values) -> Values:
    """The share of answers that are neither."""
    return ratio(summed, total)


Told = tuple[Callable[[Values, Values], Values], str, str]
UNPARSED: Told = (
    unparsed,
    "share of answers that are neither yes nor no, or both",
    "a missing answer is not an unparsed one",
)
FORMULAS: dict[str, Told] = {
    "pope_accuracy": (accuracy, "right answers over all", "0.5 for who always says yes, on balanced data"),
    "pope_precision": (precision, "right yeses over all yeses given", "undefined where nothing was answered yes"),
    "pope_recall": (recall, "right yeses over all that are yes", "undefined where no right answer is yes"),
    "pope_f1": (f1, "harmonic mean of precision and recall", "undefined where no yes was given or is right"),
    "pope_yes_ratio": (yes_ratio, "yeses over all answers", "compare it with the share of yes among the right answers"),
}


def named(name: str) -> Metric:
    """One of the POPE metrics, or ``yes_no_unparsed``; ``:official`` after the name takes POPE's own parser."""
    plain, _, variant = name.partition(":")
    parser = variant or "strict"
    formula, definition, edge = FORMULAS.get(plain, UNPARSED)
    column = f"yes_no.{parser}" if plain in FORMULAS else plain
    return Metric(
        name,
        functools.partial(measure_yes_no, parser),
        of_sums(formula, column),
        better="higher" if plain in FORMULAS else "lower",
        signature=sign(name, f"parse:{parser}", "unparsed:wrong" if parser == "strict" else "unparsed:yes"),
        source="Li et al. 2023 (POPE)",
        family="yes_no",
        columns=(column,),
        prepare=paired_texts,
        definition=definition,
        edge=edge,
    )


def pope(
    predictions: Sequence[str | None],
    references: Sequence[str],
    *,
    parser: str = "strict",
    unit: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
) -> dict[str, Estimate]:
    """``pope_accuracy``, ``pope_precision``, ``pope_recall``, ``pope_f1``, ``pope_yes_ratio`` and ``yes_no_unparsed``, by name.

    ``references`` are ``yes`` and ``no``; ``unit`` labels the pictures that several questions are about. With
    ``parser="official"`` every name ends in ``:official``. Raises `ValueError` for another parser, for a reference that
    is neither, and as `assay.metrics.texts.paired_texts`.

    >>> found = pope(["Yes.", "No", "I cannot tell"], ["yes", "yes", "no"])
    >>> {name: round(one.value, 3) for name, one in found.items()}
    {'pope_accuracy': 0.333, 'pope_precision': 1.0, 'pope_recall': 0.5, 'pope_f1': 0.667, 'pope_yes_ratio': 0.333,
     'yes_no_unparsed': 0.333}
    """
    if parser not in PARSERS:
        raise ValueError(f"a parser of {', '.join(PARSERS)} was expected, not {parser!r}")
    names = [*FORMULAS, "yes_no_unparsed"] if parser == "strict" else [f"{name}:{parser}" for name in FORMULAS]
    return scored([named(name) for name in names], predictions, references, unit=unit, seed=seed)
