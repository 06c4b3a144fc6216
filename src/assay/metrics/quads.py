"""Two by two: Winoground's captions and images, NaturalBench's questions and images.

Winoground: ``s[caption, image]``. Text: each image prefers its own caption; image: each caption prefers its own image;
group: both. Ties are wrong. Chance is 1/4, 1/4, 1/6.

NaturalBench: ``[question, image]``. Question: a question right on both images; image: an image right on both questions;
group: all four. Chance is 1/4, 1/4, 1/16 (1/2 for single answers). Answers are read as its script does: the first whole
word that is yes or no (A or B where those are the answers), in either case; an answer without is wrong and unparsed.

Source: Thrush et al. 2022; Li et al. 2024, naturalbench_vqa.py of Baiqi-Li/NaturalBench.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.metrics.metric import Metric, Rows, sign, weighted_mean
from assay.metrics.standalone import estimates
from assay.stats.inputs import floats, listed
from assay.types import Estimate

YES_NO, LETTER = re.compile(r"\b(yes|no)\b", re.IGNORECASE), re.compile(r"\b(a|b)\b", re.IGNORECASE)
SPOKEN = {"yes": YES_NO, "no": YES_NO, "a": LETTER, "b": LETTER}
"""What is looked for in an answer, by the right answer."""


def measure_winoground(scores: ArrayLike) -> Rows:
    """Columns of the three scores ``[n]`` from ``scores[n, caption, image]``.

    Raises `ValueError` for another shape and for a score that is NaN, naming the row.
    """
    s = floats(scores, "scores")
    s = s.reshape(0, 2, 2) if s.size == 0 else s
    if s.ndim != 3 or s.shape[1:] != (2, 2):
        raise ValueError(f"scores [n, 2 captions, 2 images] were expected, not of shape {s.shape}")
    broken = np.flatnonzero(np.isnan(s).any(axis=(1, 2)))
    if len(broken):
        raise ValueError(f"row {broken[0]} holds a score that is NaN ({len(broken)} such rows)")
    text = (s[:, 0, 0] > s[:, 1, 0]) & (s[:, 1, 1] > s[:, 0, 1])
    image = (s[:, 0, 0] > s[:, 0, 1]) & (s[:, 1, 1] > s[:, 1, 0])
    columns = {"winoground_text": text, "winoground_image": image, "winoground_group": text & image}
    return {name: column.astype(np.float64) for name, column in columns.items()}


def measure_naturalbench(predictions: Sequence[Any], references: Sequence[Any]) -> Rows:
    """Columns of the four accuracies and of the unparsed share ``[n]``; a group with a missing answer is NaN in all.

    Raises `ValueError` for groups that have not four cells, and for right answers that are none, naming the row.
    """
    answers, true = (_cells(what, given) for what, given in (("answers", predictions), ("references", references)))
    if len(answers) != len(true):
        raise ValueError(f"as many groups of answers as of references were expected: {len(answers)} and {len(true)}")
    right, unparsed = np.zeros((2, len(true), 2, 2))
    for place in np.ndindex(true.shape):
        right[place], unparsed[place] = _cell(place[0], answers[place], true[place])
    return {
        "naturalbench_accuracy": right.mean(axis=(1, 2)),
        "naturalbench_question": right.prod(axis=2).mean(axis=1),
        "naturalbench_image": right.prod(axis=1).mean(axis=1),
        "naturalbench_group": right.prod(axis=(1, 2)),
        "naturalbench_unparsed": unparsed.mean(axis=(1, 2)),
    }


def _cells(what: str, given: Sequence[Any]) -> NDArray[np.object_]:
    listed(given, what)
    out = np.empty((len(given), 2, 2), dtype=object)
    for row, one in enumerate(given):
        if not _nested(one):
            raise ValueError(f"row {row}: {what} as [[q1 i1, q1 i2], [q2 i1, q2 i2]] were expected, not {one!r:.60}")
        flat = [cell for part in one for cell in ([part] if part is None or isinstance(part, str) else part)]
        if len(flat) != 4:
            raise ValueError(f"row {row}: four {what} were expected (two questions about two images), not {len(flat)}")
        out[row] = np.array(flat, dtype=object).reshape(2, 2)
    return out


def _nested(one: object) -> bool:
    """Whether it is a list of lists (or a flat list) of cells."""
    if isinstance(one, str | bytes) or not isinstance(one, Iterable):
        return False
    return all(part is None or isinstance(part, str | Iterable) for part in one)


def _cell(row: int, answer: object, true: object) -> tuple[float, float]:
    """Whether an answer is right, and whether it says nothing; NaN for both where it is missing."""
    wanted = true.strip().lower() if isinstance(true, str) else ""
    if wanted not in SPOKEN:
        raise ValueError(f"row {row}: yes, no, A or B was expected as the right answer, not {true!r:.80}")
    if answer is None:
        return np.nan, np.nan
    if not isinstance(answer, str):
        raise ValueError(f"row {row}: a text was expected as answer, not {answer!r:.80}")
    said = SPOKEN[wanted].search(answer)
    return float(said is not None and said[1].lower() == wanted), float(said is None)


def _metric(name: str, measure: Callable[..., Rows], definition: str, edge: str) -> Metric:
    of_pictures = name.startswith("winoground")
    halves = name.removeprefix("naturalbench_") in ("accuracy", "question", "image", "unparsed")
    return Metric(
        name,
        measure,
        weighted_mean(name),
        interval="bca" if halves else "wilson",
        better="lower" if name.endswith("unparsed") else "higher",
        unit="group",
        item=name,
        signature=sign(name, "ties:wrong" if of_pictures else "parse:first-word"),
        source="Thrush et al. 2022 (Winoground)" if of_pictures else "Li et al. 2024 (NaturalBench)",
        family="winoground" if of_pictures else "naturalbench",
        definition=definition,
        edge=edge,
    )


METRICS: dict[str, Metric] = {
    name: _metric(name, measure, definition, edge)
    for name, measure, definition, edge in (
        (
            "winoground_text",
            measure_winoground,
            "share of groups in which each image prefers its caption",
            "chance 1/4",
        ),
        (
            "winoground_image",
            measure_winoground,
            "share of groups in which each caption prefers its image",
            "chance 1/4",
        ),
        ("winoground_group", measure_winoground, "share of groups that are right both ways", "chance 1/6"),
        ("naturalbench_accuracy", measure_naturalbench, "share of right answers", "chance 1/2"),
        ("naturalbench_question", measure_naturalbench, "share of questions right on both images", "chance 1/4"),
        ("naturalbench_image", measure_naturalbench, "share of images right on both questions", "chance 1/4"),
        ("naturalbench_group", measure_naturalbench, "share of groups with all four answers right", "chance 1/16"),
        ("naturalbench_unparsed", measure_naturalbench, "share of answers with neither word", "they are wrong as well"),
    )
}


def named(name: str) -> Metric:
    """One of the metrics above."""
    return METRICS[name]


def winoground(scores: ArrayLike, *, seed: int = 0) -> dict[str, Estimate]:
    """``winoground_text``, ``winoground_image`` and ``winoground_group`` by name, from ``scores[n, caption, image]``.

    Raises `ValueError` as `measure_winoground`.

    >>> found = winoground([[[0.9, 0.1], [0.2, 0.8]], [[0.5, 0.6], [0.4, 0.7]]])
    >>> [one.value for one in found.values()]
    [1.0, 0.5, 0.5]
    """
    return _over("winoground", measure_winoground(scores), seed)


def naturalbench(predictions: Sequence[Any], references: Sequence[Any], *, seed: int = 0) -> dict[str, Estimate]:
    """``naturalbench_accuracy``, ``…_question``, ``…_image``, ``…_group`` and ``…_unparsed`` by name.

    Answers and right answers come as ``[n][question][image]``, or four in a row: question 0 on images 0 and 1, then
    question 1. A group with a missing answer (None) is left out and counted. Raises `ValueError` as `measure_naturalbench`.

    >>> found = naturalbench([["Yes", "No", "no.", "No"]], [["yes", "no", "no", "yes"]])
    >>> [one.value for one in found.values()]
    [0.75, 0.5, 0.5, 0.0, 0.0]
    """
    return _over("naturalbench", measure_naturalbench(predictions, references), seed)


def _over(family: str, rows: Rows, seed: int) -> dict[str, Estimate]:
    chosen = [metric for metric in METRICS.values() if metric.family == family]
    n_missing = int(np.isnan(rows[chosen[0].name]).sum())
    found = estimates(chosen, rows, seed=seed, unit_name="group")
    return {one.metric: replace(one, n_missing=n_missing) for one in found}
