"""A folder of one's own files as a data set, without any code: with a manifest (`assay.data.readers.manifest`), or with a
folder of files for each class. A manifest by itself works too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from assay.data.dataset import Dataset
from assay.data.kept import Kept
from assay.data.media import Audio, Image, Video
from assay.data.readers.manifest import ALIASES, MEDIA, SUFFIXES, Records, columns_of, read_rows, several, written
from assay.types import Media, Sample

KINDS: Mapping[str, tuple[str, ...]] = {
    "image": (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"),
    "audio": (".wav", ".flac", ".ogg", ".opus", ".mp3"),
    "video": (".mp4", ".webm", ".mkv", ".mov", ".avi"),
}
MOST_CLASSES = 1_000


def read_path(path: str | Path, *, renamed: Mapping[str, str] | None = None) -> Dataset:
    """The data set that a folder or a manifest holds; media are opened when they are asked for.

    In a folder the one manifest at its top is taken; without one, each sub-folder is a class of the files in it. ``renamed``
    says which column plays which role. Raises `ValueError` for a path that is not there, several manifests, nothing to read,
    an id twice, a row without any input.
    """
    place = Path(path)
    if place.is_file():
        return from_manifest(place, renamed or {})
    if not place.is_dir():
        raise ValueError(f"there is no file or folder {place}")
    manifests = sorted(p for p in place.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file())
    if len(manifests) > 1:
        names = ", ".join(p.name for p in manifests)
        raise ValueError(f"{place} holds several manifests ({names}): name the one that you mean, {manifests[0]}")
    if manifests:
        return from_manifest(manifests[0], renamed or {}, name=str(place))
    return from_classes(place)


def from_manifest(path: Path, renamed: Mapping[str, str], *, name: str = "") -> Dataset:
    """The rows of a manifest as samples."""
    records = read_rows(path)
    columns = columns_of(records, renamed)
    if not {"text", *MEDIA} & set(columns):
        wanted = ", ".join(name for role in (*MEDIA, "text") for name in ALIASES[role][:1])
        has = ", ".join(dict.fromkeys(key for row in records.rows for key in row))
        raise ValueError(
            f"{path} has no input: expected a column {wanted}; it has {has}. Name another with --map image=COLUMN"
        )
    kept = Kept()
    samples = [sample_of(records, i, columns, kept) for i in range(len(records.rows))]
    unique(records, samples)
    digest = hashlib.sha256(path.read_bytes() + repr(sorted(columns.items())).encode())
    for sample in samples:
        for medium in sample.inputs.values():
            digest.update(stamp(medium))
    labels = [str(sample.target) for sample in samples if sample.target is not None]
    groups = dict.fromkeys(key for sample in samples for key in sample.groups)
    slices = tuple(key for key in groups if 1 < len({s.groups.get(key) for s in samples}) <= len(samples) // 2)
    return Dataset(
        name=name or str(path),
        samples=samples,
        fingerprint=digest.hexdigest(),
        choices=classes(labels) if "label" in columns else (),
        slices=slices,
        source=str(path),
        asks="vqa" if "text" in columns and "references" in columns else "",
        checked=False,
    )


def sample_of(records: Records, number: int, columns: Mapping[str, str], kept: Kept) -> Sample:
    """One row as a sample. `ValueError` for a row without any input."""
    row, folder = records.rows[number], records.path.parent
    inputs: dict[str, Media | str] = {}
    if (text := row.get(columns.get("text", ""))) is not None:
        inputs["text"] = written(text)
    for modality in MEDIA:
        if (file := row.get(columns.get(modality, ""))) is not None:
            inputs[modality] = medium(modality, folder / written(file), written(file), kept)
    if not inputs:
        raise records.error(
            number, f"no input: one of {', '.join(c for r, c in columns.items() if r in (*MEDIA, 'text'))}"
        )
    label, expected = row.get(columns.get("label", "")), row.get(columns.get("references", ""))
    references = () if expected is None else several(expected)
    identity = row.get(columns.get("id", ""))
    played = set(columns.values())
    groups = {k: written(v) for k, v in row.items() if k not in played and isinstance(v, str | int | float)}
    target = written(label) if label is not None else None
    name = written(identity) if identity is not None else usual_id(row, columns, number)
    return Sample(
        name, inputs, target=target, references=references or (() if target is None else (target,)), groups=groups
    )


def usual_id(row: Mapping[str, Any], columns: Mapping[str, str], number: int) -> str:
    """The row's file where the row is nothing but a file with what is expected of it, else its number."""
    alone = [columns[m] for m in MEDIA if m in columns and columns[m] in row]
    return written(row[alone[0]]) if len(alone) == 1 and "text" not in columns else str(number)


def unique(records: Records, samples: Sequence[Sample]) -> None:
    """`ValueError` for an id that occurs twice."""
    first: dict[str, int] = {}
    for number, sample in enumerate(samples):
        if first.setdefault(sample.id, number) != number:
            raise records.error(number, f"the id {sample.id!r} stands already in {records.places[first[sample.id]]}")


def from_classes(folder: Path) -> Dataset:
    """Each sub-folder is a class, each file in it a sample."""
    kept, samples, digest = Kept(), [], hashlib.sha256()
    kind = {suffix: name for name, suffixes in KINDS.items() for suffix in suffixes}
    for file in sorted(folder.glob("*/*")):
        modality = kind.get(file.suffix.lower())
        if modality is not None and file.is_file():
            name, label = f"{file.parent.name}/{file.name}", file.parent.name
            inputs = {modality: medium(modality, file, name, kept)}
            samples.append(Sample(name, inputs, target=label, references=(label,)))
            digest.update(stamp(inputs[modality]))
    if not samples:
        raise ValueError(
            f"{folder} holds neither a manifest ({', '.join(SUFFIXES)}) nor folders of pictures, sounds or films, one for each class"
        )
    return Dataset(
        str(folder),
        samples,
        digest.hexdigest(),
        choices=classes([str(s.target) for s in samples]),
        source=str(folder),
        checked=False,
    )


def medium(modality: str, path: Path, source: str, kept: Kept) -> Media:
    """The file as a lazy medium."""
    if modality == "image":
        return Image(path, source=source, kept=kept)
    return Audio(path, source=source, kept=kept) if modality == "audio" else Video(path, source=source)


def stamp(content: Media | str) -> bytes:
    """What identifies an input without reading it: a text, or a file's name, size and time."""
    if isinstance(content, str):
        return content.encode("utf-8", "surrogatepass") + b"\0"
    assert isinstance(content, Image | Audio | Video) and isinstance(content.content, Path), (
        "readers make media of files"
    )
    try:
        about = content.content.stat()
    except OSError:
        return f"{content.source}\0missing\0".encode()
    return f"{content.source}\0{about.st_size}\0{about.st_mtime_ns}\0".encode()


def classes(labels: Sequence[str]) -> tuple[str, ...]:
    """The distinct labels in order; none where they are so many that they are no classes."""
    found = sorted(set(labels))
    return tuple(found) if len(found) <= MOST_CLASSES else ()
