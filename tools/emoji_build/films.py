"""Animations: evenly spaced frames of the animated Fluent emoji, as small animated WebP."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image, ImageSequence

from emoji_build.concepts import bare
from emoji_build.pictures import SIZE_PX
from emoji_build.sources import fetch

PACKAGES_USED = ("animated-1", "animated-3")  # of four: things, animals, food and people; faces, hands and animals
FRAMES = 12
QUALITY = 80


def films(cache: Path) -> dict[str, Path]:
    """The animated file of every hex code that has one."""
    folders = [fetch(package, cache) / "assets" for package in PACKAGES_USED]
    return {bare(path.stem): path for folder in folders for path in sorted(folder.glob("*.webp"))}


def encode(path: Path) -> tuple[bytes, float] | None:
    """Animated WebP of `FRAMES` frames on white and its frames per second; nothing for a film that does not move."""
    with Image.open(path) as film:
        count = getattr(film, "n_frames", 1)
        if count < FRAMES:
            return None
        wanted = [round(i * count / FRAMES) for i in range(FRAMES)]
        frames, length_ms = [], 0
        for number, frame in enumerate(ImageSequence.Iterator(film)):
            frame.load()
            length_ms += frame.info.get("duration", 33)
            if number in wanted:
                frames.append(_on_white(frame))
    out = io.BytesIO()
    step_ms = max(1, round(length_ms / FRAMES))
    frames[0].save(
        out, "WEBP", save_all=True, append_images=frames[1:], duration=step_ms, loop=0, quality=QUALITY, method=6
    )
    with Image.open(io.BytesIO(out.getvalue())) as packed:
        if packed.n_frames != FRAMES:
            return None  # WebP merges equal neighbours: a film that stands still holds fewer frames than it says.
    return out.getvalue(), 1000 / step_ms


def _on_white(frame: Image.Image) -> Image.Image:
    small = frame.convert("RGBA").resize((SIZE_PX, SIZE_PX), Image.Resampling.LANCZOS)
    white = Image.new("RGBA", small.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, small).convert("RGB")
