"""Packs the emoji data set into `src/assay/data/bundled/files/emoji`.

Needs npm, espeak-ng and the Python packages of `tools/requirements-data.txt`. The same packages give the same
bytes. Example::

    python tools/build_emoji.py --cache /tmp/emoji-packages
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import polars as pl

from emoji_build import films, pictures, speech, splits
from emoji_build.concepts import Concept, read_concepts, share
from emoji_build.names import LANGUAGES, read_names

OUT = Path(__file__).parents[1] / "src/assay/data/bundled/files/emoji"
WORKERS = 2
FILMS_WANTED = 320
LONGEST_SPOKEN_NAME = 20
MB = 1_000_000
BUDGETS = {
    "pictures": 13 * MB,
    "twins": 5 * MB,
    "animations": 6 * MB,
    "speech": 9 * MB,
    "names": 3 * MB,
    "concepts": MB // 10,
    "samples": MB // 4,
}


def draw(keys: Sequence[tuple[str, str]], cache: Path) -> list[bytes]:
    """WebP bytes for (hex code, style) pairs."""
    styles = {style: pictures.drawings(style, cache) for style in pictures.STYLES}
    return [pictures.encode(styles[style][hexcode]()) for hexcode, style in keys]


def say(keys: Sequence[tuple[str, str]]) -> list[bytes]:
    """Opus bytes for (name, voice) pairs."""
    voices = {voice.name: voice for voice in speech.VOICES}
    return [speech.speak(name.replace(":", ","), voices[voice]) for name, voice in keys]


def spread(work: partial, keys: Sequence) -> list:
    """The work on all keys, in order, by several processes."""
    size = 100
    with ProcessPoolExecutor(WORKERS) as pool:
        blocks = pool.map(work, [keys[i : i + size] for i in range(0, len(keys), size)])
        return [item for block in blocks for item in block]


def with_pictures(concepts: Iterable[Concept], cache: Path) -> tuple[list[Concept], pl.DataFrame]:
    """The concepts drawn in every style, and their pictures; families with an identical picture become one."""
    styles = [set(pictures.drawings(style, cache)) for style in pictures.STYLES]
    drawn = [c for c in concepts if all(c.hexcode in style for style in styles)]
    keys = [(c.hexcode, style) for style in pictures.STYLES for c in drawn]
    data = spread(partial(draw, cache=cache), keys)
    frame = pl.DataFrame({"key": ["/".join(key) for key in keys], "webp": data})
    return merged(drawn, keys, data), frame


def merged(concepts: Sequence[Concept], keys: Sequence[tuple[str, str]], data: Sequence[bytes]) -> list[Concept]:
    """The concepts, where families that share a picture to the byte (two flags that are the same) are one family."""
    joined = {c.family: c.family for c in concepts}
    family = {c.hexcode: c.family for c in concepts}

    def root(name: str) -> str:
        while joined[name] != name:
            name = joined[name]
        return name

    first: dict[bytes, str] = {}
    for (hexcode, _), picture in zip(keys, data, strict=True):
        joined[root(family[hexcode])] = root(family[first.setdefault(picture, hexcode)])
    return [replace(c, family=root(c.family)) for c in concepts]


def film_frame(concepts: Sequence[Concept], parts: dict[str, str], cache: Path) -> pl.DataFrame:
    """The animations: all of unseen concepts, then known ones in the order of a fixed hash."""
    held = films.films(cache)
    moving = [c.hexcode for c in concepts if c.hexcode in held]
    part = {c.hexcode: parts[c.family] for c in concepts}
    order = sorted(moving, key=lambda h: (part[h] == "train", share(h, "film")))
    chosen: dict[str, tuple[bytes, float]] = {}
    for hexcode in order:
        if len(chosen) == FILMS_WANTED:
            break
        packed = films.encode(held[hexcode])
        if packed is not None:
            chosen[hexcode] = packed
    films_, rates = zip(*chosen.values(), strict=True)
    return pl.DataFrame({"key": list(chosen), "webp": films_, "fps": rates})


def speech_frame(concepts: Sequence[Concept], parts: dict[str, str]) -> pl.DataFrame:
    """The spoken names that the rows need, of all names short enough for the budget."""
    short = [c for c in concepts if len(c.name) <= LONGEST_SPOKEN_NAME]
    wanted = [(c, voice) for c in short for voice in splits.clips_wanted(c, parts[c.family])]
    data = spread(say, [(c.name, voice) for c, voice in wanted])
    return pl.DataFrame({"key": [f"{c.hexcode}/{voice}" for c, voice in wanted], "opus": data})


def sample_rows(concepts: Sequence[Concept], parts: dict[str, str], filmed: set[str], names: dict) -> list[splits.Row]:
    """The rows of all splits."""
    rows = []
    for concept in concepts:
        spoken = len(concept.name) <= LONGEST_SPOKEN_NAME
        rows += splits.rows_of(concept, parts[concept.family], spoken, concept.hexcode in filmed)
    known = [c for c in concepts if parts[c.family] == "train"]
    for language in LANGUAGES[1:]:
        rows += splits.language_rows(known, names, language)
    families: dict[str, list[Concept]] = defaultdict(list)
    for concept in concepts:
        families[concept.family].append(concept)
    for style in pictures.STYLES:
        for family in families.values():
            rows += splits.twin_rows(family, style)
    return rows


def twin_frame(
    rows: Sequence[splits.Row], held: Mapping[str, bytes], cache: Path
) -> tuple[list[splits.Row], pl.DataFrame]:
    """The rows without twins that a style cannot draw or draws alike, and the pictures of skin tones."""
    styles = {style: set(pictures.drawings(style, cache)) for style in pictures.STYLES}
    undrawn = {r.twin for r in rows if r.twin and r.picture.split("/")[0] not in styles[r.style]}
    keys = [r.picture for r in rows if r.picture not in held and r.twin not in undrawn]
    drawn = dict(zip(keys, spread(partial(draw, cache=cache), [tuple(key.split("/")) for key in keys]), strict=True))
    twins: dict[str, list[bytes]] = defaultdict(list)
    for row in rows:
        if row.twin and row.twin not in undrawn:
            twins[row.twin].append(drawn[row.picture] if row.picture in drawn else held[row.picture])
    told_apart = {None, *(twin for twin, data in twins.items() if len(set(data)) == len(data))}
    rows = [row for row in rows if row.twin in told_apart]
    used = {row.picture for row in rows}
    kept = {key: data for key, data in drawn.items() if key in used}
    return rows, pl.DataFrame({"key": list(kept), "webp": list(kept.values())})


def concept_frame(concepts: Sequence[Concept], parts: dict[str, str]) -> pl.DataFrame:
    """What is known of every concept."""
    columns = ("hexcode", "emoji", "name", "keywords", "category", "subcategory", "gender", "family")
    frame = pl.DataFrame({name: [getattr(c, name) for c in concepts] for name in columns})
    return frame.with_columns(pl.Series("part", [parts[c.family] for c in concepts]))


def build(cache: Path, out: Path) -> None:
    """Writes all files and holds each part to its budget."""
    cache.joinpath("x").mkdir(parents=True, exist_ok=True)
    out.mkdir(parents=True, exist_ok=True)
    concepts, picture_frame = with_pictures(read_concepts(cache), cache)
    parts = splits.deal(concepts)
    names = read_names(concepts, cache)
    animations = film_frame(concepts, parts, cache)
    named = {(n.concept, n.language): n.name for n in names}
    rows = sample_rows(concepts, parts, set(animations["key"]), named)
    rows, twins = twin_frame(rows, dict(picture_frame.iter_rows()), cache)
    name_columns = ("concept", "language", "name", "keywords")
    frames = {
        "pictures": picture_frame,
        "twins": twins,
        "animations": animations,
        "speech": speech_frame(concepts, parts),
        "names": pl.DataFrame({name: [getattr(n, name) for n in names] for name in name_columns}),
        "concepts": concept_frame(concepts, parts),
        "samples": pl.DataFrame(splits.as_columns(rows)),
    }
    for name, frame in frames.items():
        path = out / f"{name}.parquet"
        packed = any(dtype == pl.Binary for dtype in frame.dtypes)
        frame.write_parquet(path, compression="uncompressed" if packed else "zstd", compression_level=None)
        size = path.stat().st_size
        print(f"{name:12} {len(frame):6} rows {size / MB:7.2f} MB")
        assert size <= BUDGETS[name], f"{name} is over its budget of {BUDGETS[name] / MB} MB"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=Path("build/emoji-packages"))
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    build(options.cache.resolve(), options.out.resolve())
