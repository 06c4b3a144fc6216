"""MME's scores: for each subtask the accuracy of answers plus the share of pictures with both answers right, in percent.

``mme_perception`` sums ten subtasks (at most 2,000), ``mme_cognition`` four (800). An answer is read as MME's tool does: yes or no if it is
that word, else if its first four letters hold it; anything else is wrong, and counted in ``mme_unparsed``. Rows are single answers; a
picture's outcome stands in the row of its first answer, as in `assay.metrics.circular`.

Source: Fu et al. 2023 (MME); its eval_tool/calculation.py.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from assay.metrics.circular import of_groups
from assay.metrics.metric import Metric, Rows, of_sums, ratio, sign, weighted_mean

Values = NDArray[np.float64]

PERCEPTION = ("existence", "count", "position", "color", "posters", "celebrity", "scene", "landmark", "artwork", "OCR")
COGNITION = ("commonsense_reasoning", "numerical_calculation", "text_translation", "code_reasoning")
SUBTASKS = (*PERCEPTION, *COGNITION)
COLUMNS = ("mme.right", "mme.asked", "mme.both", "mme.pairs")
MEANS = {
    "mme_accuracy": "share of right answers",
    "mme_accuracy_plus": "share of pictures with both answers right",
    "mme_unparsed": "share of answers that are neither yes nor no",
}


def says(text: str) -> str:
    """``yes``, ``no`` or ``other``.

    >>> [says(t) for t in ("Yes.", "no", "The answer is yes", "I know")]
    ['yes', 'no', 'other', 'other']
    """
    head = text.lower() if text.lower() in ("yes", "no") else text.lower()[:4]
    return "yes" if "yes" in head else "no" if "no" in head else "other"


def measure_mme(
    predictions: Sequence[str],
    references: Sequence[str],
    subtask: Sequence[str],
    picture: Sequence[Hashable],
    lost: Collection[Hashable] = (),
) -> Rows:
    """Columns of single answers, of pictures, and by subtask ``mme.right``, ``mme.asked``, ``mme.both``, ``mme.pairs`` ``[n, 14]``.

    ``lost`` are the pictures of which an answer is missing. Raises `ValueError` for a reference that is neither yes nor no.
    """
    for row, text in enumerate(references):
        if text.lower() not in ("yes", "no"):
            raise ValueError(f"row {row}: yes or no was expected as the right answer, not {text!r:.60}")
    said = [says(text) for text in predictions]
    right = np.array([one == text.lower() for one, text in zip(said, references, strict=True)], dtype=np.float64)
    both = of_groups(right, picture, lost)
    numbers = {name: number for number, name in enumerate(SUBTASKS)}
    place = np.array([numbers.get(name, -1) for name in subtask], dtype=np.intp)
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


def named(name: str) -> Metric:
    """``mme_perception``, ``mme_cognition``, ``mme_accuracy``, ``mme_accuracy_plus`` or ``mme_unparsed``."""
    if name in MEANS:
        return Metric(
            name,
            measure_mme,
            weighted_mean(name),
            interval="wilson",
            better="lower" if name == "mme_unparsed" else "higher",
            item=name,
            signature=sign(name, "parse:official"),
            source="Fu et al. 2023 (MME)",
            family="mme",
            definition=MEANS[name],
            edge="a picture with a missing answer is undefined" if name == "mme_accuracy_plus" else "",
        )
    subtasks = PERCEPTION if name == "mme_perception" else COGNITION
    return Metric(
        name,
        measure_mme,
        of_sums(summed(subtasks), *COLUMNS),
        bounds=(0.0, 200.0 * len(subtasks)),
        signature=sign(name, "parse:official", "missing:undefined"),
        source="Fu et al. 2023 (MME)",
        family="mme",
        columns=COLUMNS,
        definition=f"sum over {', '.join(subtasks)} of 100 (accuracy + share of pictures with both answers right)",
        edge="a subtask of which nothing was asked adds nothing",
    )
