"""Short answers compared as texts: exact match, token F1, ANLS, relaxed accuracy. Of several references the best counts.

- ``exact_match``: equal but for outer whitespace. ``exact_match:squad``: equal after SQuAD's normalisation (lower case,
  no ASCII punctuation, no articles, single spaces).
- ``token_f1``: harmonic mean of the precision and recall of tokens, counted with their repetitions, after SQuAD's
  normalisation. ``token_f1:zh``: every CJK character is a token of its own.
- ``anls``: 1 - NL where the normalised Levenshtein distance NL is below 1/2, else 0, of lower-case texts without outer
  whitespace. ``anls:mmf`` keeps NL = 1/2, as MMF does.
- ``relaxed_accuracy``: numbers within 5 % of the reference are right; other texts must be equal but for case.

Source: Rajpurkar et al. 2016; Biten et al. 2019 (ANLS); Methani et al. 2020 and Masry et al. 2022 (relaxed accuracy).
"""

from __future__ import annotations

import functools
import math
import re
import string
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.metrics.edits import distances
from assay.metrics.metric import Metric
from assay.metrics.standalone import estimate
from assay.metrics.texts import Texts, Values, mean_of_texts
from assay.types import Estimate

NO_PUNCTUATION = str.maketrans("", "", string.punctuation)
ARTICLE = re.compile(r"\b(?:a|an|the)\b")
CJK = re.compile("([\u2e80-\u9fff\uf900-\ufaff\uff66-\uff9f\uac00-\ud7af\U00020000-\U0003ffff])")

TOLERANCE = 0.05
"""How far a number may be from the reference, as a share of it."""


def squad(text: str) -> str:
    """SQuAD's normalisation.

    >>> squad(" The  Eiffel-Tower! ")
    'eiffeltower'
    """
    return " ".join(ARTICLE.sub(" ", text.lower().translate(NO_PUNCTUATION)).split())


def tokens(text: str) -> Counter[str]:
    """The tokens of a text after SQuAD's normalisation, with how often each occurs."""
    return Counter(squad(text).split())


def tokens_zh(text: str) -> Counter[str]:
    """The same, every CJK character a token of its own, other scripts' words as they are.

    >>> sorted(tokens_zh("在2024年，the NBA"))
    ['2024', 'nba', '在', '年']
    """
    plain = "".join(" " if not (char.isalnum() or char.isspace()) else char for char in text.lower())
    return Counter(ARTICLE.sub(" ", CJK.sub(r" \1 ", plain)).split())


def f1(predicted: Counter[str], true: Counter[str]) -> float:
    """The F1 of two bags of tokens; 1 where both are empty, 0 where one is (as SQuAD 2.0)."""
    if not predicted or not true:
        return float(not predicted and not true)
    shared = sum(min(count, true[token]) for token, count in predicted.items() if token in true)
    return 2 * shared / (predicted.total() + true.total())


def _equal(normal: Callable[[str], str], texts: Texts) -> Values:
    known = functools.lru_cache(maxsize=None)(normal)
    return texts.best(_pairwise(texts, lambda a, b: known(a) == known(b)))


def _shared(bag: Callable[[str], Counter[str]], texts: Texts) -> Values:
    known = functools.lru_cache(maxsize=None)(bag)
    return texts.best(_pairwise(texts, lambda a, b: f1(known(a), known(b))))


def _anls(at_half: float, texts: Texts) -> Values:
    known = functools.lru_cache(maxsize=None)(lambda text: text.lower().strip())
    first, second = [known(text) for text in texts.repeated], [known(text) for text in texts.references]
    lengths = np.array([[len(text) for text in side] for side in (first, second)], dtype=np.float64).reshape(2, -1)
    longest, shortest = np.maximum(lengths.max(axis=0), 1), lengths.min(axis=0)
    out = np.where(lengths.max(axis=0) == 0, 1.0, 0.0)
    # Every character that only the longer text has is an edit, so that many pairs are known to be 0 beforehand.
    near = np.flatnonzero((2 * shortest >= longest) & (out == 0))
    edits = distances([first[i] for i in near], [second[i] for i in near], texts.row[near])
    share = edits / longest[near]
    out[near] = np.where((share < 0.5) | (share == at_half), 1 - share, 0.0)
    return texts.best(out)


def _relaxed(texts: Texts) -> Values:
    return texts.best(_pairwise(texts, relaxed))


def relaxed(prediction: str, reference: str) -> bool:
    """Whether an answer is right by ChartQA's rule.

    A percent sign divides by 100. A reference of 0 has no relative error: then, and where one side is no finite number,
    the texts are compared.

    >>> relaxed("10.4", "10"), relaxed("9.6%", "0.1"), relaxed("0.0", "0"), relaxed("Yes ", "yes")
    (True, True, False, True)
    """
    given, wanted = _number(prediction), _number(reference)
    if given is not None and wanted:
        return abs(given - wanted) / abs(wanted) <= TOLERANCE
    return prediction.strip().lower() == reference.strip().lower()


def _number(text: str) -> float | None:
    plain = text.strip()
    scale = 100.0 if plain.endswith("%") else 1.0
    if len(plain) > 400:  # longer than any float is written; conversion of digits takes quadratic time
        return None
    try:
        value = float(plain.rstrip("%")) / scale
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _pairwise(texts: Texts, value: Callable[[str, str], float]) -> Values:
    pairs = zip(texts.repeated, texts.references, strict=True)
    return np.fromiter((value(*pair) for pair in pairs), dtype=np.float64, count=len(texts.references))


def _stripped(text: str) -> str:
    return text.strip()


SQUAD = "SQuAD: Rajpurkar et al. 2016"
METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        mean_of_texts(
            "exact_match",
            functools.partial(_equal, _stripped),
            recipe=("norm:strip",),
            interval="wilson",
            definition="share of answers that equal one of the references but for outer whitespace",
            edge="an empty answer equals an empty reference; undefined without rows",
            source="equality",
        ),
        mean_of_texts(
            "exact_match:squad",
            functools.partial(_equal, squad),
            recipe=("norm:squad",),
            interval="wilson",
            definition="share of answers that equal one of the references in lower case, without ASCII punctuation and articles",
            edge="'the' equals an empty reference; undefined without rows",
            source=SQUAD,
        ),
        mean_of_texts(
            "token_f1",
            functools.partial(_shared, tokens),
            recipe=("norm:squad", "tok:space"),
            definition="2 · shared tokens / (tokens of the answer + of the reference), best reference, after SQuAD's normalisation",
            edge="1 where neither has tokens, 0 where one has none",
            source=SQUAD,
        ),
        mean_of_texts(
            "token_f1:zh",
            functools.partial(_shared, tokens_zh),
            recipe=("norm:lower+punct+articles", "tok:cjk-characters"),
            definition="as token_f1, every CJK character a token of its own, punctuation of any script left out",
            edge="1 where neither has tokens, 0 where one has none",
            source="CMRC 2018: Cui et al. 2019, over characters",
        ),
        mean_of_texts(
            "anls",
            functools.partial(_anls, math.nan),
            recipe=("norm:lower+strip", "keep:nl<0.5"),
            definition="1 - edits / longer length where that share of edits is below 1/2, else 0; best reference",
            edge="1 for two empty texts; 0 from half the characters wrong",
            source="Biten et al. 2019 (ST-VQA, DocVQA)",
        ),
        mean_of_texts(
            "anls:mmf",
            functools.partial(_anls, 0.5),
            recipe=("norm:lower+strip", "keep:nl<=0.5"),
            definition="1 - edits / longer length where that share of edits is at most 1/2, else 0; best reference",
            edge="1 for two empty texts; 0 beyond half the characters wrong",
            source="Biten et al. 2019, as MMF computes it",
        ),
        mean_of_texts(
            "relaxed_accuracy",
            _relaxed,
            recipe=("within:5%", "norm:lower+strip"),
            interval="wilson",
            definition="share of numbers within 5 % of the reference and of other texts equal but for case; '%' divides by 100",
            edge="a reference of 0 is compared as text",
            source="Methani et al. 2020; Masry et al. 2022 (ChartQA)",
        ),
    )
}


def named(name: str) -> Metric:
    """One of the metrics above."""
    return METRICS[name]


def exact_match(
    predictions: Sequence[str | None],
    references: Sequence[str | Sequence[str]],
    *,
    norm: str = "strip",
    unit: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
) -> Estimate:
    """The share of answers that equal one of their references; ``norm`` is ``strip`` or ``squad``.

    Raises `ValueError` as `assay.metrics.texts.paired_texts`; so do the functions below.

    >>> exact_match(["Paris ", "the Rome"], ["Paris", ["Rome", "Roma"]]).items.tolist()
    [1.0, 0.0]
    """
    return _of({"strip": "exact_match", "squad": "exact_match:squad"}, norm, predictions, references, unit, seed)


def token_f1(
    predictions: Sequence[str | None],
    references: Sequence[str | Sequence[str]],
    *,
    tokens: str = "space",
    unit: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
) -> Estimate:
    """The mean F1 of the answers' tokens; ``tokens`` is ``space`` (words) or ``zh`` (CJK characters and words).

    >>> round(token_f1(["the red car"], ["a red sports car"]).value, 6)
    0.8
    """
    return _of({"space": "token_f1", "zh": "token_f1:zh"}, tokens, predictions, references, unit, seed)


def anls(
    predictions: Sequence[str | None],
    references: Sequence[str | Sequence[str]],
    *,
    keep: str = "below",
    unit: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
) -> Estimate:
    """The average normalised Levenshtein similarity; ``keep`` says whether half is ``below`` (0) or ``half`` counts (MMF).

    >>> anls(["kitten", "ab"], [["sitting", "kittens"], "cd"]).items.round(4).tolist()
    [0.8571, 0.0]
    """
    return _of({"below": "anls", "half": "anls:mmf"}, keep, predictions, references, unit, seed)


def relaxed_accuracy(
    predictions: Sequence[str | None],
    references: Sequence[str | Sequence[str]],
    *,
    unit: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
) -> Estimate:
    """The share of answers that are right by ChartQA's rule: numbers within 5 %, other texts equal but for case.

    >>> relaxed_accuracy(["104", "Blue"], ["100", "blue"]).value
    1.0
    """
    return estimate(METRICS["relaxed_accuracy"], predictions, references, unit=unit, seed=seed)


def _of(names: dict[str, str], asked: str, predictions: Any, references: Any, unit: Any, seed: int) -> Estimate:
    if asked not in names:
        raise ValueError(f"{' or '.join(names)} was expected, not {asked!r}")
    return estimate(METRICS[names[asked]], predictions, references, unit=unit, seed=seed)
