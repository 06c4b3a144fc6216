"""The small tables of words: WordNet's synsets and irregular forms, function words, abbreviations.

A word's synsets are its own, and those of its base forms: the bases that the table of irregular forms names, else the
first word that a rule for endings makes of it and that has synsets (``dogs`` to ``dog``). Two words are synonyms when
they share a synset.
"""

from __future__ import annotations

from collections.abc import Mapping

from assay.metrics.meteor15.normalise import ALWAYS, BEFORE_DIGITS

Synsets = frozenset[int]
NONE: Synsets = frozenset()

NOUNS = (
    ("s", ""),
    ("ses", "s"),
    ("xes", "x"),
    ("zes", "z"),
    ("ches", "ch"),
    ("shes", "sh"),
    ("men", "man"),
    ("ies", "y"),
)
VERBS = (("s", ""), ("ies", "y"), ("es", "e"), ("es", ""), ("ed", "e"), ("ed", ""), ("ing", "e"), ("ing", ""))
ADJECTIVES = (("er", ""), ("est", ""), ("er", "e"), ("est", "e"))
ENDINGS = (*NOUNS, *VERBS, *ADJECTIVES)
"""Endings and what replaces them, in the order in which they are tried."""


def synsets(text: str) -> dict[str, Synsets]:
    """Each word's own synsets. The text has a word on one line and its synsets on the next.

    >>> synsets("dog\\n1 2\\n")
    {'dog': frozenset({1, 2})}
    """
    lines = text.split("\n")
    return {word: frozenset(map(int, line.split())) for word, line in zip(lines[::2], lines[1::2], strict=False)}


def irregular_forms(text: str) -> dict[str, list[str]]:
    """Each irregular form's bases. The text has a base on one line and its forms on the next.

    >>> irregular_forms("mouse\\nmice\\n")
    {'mice': ['mouse']}
    """
    lines = text.split("\n")
    bases: dict[str, list[str]] = {}
    for base, forms in zip(lines[::2], lines[1::2], strict=False):
        for form in forms.split():
            bases.setdefault(form, []).append(base)
    return bases


def base_forms(word: str) -> list[str]:
    """What the rules for endings make of a word; its base is the first that has synsets.

    >>> base_forms("churches"), base_forms("grass")
    (['churche', 'church', 'churche', 'churche', 'church'], [])
    """
    if len(word) <= 2 or word.endswith("ss"):
        return []
    return [word.removesuffix(ending) + instead for ending, instead in ENDINGS if word.endswith(ending)]


def all_synsets(word: str, own: Mapping[str, Synsets], bases: Mapping[str, list[str]]) -> Synsets:
    """The synsets of a word and of its bases."""
    found = bases.get(word) or [base for base in base_forms(word) if base in own][:1]
    return own.get(word, NONE).union(*(own.get(base, NONE) for base in found))


def abbreviations(text: str) -> dict[str, int]:
    """The words that keep their period, and when. The text has one a line, and lines that begin with #.

    >>> abbreviations("# titles\\nDr\\nNo #NUMERIC_ONLY#\\n")
    {'Dr': 1, 'No': 2}
    """
    lines = (line.split() for line in text.split("\n"))
    return {
        words[0]: BEFORE_DIGITS if words[1:2] == ["#NUMERIC_ONLY#"] else ALWAYS
        for words in lines
        if words and not words[0].startswith("#")
    }
