"""Pictures of every style at one size: vector art and large bitmaps become 64-pixel WebP with alpha."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import vl_convert
from PIL import Image

from emoji_build.concepts import TONE_CODES, bare
from emoji_build.sources import fetch, read_json

SIZE_PX = 64
QUALITY = 82
STYLES = ("fluent", "noto", "twemoji")
Drawing = Callable[[], Image.Image]
# In the Fluent package medium-light stands under medium's name and the other way round: of 139 emoji, 134 grow
# lighter from the second tone to the third, which no other style's do. These four are right; mountain bikers go from
# dark to light, and are left out.
SWAPPED_TONES = {"1f3fc": "1f3fd", "1f3fd": "1f3fc"}
RIGHT_TONES = {"1f9d1-200d-1f4bb", "1f46d", "1f48f", "1f491"}
REVERSED_TONES = {"1f6b5"}


def encode(picture: Image.Image, quality: int = QUALITY) -> bytes:
    """WebP bytes of a picture, fitted into a square of `SIZE_PX` with alpha."""
    square = Image.new("RGBA", (max(picture.size),) * 2, (0, 0, 0, 0))
    square.paste(picture, ((square.width - picture.width) // 2, (square.height - picture.height) // 2))
    small = square.resize((SIZE_PX, SIZE_PX), Image.Resampling.LANCZOS)
    assert small.getchannel("A").getextrema()[1] > 0, "a picture is empty"
    out = io.BytesIO()
    small.save(out, "WEBP", quality=quality, alpha_quality=90, method=6, exact=False)
    return out.getvalue()


def drawings(style: str, cache: Path) -> dict[str, Drawing]:
    """For every hex code of a style a function that draws it."""
    if style == "fluent":
        return with_right_tones(_files(fetch("fluent", cache) / "assets"))
    vectors = _vectors(fetch(style, cache))
    if style == "noto":  # The vector package has no flags of countries; the bitmap package has the same art.
        flags = _files(fetch("noto-flags", cache) / "img" / "google" / "64")
        return {**{k: v for k, v in flags.items() if is_flag(k)}, **vectors}
    return vectors


def with_right_tones(files: dict[str, Drawing]) -> dict[str, Drawing]:
    """The Fluent files under the names of the tones that they show."""
    right = {}
    for hexcode, drawing in files.items():
        parts = hexcode.split("-")
        neutral = "-".join(part for part in parts if part not in TONE_CODES)
        if neutral in REVERSED_TONES and neutral != hexcode:
            continue
        kept = neutral in RIGHT_TONES
        right["-".join(part if kept else SWAPPED_TONES.get(part, part) for part in parts)] = drawing
    return right


def is_flag(hexcode: str) -> bool:
    """Whether an emoji is the flag of a country or of a part of one (regional indicators, tag sequences)."""
    first = hexcode.split("-")[0]
    return "1f1e6" <= first <= "1f1ff" or "e007f" in hexcode


def _files(folder: Path) -> dict[str, Drawing]:
    return {bare(path.stem): lambda path=path: Image.open(path).convert("RGBA") for path in sorted(folder.iterdir())}


def _vectors(folder: Path) -> dict[str, Drawing]:
    icons = read_json(folder / "icons.json")
    size = icons["width"]

    def draw(name: str) -> Image.Image:
        while name in icons.get("aliases", {}):
            name = icons["aliases"][name]["parent"]
        body = icons["icons"][name]["body"]
        svg = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="128" height="128" viewBox="0 0 {size} {size}">{body}</svg>'
        )
        return Image.open(io.BytesIO(vl_convert.svg_to_png(svg))).convert("RGBA")

    characters = read_json(folder / "chars.json")
    return {bare(code): lambda name=name: draw(name) for code, name in characters.items()}
