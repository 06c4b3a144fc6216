"""What METEOR 1.5 does to a line under ``-norm`` before it compares words: punctuation apart, quotes and dashes alike.

In COCO use the line has been through the PTB tokeniser, which has already lower-cased it and dropped most punctuation;
what remains to be done is to split hyphens (``t-shirt`` is two words), slashes and apostrophes. Abbreviations that end in
a period are known by a list (``nonbreaking/english.prefixes``) that comes with the reference; its entries have capitals
and the tokeniser's words have none, so of that list only a few ever match. Regular expressions count ASCII digits and
ASCII white space alone, as the reference's do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

LETTERS = "A-Za-zŠŽšžŸÀ-ÖØ-öø-žЀ-ӿԀ-ԧꙀ-ꙮ꙾-ꚗᴀ-ᵿ"
SPACES = re.compile("[ \u2000-\u200a\u202f\u205f\u3000\xa0]+")

SYMBOL = re.compile(rf"([^0-9{LETTERS}\s.'`,\-‘’])", re.ASCII)
DOTS = re.compile(r"(\.{2,})")
COMMAS = (re.compile(r"([^0-9]),([^0-9])"), re.compile(r"([0-9]),([^0-9])"), re.compile(r"([^0-9]),([0-9])"))
QUOTE = re.compile("[`‘’]")
DOUBLE_QUOTE = re.compile("[“”]|''")
HYPHEN = re.compile(rf"([0-9{LETTERS}.])-([0-9{LETTERS}])")
APOSTROPHES = (
    (re.compile(rf"([^{LETTERS}])'([^{LETTERS}])"), r"\1 ' \2"),
    (re.compile(rf"([^{LETTERS}0-9])'([{LETTERS}])"), r"\1 ' \2"),
    (re.compile(rf"([{LETTERS}])'([^{LETTERS}])"), r"\1 ' \2"),
    (re.compile(rf"([{LETTERS}])'([{LETTERS}])"), r"\1 '\2"),
    (re.compile(r"([0-9])'(s)"), r"\1 '\2"),
)
LETTER = re.compile(f"[{LETTERS}]")
SEPARATORS = re.compile(r"[ \t\n\r\f]+")
PLAIN = re.compile(r"[a-z0-9 ]*")
CONTROLS = "".join(map(chr, range(33)))

ALWAYS, BEFORE_DIGITS = 1, 2
"""A word of the list keeps its period always, or only before a number."""


def words_of(line: str, abbreviations: Mapping[str, int]) -> list[str]:
    """The lower-case words of a line after normalisation.

    >>> words_of("a t-shirt & 1/2 of the dog 's bone", {})
    ['a', 't', 'shirt', '&', '1', '/', '2', 'of', 'the', 'dog', "'", 's', 'bone']
    """
    if PLAIN.fullmatch(line):
        return line.split()
    return _split(normalised(line, abbreviations).lower())


def normalised(line: str, abbreviations: Mapping[str, int]) -> str:
    """The line, its words apart by single spaces, its case as it was.

    >>> normalised("He said: ‘well-known’, Dr. Who... really?", {"Dr": ALWAYS})
    "He said : ' well known ' , Dr. Who ... really ?"
    """
    line = DOTS.sub(r" \1 ", SYMBOL.sub(r" \1 ", f" {line} "))
    for comma in COMMAS:
        line = comma.sub(r"\1 , \2", line)
    line = DOUBLE_QUOTE.sub(' " ', QUOTE.sub("'", line)).replace("–", "-").replace("--", "-")
    line = HYPHEN.sub(r"\1 \2", line)
    for apostrophe, apart in APOSTROPHES:
        line = apostrophe.sub(apart, line)
    words = _split(line)
    following = [*words[1:], ""]
    line = " ".join(_period(word, after, abbreviations) for word, after in zip(words, following, strict=False))
    return SPACES.sub(" ", line).strip(CONTROLS)


def _split(line: str) -> list[str]:
    return [word for word in SEPARATORS.split(line) if word]


def _period(word: str, following: str, abbreviations: Mapping[str, int]) -> str:
    """A word that ends in a period: with it, without its periods (u.s.), or the period apart."""
    if len(word) < 2 or word[-1] != "." or not word.strip("."):
        return word
    before = word[:-1]
    kind = abbreviations.get(before)
    if "." in before and LETTER.search(before):
        return word.replace(".", "")
    if kind == ALWAYS or "a" <= following[:1] <= "z":
        return word
    if kind == BEFORE_DIGITS and "0" <= following[:1] <= "9":
        return word
    return before + " ."
