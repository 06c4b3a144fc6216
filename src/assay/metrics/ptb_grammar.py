r"""The rules of the Penn Treebank tokeniser of Stanford CoreNLP 3.4.1, which COCO's caption scores use.

At each place the rule wins whose match is longest, what must follow the token (its *context*) counted in; of equally long ones
the first. Literal words match in either case, character classes as they are written: the reference is so. Where
it would read on without end, names are bounded by `LONGEST`, so that no text takes more than linear time.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from assay.metrics import ptb_words as words
from assay.metrics.ptb_characters import MARKS, SIGNS, SPACES, digits, inside, letters

LONGEST = 255
"""Characters of a part of a web or mail address, of a compound up to its hyphen."""

MOST = 16
"""Parts of a host's or a file's name."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern whose first group is the token and the rest its context, what it can start with, what the token becomes."""

    pattern: re.Pattern[str]
    starts: re.Pattern[str]
    becomes: Callable[[str], str]


def same(token: str) -> str:
    """The token as it is."""
    return token


def without_soft_hyphens(token: str) -> str:
    """A token that is nothing else becomes a hyphen."""
    return token.replace("\u00ad", "") or "-"


def first_part(token: str) -> str:
    """The first of the two tokens that a word is."""
    return token[: words.SPLIT[token.lower()]]


def ampersand(token: str) -> str:
    """Its entity as the sign."""
    return re.sub("&amp;", "&", token, flags=re.IGNORECASE)


def brackets(token: str) -> str:
    """Round brackets by their names in the treebank, spaces as U+00A0."""
    return token.replace("(", "-LRB-").replace(")", "-RRB-").replace(" ", "\u00a0")


def hard_spaces(token: str) -> str:
    """Spaces inside a token as U+00A0."""
    return token.replace(" ", "\u00a0")


def quotes(token: str) -> str:
    """Quotes as TeX writes them."""
    return token.replace("&apos;", "'").translate(QUOTES)


def double_quote(token: str) -> str:
    """A double quote; which of the two does not matter, for both are dropped. Its entity is one in lower case only."""
    return token if token.startswith("&") and token != "&quot;" else "''"


def currency(token: str) -> str:
    """Cents by name, pounds as the treebank has them, others as dollars; some stay."""
    return token.translate(CURRENCIES)


def fraction(token: str) -> str:
    """Fractions of one character as three; some stay."""
    return token.translate(FRACTIONS)


def dashes(token: str) -> str:
    """Three or four hyphens as two."""
    return "--" if len(token) in (3, 4) else token


def always(token: str) -> Callable[[str], str]:
    """Whatever was matched becomes ``token``."""
    return lambda _: token


QUOTES = str.maketrans(
    dict.fromkeys("\x91‘‛‹", "`")
    | dict.fromkeys("\x92’›", "'")
    | dict.fromkeys("\x93“«", "``")
    | dict.fromkeys("\x94”»", "''")
)
CURRENCIES = str.maketrans({"¢": "cents", "£": "#"} | dict.fromkeys("\x80¤₠€", "$"))
FRACTIONS = str.maketrans({"¼": "1/4", "½": "1/2", "¾": "3/4", "⅓": "1/3", "⅔": "2/3"})


def either(*choices: str) -> str:
    """Any of the choices, in either case."""
    return f"(?ai:{'|'.join(choices)})"


def capital(*choices: str) -> str:
    """Any of the words with a capital first letter, the rest in either case."""
    return "(?:" + "|".join(f"{re.escape(word[0])}(?ai:{re.escape(word[1:])})" for word in choices) + ")"


def macros(ascii_only: bool) -> dict[str, str]:
    """Names for parts of patterns, as the rules use them; later ones may use earlier ones."""
    letter, digit = ("A-Za-z", "0-9") if ascii_only else (letters(), digits())
    marks = "" if ascii_only else inside(MARKS)
    bare, compact = r"[^ \t\n\f\r\"<>|.!?(){},", r"[^ \t\n\f\r\"<>|()"
    abbreviations = (words.MONTHS_AND_DAYS, words.STATES, words.COMPANIES, words.OTHERS)
    return {
        "SPACE": f"[{SPACES}]",
        "DIGIT": f"[{digit}]",
        "LETTER": f"[{letter}]",
        "PART": f"(?:[{letter}{marks}]|{'&[aeiouAEIOU]' + either('acute', 'grave', 'uml') + ';'})",
        "PARTS": f"(?:[{letter}{marks}{digit}]|{'&[aeiouAEIOU]' + either('acute', 'grave', 'uml') + ';'})",
        "THING": f"[{letter}{digit}]",
        "APOS": "(?:['\u0092\u2019]|(?ai:&apos;))",
        "APOSTROPHES": "(?:['\u0092\u2019`\u0091\u2018\u201b]|(?ai:&apos;))",
        "WORD": "<PART><PARTS>*(?:[.!?]<PART><PARTS>*)*",
        "CLITIC": f"<APOS>(?:[msdMSD]|{either('re', 've', 'll')})",
        "NOT": "[nN]<APOSTROPHES>[tT]",
        "ACRONYM": f"(?:{either(words.COUNTRIES)}|[A-Za-z](?:\\.[A-Za-z])*)",
        "ACRONYM2": f"(?:{either(words.COUNTRIES)}|[A-Za-z](?:\\.[A-Za-z])+)",
        "PRE": "[dDoOlL]<APOSTROPHES><THING>",
        "COMPOUND": "(?:<PRE>)?<THING>+(?:[-_\u058a\u2010\u2011](?:<PRE>)?<THING>+)*",
        "HYPHENATED": f"[A-Za-z0-9][A-Za-z0-9.,\u00ad]{{0,{LONGEST}}}(?:-(?:<ACRONYM2>\\.|[A-Za-z0-9\u00ad]+))+",
        "JOINED": "[A-Z]+(?:(?:(?ai:&amp;)|[+&])[A-Z]+)+",
        "SLASHED": "[A-Za-z0-9]+(?:-[A-Za-z]+){0,2}",
        "PAUSE": "[,;:\u3001]",
        "TAG": "<(?:[!?][A-Za-z-][^>\r\n]{0,999}|[A-Za-z][A-Za-z0-9_:.-]*(?: +[A-Za-z][A-Za-z0-9_:.-]*(?: *= *(?:'[^']{0,999}'|"
        '"[^"]{0,999}"))?)* */?|/[A-Za-z][A-Za-z0-9_:.-]*) *>',
        "ABBREVIATION": f"(?:{either(*abbreviations)}|{capital(*words.CAPITAL_STATES)}|{either('pp?t')}[ye]{either('s?')})\\.",
        "TITLE": f"(?:{either(words.TITLES)}|<ACRONYM>|M(?ai:iss)|{either('m')}[ft]{either('g')})",
        "PATH": rf"/{compact}]+{bare}-]",
        "LABEL": rf"{bare}]{{1,{LONGEST}}}\.",
        # The reference's class has a range from comma to underscore, so digits and capitals are out.
        "LOWER": rf"[^ \t\n\f\r\"`'<>|.!?(){{}},-_$]{{1,{LONGEST}}}\.",
        "HOST": f"(?:<LOWER>){{1,{MOST}}}{either('com', 'net', 'org', 'edu')}",
        "DOMAIN": rf"[^ \t\n\f\r\"<>|(){{}}.\u00a0]{{1,{LONGEST}}}",
    }


def rules(ascii_only: bool) -> Iterator[tuple[str, str, Callable[[str], str]]]:
    """Pattern, what it can start with, what the token becomes: first those of words."""
    letter, quote = "<PART>|&", "<APOSTROPHES>|&"
    yield r"((?ai:c\+\+))", "[cC]", same
    yield r"((?ai:c|f)#)", "[cCfF]", same
    yield f"({either(*words.SPLIT)})", "[cglwCGLW']", first_part
    yield "(<TAG>)", "<", hard_spaces
    yield (
        f"({either('&MD;', '&mdash;', '&ndash;')}|[\u0096\u0097\u2013-\u2015])",
        "[&\u0096\u0097\u2013-\u2015]",
        always("--"),
    )
    yield f"({either('&amp;')})", "&", ampersand
    yield f"({either('&(?:HT|TL|UR|LR|QC|QL|QR|odq|cdq|#[0-9]+);')})", "&", same
    yield "(<WORD>)<CLITIC>", letter, without_soft_hyphens
    yield "([A-Za-z\u00ad]*[A-MO-Za-mo-z]\u00ad*)<NOT>", "[A-Za-z\u00ad]", without_soft_hyphens
    yield "(<WORD>)", letter, without_soft_hyphens
    for word in words.WITH_APOSTROPHE.split("|"):
        yield f"((?ai:{word}))", f"{quote}|[A-Za-z]", same
    yield "([lLdDjJ]<APOS>)", "[lLdDjJ]", same
    yield "([A-HJ-XZn]<APOSTROPHES><LETTER>{2}<LETTER>*)", "[A-HJ-XZn]", same
    yield "(<APOS>[2-9]0[sS])", quote, same
    yield "(<LETTER>+[aeiouyAEIOUY]<APOSTROPHES>[aeiouA-Z]<LETTER>*)", "<LETTER>", same
    yield "([yY]<APOS>)<LETTER>", "[yY]", same
    yield from _addresses()
    yield "(<CLITIC>)[^A-Za-z]", quote, quotes
    yield "(<NOT>)[^A-Za-z]", "[nN]", quotes
    yield from _numbers()
    yield from _compounds()
    yield from _abbreviations()
    yield from _signs()


def _addresses() -> Iterator[tuple[str, str, Callable[[str], str]]]:
    path, label = "<PATH>", "<LABEL>"
    yield r"((?ai:https?://)[^ \t\n\f\r\"<>|(){}]+[^ \t\n\f\r\"<>|.!?(){},-])", "[hH]", same
    for end in ("", path):
        yield rf"((?ai:www)\.(?:{label})+[a-zA-Z]{{2,4}}{end})", "[wW]", same
        yield f"(<HOST>{end})", r"[^ \t\n\f\r\"`'<>|.!?(){},-_$]", same
    yield (
        rf"((?:(?ai:&lt;)|<)?[a-zA-Z0-9][^ \t\n\f\r\"<>|()\u00a0{{}}]{{0,{LONGEST}}}@(?:<DOMAIN>\.)*<DOMAIN>(?:(?ai:&gt;)|>)?)",
        "[&<a-zA-Z0-9]",
        same,
    )
    yield "(@[a-zA-Z_][a-zA-Z_0-9]*)", "@", same
    yield "(#<PART>+)", "#", same


def _numbers() -> Iterator[tuple[str, str, Callable[[str], str]]]:
    digit = "<DIGIT>"
    yield f"({digit}{{1,2}}[-/]{digit}{{1,2}}[-/]{digit}{{2,4}})", digit, same
    number = f"[-+]?(?:{digit}*(?:[.:,\u00ad\u066b\u066c]{digit}+)+|{digit}+)"
    yield f"({number})", f"[-+.:,\u00ad\u066b\u066c]|{digit}", without_soft_hyphens
    sub, sup = "\u2080-\u2089", "\u2070\u00b9\u00b2\u00b3\u2074-\u2079"
    yield f"([\u207a\u207b\u208a\u208b]?(?:[{sup}]+|[{sub}]+))", f"[\u207a\u207b\u208a\u208b{sup}{sub}]", same
    yield f"((?:{digit}{{1,4}}[- \u00a0])?{digit}{{1,4}}(?:\\\\?/|\u2044){digit}{{1,4}})", digit, hard_spaces
    yield "([\u00bc\u00bd\u00be\u2153-\u215e])", "[\u00bc\u00bd\u00be\u2153-\u215e]", fraction


def _compounds() -> Iterator[tuple[str, str, Callable[[str], str]]]:
    yield "(" + either("-(?:RRB|LRB|RCB|LCB|RSB|LSB)-", "C\\.D\\.s", "pro-", "anti-", "S(?:&|&amp;)P-500", "S(?:&|&amp;)Ls") + ")", (
        "[-A-Za-z]"
    ), ampersand  # fmt: skip
    yield "((?ai:Cap)<APOS>(?ai:n))", "[cC]", same
    yield "((?ai:c)<APOS>(?ai:est))", "[cC]", same
    yield "(<SLASHED>(?:\\\\?/<SLASHED>){1,2})", "[A-Za-z0-9]", same
    yield r"([A-Z]*\$|#)", "[A-Z$#]", same
    currencies = "\u00a2-\u00a5\u0080\u20a0\u20ac\u060b\u0e3f\u20a4\uffe0\uffe1\uffe5\uffe6"
    yield f"([{currencies}])", f"[{currencies}]", currency


def _abbreviations() -> Iterator[tuple[str, str, Callable[[str], str]]]:
    starts = capital(*words.SENTENCE_STARTS.split("|"))
    # A letter with its period before such a word: the letter alone, and the period goes.
    yield f"(<ACRONYM>\\.)<SPACE>+(?:{starts}|<TAG>)<SPACE>", "[A-Za-z]", _sentence_end
    yield f"({either(words.BEFORE_NUMBERS)}\\.)<SPACE>?<DIGIT>", "[a-zA-Z]", same
    yield f"((?:{either('pt')}[eyEY]|{either('co')})\\.)<SPACE>{either('ltd', 'lim')}", "[a-zA-Z]", same
    yield r"(<ABBREVIATION>)[\s\S]{2}", "[A-Za-z]", same
    yield "(<ABBREVIATION>)", "[A-Za-z]", same
    yield r"(<TITLE>\.)", "[A-Za-z]", same
    yield "(<TITLE>)<SPACE>", "[A-Za-z]", same
    yield "(<APOS>[0-9][0-9])<SPACE>", "<APOS>|&", same
    files = f"\\.{either(words.FILES)}"
    yield f"(<PARTS>+(?:\\.<PARTS>+){{0,{MOST}}}{files})(?:<SPACE>|[.?!,])", "<PARTS>|&", same
    yield r"(<WORD>\.)<PAUSE>", "<PART>|&", without_soft_hyphens
    gap = "[- \u00a0]"
    yield (
        rf"((?:\([0-9]{{2,3}}\)[ \u00a0]?|(?:\+\+?)?(?:[0-9]{{2,4}}{gap})?[0-9]{{2,4}}{gap})[0-9]{{3,4}}{gap}?[0-9]{{3,5}})",
        r"[(+0-9]",
        brackets,
    )
    yield r"((?:(?:\+\+?)?[0-9]{2,4}\.)?[0-9]{2,4}\.[0-9]{3,4}\.[0-9]{3,5})", "[+0-9]", same


def _sentence_end(token: str) -> str:
    return token[:-1] if len(token) == 2 else token


def _signs() -> Iterator[tuple[str, str, Callable[[str], str]]]:
    quote = "<APOSTROPHES>|&"
    yield f'("|{either("&quot;")})', '["&]', double_quote
    yield f"(<|{either('&lt;')})", "[<&]", always("<")
    yield f"(>|{either('&gt;')})", "[>&]", always(">")
    yield r"([<>]?[:;=][-o*']?[()DPdpO\\{@|\[\]])[^A-Za-z0-9]", "[<>:;=]", brackets
    yield r"([-^x=~<>']_[-^x=~<>']|\([-^x=~<>'][_.]?[-^x=~<>']\)|\([\^x=~<>']-[\^x=~<>'`]\))", r"[-^x=~<>'(]", brackets
    for sign, name in {"{": "-LCB-", "}": "-RCB-", "[": "-LSB-", "]": "-RSB-", "(": "-LRB-", ")": "-RRB-"}.items():
        yield f"({re.escape(sign)})", re.escape(sign), always(name)
    yield "(-+)", "-", dashes
    yield r"(\.{3,5}|(?:\.[ \u00a0]){2,4}\.|[\u0085\u2026])", r"[.\u0085\u2026]", always("...")
    yield r"(@+|#+|_+|\*+|(?:\\\*){1,3})", r"[@#_*\\]", same
    yield r"(<PAUSE>|[?!]+|[.=/¡¿\u037e\u0589\u061f\u06d4\u0700-\u0702\u07fa\u3002])", r"[^A-Za-z0-9]", same
    for name, first, becomes in (
        ("HYPHENATED", "[A-Za-z0-9]", without_soft_hyphens),
        ("COMPOUND", "<THING>", same),
        ("JOINED", "[A-Z]", ampersand),
    ):
        yield rf"(<{name}>\.)<PAUSE>", first, becomes
        yield f"(<{name}>)", first, becomes
    yield r"(')[A-Za-z][^ \t\n\r\u00a0]", "'", always("`")
    yield "(<CLITIC>|<NOT>)", f"{quote}|[nN]", quotes
    others = "`\u2018\u2019\u201a-\u201f\u0091-\u0094\u2039\u203a\u00ab\u00bb"
    yield f"([{others}]{{1,2}}|''|<APOS>)", f"['&{others}]", quotes
    yield "(<<|>>)", "[<>]", same
    yield f"([{inside(SIGNS)}])", f"[{inside(SIGNS)}]", same
    yield f"({either('&nbsp;')})", "&", always("")
    yield "(<SPACE>+)", "<SPACE>", always("")


@functools.cache
def grammar(ascii_only: bool) -> tuple[Rule, ...]:
    """The rules in their order; letters and digits are those of ASCII for texts that hold no others.

    >>> len(grammar(True)) == len(grammar(False)) > 70
    True
    """
    named = macros(ascii_only)

    def expanded(pattern: str) -> re.Pattern[str]:
        while (found := re.search("<([A-Z0-9]{3,})>", pattern)) is not None:
            pattern = pattern[: found.start()] + f"(?:{named[found[1]]})" + pattern[found.end() :]
        return re.compile(pattern)

    return tuple(Rule(expanded(pattern), expanded(starts), becomes) for pattern, starts, becomes in rules(ascii_only))
