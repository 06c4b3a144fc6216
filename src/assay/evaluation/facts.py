"""What a file of answers says about a figure of it: why it is 0, undefined or less than one would think."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from assay.data.readers.sheet import Row
from assay.evaluation.tasks.recorded import text_of
from assay.metrics.metric import Metric
from assay.types import Estimate

NEAR_NOTHING = 1e-3
"""Below this a figure gets an explanation unasked."""

OFFICIAL_ANSWERS = 10


@dataclass(frozen=True)
class Answered:
    """Answers as texts, beside their references; rows without an answer are left out."""

    answers: list[str]
    references: list[list[str]]
    rows: int


def facts(metric: Metric, rows: Sequence[Row], estimate: Estimate) -> list[str]:
    """What can be told of one figure from the rows that it was made of, a sentence each."""
    there = [row for row in rows if row.prediction is not None]
    given = Answered(
        [text_of(row.prediction) for row in there], [list(map(text_of, row.references)) for row in there], len(rows)
    )
    out = [*_missing(rows, there), *(_general(given) if metric.family == "texts" and given.answers else ())]
    for names, tell in TELLERS:
        if metric.name.partition(":")[0] in names:
            out += tell(given, estimate)
    if math.isnan(estimate.value) and there and len(out) == len(_missing(rows, there)):
        out.append(f"{metric.name} is undefined here. {metric.edge}")
    return out


def unasked(metric: Metric, rows: Sequence[Row], estimate: Estimate) -> list[str]:
    """`facts` of a figure that is undefined or next to nothing, though more would be better; nothing of any other."""
    low = metric.better == "higher" and metric.bounds[0] == 0 and estimate.value < NEAR_NOTHING
    return facts(metric, rows, estimate) if low or math.isnan(estimate.value) else []


def _missing(rows: Sequence[Row], there: Sequence[Row]) -> list[str]:
    if not there:
        return [f"none of the {len(rows):,} rows has a prediction"]
    lost = len(rows) - len(there)
    if not lost:
        return []
    reasons = Counter(row.error for row in rows if row.prediction is None).most_common(3)
    told = ", ".join(f"{count:,} × {reason:.80}" for reason, count in reasons)
    return [f"{lost:,} of {len(rows):,} rows have no prediction and are left out ({told})"]


def _general(given: Answered) -> list[str]:
    out = []
    empty = sum(not text.strip() for text in given.answers)
    if empty:
        out.append(
            f"{empty:,} of {len(given.answers):,} predictions are empty, which is an answer and usually a wrong one"
        )
    kinds = Counter(given.answers)
    if len(given.answers) > 2 and len(kinds) == 1:
        out.append(f"every prediction is the same: {given.answers[0]!r:.60}")
    return out


def _consensus(given: Answered, estimate: Estimate) -> list[str]:
    """CIDEr: what the inverse document frequencies are."""
    if given.rows == 1:
        return [
            "the corpus has one image, so every idf is 0 and with it every score: CIDEr needs a corpus of many images"
        ]
    said = [frozenset(" ".join(found).lower().split()) for found in given.references]
    if said and len(set(said)) == 1:
        return ["every image has the same reference words, so every idf is 0 and with it every score"]
    if given.rows < 20:
        return [f"the corpus has {given.rows} images: idf of so few says little; published figures rest on thousands"]
    return []


def _order(given: Answered, estimate: Estimate) -> list[str]:
    """BLEU: whether there are n-grams to match."""
    n = int(estimate.metric.partition(":")[0].rpartition("_")[2]) if estimate.metric.startswith("bleu_") else 4
    short = sum(len(text.split()) < n for text in given.answers)
    matched = sum(
        bool(grams(text, n) & set().union(*(grams(one, n) for one in found))) for text, found in _pairs(given)
    )
    out = []
    if short:
        out.append(f"{short:,} of {len(given.answers):,} predictions have fewer than {n} words, so no {n}-gram")
    if not matched:
        out.append(f"no prediction shares a {n}-gram with its references, so the product of precisions is next to 0")
    return out


def grams(text: str, n: int) -> set[tuple[str, ...]]:
    """The n-grams of a text, by white space and in lower case.

    >>> sorted(grams("A b c", 2))
    [('a', 'b'), ('b', 'c')]
    """
    words = text.lower().split()
    return {tuple(words[at : at + n]) for at in range(len(words) - n + 1)}


def _pairs(given: Answered) -> list[tuple[str, list[str]]]:
    return list(zip(given.answers, given.references, strict=True))


def _exact(given: Answered, estimate: Estimate) -> list[str]:
    """Exact match: what would match but for its form."""
    loose = sum(text not in found and plain_form(text) in set(map(plain_form, found)) for text, found in _pairs(given))
    held = sum(text not in found and any(one and one in text for one in found) for text, found in _pairs(given))
    out = []
    if loose:
        out.append(f"{loose:,} more would match but for case, punctuation or articles: see exact_match:squad")
    if held:
        out.append(
            f"{held:,} predictions hold a reference within a longer text: the model may have said more than the answer"
        )
    return out


def plain_form(text: str) -> str:
    """A text without case, punctuation and white space at its ends.

    >>> plain_form(" A cat. ")
    'a cat'
    """
    return " ".join("".join(c if c.isalnum() else " " for c in text.lower()).split())


def _votes(given: Answered, estimate: Estimate) -> list[str]:
    """VQA accuracy: how many people answered."""
    counts = {len(found) for found in given.references}
    if counts == {1}:
        return [
            "there is one reference a question: the figure is exact match after normalisation, not VQA accuracy of ten"
        ]
    if min(counts, default=OFFICIAL_ANSWERS) < OFFICIAL_ANSWERS:
        return [
            f"some questions have {min(counts)} answers, not {OFFICIAL_ANSWERS}: leaving one out gives other steps than .3"
        ]
    return []


def _labels(given: Answered, estimate: Estimate) -> list[str]:
    """Labels: answers that are no true label, and what they may have meant."""
    known = {found[0] for found in given.references}
    strange = Counter(text for text in given.answers if text not in known)
    if not strange:
        return []
    forms = {plain_form(label): label for label in known}
    meant = [(text, forms[plain_form(text)]) for text in strange if plain_form(text) in forms]
    told = f"; {meant[0][0]!r} differs from {meant[0][1]!r} by its form alone" if meant else ""
    most = strange.most_common(1)[0][0]
    return [f"{sum(strange.values()):,} predictions are no true label, such as {most!r:.60}{told}"]


def _classes(given: Answered, estimate: Estimate) -> list[str]:
    """Areas under curves: one class only."""
    classes = {found[0] for found in given.references}
    return (
        [f"all rows are of one class ({classes.pop()!r}), so there is nothing to tell apart"]
        if len(classes) == 1
        else []
    )


Teller = Callable[[Answered, Estimate], list[str]]
LABELS = frozenset(
    f"{average}{kind}" for average in ("macro_", "micro_", "weighted_") for kind in ("f1", "precision", "recall")
)
TELLERS: tuple[tuple[frozenset[Any], Teller], ...] = (
    (frozenset({"cider", "cider_d"}), _consensus),
    (frozenset({"bleu", "bleu_1", "bleu_2", "bleu_3", "bleu_4"}), _order),
    (frozenset({"exact_match", "token_f1"}), _exact),
    (frozenset({"vqa_accuracy"}), _votes),
    (LABELS | {"accuracy", "balanced_accuracy", "mcc"}, _labels),
    (frozenset({"auroc", "auroc_ovo", "average_precision"}), _classes),
)
