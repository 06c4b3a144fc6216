"""Which emoji are concepts, what they are called, and which of them belong to one family.

A *family* is what is left of an emoji when skin tone and gender are taken out of it: "woman running" and
"man running" are one family, so that no split can hold one and another split the other.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from emoji_build.sources import fetch, read_json

COMPONENT_GROUP = 2
TONE_CODES = {"1f3fb", "1f3fc", "1f3fd", "1f3fe", "1f3ff"}
TONES = ("light", "medium-light", "medium", "medium-dark", "dark")  # emojibase's numbers 1 to 5
SIGNS = {"2640", "2642"}
GENDER_CODES = {
    "woman": {"2640", "1f469", "1f467", "1f475", "1f478", "1f930", "1f936"},
    "man": {"2642", "1f468", "1f466", "1f474", "1f934", "1fac3", "1f57a"},
}
# Emoji older than the gender-neutral ones, which say man or woman by a code of their own.
NEUTRAL = {
    "1f468": "1f9d1", "1f469": "1f9d1",  # man, woman: person
    "1f466": "1f9d2", "1f467": "1f9d2",  # boy, girl: child
    "1f474": "1f9d3", "1f475": "1f9d3",  # old man, old woman: older person
    "1f934": "1fac5", "1f478": "1fac5",  # prince, princess: person with crown
    "1f930": "1fac4", "1fac3": "1fac4",  # pregnant woman, man: person
    "1f57a": "1f483",  # man dancing, woman dancing
    "1f46b": "1f46d", "1f46c": "1f46d",  # people holding hands
}  # fmt: skip
NEUTRAL_SEQUENCES = {
    "1f9d1-200d-1f384": "1f385", "1f936": "1f385",  # Mx Claus, Mrs Claus, Santa Claus
    "1f9d1-200d-1f91d-200d-1f9d1": "1f46d",  # people holding hands
    "1f9d1-200d-1f37c": "1f931",  # person feeding baby, breast-feeding
}  # fmt: skip
FAMILY = "1f46a"
MEMBERS = {"1f466", "1f467", "1f468", "1f469", "1f9d1", "1f9d2"}


@dataclass(frozen=True)
class Concept:
    """An emoji without skin tone. ``hexcode`` is in lower case, without variation selectors."""

    hexcode: str
    emoji: str
    name: str
    keywords: tuple[str, ...]
    category: str
    subcategory: str
    gender: str
    family: str
    tones: tuple[str, ...]  # the hex codes of its five skin tones, or nothing


def bare(hexcode: str) -> str:
    """A hex code in lower case without variation selectors, as all packages can be matched by.

    >>> bare("1F3C3-200D-2640-FE0F")
    '1f3c3-200d-2640'
    """
    return "-".join(part for part in hexcode.lower().split("-") if part != "fe0f")


def family_of(hexcode: str) -> str:
    """The hex code of the gender- and tone-neutral emoji.

    >>> family_of("1f3c3-200d-2640"), family_of("1f469-1f3fd-200d-1f692")
    ('1f3c3', '1f9d1-200d-1f692')
    """
    parts = [p for p in hexcode.split("-") if p not in TONE_CODES and p not in SIGNS] or [hexcode]
    while parts and parts[-1] == "200d":
        parts.pop()
    joined = [p for p in parts if p != "200d"]
    if "1f48b" in joined and joined[0] in NEUTRAL:
        return "1f48f"  # kiss
    if "2764" in joined and joined[0] in NEUTRAL:
        return "1f491"  # couple with heart
    if len(joined) > 1 and all(p in MEMBERS for p in joined) and "1f91d" not in joined:
        return FAMILY
    neutral = "-".join(NEUTRAL.get(p, p) for p in parts)
    return NEUTRAL_SEQUENCES.get(neutral, neutral)


def gender_of(hexcode: str) -> str:
    """``woman``, ``man`` or, where the emoji shows neither or several people, ``none``.

    >>> gender_of("1f9d1-200d-1f692"), gender_of("1f469-200d-1f692"), gender_of("2640")
    ('none', 'woman', 'none')
    """
    parts = hexcode.split("-")
    people = [p for p in parts if p in MEMBERS]
    if len(people) > 1 or parts[0] in SIGNS:
        return "none"
    return next((gender for gender, codes in GENDER_CODES.items() if codes & set(parts)), "none")


def share(key: str, salt: str) -> float:
    """A fixed number in [0, 1) for a key: the same on every machine and for every version of any library."""
    return int.from_bytes(hashlib.sha256(f"{salt}:{key}".encode()).digest()[:8], "big") / 2**64


def read_concepts(cache: Path) -> list[Concept]:
    """Every emoji but components and bare regional indicators, in emojibase's order."""
    folder = fetch("emojibase", cache) / "en"
    messages = read_json(folder / "messages.json")
    groups = {group["order"]: group["message"] for group in messages["groups"]}
    subgroups = {group["order"]: group["message"] for group in messages["subgroups"]}
    entries = [e for e in read_json(folder / "data.json") if e.get("group", COMPONENT_GROUP) != COMPONENT_GROUP]
    concepts = [_concept(e, groups, subgroups) for e in sorted(entries, key=lambda e: e["order"])]
    gendered = {c.family for c in concepts if c.gender != "none"}
    return [replace(c, gender="person") if c.hexcode in gendered and c.gender == "none" else c for c in concepts]


def _concept(entry: dict, groups: dict[int, str], subgroups: dict[int, str]) -> Concept:
    hexcode = bare(entry["hexcode"])
    skins = [s for s in entry.get("skins", ()) if isinstance(s["tone"], int)]
    return Concept(
        hexcode=hexcode,
        emoji=entry["emoji"],
        name=entry["label"],
        keywords=tuple(tag for tag in entry.get("tags", ()) if tag.casefold() != entry["label"].casefold()),
        category=groups[entry["group"]],
        subcategory=subgroups[entry["subgroup"]],
        gender=gender_of(hexcode),
        family=family_of(hexcode),
        tones=tuple(bare(s["hexcode"]) for s in sorted(skins, key=lambda s: s["tone"])) if len(skins) == 5 else (),
    )
