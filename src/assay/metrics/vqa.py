"""VQA accuracy: the share of annotators that agree with an answer, as the official script of VQA v2 computes it.

An answer counts min(1, matches / 3), averaged over the subsets that leave out one of the annotators (by place, never by
equality). With ten annotators 0, 1, 2, 3, 4 matches are 0, .3, .6, .9, 1. Normalisation has quirks that are part of
the standard, and are kept:

- texts are compared as they stand (but for outer spaces and line breaks) where all annotators agree to the letter;
- whether a punctuation mark is deleted or becomes a space is decided on the text as it came;
- every period that no digit follows goes, but at most 32 of them;
- capitals are gone before contractions are mended, so that ``Im`` stays ``im``.

``norm="always"`` normalises every row (what other harnesses do, and right for free answers of language models);
``norm="evalai_textvqa"`` is TextVQA's variant. With one reference the value is the normalised exact match.

Source: Antol et al. 2015; Goyal et al. 2017; `PythonEvaluationTools/vqaEvaluation/vqaEval.py` of GT-Vision-Lab/VQA;
`EvalAIAnswerProcessor` of MMF for TextVQA.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.metrics.metric import Metric
from assay.metrics.standalone import estimate
from assay.metrics.texts import Texts, Values, distinct, mean_of_texts
from assay.types import Estimate

MARKS = ';/[]"{}()=+\\_-><@`,?!'
"""The punctuation that goes; colon, apostrophe, $, %, &, * and # stay."""

MOST_PERIODS = 32
"""The reference passes a flag (`re.UNICODE`, 32) where the number of replacements belongs."""

PERIOD = re.compile(r"\.(?!\d)")
DIGIT_COMMA = re.compile(r"\d,\d")

TO_TEN = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
NUMBERS = {"none": "0"} | {word: str(n) for n, word in enumerate(TO_TEN)}
ARTICLES = frozenset({"a", "an", "the"})

ONE_APOSTROPHE = """
ain't aren't can't could've couldn't didn't doesn't don't hadn't hasn't haven't he'd he's how'd how'll how's isn't it'd it'll ma'am
mightn't might've mustn't must've needn't not've o'clock oughtn't shan't should've shouldn't somebody'll somebody's someone'd
someone'll someone's something'd something'll that's there'd there're there's they'd they'll they're they've 'twas wasn't we've
weren't what'll what're what's what've when's where'd where's where've who'd who'll who's who've why'll why're why's won't would've
wouldn't y'all you'd you'll you're you've
"""
"""Contractions that are known when written without their apostrophe."""

MORE_APOSTROPHES = """
couldn't've hadn't've he'd've it'd've mightn't've 'ow's'at she'd've shouldn't've somebody'd've someone'd've something'd've there'd've
they'd've we'd've who'd've wouldn't've y'all'll y'all'd've you'd've
"""
"""Contractions that are known when any one of their apostrophes is forgotten."""


def _contractions() -> dict[str, str]:
    table = {word.replace("'", ""): word for word in ONE_APOSTROPHE.split()}
    for word in MORE_APOSTROPHES.split():
        table |= {word[:at] + word[at + 1 :]: word for at, mark in enumerate(word) if mark == "'"}
    return table | {"somebody'd": "somebodyd"}  # the reference has this one the wrong way round


CONTRACTIONS = _contractions()


def normalise(text: str) -> str:
    """A text as VQA v2 compares it: punctuation, numbers to ten, articles, contractions.

    >>> normalise("The Two dogs."), normalise("1,000-meter race"), normalise("Dont know"), normalise("5 p.m.")
    ('2 dogs', '1000meter race', "don't know", '5 pm')
    """
    return _words(_punctuation(_trimmed(text)))


def normalise_textvqa(text: str) -> str:
    """A text as TextVQA's evaluation compares it: first without commas and question marks, and ``'s`` apart.

    >>> normalise_textvqa("Macy's, New York?")
    "macy 's new york"
    """
    apart = text.lower().replace(",", "").replace("?", "").replace("'s", " 's").strip()
    return normalise(apart)


def _trimmed(text: str) -> str:
    return text.replace("\n", " ").replace("\t", " ").strip()


def _punctuation(text: str) -> str:
    out, comma = text, DIGIT_COMMA.search(text) is not None
    for mark in MARKS:
        if mark in text:
            out = out.replace(mark, "" if comma or mark + " " in text or " " + mark in text else " ")
    return PERIOD.sub("", out, count=MOST_PERIODS) if "." in out else out


def _words(text: str) -> str:
    words = (NUMBERS.get(word, word) for word in text.lower().split())
    return " ".join(CONTRACTIONS.get(word, word) for word in words if word not in ARTICLES)


NORMS: dict[str, tuple[str, Callable[[str], str]]] = {
    "official": ("vqa_accuracy", normalise),
    "always": ("vqa_accuracy:always", normalise),
    "evalai_textvqa": ("vqa_accuracy:evalai_textvqa", normalise_textvqa),
}
"""The metric's name and the normalisation of each ``norm``; ``official`` alone spares rows whose annotators all agree."""


def leave_one_out(matches: NDArray[Any], annotators: NDArray[Any]) -> Values:
    """The accuracy of answers that ``matches`` of ``annotators`` gave; with one annotator whether it matches.

    >>> leave_one_out(np.array([0, 1, 2, 3, 4, 1]), np.array([10, 10, 10, 10, 10, 1])).tolist()
    [0.0, 0.3, 0.6, 0.9, 1.0, 1.0]
    """
    without = matches * np.minimum(1, np.maximum(matches - 1, 0) / 3)
    within = (annotators - matches) * np.minimum(1, matches / 3)
    return np.where(annotators > 1, (without + within) / annotators, matches.astype(np.float64))


def accuracies(norm: str, texts: Texts) -> Values:
    """The accuracy ``[n]`` of each prediction under one of `NORMS`."""
    if not len(texts):
        return np.zeros(0)
    kinds, code = distinct([*texts.predictions, *texts.references])
    normal = distinct([NORMS[norm][1](text) for text in kinds])[1][code]
    if norm == "official":
        raw = distinct([_trimmed(text) for text in kinds])[1][code]
        human = raw[len(texts) :]
        agree = np.minimum.reduceat(human, texts.first) == np.maximum.reduceat(human, texts.first)
        spared = agree & (texts.count > 1)
        normal = np.where(np.concatenate([spared, spared[texts.row]]), raw, normal)
    same = normal[len(texts) :] == normal[: len(texts)][texts.row]
    return leave_one_out(np.add.reduceat(same.astype(np.intp), texts.first), texts.count)


def named(name: str) -> Metric:
    """The metric ``vqa_accuracy`` (official), ``vqa_accuracy:always`` or ``vqa_accuracy:evalai_textvqa``."""
    norm = next(norm for norm, (known, _) in NORMS.items() if known == name)
    spared = "rows whose annotators agree to the letter are compared as they stand; " if norm == "official" else ""
    return mean_of_texts(
        name,
        functools.partial(accuracies, norm),
        recipe=(f"norm:{norm}",),
        definition="mean over the annotators left out of min(1, matches among the others / 3) after normalisation"
        f" ({spared}at most {MOST_PERIODS} periods go); with one reference the normalised exact match",
        edge="0 where no annotator gave the answer; with 2 or 3 annotators at most 1/3 or 2/3; undefined without rows",
        source="VQA v2, vqaEval.py (GT-Vision-Lab/VQA)" + ("; TextVQA, MMF" if norm == "evalai_textvqa" else ""),
    )


def vqa_accuracy(
    answers: Sequence[str | None],
    human_answers: Sequence[Sequence[str]],
    *,
    norm: str = "official",
    unit: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
) -> Estimate:
    """VQA accuracy in [0, 1] of one answer a question, given its annotators' answers; ``items`` holds each question's.

    ``norm`` is ``official``, ``always`` or ``evalai_textvqa`` (see `assay.metrics.vqa`); ``unit`` labels what is
    resampled together (the picture that several questions are about). Slices by answer or question type:
    `assay.metrics.estimates`. Raises `ValueError` for another norm and as `assay.metrics.texts.paired_texts`.

    >>> found = vqa_accuracy(["Red.", "2"], [["red"] * 3 + ["blue"] * 7, ["two"] * 5 + ["3"] * 5])
    >>> found.items.tolist(), found.signature.split("|")[:3]
    ([0.9, 1.0], ['vqa_accuracy', 'norm:official', 'refs:10'])
    """
    if norm not in NORMS:
        raise ValueError(f"a norm of {', '.join(NORMS)} was expected, not {norm!r}")
    return estimate(named(NORMS[norm][0]), answers, human_answers, unit=unit, seed=seed)
