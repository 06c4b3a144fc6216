"""Turns a question that is answered by yes or no into its opposite, by a small grammar; what the grammar does not know it leaves alone.

Meaning is *not* kept: the right answer becomes the other one.
"""

from __future__ import annotations

import re

import numpy as np

from assay.types import Condition, Sample

VERBS = r"is|are|was|were|do|does|did|can|could|has|have|had|will|would|should"
THERE = re.compile(rf"^(\s*(?:{VERBS})\s+there)(\s+not)?\b", re.IGNORECASE)
NONE = re.compile(rf"^(\s*(?:{VERBS})\s+)(no|an?)(\s+.+\bpresent\b)", re.IGNORECASE)
SUBJECT = re.compile(
    rf"^(\s*(?:{VERBS})\s+(?:the|this|that|these|those|a|an|it|he|she|they)(?:\s+\w+)?)(\s+not)?(\s+\w+)", re.IGNORECASE
)
PRONOUN = re.compile(rf"^(\s*(?:{VERBS})\s+(?:it|he|she|they))(\s+not)?(\s+\w+)", re.IGNORECASE)


def negated(question: str) -> str | None:
    """The opposite question; `None` where the grammar does not know it.

    >>> negated("is there a red shape?"), negated("does the image not contain a circle?"), negated("is no blue shape present?")
    ('is there not a red shape?', 'does the image contain a circle?', 'is a blue shape present?')
    >>> negated("what is the red shape?") is None
    True
    """
    if found := THERE.match(question):
        return question[: found.end(1)] + ("" if found[2] else " not") + question[found.end() :]
    if found := NONE.match(question):
        article = "a" if found[2].lower() == "no" else "no"
        return found[1] + article + question[found.end(2) :]
    if found := PRONOUN.match(question) or SUBJECT.match(question):
        return question[: found.end(1)] + ("" if found[2] else " not") + question[found.start(3) :]
    return None


def negate(samples: list[Sample], *, name: str = "negate:text") -> Condition:
    """The condition under which the samples' questions are their opposites; only those that the grammar knows are asked."""
    known = frozenset(s.id for s in samples if negated(str(s.inputs.get("text", ""))) is not None)
    return Condition(name, opposite, known)


def opposite(sample: Sample, rng: np.random.Generator) -> Sample:
    """The sample with the opposite question. The generator is not used."""
    text = negated(str(sample.inputs.get("text", "")))
    return sample if text is None else sample.with_inputs({**sample.inputs, "text": text})
