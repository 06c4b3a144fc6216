"""CHAIR: how many of the objects that captions mention are not there.

``chair_i`` is the share of mentions that are hallucinated, over all mentions of all captions (pooled, with repetition; `items` are the
captions' own shares), ``chair_s`` the share of captions with a hallucinated mention. Both can be had down to 0 by saying
nothing, so `chair` gives two more: ``chair_recall``, the share of the objects there that are mentioned, and the captions'
length.

What counts as an object, and by which words it is mentioned, is the caller's table. In a caption the longest phrase of the table
wins (with ``hot dog`` in it, no dog is mentioned), without regard to case; a word that the table does not hold counts as its
singular by WordNet's rules for nouns.

Source: Rohrbach et al. 2018; `utils/chair.py` of LisaAnne/Hallucination, which has a table of its own for COCO's 80 classes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.metrics.diversity import caption_length
from assay.metrics.meteor15.wordtables import NOUNS
from assay.metrics.metric import Metric, Rows, of_sums, ratio, sign, weighted_mean
from assay.metrics.standalone import scored
from assay.stats.inputs import listed
from assay.types import Estimate

Values = NDArray[np.float64]
Synonyms = Mapping[str, Collection[str]] | Collection[str]

WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Mentions:
    """Of each row the objects that were mentioned, with repetition, None where the caption is missing, and those there."""

    mentioned: list[Counter[str] | None]
    present: list[frozenset[str]]


def paired_mentions(mentioned: Sequence[Collection[str] | None], present: Sequence[Collection[str]]) -> Mentions:
    """Lists of objects, checked. Raises `ValueError` for unequal lengths and for what is no list of texts, naming the row."""
    for what, rows in (("mentioned", mentioned), ("present", present)):
        if isinstance(rows, str | bytes):
            raise ValueError(f"{what}: a list of lists of objects was expected, not a text")
    if len(mentioned) != len(present):
        raise ValueError(
            f"the objects there for every caption were expected: {len(mentioned)} captions, {len(present)} lists"
        )
    said = [None if one is None else Counter(_objects("mentioned", row, one)) for row, one in enumerate(mentioned)]
    return Mentions(said, [frozenset(_objects("present", row, one)) for row, one in enumerate(present)])


def _objects(what: str, row: int, objects: Any) -> list[str]:
    if isinstance(objects, str | bytes) or not isinstance(objects, Collection):
        raise ValueError(f"row {row}: a list of {what} objects was expected, not {objects!r:.80}")
    wrong = [one for one in objects if not isinstance(one, str)]
    if wrong:
        raise ValueError(f"row {row}: a text was expected as a {what} object, not {wrong[0]!r:.80}")
    return list(objects)


def measure(mentions: Mentions) -> Rows:
    """Columns ``chair_counts`` ``[n, 2]`` (hallucinated mentions, all), ``chair_s`` (0 or 1), ``chair_found`` ``[n, 2]`` (objects
    there that were mentioned, all that are there); NaN where the caption is missing."""
    n = len(mentions.present)
    counts, found = np.full((n, 2), np.nan), np.full((n, 2), np.nan)
    for row, (said, there) in enumerate(zip(mentions.mentioned, mentions.present, strict=True)):
        if said is not None:
            counts[row] = sum(times for one, times in said.items() if one not in there), said.total()
            found[row] = len(said.keys() & there), len(there)
    some = np.where(np.isnan(counts[:, 0]), np.nan, counts[:, 0] > 0)
    return {"chair_counts": counts, "chair_s": some, "chair_found": found}


def _share(total: Values, counts: Values) -> Values:
    return ratio(counts[:, 0], counts[:, 1])


SOURCE = "Rohrbach et al. 2018; utils/chair.py of LisaAnne/Hallucination"
METRICS = {
    "chair_i": Metric(
        "chair_i",
        measure,
        of_sums(_share, "chair_counts"),
        better="lower",
        per_unit=True,
        columns=("chair_counts",),
        signature=sign("chair_i", "pooled"),
        source=SOURCE,
        family="mentions",
        prepare=paired_mentions,
        definition="mentions of objects that are not there over all mentions of objects, all captions together",
        edge="undefined where no caption mentions an object; per caption the reference gives 0 there",
    ),
    "chair_s": Metric(
        "chair_s",
        measure,
        weighted_mean("chair_s"),
        interval="wilson",
        better="lower",
        item="chair_s",
        signature=sign("chair_s"),
        source=SOURCE,
        family="mentions",
        prepare=paired_mentions,
        definition="share of captions that mention an object that is not there",
        edge="0 for captions that mention nothing: read it beside chair_recall",
    ),
    "chair_recall": Metric(
        "chair_recall",
        measure,
        of_sums(_share, "chair_found"),
        per_unit=True,
        columns=("chair_found",),
        signature=sign("chair_recall", "pooled"),
        source="share of the objects there that are mentioned, given beside CHAIR so that silence does not win",
        family="mentions",
        prepare=paired_mentions,
        definition="objects that are there and mentioned over all objects that are there, each once a picture, all pictures together",
        edge="undefined where no picture has an object",
    ),
}


def named(name: str) -> Metric:
    """``chair_i``, ``chair_s`` or ``chair_recall``."""
    return METRICS[name]


@dataclass(frozen=True, slots=True)
class ObjectTable:
    """Objects by the phrases that mention them, each a tuple of lower-case words, and the words of the longest phrase."""

    object_of: Mapping[tuple[str, ...], str]
    longest: int

    @classmethod
    def of(cls, synonyms: Synonyms) -> ObjectTable:
        """The table of a mapping from objects to their other names, or of a list of objects.

        Raises `ValueError` for a name that two objects share, and for names without letters.
        """
        if isinstance(synonyms, str | bytes) or not isinstance(synonyms, Collection):
            raise ValueError(
                f"objects, or a mapping from objects to their synonyms, were expected, not {synonyms!r:.80}"
            )
        others = synonyms if isinstance(synonyms, Mapping) else dict.fromkeys(synonyms, ())
        table: dict[tuple[str, ...], str] = {}
        for one, names in others.items():
            if isinstance(names, str):
                raise ValueError(f"a list of synonyms was expected for {one!r}, not one text")
            for name in (one, *names):
                phrase = _words(name)
                if not phrase:
                    raise ValueError(f"{name!r}, a name of {one!r}, has no letter or digit")
                if table.setdefault(phrase, one) != one:
                    raise ValueError(f"{name!r} is a name of both {table[phrase]!r} and {one!r}")
        return cls(table, max(map(len, table), default=0))

    def mentioned(self, text: str) -> list[str]:
        """The objects that a text mentions, in order and with repetition.

        >>> ObjectTable.of({"dog": ["puppy"], "hot dog": [], "person": ["man"]}).mentioned("Two men with puppies eat hot dogs")
        ['person', 'dog', 'hot dog']
        """
        words, place, found = _words(text), 0, []
        while place < len(words):
            for length in range(min(self.longest, len(words) - place), 0, -1):
                one = self._object(words[place : place + length])
                if one is not None:
                    found.append(one)
                    place += length
                    break
            else:
                place += 1
        return found

    def _object(self, phrase: tuple[str, ...]) -> str | None:
        if phrase in self.object_of:
            return self.object_of[phrase]
        *before, last = phrase
        return next(
            (self.object_of[one] for word in _singulars(last) if (one := (*before, word)) in self.object_of), None
        )

    def canonical(self, what: str, row: int, name: str) -> str:
        """The object of a name. Raises `ValueError` for one that the table does not hold."""
        found = self._object(_words(name))
        if found is None:
            raise ValueError(f"row {row}: {name!r} ({what}) is no object of the table of synonyms")
        return found


def _words(text: Any) -> tuple[str, ...]:
    if not isinstance(text, str):
        raise ValueError(f"a text was expected as the name of an object, not {text!r:.80}")
    return tuple(WORD.findall(text.lower()))


def _singulars(word: str) -> list[str]:
    if len(word) <= 2 or word.endswith("ss"):
        return []
    return [word.removesuffix(ending) + instead for ending, instead in NOUNS if word.endswith(ending)]


def chair(
    captions: Sequence[str | Collection[str] | None],
    present: Sequence[Collection[str]],
    synonyms: Synonyms,
    *,
    unit: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
) -> dict[str, Estimate]:
    """``chair_i``, ``chair_s``, ``chair_recall`` and, of texts, ``caption_length``, by name.

    ``captions`` are texts, or lists of the objects that each mentions; ``present`` are the objects in each picture (for COCO those of
    the segmentations and of the reference captions), by any of their names. A caption of None is missing. Raises
    `ValueError` for unequal lengths, for an object that ``synonyms`` does not hold, naming the row, and as `ObjectTable.of`.

    >>> found = chair(["A man and two dogs", "a cat"], [["person", "dog"], ["dog"]], {"person": ["man"], "dog": [], "cat": []})
    >>> {name: round(one.value, 3) for name, one in found.items()}
    {'chair_i': 0.333, 'chair_s': 0.5, 'chair_recall': 0.667, 'caption_length': 3.5}
    """
    table = ObjectTable.of(synonyms)
    for what, rows in (("captions", captions), ("present", present)):
        listed(rows, what)
    mentioned = [
        None
        if one is None
        else table.mentioned(one)
        if isinstance(one, str)
        else [table.canonical("mentioned", row, name) for name in _objects("mentioned", row, one)]
        for row, one in enumerate(captions)
    ]
    there = [
        [table.canonical("present", row, name) for name in _objects("present", row, one)]
        for row, one in enumerate(present)
    ]
    signed = [metric.signed(f"objects:{len(set(table.object_of.values()))}") for metric in METRICS.values()]
    found = scored(signed, mentioned, there, unit=unit, seed=seed)
    texts = [one for one in captions if one is None or isinstance(one, str)]
    if len(texts) == len(captions):
        found["caption_length"] = caption_length(texts, unit=unit, seed=seed)
    return found


def chair_i(
    captions: Sequence[str | Collection[str] | None],
    present: Sequence[Collection[str]],
    synonyms: Synonyms,
    *,
    unit: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
) -> Estimate:
    """The share of mentions of objects that are not there, pooled; see `chair`, which gives recall and length beside it."""
    return chair(captions, present, synonyms, unit=unit, seed=seed)["chair_i"]


def chair_s(
    captions: Sequence[str | Collection[str] | None],
    present: Sequence[Collection[str]],
    synonyms: Synonyms,
    *,
    unit: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
) -> Estimate:
    """The share of captions that mention an object that is not there; see `chair`, which gives recall and length beside it."""
    return chair(captions, present, synonyms, unit=unit, seed=seed)["chair_s"]
