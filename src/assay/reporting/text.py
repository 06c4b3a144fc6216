"""Text from data, made safe to show: nothing that it holds can move the cursor, hide, or turn the line around.

A character that would act instead of being seen (a terminal escape, a bidirectional override, a lone surrogate, a
hidden tag) is written out as ``⟨U+001B⟩``. What living scripts and emoji need stays: joiners, variation selectors, a few
combining marks, the tag letters of a regional flag. HTML escaping is not done here; Jinja2 and Rich do theirs.
Source: Unicode Standard Annex 9 (bidirectional controls) and Technical Report 36 (security).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

LIMIT = 2000  # characters of one field on a page
MARKS = 6  # combining marks on one letter; living scripts need four at most
FLAG = "\U0001f3f4"
TAGS = range(0xE0020, 0xE0080)
ACTIVE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b\u2028-\u202e\u2060-\u206f\u2800\u3164"
    "\ud800-\uf8ff\ufdd0-\ufdef\ufeff\uffa0\ufff0-\uffff\U000e0000-\U000e00ff\U000f0000-\U0010ffff]"
)


def code_point(character: str) -> str:
    """A character written out.

    >>> code_point(chr(27))
    '⟨U+001B⟩'
    """
    return f"⟨U+{ord(character):04X}⟩"


def clean(text: str, limit: int = LIMIT) -> str:
    """``text`` with line breaks and tabs kept, everything else that acts written out, at most ``limit`` characters of it.

    >>> clean("red" + chr(27) + "[2J apple")
    'red⟨U+001B⟩[2J apple'
    """
    return _clean(text[: limit + 1], len(text), limit)


def one_line(text: str, limit: int = 120) -> str:
    """`clean`, with every run of white space as one space: for a table cell or a line of a terminal.

    >>> one_line("two" + chr(10) + "  lines")
    'two lines'
    """
    return " ".join(clean(text, limit).split())


def visible(text: str, limit: int = LIMIT) -> str:
    """`clean`, but an answer of nothing, or of nothing to see, says so.

    >>> visible(""), visible("  "), visible("a")
    ('(empty)', '(2 invisible characters)', 'a')
    """
    if not text:
        return "(empty)"
    shown = clean(text, limit)
    if any(not _is_blank(character) for character in shown):
        return shown
    return f"({len(text):,} invisible character{'' if len(text) == 1 else 's'})"


def distinct(names: list[str], limit: int = 40) -> list[str]:
    """One-line labels for a plot's axis, no two alike even where cleaning or cutting made them so.

    >>> distinct(["a", "a", "b"])
    ['a', 'a (2)', 'b']
    """
    labels: list[str] = []
    for name in names:
        label = one_line(visible(name), limit)
        number, candidate = 1, label
        while candidate in labels:
            number += 1
            candidate = f"{label} ({number})"
        labels.append(candidate)
    return labels


def _is_blank(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) in {"Cf", "Mn", "Me", "Zs"}


@lru_cache(maxsize=8192)
def _clean(head: str, length: int, limit: int) -> str:
    text = head[:limit].replace("\r\n", "\n").replace("\r", "\n")
    if not text.isascii():
        text = _thin_marks(text)
    text = ACTIVE.sub(lambda found: _written_out(found, text), text)
    return text if length <= limit else f"{text.rstrip()}… ({length:,} characters)"


def _written_out(found: re.Match[str], text: str) -> str:
    """The character itself where it belongs to a regional flag, else its code point."""
    character = found.group()
    if ord(character) in TAGS:
        before = text[: found.start()].rstrip("".join(map(chr, TAGS)))
        if before.endswith(FLAG) and found.start() - len(before) < 7:
            return character
    return code_point(character)


def _thin_marks(text: str) -> str:
    """Beyond `MARKS` combining marks in a row, how many more there were."""
    kept: list[str] = []
    run = 0
    for character in text:
        run = run + 1 if unicodedata.category(character) in {"Mn", "Me"} else 0
        if run <= MARKS:
            kept.append(character)
        elif run == MARKS + 1:
            kept.append("⟨more marks⟩")
    return "".join(kept)
