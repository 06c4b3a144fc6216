"""A contact sheet: many samples of a data set on one picture, each with its text and what else it holds."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from assay.data.dataset import Dataset
from assay.data.media import Pixels
from assay.types import MediaError, Sample

CELL_PX = 112
PICTURE_PX = 72
LINE_PX = 12
MARGIN_PX = 4
WIDE = 18  # characters of a label's line
INK, PAPER, BROKEN = "#222222", "#ffffff", "#c62828"
TYPEWRITTEN = str.maketrans("‘’“”–—", "''\"\"--")
MARKS = {"audio": "a", "video": "v"}


def contact_sheet(dataset: Dataset, n: int = 60, columns: int = 10) -> bytes:
    """A PNG of ``n`` samples, evenly spread over the data set.

    Each cell shows the picture (of a film its middle frame; of a sound its wave; or a red cross for one that is
    broken), the text, the target, and ``[av]`` for what the sample holds besides.

    Raises `ValueError` if the data set is empty or a number is below one.
    """
    if not len(dataset) or n < 1 or columns < 1:
        raise ValueError(
            f"a contact sheet needs samples, n and columns of at least 1, not {len(dataset)}, {n}, {columns}"
        )
    chosen = np.unique(np.linspace(0, len(dataset) - 1, min(n, len(dataset))).round().astype(int))
    width, rows = min(columns, len(chosen)), -(-len(chosen) // columns)
    sheet = Image.new("RGB", (width * CELL_PX, rows * CELL_PX), PAPER)
    for place, number in enumerate(chosen):
        cell = _cell(dataset.samples[number])
        sheet.paste(cell, (place % columns * CELL_PX, place // columns * CELL_PX))
    out = io.BytesIO()
    sheet.save(out, "PNG", optimize=True)
    return out.getvalue()


def _cell(sample: Sample) -> Image.Image:
    cell = Image.new("RGB", (CELL_PX, CELL_PX), PAPER)
    pen = ImageDraw.Draw(cell)
    try:
        picture = _picture(sample)
    except MediaError:
        box = (MARGIN_PX, MARGIN_PX, PICTURE_PX, PICTURE_PX)
        pen.line(box, BROKEN, 3)
        pen.line((box[0], box[3], box[2], box[1]), BROKEN, 3)
    else:
        if picture is not None:
            cell.paste(picture, ((CELL_PX - picture.width) // 2, MARGIN_PX))
    font = ImageFont.load_default(size=LINE_PX - 2)
    for line, text in enumerate(_labels(sample)):
        pen.text((MARGIN_PX, PICTURE_PX + MARGIN_PX + line * LINE_PX), text, INK, font=font)
    return cell


def _labels(sample: Sample) -> Sequence[str]:
    text = _printable(str(sample.inputs.get("text", "")), sample)
    held = "".join(mark for modality, mark in MARKS.items() if modality in sample.inputs)
    last = f"{'' if sample.target is None else sample.target}{f' [{held}]' if held else ''}"
    return text[:WIDE], text[WIDE : 2 * WIDE], last[: WIDE + 4]


def _printable(text: str, sample: Sample) -> str:
    """The text in the letters that the font has; else the reference, with the language that the text is in."""
    parted = unicodedata.normalize("NFKD", text.translate(TYPEWRITTEN))
    plain = "".join(c for c in parted if not unicodedata.combining(c))
    if plain.isascii():
        return plain
    name = sample.references[0] if sample.references and sample.references[0].isascii() else f"{len(text)} letters"
    return f"{name} ({sample.groups.get('language', 'not Latin')})"


def _picture(sample: Sample) -> Image.Image | None:
    """What can be seen of a sample at `PICTURE_PX`, if anything."""
    for modality in ("image", "video", "audio"):
        medium = sample.inputs.get(modality)
        if medium is None or isinstance(medium, str):
            continue
        content = medium.load()
        if modality == "audio":
            return Image.fromarray(_wave(content))
        pixels = content[len(content) // 2] if modality == "video" else content
        picture = Image.fromarray(pixels)
        kind = Image.Resampling.NEAREST if max(picture.size) < PICTURE_PX // 2 else Image.Resampling.LANCZOS
        scale = PICTURE_PX / max(picture.size)
        return picture.resize((max(1, round(picture.width * scale)), max(1, round(picture.height * scale))), kind)
    return None


def _wave(sound: np.ndarray) -> Pixels:
    """The largest amplitude of each of `PICTURE_PX` stretches of a sound, as grey bars on white."""
    peaks = [np.abs(stretch).max(initial=0) for stretch in np.array_split(sound, PICTURE_PX)]
    height = np.round(np.array(peaks) * PICTURE_PX / 2)
    rows = np.abs(np.arange(PICTURE_PX) - PICTURE_PX // 2)[:, None]
    bars = rows <= height[None]
    return np.where(bars[..., None], np.uint8(96), np.uint8(255)).repeat(3, axis=2)
