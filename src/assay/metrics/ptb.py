r"""The Penn Treebank tokeniser of COCO's caption scores, without Java.

A caption becomes the tokens that Stanford CoreNLP's PTBTokenizer 3.4.1 gives with ``-preserveLines -lowerCase``, less the
punctuation that coco-caption drops. Tokens are lower-cased before that, so brackets stay (``-lrb-``). Each caption is read by
itself: a line break in it is a space, and no neighbour is seen. A character that the tokeniser does not know (emoji
beyond the basic plane, a lone surrogate) separates tokens and is in none. Signature: ``tok:ptb-py``.

Sources: Stanford CoreNLP 3.4.1 (edu.stanford.nlp.process.PTBLexer) and pycocoevalcap's tokenizer, with which the tests compare
it token by token; Marcus et al. 1993.
"""

from __future__ import annotations

import functools

from assay.metrics.ptb_characters import LINE_BREAKS
from assay.metrics.ptb_grammar import Rule, first_part, grammar

DROPPED = frozenset(
    {"''", "'", "``", "`", "-LRB-", "-RRB-", "-LCB-", "-RCB-", ".", "?", "!", ",", ":", "-", "--", "...", ";"}
)
"""Tokens that count for nothing. The brackets' names are here as the reference has them, and never match: see above."""

AFTER = " \n\n"
"""What a text is read to be followed by: the reference sees the end of a line, and one of its rules two characters."""

BREAKS = str.maketrans(dict.fromkeys(LINE_BREAKS, " "))


def tokenize(text: str) -> list[str]:
    """The tokens of a caption, lower-cased, without punctuation.

    >>> tokenize("A man's dog (brown) cannot run, don't you know...")
    ['a', 'man', "'s", 'dog', '-lrb-', 'brown', '-rrb-', 'can', 'not', 'run', 'do', "n't", 'you', 'know']
    """
    return [token for token in map(str.lower, lex(text)) if token not in DROPPED]


def lex(text: str) -> list[str]:
    """All tokens of a text, punctuation too, as written.

    >>> lex("He said: “hello” – wow…")
    ['He', 'said', ':', '``', 'hello', "''", '--', 'wow', '...']
    """
    text = text.translate(BREAKS) + AFTER
    ascii_only = text.isascii()
    place, end, tokens = 0, len(text) - len(AFTER), []
    while place < end:
        rule, stop = _longest(text, place, ascii_only)
        if rule is None:
            place += 1
            continue
        token = rule.becomes(text[place:stop])
        if token:
            tokens.append(token)
        place = place + len(token) if rule.becomes is first_part else stop
    return tokens


def _longest(text: str, place: int, ascii_only: bool) -> tuple[Rule | None, int]:
    """The rule with the longest match, context counted in, and the end of its token; None for an unknown character."""
    best, reach, stop = None, place, place
    for rule in _starting(text[place], ascii_only):
        found = rule.pattern.match(text, place)
        if found is not None and found.end() > reach:
            best, reach, stop = rule, found.end(), found.end(1)
    return best, stop


@functools.lru_cache(maxsize=1 << 14)
def _starting(character: str, ascii_only: bool) -> tuple[Rule, ...]:
    return tuple(rule for rule in grammar(ascii_only) if rule.starts.match(character))
