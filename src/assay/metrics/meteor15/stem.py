"""English stems by the Snowball algorithm (Porter2), in the edition that METEOR 1.5 holds.

Source: M. Porter, "The English (Porter2) stemming algorithm", snowballstem.org. The edition of METEOR 1.5 is older than
today's: its lists of exceptions are shorter. A word of one or two letters is its own stem; what is no lower-case
Latin letter counts as a consonant.

Words are strings of UTF-16 units, as in the reference: the three-letter limit counts units.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

VOWELS = frozenset("aeiouy")
NOT_SHORT = VOWELS | frozenset("wxY")
DOUBLES = frozenset(["bb", "dd", "ff", "gg", "mm", "nn", "pp", "rr", "tt"])
BEFORE_LI = frozenset("cdeghkmnrt")

IRREGULAR: Mapping[str, str] = {
    "skis": "ski",
    "skies": "sky",
    "dying": "die",
    "lying": "lie",
    "tying": "tie",
    "idly": "idl",
    "gently": "gentl",
    "ugly": "ugli",
    "early": "earli",
    "only": "onli",
    "singly": "singl",
    **{word: word for word in ("sky", "news", "howe", "atlas", "cosmos", "bias", "andes")},
}
KEPT = frozenset(["inning", "outing", "canning", "herring", "earring", "proceed", "exceed", "succeed"])

STEP_2: Mapping[str, str] = {
    "tional": "tion",
    "enci": "ence",
    "anci": "ance",
    "abli": "able",
    "entli": "ent",
    "izer": "ize",
    "ization": "ize",
    "ational": "ate",
    "ation": "ate",
    "ator": "ate",
    "alism": "al",
    "aliti": "al",
    "alli": "al",
    "fulness": "ful",
    "ousli": "ous",
    "ousness": "ous",
    "iveness": "ive",
    "iviti": "ive",
    "biliti": "ble",
    "bli": "ble",
    "ogi": "og",
    "fulli": "ful",
    "lessli": "less",
    "li": "",
}
STEP_3: Mapping[str, str] = {
    "tional": "tion",
    "ational": "ate",
    "alize": "al",
    "icate": "ic",
    "iciti": "ic",
    "ical": "ic",
    "ful": "",
    "ness": "",
    "ative": "",
}


def _by_length(endings: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(endings, key=len, reverse=True))


def _longest(word: str, endings: tuple[str, ...]) -> str | None:
    """The first of ``endings``, which are given longest first, that ``word`` ends with."""
    return next(filter(word.endswith, endings)) if word.endswith(endings) else None


ENDINGS_0 = ("'s'", "'s", "'")
ENDINGS_1A = ("sses", "ied", "ies", "us", "ss", "s")
ENDINGS_1B = ("eedly", "ingly", "edly", "eed", "ing", "ed")
ENDINGS_2, ENDINGS_3 = _by_length(STEP_2), _by_length(STEP_3)
ENDINGS_4 = _by_length(
    (
        "al",
        "ance",
        "ence",
        "er",
        "ic",
        "able",
        "ible",
        "ant",
        "ement",
        "ment",
        "ent",
        "ism",
        "ate",
        "iti",
        "ous",
        "ive",
        "ize",
        "ion",
    )
)


def stem(word: str) -> str:
    """The stem of a lower-case word.

    >>> [stem(word) for word in ("running", "dogs", "cities", "happily", "generously", "dying")]
    ['run', 'dog', 'citi', 'happili', 'generous', 'die']
    """
    if word in IRREGULAR:
        return IRREGULAR[word]
    if len(word) < 3:
        return word
    word = _mark_consonant_y(word.removeprefix("'"))
    r1, r2 = _regions(word)
    word = _step_1a(_step_0(word))
    if word not in KEPT:
        word = _step_1c(_step_1b(word, r1))
        word = _step_2(word, r1)
        word = _step_3(word, r1, r2)
        word = _step_5(_step_4(word, r2), r1, r2)
    return word.replace("Y", "y")


def _mark_consonant_y(word: str) -> str:
    """``Y`` for each y that begins the word or follows a vowel."""
    if "y" not in word:
        return word
    letters = list(word)
    for i, letter in enumerate(letters):
        if letter == "y" and (i == 0 or letters[i - 1] in VOWELS):
            letters[i] = "Y"
    return "".join(letters)


def _after_first_syllable(word: str, start: int) -> int:
    """Where the first consonant that follows a vowel, from ``start`` on, ends."""
    for i in range(start + 1, len(word)):
        if word[i] not in VOWELS and word[i - 1] in VOWELS:
            return i + 1
    return len(word)


def _regions(word: str) -> tuple[int, int]:
    """Where the regions R1 and R2 of a word begin."""
    for prefix in ("gener", "commun", "arsen"):
        if word.startswith(prefix):
            return len(prefix), _after_first_syllable(word, len(prefix))
    r1 = _after_first_syllable(word, 0)
    return r1, _after_first_syllable(word, r1)


def _ends_short(word: str) -> bool:
    """Whether the word ends in a short syllable."""
    if len(word) < 2 or word[-1] in (VOWELS if len(word) == 2 else NOT_SHORT) or word[-2] not in VOWELS:
        return False
    return len(word) == 2 or word[-3] not in VOWELS


def _has_vowel(part: str) -> bool:
    return not VOWELS.isdisjoint(part)


def _step_0(word: str) -> str:
    ending = _longest(word, ENDINGS_0)
    return word if ending is None else word.removesuffix(ending)


def _step_1a(word: str) -> str:
    ending = _longest(word, ENDINGS_1A)
    if ending == "sses":
        return word[:-2]
    if ending in ("ied", "ies"):
        return word[:-2] if len(word) > 4 else word[:-1]
    return word[:-1] if ending == "s" and _has_vowel(word[:-2]) else word


def _step_1b(word: str, r1: int) -> str:
    ending = _longest(word, ENDINGS_1B)
    if ending is None:
        return word
    rest = word.removesuffix(ending)
    if ending in ("eed", "eedly"):
        return rest + "ee" if len(rest) >= r1 else word
    if not _has_vowel(rest):
        return word
    if rest.endswith(("at", "bl", "iz")):
        return rest + "e"
    if rest[-2:] in DOUBLES:
        return rest[:-1]
    return rest + "e" if len(rest) == r1 and _ends_short(rest) else rest


def _step_1c(word: str) -> str:
    if len(word) > 2 and word[-1] in "yY" and word[-2] not in VOWELS:
        return word[:-1] + "i"
    return word


def _step_2(word: str, r1: int) -> str:
    ending = _longest(word, ENDINGS_2)
    if ending is None:
        return word
    rest = word.removesuffix(ending)
    allowed = rest.endswith("l") if ending == "ogi" else ending != "li" or (rest != "" and rest[-1] in BEFORE_LI)
    return rest + STEP_2[ending] if len(rest) >= r1 and allowed else word


def _step_3(word: str, r1: int, r2: int) -> str:
    ending = _longest(word, ENDINGS_3)
    if ending is None:
        return word
    rest = word.removesuffix(ending)
    return rest + STEP_3[ending] if len(rest) >= (r2 if ending == "ative" else r1) else word


def _step_4(word: str, r2: int) -> str:
    ending = _longest(word, ENDINGS_4)
    if ending is None:
        return word
    rest = word.removesuffix(ending)
    return rest if len(rest) >= r2 and (ending != "ion" or rest.endswith(("s", "t"))) else word


def _step_5(word: str, r1: int, r2: int) -> str:
    rest = word[:-1]
    if word.endswith("e") and (len(rest) >= r2 or (len(rest) >= r1 and not _ends_short(rest))):
        return rest
    return rest if word.endswith("ll") and len(rest) >= r2 else word
