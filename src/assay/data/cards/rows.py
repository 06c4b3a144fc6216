"""Cards over plain tables: each row is a question, its fields and its prompt as the card says; options may be rotated."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.catalog import nearest
from assay.data.cards.card import Card
from assay.data.dataset import Dataset
from assay.data.kept import Kept
from assay.data.readers.folder import classes, fingerprint, media_of
from assay.data.readers.inputs import from_base64, medium
from assay.data.readers.manifest import MEDIA, Records, Row, read_rows, several, written
from assay.types import Media, Sample

PLACE = re.compile(r"\{(\w[\w -]*)\}")
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LONGEST_REFERENCE = 64
"""In a table of base64, a cell as short as this names the row whose picture it shares (as MMBench is published)."""

ROTATED = 1_000_000
"""MMBench gives the k-th rotation of question i the index i + k · 1,000,000."""


@dataclass(frozen=True)
class Asked:
    """One question as it is put: its id, the item that its rotations share, its options, its right answer."""

    id: str
    item: str
    options: tuple[str, ...]
    answer: Any


def from_rows(card: Card, at: Path, media: Path) -> Dataset:
    """The rows of a manifest as samples, by a card. `ValueError` that names file and row."""
    records = read_rows(at)
    check_columns(card, records)
    kept, samples, options = Kept(), [], {}
    base = pictures(card, records) if card.images == "base64" else {}
    rotated = card.circular and not already_rotated(card, records)
    for number, row in enumerate(records.rows):
        try:
            shared = {
                role: medium("image", base[number], f"row {number}", kept)
                if number in base and role == "image"
                else media_of(role, row[card.fields[role]], media, kept)
                for role in MEDIA
                if role in card.fields and card.fields[role] in row
            }
            for asked in questions(card, row, number, rotated):
                samples.append(sample_of(card, row, asked, shared))
                if asked.options:
                    options[asked.id] = asked.options
        except ValueError as error:
            raise records.error(number, str(error)) from error
    unique(records, samples)
    labels = [sample.target for sample in samples if sample.target is not None]
    return Dataset(
        card.name,
        samples,
        fingerprint(samples, hashlib.sha256(at.read_bytes()).hexdigest()),
        choices=classes(labels) if card.task == "classification" else (),
        options=options,
        together="item" if card.circular else "",
    )


def check_columns(card: Card, records: Records) -> None:
    """`ValueError` for a field that no row has."""
    present = dict.fromkeys(name for row in records.rows for name in row)
    named = {f"fields.{role}": column for role, column in card.fields.items()} | {
        f"groups.{column}": column for column in card.groups
    }
    for what, column in named.items():
        if column not in present:
            raise ValueError(
                f"{records.path} has no column {column!r} ({what} of the card): {nearest(column, present)}"
            )


def pictures(card: Card, records: Records) -> dict[int, bytes]:
    """The pictures of a table of base64, by row; rows that name another row share its picture."""
    column, name = card.fields["image"], card.fields.get("id", "")
    cells = {written(row[name]): written(row[column]) for row in records.rows if column in row and name in row}
    out: dict[int, bytes] = {}
    decoded: dict[str, bytes] = {}
    for number, row in enumerate(records.rows):
        if column not in row:
            continue
        cell = written(row[column])
        if len(cell) <= LONGEST_REFERENCE and cell in cells:
            cell = cells[cell]
        if cell not in decoded:
            try:
                decoded[cell] = from_base64(cell)
            except ValueError as error:
                raise records.error(number, str(error)) from error
        out[number] = decoded[cell]
    return out


def already_rotated(card: Card, records: Records) -> bool:
    """Whether the table holds the rotations itself, as rows of their own."""
    name = card.fields.get("id", "")
    return any(is_index(row.get(name)) and int(row[name]) >= ROTATED for row in records.rows)


def is_index(value: Any) -> bool:
    """Whether a cell is a whole number."""
    return isinstance(value, int | str) and str(value).isdecimal()


def questions(card: Card, row: Row, number: int, rotated: bool) -> Iterator[Asked]:
    """The questions of a row: itself, or each rotation of its options. `ValueError` for a row without an answer."""
    name = written(row[card.fields["id"]]) if card.fields.get("id") in row else str(number)
    item = str(int(name) % ROTATED) if card.circular and is_index(name) else name
    answer = row.get(card.fields.get("answer", ""))
    if "answer" in card.fields and answer is None:
        raise ValueError(f"{card.fields['answer']!r} is empty: this part of the benchmark has no public answers")
    options = options_of(card, row)
    if not options:
        yield Asked(name, item, (), answer)
        return
    right = letter_of(answer, options)
    for turn in range(len(options) if rotated else 1):
        turned = options[turn:] + options[:turn]
        letter = LETTERS[(LETTERS.index(right) - turn) % len(options)]
        own = name if turn == 0 else str(int(name) + turn * ROTATED) if is_index(name) else f"{name}+{turn}"
        yield Asked(own, item, turned, letter)


def options_of(card: Card, row: Row) -> tuple[str, ...]:
    """The texts of the options that a row has."""
    if len(card.options) == 1:
        return several(row[card.options[0]]) if card.options[0] in row else ()
    return tuple(written(row[column]) for column in card.options if column in row)


def letter_of(answer: Any, options: tuple[str, ...]) -> str:
    """The letter of the right option, which is given as a letter, as its text, or as its place from 0.

    >>> letter_of("b", ("cat", "dog")), letter_of("dog", ("cat", "dog")), letter_of(1, ("cat", "dog"))
    ('B', 'B', 'B')
    """
    known = LETTERS[: len(options)]
    told = written(answer).strip()
    if len(told) == 1 and told.upper() in known:
        return told.upper()
    if told in options:
        return known[options.index(told)]
    if told.isdecimal() and int(told) < len(options):
        return known[int(told)]
    raise ValueError(f"the answer {told[:60]!r} is none of the options {known}")


def sample_of(card: Card, row: Row, asked: Asked, media: Mapping[str, Media]) -> Sample:
    """A question as a sample: media, prompt, what is expected, and its groups."""
    prompt = filled(card.prompt, {**row, "options": lettered(asked.options)})
    inputs: dict[str, Media | str] = {**media, **({"text": prompt} if prompt else {})}
    if not inputs:
        raise ValueError("no input: the row has neither media nor what the prompt names")
    expected = () if asked.answer is None else (asked.answer,) if asked.options else several(asked.answer)
    unit = row.get(card.fields.get("unit", card.fields.get("image", "")))
    groups = {column: written(row[column]) for column in card.groups if column in row}
    if card.unit != "sample":
        # A picture inside the table has no name: then each row's is its own.
        known = asked.item if card.unit == "item" else written(unit) if isinstance(unit, str | int) else asked.item
        groups[card.unit] = known
    if card.circular:
        groups["item"] = asked.item
    target = expected[0] if len(expected) == 1 else None
    return Sample(asked.id, inputs, target=target, references=expected, groups=groups)


def lettered(options: tuple[str, ...]) -> str:
    """``A. cat`` and so on, one a line."""
    return "\n".join(f"{letter}. {text}" for letter, text in zip(LETTERS, options, strict=False))


def filled(template: str, values: Mapping[str, Any]) -> str:
    """The template with each ``{name}`` replaced; a line is left out where one of its names has no value.

    >>> filled("Hint: {hint}\\n{question}", {"question": "What is {x}?"})
    'What is {x}?'
    """
    lines = []
    for line in template.splitlines():
        names = PLACE.findall(line)
        if all(values.get(name) not in (None, "") for name in names):
            lines.append(PLACE.sub(lambda found: written(values[found[1]]), line))
    return "\n".join(lines).strip()


def unique(records: Records, samples: list[Sample]) -> None:
    """`ValueError` for an id that occurs twice."""
    seen: set[str] = set()
    for sample in samples:
        if sample.id in seen:
            raise ValueError(f"{records.path}: the id {sample.id!r} occurs twice")
        seen.add(sample.id)
