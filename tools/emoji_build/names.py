"""Names and keywords in many languages, from the Unicode CLDR."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from emoji_build.concepts import Concept
from emoji_build.sources import fetch, read_json

LANGUAGES = (
    "en", "zh", "es", "fr", "de", "it", "pt", "ru", "ja", "ko", "ar", "hi",
    "tr", "vi", "th", "id", "pl", "nl", "sv", "uk", "fa", "he", "el", "bn", "sw",
)  # fmt: skip
SELECTOR = "\ufe0f"


@dataclass(frozen=True)
class Name:
    """What a concept is called in one language."""

    concept: str
    language: str
    name: str
    keywords: tuple[str, ...]


def read_names(concepts: Sequence[Concept], cache: Path) -> list[Name]:
    """The names of all concepts in all of `LANGUAGES`, as far as the CLDR holds them."""
    return [name for language in LANGUAGES for name in _of_language(concepts, language, cache)]


def _of_language(concepts: Sequence[Concept], language: str, cache: Path) -> Iterator[Name]:
    plain = read_json(fetch("names", cache) / "annotations" / language / "annotations.json")
    derived = read_json(fetch("names-derived", cache) / "annotationsDerived" / language / "annotations.json")
    held = {
        **{k.replace(SELECTOR, ""): v for k, v in derived["annotationsDerived"]["annotations"].items()},
        **{k.replace(SELECTOR, ""): v for k, v in plain["annotations"]["annotations"].items()},
    }
    for concept in concepts:
        entry = held.get(concept.emoji.replace(SELECTOR, ""))
        if entry and entry.get("tts"):
            yield Name(concept.hexcode, language, entry["tts"][0], tuple(entry.get("default", ())))
