"""Sentences that describe an emoji, in English and Chinese, made from its name, category and keywords.

They are templates and say no more than the names and keywords of Unicode do; a model that writes them is measured by
what stands in them, not by style.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

CATEGORIES_ZH = {
    "smileys & emotion": "笑脸与情感",
    "people & body": "人物与身体",
    "animals & nature": "动物与自然",
    "food & drink": "食物与饮料",
    "travel & places": "旅行与地点",
    "activities": "活动",
    "objects": "物品",
    "symbols": "符号",
    "flags": "旗帜",
}
TOLD_KEYWORDS = 2
CODE = re.compile(r"[A-Z0-9:]{1,5}$")  # of countries, times, chat
MANY = frozenset({"men", "women", "people", "children", "hands", "feet", "fingers", "scissors"})
SINGULAR_S = re.compile(r"(ss|us|is|ness|lens|Texas|Christmas|canvas|gas|bus)$")
NO_ARTICLE = """
fog rice bread butter cheese salt bacon honey ice milk money luggage mail fire snow wood rock soap hair air tennis golf polo water
hockey rugby football baseball softball volleyball basketball cricket skiing bowling fishing chess art news confidential thread yarn
jeans broccoli garlic popcorn seafood clothing
"""
AFTER_THE_NOUN = """
with in on of holding without wearing getting playing lifting bouncing shaking and for from at
"""
UNCOUNTED, LINKS = frozenset(NO_ARTICLE.split()), frozenset(AFTER_THE_NOUN.split())


def noun_phrase(name: str) -> str:
    """An emoji's name with its article, where it takes one.

    >>> noun_phrase("red apple"), noun_phrase("orange heart"), noun_phrase("grapes"), noun_phrase("flag: Chad")
    ('a red apple', 'an orange heart', 'grapes', 'the flag of Chad')
    """
    head, colon, rest = name.partition(": ")
    if head == "flag" and colon:
        return f"the flag of {rest}"
    words = re.sub(r"\s*\(.*\)", "", head).split()
    # "man in suit" is one man, "women holding hands" are several.
    main = next((words[i - 1] for i, word in enumerate(words) if i and word in LINKS), words[-1] if words else "")
    if main in MANY or main in UNCOUNTED or (main.endswith("s") and not SINGULAR_S.search(main)):
        return name
    if name[:1].isupper() and not name[1:2].isupper() and " " not in name:
        return name
    return f"{article(name)} {name}"


def article(name: str) -> str:
    """``a`` or ``an``, by the first letter as it is spoken.

    >>> article("hour"), article("unicorn"), article("O button"), article("eight")
    ('an', 'a', 'an', 'an')
    """
    first = name.split()[0].strip("“\"'") if name.split() else ""
    if first.isupper() and len(first) <= 3:
        return "an" if first[0] in "AEFHILMNORSX" else "a"
    if re.match(r"(uni|use|euro|one\b|once|ukulele|uf)", first.lower()):
        return "a"
    return "an" if re.match(r"(hour|honest|[aeiou])", first.lower()) else "a"


def sentence(name: str, category: str, keywords: Sequence[str]) -> str:
    """What an emoji is, where it belongs, and up to two keywords that its name does not hold.

    >>> sentence("red apple", "food & drink", ["apple", "diet", "fruit", "red"])
    'This is a red apple, from food & drink; think of diet and fruit.'
    """
    told = [word for word in keywords if not CODE.match(word) and not _within(word, name)][:TOLD_KEYWORDS]
    more = f"; think of {' and '.join(told)}" if told else ""
    phrase = noun_phrase(name)
    begin = "These are" if phrase == name and name.islower() and not UNCOUNTED & set(name.split()) else "This is"
    return f"{begin} {phrase}, from {category}{more}."


def sentence_zh(name: str, category: str, keywords: Sequence[str]) -> str:
    """The same in Chinese.

    >>> sentence_zh("红苹果", "food & drink", ["水果", "红苹果", "苹果"])
    '这是红苹果，属于食物与饮料，让人想到水果。'
    """
    told = [word for word in keywords if word not in name and name not in word][:TOLD_KEYWORDS]
    more = f"，让人想到{'和'.join(told)}" if told else ""
    what = f"{name.partition(': ')[2]}的旗帜" if name.startswith("旗: ") else name
    return f"这是{what}，属于{CATEGORIES_ZH[category]}{more}。"


def _within(word: str, name: str) -> bool:
    """Whether a keyword says what the name says."""
    parts = (*re.split(r"\W+", name.lower()), name.lower())
    return any(word.lower().rstrip("s") == part.rstrip("s") for part in parts)
