"""Answers that count together with others: rotations of one question (MMBench), two questions about a picture (MME).

Rows are answers, as everywhere; what concerns a whole group stands in the row of its first answer and is NaN in the others, so
that weights on rows and on units give the same figure. A group of which an answer is missing is undefined.

``circular_accuracy``: right in every rotation (Liu et al. 2023). ``:official`` reads letters as VLMEvalKit does without a judge: the one
option letter among the words, within the last five of them, else ``answer is X``, else the one option whose text the answer holds.

MME (Fu et al. 2023): for each subtask the accuracy of answers plus the share of pictures with both answers right, in percent; the
sum over ten subtasks of perception, four of cognition. An answer is yes or no if it is the word, or if its first four letters hold it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay import metrics
from assay.evaluation.task import Task
from assay.metrics.choice import LETTERS, parse_choice
from assay.metrics.metric import Metric, Rows, of_sums, ratio, sign, weighted_mean
from assay.types import Sample

Values = NDArray[np.float64]

PERCEPTION = ("existence", "count", "position", "color", "posters", "celebrity", "scene", "landmark", "artwork", "OCR")
COGNITION = ("commonsense_reasoning", "numerical_calculation", "text_translation", "code_reasoning")
SUBTASKS = (*PERCEPTION, *COGNITION)
MARKS = str.maketrans(dict.fromkeys(".()[],:;!*#{}", " "))
LAST_WORDS = 5
STATED = re.compile(r"(?:correct\s+)?answer\s+is\s+\**([ABCD])\**", re.IGNORECASE)
REFUSALS = (
    "Sorry, I can't help with images of people yet.",
    "I can't process this file.",
    "I'm sorry, but without the image provided",
    "Cannot determine the answer",
)


def measure(
    given: Sequence[Metric], task: Task, came: Sequence[str], samples: Sequence[Sample], lost: Sequence[Sample]
) -> Rows:
    """The rows of metrics that are neither of texts nor of labels: one for each answer that came. ``lost`` are the samples of those
    that did not. `ValueError` for a sample whose right answer is no letter, or neither yes nor no."""
    rows: dict[str, NDArray[Any]] = {}
    plain = [metric for metric in given if metric.family == "yes_no"]
    if plain:
        rows.update(metrics.measure(plain, list(came), [expected(sample) for sample in samples]))
    families = {metric.family for metric in given}
    if families & {"choices", "groups"}:
        rows.update(measure_rotations(task, came, samples, lost))
    if "mme" in families:
        rows.update(measure_mme(task, came, samples, lost))
    return rows


def expected(sample: Sample) -> str:
    """The one right answer."""
    return str(sample.references[0] if sample.target is None else sample.target)


def measure_rotations(task: Task, came: Sequence[str], samples: Sequence[Sample], lost: Sequence[Sample]) -> Rows:
    """Columns of single answers (``choice_accuracy``, ``choice_unparsed``) and of whole groups, for both ways of reading."""
    options = [task.dataset.options.get(sample.id, ()) for sample in samples]
    true = [expected(sample) for sample in samples]
    for sample, letter in zip(samples, true, strict=True):
        if letter not in LETTERS:
            raise ValueError(f"sample {sample.id!r}: a letter was expected as the right answer, not {letter!r:.60}")
    rows: dict[str, NDArray[Any]] = {}
    for suffix, read in (("", strictly), (":official", as_vlmevalkit)):
        said = [read(text, texts) for text, texts in zip(came, options, strict=True)]
        right = np.array([one == letter for one, letter in zip(said, true, strict=True)], dtype=np.float64)
        rows[f"circular_accuracy{suffix}"] = of_groups(task, right, samples, lost)
        if not suffix:
            rows["choice_accuracy"] = right
            rows["choice_unparsed"] = np.array([one is None for one in said], dtype=np.float64)
    return rows


def strictly(text: str, options: Sequence[str]) -> str | None:
    """The letter that an answer names, by `assay.metrics.choice`."""
    return parse_choice(text, list(options))


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


def of_groups(task: Task, right: Values, samples: Sequence[Sample], lost: Sequence[Sample]) -> Values:
    """1 where all answers of a unit are right, 0 where one is not, in the row of its first; NaN in the others and where one is lost."""
    out = np.full(len(samples), np.nan)
    first: dict[str, int] = {}
    gone = {task.unit_of(sample) for sample in lost}
    for row, sample in enumerate(samples):
        unit = task.unit_of(sample)
        if unit in gone:
            continue
        if unit not in first:
            first[unit] = row
            out[row] = 1.0
        out[first[unit]] = min(out[first[unit]], right[row])
    return out


def says(text: str) -> str:
    """``yes``, ``no`` or ``other``, as MME's own tool reads an answer.

    >>> [says(t) for t in ("Yes.", "no", "The answer is yes", "I know")]
    ['yes', 'no', 'other', 'other']
    """
    head = text.lower() if text.lower() in ("yes", "no") else text.lower()[:4]
    return "yes" if "yes" in head else "no" if "no" in head else "other"


def measure_mme(task: Task, came: Sequence[str], samples: Sequence[Sample], lost: Sequence[Sample]) -> Rows:
    """Single answers, pairs, and both by subtask: ``mme.right``, ``mme.asked``, ``mme.both``, ``mme.pairs`` ``[n, subtasks]``."""
    said = [says(text) for text in came]
    right = np.array([one == expected(s).lower() for one, s in zip(said, samples, strict=True)], dtype=np.float64)
    both = of_groups(task, right, samples, lost)
    numbers = {name: number for number, name in enumerate(SUBTASKS)}
    place = np.array([numbers.get(sample.groups.get("subtask", ""), -1) for sample in samples], dtype=np.intp)
    one_hot = (place[:, None] == np.arange(len(SUBTASKS))).astype(np.float64)
    pairs = ~np.isnan(both)
    return {
        "mme_accuracy": right,
        "mme_accuracy_plus": both,
        "mme_unparsed": np.array([one == "other" for one in said], dtype=np.float64),
        "mme.right": one_hot * right[:, None],
        "mme.asked": one_hot,
        "mme.both": one_hot * np.where(pairs, both, 0.0)[:, None],
        "mme.pairs": one_hot * pairs[:, None],
    }


def summed(subtasks: Sequence[str]) -> Callable[..., Values]:
    """The formula of a total over subtasks; those of which nothing was asked add nothing, none at all is undefined."""
    chosen = [SUBTASKS.index(name) for name in subtasks]

    def total(weights: Values, right: Values, asked: Values, both: Values, pairs: Values) -> Values:
        singles, doubles = ratio(right[:, chosen], asked[:, chosen]), ratio(both[:, chosen], pairs[:, chosen])
        scores = 100 * (singles + doubles)
        there = ~np.isnan(scores)
        return np.where(there.any(axis=1), np.where(there, scores, 0.0).sum(axis=1), np.nan)

    return total


def _mean(name: str, family: str, definition: str, *, better: str = "higher", parts: tuple[str, ...] = ()) -> Metric:
    return Metric(
        name,
        measure,
        weighted_mean(name),
        interval="wilson",
        better=better,
        item=name,
        signature=sign(name, *parts),
        family=family,
        definition=definition,
        edge="a group with a missing answer is undefined" if parts else "",
    )


def _total(name: str, subtasks: Sequence[str]) -> Metric:
    return Metric(
        name,
        measure,
        of_sums(summed(subtasks), "mme.right", "mme.asked", "mme.both", "mme.pairs"),
        bounds=(0.0, 200.0 * len(subtasks)),
        signature=sign(name, "parse:official", "missing:undefined"),
        family="mme",
        columns=("mme.right", "mme.asked", "mme.both", "mme.pairs"),
        source="Fu et al. 2023 (MME)",
        definition=f"sum over {', '.join(subtasks)} of 100 (accuracy + share of pictures with both answers right)",
        edge="a subtask of which nothing was asked adds nothing",
    )


GROUPED: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        _mean("circular_accuracy", "groups", "share of questions right in every rotation", parts=("parse:strict",)),
        _mean("circular_accuracy:official", "groups", "the same, read as VLMEvalKit does", parts=("parse:official",)),
        _mean("choice_accuracy", "choices", "share of single answers that name the right letter"),
        _mean("choice_unparsed", "choices", "share of answers that name no letter", better="lower"),
        _mean("mme_accuracy", "mme", "share of right answers"),
        _mean("mme_accuracy_plus", "mme", "share of pictures with both answers right", parts=("missing:undefined",)),
        _mean("mme_unparsed", "mme", "share of answers that are neither yes nor no", better="lower"),
        _total("mme_perception", PERCEPTION),
        _total("mme_cognition", COGNITION),
    )
}
"""Metrics of groups of answers that a card can name."""
