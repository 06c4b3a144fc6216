"""The first sheet of an Excel workbook (``.xlsx``) as rows: a zip of XML, of which texts, numbers and truth values are read.

Source: ECMA-376, part 1 (SpreadsheetML). Formulas are read as the value that was stored for them.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any
from xml.etree import ElementTree

from assay.data.readers.manifest import Records

SHEET, STRINGS = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"
LARGEST = 1 << 30
"""Bytes that a part may have, once it is unpacked."""


def first_sheet(where: Path) -> Records:
    """The rows under the first one, which names the columns; empty cells are absent. `ValueError` for what is no such workbook."""
    try:
        with zipfile.ZipFile(where) as archive:
            shared = (
                [text_of(item) for item in parts(archive, where, STRINGS, "si")]
                if STRINGS in archive.namelist()
                else []
            )
            rows = [
                (int(row.get("r", number)), cells_of(row, shared))
                for number, row in enumerate(parts(archive, where, SHEET, "row"), 1)
            ]
    except (zipfile.BadZipFile, KeyError, ElementTree.ParseError, EOFError, ValueError, IndexError) as error:
        raise ValueError(f"{where} cannot be read as an Excel workbook: {error}") from error
    if not rows:
        raise ValueError(f"{where} holds no rows")
    header = {column: str(name) for column, name in rows[0][1].items()}
    named = [
        {header[column]: value for column, value in cells.items() if column in header} for _, cells in rows[1:] if cells
    ]
    return Records(where, named, [f"row {number}" for number, cells in rows[1:] if cells])


def parts(archive: zipfile.ZipFile, where: Path, name: str, tag: str) -> Iterator[ElementTree.Element]:
    """The elements of a name in one part, one after another."""
    if archive.getinfo(name).file_size > LARGEST:
        raise ValueError(f"{name} has more than {LARGEST >> 30} GiB")
    with archive.open(name) as file:
        # A workbook declares no entities of its own, and what is not declared cannot be blown up.
        if b"<!" in head_of(file):
            raise ValueError(f"{name} holds a document type, which no workbook has")
    with archive.open(name) as file:
        for _, element in ElementTree.iterparse(file):
            if local(element) == tag:
                yield element
                element.clear()


def head_of(file: IO[bytes]) -> bytes:
    """The beginning of a part, where a document type would stand."""
    return file.read(4096)


def local(element: ElementTree.Element) -> str:
    """An element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def text_of(element: ElementTree.Element) -> str:
    """All text within an element, without the readings of phonetic runs."""
    runs = [one for one in element if local(one) != "rPh"]
    return "".join(part.text or "" for run in runs for part in run.iter() if local(part) == "t")


def cells_of(row: ElementTree.Element, shared: list[str]) -> dict[str, Any]:
    """The cells of a row by the letters of their columns."""
    found: dict[str, Any] = {}
    for cell in row:
        place = re.match(r"[A-Z]+", cell.get("r", ""))
        value = value_of(cell, shared)
        if place is not None and value not in (None, ""):
            found[place[0]] = value
    return found


def value_of(cell: ElementTree.Element, shared: list[str]) -> Any:
    """What a cell holds: a text, a number, a truth value; ``None`` for an empty cell or an error."""
    kind = cell.get("t", "n")
    if kind == "inlineStr":
        return "".join(text_of(one) for one in cell if local(one) == "is")
    held = next((one.text for one in cell if local(one) == "v"), None)
    if held is None or kind == "e":
        return None
    if kind == "s":
        return shared[int(held)]
    if kind == "b":
        return held == "1"
    return float(held) if kind == "n" else held
