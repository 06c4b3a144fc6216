"""A folder of one's own files as a data set, without any code: with a manifest (`assay.data.readers.manifest`), or with a
folder of files for each class (``cat/1.png``), also within a folder for each split (``train/cat/1.png``). A manifest by itself
works too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.data.dataset import Dataset
from assay.data.kept import Kept
from assay.data.readers.inputs import kind_of_file, medium, named_medium, stamp
from assay.data.readers.jsonl import HALF_CHARACTER
from assay.data.readers.manifest import (
    ALIASES,
    MEDIA,
    SUFFIXES,
    Records,
    columns_of,
    kind_of,
    read_rows,
    several,
    written,
)
from assay.data.stored import Stored, digest_of
from assay.types import Media, Sample

MOST_CLASSES = 1_000
MOST_SLICES = 100
LONGEST_ID = 500
HELD = (*MEDIA, "text", "question")


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
    found = sorted(p for p in place.iterdir() if kind_of(p) in SUFFIXES and p.is_file() and not aside(p))
    if len(found) > 1:
        names = ", ".join(p.name for p in found)
        raise ValueError(f"{place} holds several manifests ({names}): name the one that you mean, {found[0]}")
    if found:
        return from_manifest(found[0], renamed or {}, name=str(place))
    if renamed:
        raise ValueError(f"{place} holds no manifest ({', '.join(SUFFIXES)}) whose columns could be named")
    return from_classes(place)


def aside(path: Path) -> bool:
    """Whether a file is no manifest whatever its ending: a hidden one, or the reasons that `assay data check --out` writes."""
    return path.name.startswith(".") or path.name in ("reasons.csv", "reasons.parquet")


def from_manifest(path: Path, renamed: Mapping[str, str], *, name: str = "") -> Dataset:
    """The rows of a manifest as samples."""
    records = read_rows(path)
    with path.open("rb") as file:
        whole = hashlib.file_digest(file, "sha256").hexdigest()
    return from_records(records, renamed, name or str(path), whole)


def from_records(records: Records, renamed: Mapping[str, str], name: str, stamped: str) -> Dataset:
    """The data set ``name`` of some rows; ``stamped`` identifies the file that they come from."""
    columns = columns_of(records, renamed)
    if not set(HELD) & set(columns):
        wanted = ", ".join(name for role in (*MEDIA, "text") for name in ALIASES[role][:1])
        has = ", ".join(dict.fromkeys(key for row in records.rows for key in row))
        raise ValueError(
            f"{records.path} has no input: expected a column {wanted}; it has {has}. Name another with --map image=COLUMN"
        )
    kept = Kept()
    roles = roles_of(columns)
    samples = [sample_of(records, i, roles, kept) for i in range(len(records.rows))]
    unique(records, samples)
    labels = [str(sample.target) for sample in samples if sample.target is not None]
    return Dataset(
        name=name,
        samples=samples,
        fingerprint=fingerprint(samples, stamped, repr(sorted(columns.items()))),
        choices=classes(labels) if "label" in columns else (),
        slices=sliced(samples),
        source=str(records.path),
        asks=asked(columns),
        checked=False,
    )


def fingerprint(samples: Sequence[Sample], *parts: str | bytes) -> str:
    """A hash of ``parts`` and of what identifies every input."""
    digest = hashlib.sha256(digest_of(*parts).encode())
    for sample in samples:
        for content in sample.inputs.values():
            digest.update(stamp(content))
    return digest.hexdigest()


def asked(columns: Mapping[str, str]) -> str:
    """The task that the columns put to a model that answers in words."""
    if "references" not in columns:
        return ""
    if {"text", "question"} & set(columns):
        return "vqa"
    return "captioning" if "image" in columns else "transcription" if "audio" in columns else ""


def sliced(samples: Sequence[Sample]) -> tuple[str, ...]:
    """The groups that have more than one value and not too many to break figures down by."""
    values: dict[str, set[str]] = {}
    for sample in samples:
        for key, value in sample.groups.items():
            if len(found := values.setdefault(key, set())) <= MOST_SLICES:
                found.add(value)
    most = min(MOST_SLICES, len(samples) // 2)
    lacking = {key for key in values if any(key not in sample.groups for sample in samples)}
    return tuple(key for key, found in values.items() if 1 < len(found) + (key in lacking) <= most)


@dataclass(frozen=True)
class Roles:
    """Which columns play which roles, found once for all rows. ``by_file``: a row without an id is called by its one file."""

    texts: tuple[str, ...]
    media: tuple[tuple[str, str], ...]
    label: str | None
    references: str | None
    id: str | None
    played: frozenset[str]
    by_file: bool


def roles_of(columns: Mapping[str, str]) -> Roles:
    """The roles of the columns that were found."""
    texts = tuple(columns[role] for role in ("text", "question") if role in columns)
    media = tuple((modality, columns[modality]) for modality in MEDIA if modality in columns)
    label, references, own = columns.get("label"), columns.get("references"), columns.get("id")
    return Roles(texts, media, label, references, own, frozenset(columns.values()), not texts)


def sample_of(records: Records, number: int, roles: Roles, kept: Kept) -> Sample:
    """One row as a sample. `ValueError` for a row without any input, and for a value that is of another kind."""
    row, folder = records.rows[number], records.path.parent
    inputs: dict[str, Media | str] = {}
    try:
        texts = [written(row[column]) for column in roles.texts if column in row]
        if texts:
            inputs["text"] = texts[0] if len(texts) == 1 else "\n".join(texts)
        for modality, column in roles.media:
            if column in row:
                inputs[modality] = media_of(modality, row[column], folder, kept)
        label = label_of(row[roles.label]) if roles.label is not None and roles.label in row else None
        name = id_of(row, number, roles)
    except ValueError as error:
        raise records.error(number, str(error)) from error
    if not inputs:
        raise records.error(number, f"no input: one of {', '.join([*roles.texts, *(c for _, c in roles.media)])}")
    expected = None if roles.references is None else row.get(roles.references)
    references = () if expected is None else several(expected)
    groups = {k: written(v) for k, v in row.items() if k not in roles.played and isinstance(v, str | int | float)}
    return Sample(name, inputs, label, references or (() if label is None else (label,)), groups)


def media_of(modality: str, value: Any, folder: Path, kept: Kept) -> Media:
    """The medium that a cell names or holds. `ValueError` for what is no path."""
    if isinstance(value, list | tuple) and len(value) == 1:
        value = value[0]
    if isinstance(value, Mapping):
        value = value.get("path") if value.get("bytes") is None else value["bytes"]
    if isinstance(value, Stored | bytes):
        return medium(modality, value, value.stamp() if isinstance(value, Stored) else f"{len(value)} bytes", kept)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError(f"the path of one {modality} was expected, got {str(value)[:60]!r} ({type(value).__name__})")
    return named_medium(modality, written(value), folder, kept)


def label_of(value: Any) -> str | None:
    """A class as text. `ValueError` for several, or for what is no text and no number."""
    if value is None or isinstance(value, str | int | float):
        return None if value is None else written(value)
    raise ValueError(f"one label, a text or a number, was expected, got {str(value)[:60]!r} ({type(value).__name__})")


def id_of(row: Mapping[str, Any], number: int, roles: Roles) -> str:
    """The row's own id, else its file where the row is nothing but a file with what is expected of it, else its number."""
    if roles.id is None or roles.id not in row:
        alone = [row[column] for _, column in roles.media if column in row]
        plain = roles.by_file and len(alone) == 1 and isinstance(alone[0], str) and not alone[0].startswith("data:")
        return str(alone[0]) if plain else str(number)
    value = row[roles.id]
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"an id as a text or a number was expected, got {value!r:.60}")
    name = written(value)
    if len(name) > LONGEST_ID or "\0" in name or HALF_CHARACTER.search(name):
        raise ValueError(f"the id is too long, or holds a NUL or half a character: {name[:60]!r}")
    return name


def unique(records: Records, samples: Sequence[Sample]) -> None:
    """`ValueError` for an id that occurs twice."""
    first: dict[str, int] = {}
    for number, sample in enumerate(samples):
        if first.setdefault(sample.id, number) != number:
            raise records.error(
                number, f"the id {sample.id[:80]!r} stands already in {records.places[first[sample.id]]}"
            )


def from_classes(folder: Path) -> Dataset:
    """Each sub-folder is a class, each file in it a sample; sub-folders of sub-folders are the classes of splits."""
    kept = Kept()
    samples = [
        Sample(
            name,
            {modality: medium(modality, folder / name, name, kept)},
            target=label,
            references=(label,),
            groups={"split": split} if split else {},
        )
        for name, modality, label, split in found_files(folder)
    ]
    if not samples:
        raise ValueError(
            f"{folder} holds neither a manifest ({', '.join(SUFFIXES)}) nor folders of pictures, sounds or films, one for each class"
        )
    return Dataset(
        str(folder),
        samples,
        fingerprint(samples, "folders"),
        choices=classes([str(s.target) for s in samples]),
        source=str(folder),
        checked=False,
    )


def found_files(folder: Path) -> Iterator[tuple[str, str, str, str]]:
    """Name, modality, class and split of each file; with splits only where nothing lies in the sub-folders themselves."""
    for pattern in ("*/*", "*/*/*"):
        found = [
            (
                file.relative_to(folder).as_posix(),
                modality,
                file.parent.name,
                file.parts[-3] if pattern == "*/*/*" else "",
            )
            for file in sorted(folder.glob(pattern))
            if (modality := kind_of_file(file.name)) is not None
            and not any(part.startswith(".") for part in file.relative_to(folder).parts)
            and file.is_file()
        ]
        if found:
            yield from found
            return


def classes(labels: Sequence[str]) -> tuple[str, ...]:
    """The distinct labels in order; none where they are so many that they are no classes."""
    found = sorted(set(labels))
    return tuple(found) if len(found) <= MOST_CLASSES else ()
