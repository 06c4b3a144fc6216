"""Multiple choice: which letter an answer names, without ever guessing, and the share that is right.

A text names a letter when it

1. begins with it: ``B``, ``(B)``, ``B. the dog``, ``**B**``, ``B because …``;
2. says so: ``the answer is B``, ``Answer: (B)``, ``\\boxed{B}``, ``答案是B``, every such saying naming the same letter;
3. is one of the options, word for word (where the options are given).

Otherwise it is unparsed: wrong, and counted in ``choice_unparsed``. No letter is drawn at random, as MMMU's reference
parser does (a model that refuses would score chance), and none is looked for in the middle of a sentence. ``A`` and
``I`` before another word are an article and a pronoun, no choice; ``B or C`` is no choice either.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.metrics.metric import Metric, Rows, sign, weighted_mean
from assay.metrics.standalone import scored
from assay.metrics.texts import Texts, normal_form, paired_texts
from assay.stats.inputs import listed
from assay.types import Estimate

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
USUAL = 8
"""So many letters are options where nobody says how many there are."""

LETTER = r"[(\[*\"'$]{0,9}([A-Z])(?![\w'])([)\]*\"'$.:]{0,9})"
FIRST = re.compile(LETTER)
SAID = re.compile(
    r"(?:\b(?:[Aa]nswer|ANSWER)(?:\s(?:is|IS|would be|should be|must be)\b)?|答案(?:应该)?[是为选]?)\s?[:=]?\s?"
    rf"(?:(?:[Oo]ption|[Cc]hoice|选项)\s?)?{LETTER}"
)
BOXED = re.compile(r"\\boxed\{(?:\\text\{)?\s?\(?([A-Z])\)?\s?\}(\}?)")
ALONE = re.compile(r"[(\[]?([a-z])[)\].:]{0,2}")
ANOTHER = re.compile(
    r"\s?(?:(?:and|or|&|/|和|或|、)\s?[(\[*\"']{0,9}[A-Z](?!\w)"
    r"|,\s?[(\[*\"']{0,9}(?:[B-HJ-Z](?!\w)|[AI](?![\w']|\s\w)))"
)
WORD = re.compile(r"[^\S\n](?!(?:because|since)\b)[^\W\d_]")


def parse_choice(text: str, options: int | Sequence[str] = USUAL) -> str | None:
    """The letter that an answer names, None if it names none; ``options`` are their texts, or how many there are.

    >>> [parse_choice(t) for t in ("(B) a dog", "The answer is C.", "A dog is running", "B or C", "I am not sure")]
    ['B', 'C', None, None, None]
    >>> parse_choice("a dog", ["A cat", "A dog"])
    'B'
    """
    plain = re.sub(r"[^\S\n]+", " ", normal_form("NFKC", text)).strip()
    many = options if isinstance(options, int) else len(options)
    found = _first(plain) or _said(plain) or _verbatim(plain, () if isinstance(options, int) else options)
    return found if found is not None and found in LETTERS[:many] else None


def _first(plain: str) -> str | None:
    alone = ALONE.fullmatch(plain)
    if alone is not None:
        return alone[1].upper()
    found = FIRST.match(plain)
    return None if found is None else _named(found, plain, mark_needed=True)


def _said(plain: str) -> str | None:
    """The letter on which all sayings agree."""
    letters = {_named(found, plain) for found in SAID.finditer(plain)}
    letters |= {found[1] for found in BOXED.finditer(plain)}
    return letters.pop() if len(letters) == 1 else None


def _named(found: re.Match[str], plain: str, mark_needed: bool = False) -> str | None:
    """The letter, unless it is a word of the sentence or one of several."""
    letter, marks, end = found[1], found[2], found.end()
    if ANOTHER.match(plain, found.end(1)) or ANOTHER.match(plain, end):
        return None
    if letter in "AI" and not marks and WORD.match(plain, end):
        return None
    parted = bool(set(marks) & set(".:)")) or end == len(plain) or plain[end].isspace()
    return letter if parted or not mark_needed else None


def _verbatim(plain: str, options: Sequence[str]) -> str | None:
    """The letter of the one option that the answer repeats, but for case, outer whitespace and a final period."""
    said = _folded(plain)
    same = [letter for letter, option in zip(LETTERS, options, strict=False) if said and _folded(option) == said]
    return same[0] if len(same) == 1 else None


def _folded(text: str) -> str:
    return " ".join(normal_form("NFKC", text).casefold().split()).rstrip(" .。")


@functools.lru_cache(maxsize=1 << 16)
def _usual(text: str, many: int) -> str | None:
    return parse_choice(text, many)


def measure_choices(texts: Texts, options: Sequence[Sequence[str]] | None = None) -> Rows:
    """Columns ``multiple_choice`` and ``choice_unparsed`` ``[n]``, 0 and 1; references are letters (one a row).

    ``options`` holds the options' texts of each row; without, letters up to H, or to the last reference's, are options.
    Raises `ValueError` for a reference that is no single letter or none of the options, naming the row.
    """
    true = [_letter(row, text) for row, text in zip(texts.row.tolist(), texts.references, strict=True)]
    if len(true) != len(texts):
        raise ValueError("one right letter a row was expected, not several")
    if options is None:
        many = max([USUAL, *(LETTERS.index(letter) + 1 for letter in true)])
        said = [_usual(text, many) for text in texts.predictions]
    else:
        said = [parse_choice(text, given) for text, given in zip(texts.predictions, options, strict=True)]
        for row, (letter, given) in enumerate(zip(true, options, strict=True)):
            if letter not in LETTERS[: len(given)]:
                raise ValueError(f"row {row}: the right letter {letter} is none of {len(given)} options")
    right = np.fromiter((a == b for a, b in zip(said, true, strict=True)), dtype=np.float64, count=len(true))
    unparsed = np.fromiter((letter is None for letter in said), dtype=np.float64, count=len(true))
    return {"multiple_choice": texts.over(right), "choice_unparsed": texts.over(unparsed)}


def _letter(row: int, text: str) -> str:
    letter = text.strip().strip("()").upper()
    if len(letter) != 1 or letter not in LETTERS:
        raise ValueError(f"row {row}: a letter was expected as the right answer, not {text!r:.80}")
    return letter


METRICS = {
    "multiple_choice": Metric(
        "multiple_choice",
        measure_choices,
        weighted_mean("multiple_choice"),
        interval="wilson",
        item="multiple_choice",
        signature=sign("multiple_choice", "parse:strict", "unparsed:wrong"),
        source="grammar of the letter, as MMBench's rule-based step; never a random option",
        family="choices",
        prepare=paired_texts,
        definition="share of answers whose letter is right: at the beginning, after 'the answer is', or the option word for word",
        edge="an answer that names no letter, or several, is wrong and counted in choice_unparsed",
    ),
    "choice_unparsed": Metric(
        "choice_unparsed",
        measure_choices,
        weighted_mean("choice_unparsed"),
        interval="wilson",
        better="lower",
        item="choice_unparsed",
        signature=sign("choice_unparsed", "parse:strict"),
        source="grammar of the letter",
        family="choices",
        prepare=paired_texts,
        definition="share of answers that name no letter, or several",
        edge="a missing answer is not an unparsed one",
    ),
}


def named(name: str) -> Metric:
    """``multiple_choice`` or ``choice_unparsed``."""
    return METRICS[name]


def multiple_choice(
    predictions: Sequence[str | None],
    references: Sequence[str | int],
    *,
    options: Sequence[Sequence[str]] | None = None,
    unit: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
) -> dict[str, Estimate]:
    """``multiple_choice`` (the share of right answers) and ``choice_unparsed`` (of those that name no option), by name.

    ``references`` are letters, or places counted from 0; ``options`` the options' texts, a list a row. Raises
    `ValueError` as `measure_choices` and `assay.metrics.texts.paired_texts`.

    >>> found = multiple_choice(["B. a dog", "I cannot tell"], ["B", "A"])
    >>> found["multiple_choice"].value, found["choice_unparsed"].value
    (0.5, 0.5)
    """
    if options is not None and len(options) != len(predictions):
        raise ValueError(f"a list of options a row was expected: {len(predictions)} rows, {len(options)} lists")
    asked = functools.partial(measure_choices, options=options)
    chosen = [replace(metric, measure=asked) for metric in METRICS.values()]
    return scored(chosen, predictions, letters(references), unit=unit, seed=seed)


def letters(references: Sequence[str | int]) -> list[str]:
    """Right answers as letters; whole numbers are places counted from 0."""
    listed(references, "references")
    out = []
    for row, one in enumerate(references):
        if isinstance(one, int | np.integer) and not isinstance(one, bool) and not 0 <= one < len(LETTERS):
            raise ValueError(f"row {row}: a place from 0 to {len(LETTERS) - 1} was expected, not {one}")
        out.append(LETTERS[one] if isinstance(one, int | np.integer) else one)
    return out
