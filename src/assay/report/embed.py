"""Media inside the page: data URIs of types that a browser only shows or plays, within a budget.

A type is read off the bytes themselves, never believed; SVG and anything else that could act is not embedded. Examples
share the budget in the order of the page: what is over it is named, not shown.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

from markupsafe import Markup

from assay.data import decode
from assay.report.content import Clip

ITEMS = 160  # media in one page
BYTES = 6_000_000  # of media in one page, before base64 makes a third more of them
EMPTY = Markup()
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


class Budget:
    """What may still be embedded in one page."""

    def __init__(self, items: int = ITEMS, size_bytes: int = BYTES) -> None:
        self.items = items
        self.size_bytes = size_bytes
        self.left_out = 0

    def show(self, clip: Clip) -> Shown:
        """The clip as an element, or the reason why not."""
        mime = decode.mime(clip.data)
        kind = kind_of(mime)
        if kind == NOTHING:
            return Shown(NOTHING, clip.alt, why="its type is not one that this page shows")
        if self.items < 1 or len(clip.data) + len(clip.still) > self.size_bytes:
            self.left_out += 1
            return Shown(NOTHING, clip.alt, why="left out to keep this page small")
        self.items -= 1
        self.size_bytes -= len(clip.data) + len(clip.still)
        still = data_uri(clip.still, decode.mime(clip.still)) if kind_of(decode.mime(clip.still)) == PICTURE else EMPTY
        return Shown(kind, clip.alt, data_uri(clip.data, mime), still)


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


def data_uri(data: bytes, mime: str) -> Markup:
    """The bytes as an address that needs no network; letters of base64 need no escaping."""
    assert kind_of(mime) != NOTHING, mime
    return Markup(f"data:{mime};base64,{base64.b64encode(data).decode('ascii')}")
