"""Who is in which split: families are dealt to parts by a fixed hash, then every split's rows are written out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from emoji_build.concepts import TONES, Concept, share
from emoji_build.pictures import STYLES
from emoji_build.speech import TEST_VOICE, TRAIN_VOICES, VALIDATION_VOICE, VOICES

TEST_SHARE, VALIDATION_SHARE = 0.12, 0.08
PER_LANGUAGE = 60
TRAIN_STYLES = ("fluent", "noto")
TEST_STYLE = "twemoji"


@dataclass(frozen=True)
class Row:
    """One sample before its bytes are joined to it. ``picture`` is "hex code/style", ``clip`` "hex code/voice"."""

    id: str
    split: str
    concept: str
    style: str
    picture: str
    text: str
    language: str = "en"
    voice: str = "none"
    clip: str | None = None
    film: str | None = None
    skin_tone: str = "none"
    gender: str = "none"
    twin: str | None = None


def deal(concepts: Sequence[Concept]) -> dict[str, str]:
    """The part (``train``, ``validation``, ``test-concepts``) of every family, in fixed shares of each category."""
    categories: dict[str, dict[str, None]] = defaultdict(dict)
    dealt: set[str] = set()
    for concept in concepts:
        if concept.family not in dealt:
            categories[concept.category][concept.family] = None
            dealt.add(concept.family)
    parts = {}
    for families in categories.values():
        order = sorted(families, key=lambda family: share(family, "part"))
        unseen, held = round(TEST_SHARE * len(order)), round(VALIDATION_SHARE * len(order))
        for rank, family in enumerate(order):
            parts[family] = "test-concepts" if rank < unseen else "validation" if rank < unseen + held else "train"
    return parts


def clips_wanted(concept: Concept, part: str) -> list[str]:
    """The voices that the rows of a concept need."""
    if part == "train":
        return [*_train_voices(concept), TEST_VOICE.name]
    if part == "validation":
        return [VALIDATION_VOICE.name]
    return _dealt_voices(concept)


def _train_voices(concept: Concept) -> list[str]:
    start = int(share(concept.hexcode, "voice") * len(TRAIN_VOICES))
    step = 1 + int(share(concept.hexcode, "voice step") * 2) * 4  # 1 or 5: both visit all six
    return [TRAIN_VOICES[(start + i * step) % len(TRAIN_VOICES)].name for i in range(3)]


def _dealt_voices(concept: Concept) -> list[str]:
    start = int(share(concept.hexcode, "unseen voice") * len(VOICES))
    return [VOICES[(start + 3 * i) % len(VOICES)].name for i in range(len(STYLES))]


def rows_of(concept: Concept, part: str, spoken: bool, filmed: bool) -> Iterable[Row]:
    """The rows of one concept in the splits of its part (and in ``test``, if it is known)."""

    def row(split: str, style: str, voice: str) -> Row:
        return Row(
            id=f"{concept.hexcode}/{style}/{voice}",
            split=split,
            concept=concept.hexcode,
            style=style,
            picture=f"{concept.hexcode}/{style}",
            text=concept.name,
            voice=voice if spoken else "none",
            clip=f"{concept.hexcode}/{voice}" if spoken else None,
            film=concept.hexcode if filmed and style == "fluent" else None,
            gender=concept.gender,
        )

    if part == "train":
        third = TRAIN_STYLES[share(concept.hexcode, "third style") >= 0.5]
        for style, voice in zip((*TRAIN_STYLES, third), _train_voices(concept), strict=True):
            yield row("train", style, voice)
        yield row("test", TEST_STYLE, TEST_VOICE.name)
    elif part == "validation":
        yield from (row("validation", style, VALIDATION_VOICE.name) for style in TRAIN_STYLES)
    else:
        for style, voice in zip(STYLES, _dealt_voices(concept), strict=True):
            yield row("test-concepts", style, voice)


def language_rows(known: Sequence[Concept], names: Mapping[tuple[str, str], str], language: str) -> Iterable[Row]:
    """About `PER_LANGUAGE` known concepts, in the style that training has not seen, with their name in a language."""
    named = [c for c in known if (c.hexcode, language) in names]
    for concept in sorted(named, key=lambda c: share(c.hexcode, f"language {language}"))[:PER_LANGUAGE]:
        yield Row(
            id=f"{concept.hexcode}/{TEST_STYLE}/none/{language}",
            split="languages",
            concept=concept.hexcode,
            style=TEST_STYLE,
            picture=f"{concept.hexcode}/{TEST_STYLE}",
            text=names[concept.hexcode, language],
            language=language,
            gender=concept.gender,
        )


def twin_rows(family: Sequence[Concept], style: str) -> Iterable[Row]:
    """A family's pictures that differ in gender alone, and those that differ in skin tone alone.

    All twins share the neutral member's name, so that nothing but the picture differs between them.
    """
    neutral = next((c for c in family if c.hexcode == c.family), None)
    if neutral is None:
        return
    genders = {c.gender: c for c in family if c.gender in ("person", "man", "woman")}
    if len(genders) == 3 and len(genders) == len(family):
        for gender, concept in genders.items():
            yield _twin(concept, neutral, style, f"{family[0].family}/{style}/gender", concept.hexcode, gender, "none")
    for tone, hexcode in zip(TONES, neutral.tones, strict=False):
        yield _twin(neutral, neutral, style, f"{neutral.hexcode}/{style}/tone", hexcode, neutral.gender, tone)


def _twin(concept: Concept, neutral: Concept, style: str, twin: str, hexcode: str, gender: str, tone: str) -> Row:
    return Row(
        id=f"{hexcode}/{style}/{twin.rsplit('/', 1)[1]}",
        split="twins",
        concept=concept.hexcode,
        style=style,
        picture=f"{hexcode}/{style}",
        text=neutral.name,
        gender=gender,
        skin_tone=tone,
        twin=twin,
    )


def as_columns(rows: Sequence[Row]) -> dict[str, list[str | None]]:
    """The rows as columns, in order."""
    plain = [asdict(row) for row in rows]
    return {name: [row[name] for row in plain] for name in plain[0]}
