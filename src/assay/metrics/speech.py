"""Word and character error rates of transcripts.

Errors are the fewest substitutions, deletions and insertions that turn the prediction into the reference, in words (what
whitespace parts) or characters; the rate is all errors over the length of all references, pooled over the utterances
(never a mean of utterances), and may exceed 1. An utterance whose reference is empty adds its insertions and no length;
when all references are empty the rate is undefined. Of several references the one with the lowest rate counts.

What texts are before they are compared decides a rate as much as the recogniser, so it has a name (`NORMS`) and stands
in the signature: ``none``; ``lower_punct``; ``english`` (Whisper's English normaliser without its tables of number words
and of British spellings); ``zh`` (characters without width, case, spaces and punctuation).

Source: Morris, Maier & Green 2004; Radford et al. 2022, appendix C.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.metrics.edits import as_characters, distances
from assay.metrics.metric import Metric, Rows, of_sums, ratio, sign
from assay.metrics.standalone import estimate
from assay.metrics.texts import Texts, normal_form, paired_texts
from assay.types import Estimate

HESITATIONS = re.compile(r"\b(?:hmm|mm|mhm|mmm|uh|um)\b")
ANGLED, ROUND = re.compile(r"[<\[][^>\]]*[>\]]"), re.compile(r"\([^)]+\)")
INNER_APOSTROPHE = re.compile(r"(?<=\w)['’](?=\w)")

NO_DECOMPOSITION = {"œ": "oe", "ø": "o", "æ": "ae", "ß": "ss", "đ": "d", "ð": "d", "þ": "th", "ł": "l"}
"""Letters that no Unicode form parts into a letter and a mark."""

KEPT_SYMBOLS = ".%$¢€£"

WHOLE_WORDS = {
    "won't": "will not",
    "can't": "can not",
    "let's": "let us",
    "ain't": "aint",
    "y'all": "you all",
    "wanna": "want to",
    "gotta": "got to",
    "gonna": "going to",
    "i'ma": "i am going to",
    "imma": "i am going to",
    "woulda": "would have",
    "coulda": "could have",
    "shoulda": "should have",
    "ma'am": "madam",
    "mr": "mister",
    "mrs": "missus",
    "st": "saint",
    "dr": "doctor",
    "prof": "professor",
    "capt": "captain",
    "gov": "governor",
    "ald": "alderman",
    "gen": "general",
    "sen": "senator",
    "rep": "representative",
    "pres": "president",
    "rev": "reverend",
    "hon": "honorable",
    "asst": "assistant",
    "assoc": "associate",
    "lt": "lieutenant",
    "col": "colonel",
    "jr": "junior",
    "sr": "senior",
    "esq": "esquire",
}
ENDINGS = {
    "'d been": " had been",
    "'s been": " has been",
    "'d gone": " had gone",
    "'s gone": " has gone",
    "'d done": " had done",
    "'s got": " has got",
    "n't": " not",
    "'re": " are",
    "'s": " is",
    "'d": " would",
    "'ll": " will",
    "'t": " not",
    "'ve": " have",
    "'m": " am",
}
"""Contractions, the longer before the shorter."""

WHOLE_WORD = re.compile(rf"\b(?:{'|'.join(WHOLE_WORDS)})\b")
ENDING = re.compile(rf"(?:{'|'.join(ENDINGS)})\b")


def as_it_is(text: str) -> str:
    """The text without outer whitespace."""
    return text.strip()


def lower_punct(text: str) -> str:
    """Lower case; punctuation and symbols become spaces, but for apostrophes within words.

    >>> lower_punct("It's 5 o'clock -- isn’t it?")
    "it's 5 o'clock isn't it"
    """
    kept = INNER_APOSTROPHE.sub("\x00", text.lower())
    return " ".join(kept.translate(_spaces(kept)).replace("\x00", "'").split())


def english(text: str) -> str:
    """English as Whisper's normaliser has it, but for number words and British spellings, which stay as they are.

    >>> english("Mr. Smith [laughs] won't, um, pay $3,000.50 -- he's gone!")
    'mister smith will not pay $3000.50 he has gone'
    """
    text = " ".join(text.lower().split())
    text = _without(ROUND, _without(ANGLED, text, ">]"), ")")
    text = re.sub(r"\s+'", "'", " ".join(HESITATIONS.sub("", text).split()))
    text = WHOLE_WORD.sub(lambda found: WHOLE_WORDS[found[0]], text)
    text = ENDING.sub(lambda found: ENDINGS[found[0]], text)
    text = re.sub(r"(\d),(\d)", r"\1\2", text)
    text = re.sub(r"\.([^0-9]|$)", r" \1", text)
    text = "".join(NO_DECOMPOSITION.get(c, c) for c in normal_form("NFKD", text))
    text = text.translate(_spaces(text, kept=KEPT_SYMBOLS))
    text = re.sub(r"[.$¢€£]([^0-9])", r" \1", text)
    return " ".join(re.sub(r"([^0-9])%", r"\1 ", text).split())


def zh(text: str) -> str:
    """Characters as Chinese recognisers are compared by: one width, lower case, no spaces, no punctuation.

    >>> zh("你好，ＡＩ 世界！")
    '你好ai世界'
    """
    plain = normal_form("NFKC", text).lower()
    return "".join(plain.translate(_spaces(plain)).split())


def _without(asides: re.Pattern[str], text: str, closing: str) -> str:
    """The text without its asides; what opens after the last closing bracket is never searched, so that time is linear."""
    end = max(text.rfind(bracket) for bracket in closing) + 1
    return asides.sub("", text[:end]) + text[end:]


def _spaces(text: str, kept: str = "") -> Mapping[int, str]:
    """What `str.translate` needs to make punctuation and symbols spaces (and, where symbols are ``kept``, drop accents)."""
    table = {}
    for char in set(text) - set(kept):
        kind = unicodedata.category(char)
        if kind == "Mn" and kept:
            table[ord(char)] = ""
        elif kind[0] in ("PSM" if kept else "PS"):
            table[ord(char)] = " "
    return table


NORMS: dict[str, Callable[[str], str]] = {"none": as_it_is, "lower_punct": lower_punct, "english": english, "zh": zh}

UNITS = {"wer": ("words", ("none", "lower_punct", "english")), "cer": ("characters", ("none", "lower_punct", "zh"))}
"""What each rate counts, and which norms make sense of it."""


def measure_errors(name: str, rate: str, norm: str, texts: Texts) -> Rows:
    """The columns ``NAME.errors`` and ``NAME.length`` ``[n]``: edits, and the length of the reference they are counted against."""
    normal = functools.lru_cache(maxsize=None)(NORMS[norm])
    first, second = [[normal(text) for text in side] for side in (texts.repeated, texts.references)]
    if rate == "wer":
        first, second = as_characters(first, second)
    errors = distances(first, second, texts.row).astype(np.float64)
    length = np.fromiter(map(len, second), dtype=np.float64, count=len(second))
    if len(second) > len(texts):
        each = np.divide(errors, length, out=np.where(errors > 0, np.inf, 0.0), where=length > 0)
        chosen = np.lexsort((each, texts.row))[texts.first]  # stable: the first of equal ones
        errors, length = errors[chosen], length[chosen]
    return {f"{name}.errors": texts.over(errors), f"{name}.length": texts.over(length)}


def _rate(total: NDArray[np.float64], errors: NDArray[np.float64], length: NDArray[np.float64]) -> NDArray[np.float64]:
    return ratio(errors, length)


def named(name: str) -> Metric:
    """``wer`` or ``cer``, with a norm after a colon: ``wer:english``, ``cer:zh``; without, texts as they are."""
    rate, _, norm = name.partition(":")
    norm = norm or "none"
    counted = UNITS[rate][0]
    return Metric(
        name,
        functools.partial(measure_errors, name, rate, norm),
        of_sums(_rate, f"{name}.errors", f"{name}.length"),
        better="lower",
        bounds=(0.0, float("inf")),
        signature=sign(name, f"norm:{norm}", "pooled"),
        source="Morris, Maier & Green 2004" + ("; Radford et al. 2022, appendix C" if norm == "english" else ""),
        family="texts",
        columns=(f"{name}.errors", f"{name}.length"),
        prepare=paired_texts,
        definition=f"substitutions, deletions and insertions of {counted} over the {counted} of all references",
        edge="above 1 where more is inserted than there is; an empty reference adds its insertions and no length; "
        "undefined when all references are empty",
    )


def wer(
    predictions: Sequence[str | None],
    references: Sequence[str | Sequence[str]],
    *,
    norm: str = "none",
    unit: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
) -> Estimate:
    """The word error rate over all utterances, 0 … ∞; ``norm`` is ``none``, ``lower_punct`` or ``english``.

    ``unit`` labels what is resampled together (a speaker). Raises `ValueError` for another norm, as
    `assay.metrics.texts.paired_texts`, and for texts that are too long to be aligned.

    >>> round(wer(["the cat sit on mat"], ["the cat sat on the mat"]).value, 6)
    0.333333
    >>> wer(["a b c", "x y z"], ["a b c d", "x y"]).value == 2 / 6
    True
    """
    return estimate(named(_asked("wer", norm)), predictions, references, unit=unit, seed=seed, unit_name="utterance")


def cer(
    predictions: Sequence[str | None],
    references: Sequence[str | Sequence[str]],
    *,
    norm: str = "none",
    unit: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
) -> Estimate:
    """The character error rate (inner spaces count), else as `wer`; ``norm`` is ``none``, ``lower_punct`` or ``zh``.

    >>> round(cer(["the cat sit on mat"], ["the cat sat on the mat"]).value, 6)
    0.227273
    >>> cer(["你好世界"], ["你好，世界！"], norm="zh").value
    0.0
    """
    return estimate(named(_asked("cer", norm)), predictions, references, unit=unit, seed=seed, unit_name="utterance")


def _asked(rate: str, norm: str) -> str:
    known = UNITS[rate][1]
    if norm not in known:
        raise ValueError(f"{rate}: a norm of {', '.join(known)} was expected, not {norm!r}")
    return rate if norm == "none" else f"{rate}:{norm}"
