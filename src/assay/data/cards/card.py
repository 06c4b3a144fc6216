"""What a benchmark card says, and the reading of one from TOML.

A card needs ``title``, ``task``, ``files`` and ``metrics``; all else has a usual value. An unknown key is refused with its nearest
neighbour, so that nothing in a card does nothing.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from assay.catalog import CARDS, LAYOUTS, nearest

TASKS = ("vqa", "captioning", "classification", "retrieval", "winoground")
ROLES = ("id", "image", "audio", "video", "answer", "unit")
FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Card:
    """A benchmark.

    ``files`` are the names of its files and folders, where somebody names but the folder that they lie in; ``layout`` is how they
    are published (`assay.catalog.LAYOUTS`; ``rows``: a manifest, and a folder of media). ``fields`` says which column is ``id``,
    ``image``, ``audio``, ``video``, ``answer``, ``unit``. ``prompt`` is what is asked: ``{column}`` stands for a column's value,
    ``{options}`` for the lettered options; a line that names a column which a row does not fill is left out. ``options`` are the
    columns of the options, or the one that holds a list of them; with ``circular`` every question is asked in each rotation of
    them. ``choices`` are the answers that there are, where they are the same for all rows. ``unit`` is what is resampled
    together: ``sample``, or a group, such as ``image``; ``groups`` are columns to break figures down by. ``images`` says whether
    media are paths or base64. ``folds`` cuts a retrieval gallery.
    """

    name: str
    title: str
    task: str
    files: tuple[str, ...]
    metrics: tuple[str, ...]
    layout: str = "rows"
    fields: Mapping[str, str] = field(default_factory=dict)
    prompt: str = "{question}"
    options: tuple[str, ...] = ()
    circular: bool = False
    choices: tuple[str, ...] = ()
    unit: str = "sample"
    groups: tuple[str, ...] = ()
    images: str = "path"
    folds: int = 1
    licence: str = ""
    source: str = ""
    paper: str = ""
    folder: Path = field(default=Path(), compare=False)

    @property
    def form(self) -> str:
        """How the benchmark is asked for: by its folder, or by each of its files."""
        return f"{self.name}:DIR or {self.name}:{','.join(self.files)}"


KINDS: Mapping[str, tuple[type, str]] = {
    "str": (str, "a text"),
    "int": (int, "a whole number"),
    "bool": (bool, "true or false"),
    "tuple[str, ...]": (list, "a list of texts"),
    "Mapping[str, str]": (dict, "a table of texts"),
}


def shipped() -> dict[str, Card]:
    """The cards that come with the package, by name.

    >>> shipped()["pope"].task
    'vqa'
    """
    return {name: read_card(FOLDER / f"{name}.toml") for name in CARDS}


def read_card(path: str | Path) -> Card:
    """The card in a TOML file; its name is the file's. Raises `ValueError`, naming the file, for what is no card."""
    place = Path(path)
    try:
        given = tomllib.loads(place.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"{place} cannot be read as a benchmark card (TOML): {error}") from error
    kinds = {one.name: str(one.type) for one in fields(Card) if one.name not in ("name", "folder")}
    for key, value in given.items():
        if key not in kinds:
            raise ValueError(f"{place}: a card has no {key!r}: {nearest(key, kinds)}")
        check_kind(place, key, value, kinds[key])
    for key in ("title", "task", "files", "metrics"):
        if not given.get(key):
            raise ValueError(f"{place}: {key!r} is missing; a card needs title, task, files and metrics")
    made: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}
    card = Card(name=place.stem, folder=place.parent, **made)
    check_card(place, card)
    return card


def check_kind(path: Path, key: str, value: Any, kind: str) -> None:
    """`ValueError` for a value of another kind."""
    expected, told = KINDS[kind]
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    wrong = not isinstance(value, expected) or (isinstance(value, bool) and expected is not bool)
    if wrong or any(not isinstance(one, str) for one in inside):
        raise ValueError(f"{path}: {told} was expected under {key!r}, got {value!r:.60}")


def check_card(path: Path, card: Card) -> None:
    """`ValueError` for a value that means nothing."""
    for what, value, known in (
        ("task", card.task, TASKS),
        ("layout", card.layout, LAYOUTS),
        ("images", card.images, ("path", "base64")),
        *(("field", role, ROLES) for role in card.fields),
    ):
        if value not in known:
            raise ValueError(f"{path}: unknown {what} {value!r}: {nearest(value, known)}")
    if card.circular and not card.options:
        raise ValueError(f"{path}: 'circular' needs 'options', the columns that are rotated")
    if card.folds < 1:
        raise ValueError(f"{path}: at least 1 fold was expected, got {card.folds}")
