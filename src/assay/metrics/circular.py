"""CircularEval row by row: a question is right if it is right in every rotation of its options (Liu et al. 2023, MMBench).

Rows are single answers. The outcome of a whole group stands in the row of its first answer and is NaN in the others, so that weights
on rows and on units give one figure; a group of which an answer is missing is undefined. `assay.metrics.groups` has the same with a
row for each group.

``circular_accuracy:official`` reads letters as VLMEvalKit does without a judge: the one option letter among the words, if it is one of
the last five; else ``answer is X``; else the one option whose text the answer holds.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from assay.metrics.choice import LETTERS, parse_choice
from assay.metrics.metric import Metric, Rows, sign, weighted_mean

Values = NDArray[np.float64]

MARKS = str.maketrans(dict.fromkeys(".()[],:;!*#{}", " "))
LAST_WORDS = 5
STATED = re.compile(r"(?:correct\s+)?answer\s+is\s+\**([ABCD])\**", re.IGNORECASE)
REFUSALS = (
    "Sorry, I can't help with images of people yet.",
    "I can't process this file.",
    "I'm sorry, but without the image provided",
    "Cannot determine the answer",
)


def strictly(text: str, options: Sequence[str]) -> str | None:
    """The letter that an answer names, by `assay.metrics.choice`."""
    return parse_choice(text, list(options)) if options else parse_choice(text)


def as_vlmevalkit(text: str, options: Sequence[str]) -> str | None:
    """The letter that VLMEvalKit's exact matching infers from an answer; ``Z``, no option, from a refusal; None from nothing.

    >>> [as_vlmevalkit(t, ("a cat", "a dog")) for t in ("B", "The answer is (B).", "It is a dog", "A or B", "")]
    ['B', 'B', 'B', None, None]
    """
    if any(words in text for words in REFUSALS):
        return "Z"
    letters = LETTERS[: len(options)]
    words = text.translate(MARKS).split()
    named = [letter for letter in letters if letter in words]
    if len(named) == 1 and words.index(named[0]) > len(words) - LAST_WORDS:
        return named[0]
    if not named and "Z" in words:
        return "Z"
    stated = STATED.search(text)
    if stated is not None and stated[1].upper() in letters:
        return stated[1].upper()
    low, folded = text.lower(), [option.lower() for option in options]
    if len(low) > 2 * sum(map(len, folded)):
        return None
    held = [letter for letter, option in zip(letters, folded, strict=True) if option in low]
    return held[0] if len(held) == 1 else None


READERS = {"": strictly, ":official": as_vlmevalkit}


def of_groups(right: Values, group: Sequence[Hashable], lost: Collection[Hashable] = ()) -> Values:
    """1 where all answers of a group are right, 0 where one is not, in the row of its first; NaN in the others and in ``lost`` groups.

    >>> of_groups(np.array([1.0, 1.0, 1.0, 0.0]), ["x", "x", "y", "y"]).tolist()
    [1.0, nan, 0.0, nan]
    """
    out = np.full(len(right), np.nan)
    first: dict[Hashable, int] = {}
    for row, name in enumerate(group):
        if name in lost:
            continue
        if name not in first:
            first[name] = row
            out[row] = 1.0
        out[first[name]] = min(out[first[name]], right[row])
    return out


def measure_rotations(
    predictions: Sequence[str],
    letters: Sequence[str],
    group: Sequence[Hashable],
    options: Sequence[Sequence[str]] | None = None,
    lost: Collection[Hashable] = (),
) -> Rows:
    """Columns ``circular_accuracy`` and ``circular_accuracy:official`` of groups, ``multiple_choice`` and ``choice_unparsed`` of answers.

    ``letters`` are right, ``options`` the texts of each row's options, ``lost`` the groups of which an answer is missing. Raises
    `ValueError` for a reference that is no letter, naming the row.
    """
    texts = [()] * len(predictions) if options is None else options
    for row, letter in enumerate(letters):
        if len(letter) != 1 or letter not in LETTERS:
            raise ValueError(f"row {row}: a letter was expected as the right answer, not {letter!r:.60}")
    rows = {}
    for suffix, read in READERS.items():
        said = [read(text, given) for text, given in zip(predictions, texts, strict=True)]
        right = np.array([one == letter for one, letter in zip(said, letters, strict=True)], dtype=np.float64)
        rows[f"circular_accuracy{suffix}"] = of_groups(right, group, lost)
        if not suffix:
            rows["multiple_choice"] = right
            rows["choice_unparsed"] = np.array([one is None for one in said], dtype=np.float64)
    return rows


def named(name: str) -> Metric:
    """``circular_accuracy``, or ``circular_accuracy:official``."""
    reader = "official" if name.endswith(":official") else "strict"
    return Metric(
        name,
        measure_rotations,
        weighted_mean(name),
        interval="wilson",
        item=name,
        signature=sign(name, f"parse:{reader}", "missing:undefined"),
        source="Liu et al. 2023 (MMBench)",
        family="rotations",
        definition="share of questions that are answered rightly in every rotation of their options",
        edge="a question with a missing answer is undefined; a constant letter gives 0",
    )
