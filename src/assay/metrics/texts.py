"""What metrics of texts take: a prediction a row and one or several references, checked once for all of them.

A prediction of ``None`` is missing: the answer was planned and never came. Its row is undefined (NaN), is left out and
counted in ``n_missing``, and is never a wrong answer; an empty prediction is an answer, and usually a wrong one. A row
without a reference is an error, since nothing can be measured there.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Sequence, Sized
from dataclasses import dataclass
from itertools import count
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from assay.metrics.metric import Metric, Rows, sign, weighted_mean
from assay.stats.inputs import listed

Values = NDArray[np.float64]

LONGEST_RUN = 30
JOINER = "\u034f"


@dataclass(frozen=True, slots=True)
class Texts:
    """``n`` predictions and their ``m`` references in one list, row after row.

    ``first[n]`` is the place of each row's first reference, ``count[n]`` how many it has (at least one), ``row[m]`` the
    row of each reference. A ``missing[n]`` prediction stands as an empty text; `over` makes its row NaN.
    """

    predictions: list[str]
    missing: NDArray[np.bool_]
    references: list[str]
    count: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.predictions)

    @property
    def first(self) -> NDArray[np.intp]:
        """Where each row's references begin ``[n]``."""
        return np.cumsum(self.count) - self.count

    @property
    def row(self) -> NDArray[np.intp]:
        """The row of each reference ``[m]``."""
        return np.repeat(np.arange(len(self)), self.count)

    @property
    def repeated(self) -> list[str]:
        """The prediction that each reference is compared with ``[m]``."""
        if len(self.references) == len(self.predictions):
            return self.predictions
        return [text for text, times in zip(self.predictions, self.count.tolist(), strict=True) for _ in range(times)]

    def best(self, values: Values) -> Values:
        """The greatest value ``[n]`` over each row's references, of one a reference ``[m]``."""
        return np.maximum.reduceat(values, self.first) if len(self) else np.zeros(0)

    def over(self, column: NDArray[Any]) -> Values:
        """``column[n, …]`` as floats, NaN where the prediction is missing."""
        out = np.array(column, dtype=np.float64)
        out[self.missing] = np.nan
        return out


def paired_texts(predictions: Sequence[str | None], references: Sequence[str | Sequence[str]]) -> Texts:
    """Predictions and references, checked. A row's references are one text or several.

    Raises `ValueError` for unequal lengths, a text, a dict or a set where a list of texts belongs, a row without references, and
    anything else than a text, naming the row.

    >>> paired_texts(["a cat", None], ["a cat", ["dog", "hound"]]).count.tolist()
    [1, 2]
    """
    for what, given in (("predictions", predictions), ("references", references)):
        if isinstance(given, str | bytes):
            raise ValueError(f"{what}: a list of texts was expected, not one text")
        if not isinstance(given, Sized):
            raise ValueError(f"{what}: a list of texts was expected, not {given!r:.80}")
        listed(given, what)
    if len(predictions) != len(references):
        raise ValueError(
            f"a prediction for every row of references was expected: {len(predictions)} predictions, {len(references)} references"
        )
    several = [[one] if isinstance(one, str) else one for one in references]
    how_many = np.fromiter((_how_many(row, one) for row, one in enumerate(several)), dtype=np.intp, count=len(several))
    flat = [text for one in several for text in one]
    _check_texts("reference", flat, lambda place: int(np.searchsorted(np.cumsum(how_many), place, side="right")))
    missing = np.fromiter((text is None for text in predictions), dtype=np.bool_, count=len(predictions))
    given = ["" if text is None else text for text in predictions]
    _check_texts("prediction", given, lambda place: place)
    return Texts(given, missing, flat, how_many)


def _how_many(row: int, references: object) -> int:
    if not isinstance(references, list | tuple | np.ndarray):
        raise ValueError(f"row {row}: references as a text or a list of texts were expected, not {references!r:.80}")
    if not len(references):
        raise ValueError(f"row {row} has no reference; leave rows out that have none")
    return len(references)


def _check_texts(what: str, texts: Sequence[object], row: Callable[[int], int]) -> None:
    if set(map(type, texts)) <= {str}:
        return
    for place, text in enumerate(texts):
        if not isinstance(text, str):
            hint = "; None stands for an answer that never came" if what == "prediction" else ""
            raise ValueError(f"row {row(place)}: a text was expected as {what}, not {text!r:.80}{hint}")


def distinct(texts: Sequence[str]) -> tuple[list[str], NDArray[np.intp]]:
    """The distinct texts in order of appearance, and for each text its place among them.

    >>> distinct(["b", "a", "b"])[1].tolist()
    [0, 1, 0]
    """
    place: defaultdict[str, int] = defaultdict(count().__next__)
    codes = np.fromiter(map(place.__getitem__, texts), dtype=np.intp, count=len(texts))
    return list(place), codes


def normal_form(form: Literal["NFKC", "NFKD"], text: str) -> str:
    """A Unicode normal form in linear time.

    Python sorts a run of combining marks in quadratic time. Runs of more than `LONGEST_RUN` marks, which no writing has,
    are therefore parted by a grapheme joiner, as Unicode's stream-safe format does (UAX #15).

    >>> normal_form("NFKC", "ＡＢ①")
    'AB1'
    """
    marks = "".join(char for char in set(text) if unicodedata.combining(char))
    if len(marks) > 1:
        text = re.sub(
            f"[{re.escape(marks)}]{{{LONGEST_RUN}}}(?=[{re.escape(marks)}])", lambda run: run[0] + JOINER, text
        )
    return unicodedata.normalize(form, text)


def reference_counts(references: Sequence[str | Sequence[str]]) -> str:
    """How many references the rows have, as a signature says it: ``refs:1``, ``refs:2-10``.

    >>> reference_counts(["a", ["b", "c"]])
    'refs:1-2'
    """
    counts = {1 if isinstance(one, str) else len(one) for one in references}
    if not counts:
        return "refs:0"
    low, high = min(counts), max(counts)
    return f"refs:{low}" if low == high else f"refs:{low}-{high}"


def mean_of_texts(
    name: str,
    values: Callable[[Texts], Values],
    *,
    recipe: Sequence[str],
    definition: str,
    edge: str,
    source: str,
    interval: str = "bca",
) -> Metric:
    """The metric that is the mean of ``values(texts) [n]``, within 0 and 1, more being better."""

    def measure(texts: Texts) -> Rows:
        return {name: texts.over(values(texts))}

    return Metric(
        name,
        measure,
        weighted_mean(name),
        interval=interval,
        item=name,
        signature=sign(name, *recipe),
        family="texts",
        prepare=paired_texts,
        definition=definition,
        edge=edge,
        source=source,
    )
