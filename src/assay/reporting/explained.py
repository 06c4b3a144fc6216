"""Explanations as one HTML file: heat maps over the picture, the spectrogram and the frames, and marked words.

Red speaks for the answer, blue against it; the strongest cell of each map has the full colour, unless it is
below a tenth of the sample's strongest.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray
from PIL import Image as Pillow

from assay.data import encode
from assay.data.media import Audio
from assay.evaluation.exports import write_atomically
from assay.explanations.cells import bands, edges, spectrum
from assay.explanations.explain import Explained, Explanations, Map
from assay.reporting.embed import data_uri
from assay.reporting.html import environment

LONGEST_PX = 336
FRAMES, FRAME_PX = 8, 96
FOR, AGAINST = np.array([214.0, 39.0, 40.0]), np.array([31.0, 90.0, 200.0])
STRONGEST = 0.65
"""How much of the full colour covers what is below it."""

FAINT = 0.1
"""A map whose strongest cell is below this share of the sample's stays pale."""

Pixels = NDArray[np.uint8]


def write_explanations(found: Explanations, path: str | Path) -> Path:
    """Writes the page to ``path`` whole or not at all. `ValueError` where its folder is none."""
    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise ValueError(f"the page cannot be written to {target}: {target.parent} is no folder.") from error
    document = environment().get_template("explained.html.j2").render(found=found, shown=shown).encode("utf-8")
    write_atomically(target, lambda file: file.write(document))
    return target


def shown(one: Explained) -> list[dict[str, Any]]:
    """Each modality as the page shows it: its name, its share, marked words or a picture."""
    peaks = [float(np.abs(each.effects).max(initial=0.0)) for each in one.maps]
    found = []
    for each, peak in zip(one.maps, peaks, strict=True):
        strongest = max(peak, FAINT * max(peaks)) or 1.0
        words = marked(each, strongest) if each.grid.modality == "text" else []
        picture = Markup() if words else data_uri(encode.png(heat(one, each, strongest)))
        found.append({"modality": each.grid.modality, "share": each.share, "words": words, "picture": picture})
    return found


def marked(each: Map, strongest: float) -> list[tuple[str, Markup]]:
    """Every word with its background."""
    colours = []
    for effect in (each.effects[0] / strongest).tolist():
        red, green, blue = (FOR if effect > 0 else AGAINST).astype(int).tolist()
        colours.append(Markup(f"rgba({red},{green},{blue},{STRONGEST * abs(effect):.3f})"))
    return list(zip(each.grid.labels, colours, strict=True))


def heat(one: Explained, each: Map, strongest: float) -> Pixels:
    """The heat map of a picture, a sound or a film over what it is of, ``uint8[H, W, 3]``."""
    content = one.sample.inputs[each.grid.modality]
    assert not isinstance(content, str)
    array = content.load()
    if isinstance(content, Audio):
        return _of_sound(array, content.rate_hz, each.effects / strongest)
    if each.grid.modality == "video":
        chosen = np.unique(np.linspace(0, len(array) - 1, FRAMES).round().astype(int))
        stretch = np.searchsorted(edges(len(array), each.grid.shape[1]), chosen, side="right") - 1
        frames = [fitted(array[frame], FRAME_PX) for frame in chosen]
        return np.concatenate(
            [
                over(f, np.full(f.shape[:2], each.effects[0, s] / strongest))
                for f, s in zip(frames, stretch, strict=True)
            ],
            axis=1,
        )
    picture = fitted(array, LONGEST_PX)
    rows, columns = each.grid.shape
    return over(picture, spread(each.effects / strongest, edges(len(picture), rows), edges(picture.shape[1], columns)))


def spread(effects: NDArray[np.float64], rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.float64]:
    """A value for each pixel, from cells with these edges."""
    return np.repeat(np.repeat(effects, np.diff(rows), axis=0), np.diff(columns), axis=1)


def over(picture: Pixels, effects: NDArray[np.float64]) -> Pixels:
    """The picture in grey under the colours of ``effects`` (-1 … 1)."""
    grey = 0.85 * picture.mean(axis=2, keepdims=True) + 25
    alpha = STRONGEST * np.abs(effects)[:, :, None]
    colour = np.where(effects[:, :, None] > 0, FOR, AGAINST)
    return np.asarray((1 - alpha) * grey + alpha * colour).round().astype(np.uint8)


def fitted(picture: Pixels, longest_px: int) -> Pixels:
    """The picture with its longer side of that many pixels, and at least 16 on the other."""
    scale = longest_px / max(picture.shape[:2])
    height, width = (max(16, round(size * scale)) for size in picture.shape[:2])
    return np.asarray(Pillow.fromarray(picture).resize((width, height), Pillow.Resampling.BILINEAR))


def _of_sound(sound: NDArray[np.float32], rate_hz: int, effects: NDArray[np.float64]) -> Pixels:
    """The spectrogram in decibels, low frequencies below, under the cells' colours."""
    if len(sound) < 2:
        return over(np.zeros((16, 16, 3), np.uint8), np.full((16, 16), effects.flat[0]))
    power = 20 * np.log10(np.abs(spectrum(sound, rate_hz)) + 1e-6)
    shade = np.clip((power - power.max() + 80) / 80, 0, 1) * 255
    cells = spread(effects, bands(len(power), effects.shape[0]), edges(power.shape[1], effects.shape[1]))
    # Rows by octaves, as the bands are: each is as high as the others.
    rows = np.linspace(0, 1, 192)
    ends = bands(len(power), effects.shape[0])
    row = np.minimum(np.interp(rows, np.linspace(0, 1, len(ends)), ends).astype(int), len(power) - 1)[::-1]
    column = np.linspace(0, power.shape[1] - 1, 480).round().astype(int)
    grey = np.repeat(shade[np.ix_(row, column)][:, :, None], 3, axis=2).astype(np.uint8)
    return over(grey, cells[np.ix_(row, column)])
