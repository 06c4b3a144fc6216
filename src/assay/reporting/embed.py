"""Media inside the page: data URIs of types that a browser only shows or plays, within a budget.

A type is read off the bytes themselves, never believed; SVG and anything else that could act is not embedded. Examples
share the budget in the order of the page: what is over it is named, not shown.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from assay.data import decode
from assay.reporting.content import Clip

ITEMS = 160  # media in one page
BYTES = 6_000_000  # of media in one page, before base64 makes a third more of them
EMPTY = Markup()
LEFT_OUT = "left out to keep this page small"
PICTURE, SOUND, FILM, NOTHING = "picture", "sound", "film", "nothing"


@dataclass(frozen=True, slots=True)
class Shown:
    """A clip as the page shows it: ``kind`` is an element's kind; ``uri`` is empty for ``nothing``, and ``why`` says why.

    ``still`` is what an animation shows before it is asked to move.
    """

    kind: str
    alt: str
    uri: Markup = EMPTY
    still: Markup = EMPTY
    why: str = ""


def embedded(clips: Sequence[Clip], *, items: int = ITEMS, size_bytes: int = BYTES) -> dict[Clip, Shown]:
    """How each clip is shown; ``clips`` are those of the page in its order, one that comes twice stands twice."""
    shown: dict[Clip, Shown] = {}
    for clip, times in Counter(clips).items():
        size = times * (len(clip.data) + len(clip.still))
        kind = kind_of(decode.mime(clip.data))
        if kind == NOTHING:
            shown[clip] = Shown(NOTHING, clip.alt, why="its type is not one that this page shows")
        elif times > items or size > size_bytes:
            shown[clip] = Shown(NOTHING, clip.alt, why=LEFT_OUT)
        else:
            items, size_bytes = items - times, size_bytes - size
            shown[clip] = Shown(kind, clip.alt, data_uri(clip.data), _still(clip))
    return shown


def _still(clip: Clip) -> Markup:
    return data_uri(clip.still) if kind_of(decode.mime(clip.still)) == PICTURE else EMPTY


def kind_of(mime: str) -> str:
    """What an element of that MIME type is to a person.

    >>> kind_of("image/webp"), kind_of("audio/ogg"), kind_of("image/svg+xml")
    ('picture', 'sound', 'nothing')
    """
    if mime in decode.SHOWN_IMAGES:
        return PICTURE
    if mime in decode.PLAYED_SOUNDS:
        return SOUND
    return FILM if mime in decode.PLAYED_FILMS else NOTHING


def data_uri(data: bytes) -> Markup:
    """The bytes as an address that needs no network; letters of base64 need no escaping."""
    mime = decode.mime(data)
    assert kind_of(mime) != NOTHING, mime
    return Markup(f"data:{mime};base64,{base64.b64encode(data).decode('ascii')}")
