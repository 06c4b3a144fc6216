"""WebDataset shards: tar files whose members ``KEY.EXTENSION`` make up the sample ``KEY``.

Only the headers are read when the data set is made; each picture is read from its place in the tar when it is asked for, and
nothing is ever unpacked onto the disk. Members that are no plain files (links, devices, sparse files) are refused.
"""

from __future__ import annotations

import itertools
import re
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from assay.data.dataset import Dataset
from assay.data.kept import Kept
from assay.data.readers.folder import classes, fingerprint, sliced
from assay.data.readers.inputs import kind_of_file, medium
from assay.data.readers.jsonl import parsed, whole
from assay.data.readers.manifest import ALIASES, MEDIA, several, written
from assay.data.stored import Piece, file_stamp
from assay.types import Media, Sample

RANGE = re.compile(r"\{(\d+)\.\.(\d+)\}")
MOST_SHARDS = 100_000
TEXTS = ("txt", "text", "caption")
LABELS = ("cls", "cls2", "label")
LARGEST_TEXT = 64 << 20
Member = tuple[Path, tarfile.TarInfo]


def webdataset(places: str) -> Dataset:
    """``SHARDS``: ``shard-{000000..000009}.tar``, ``shards/*.tar``, a folder of tars, or one tar.

    By extension: pictures, sounds and films; ``txt`` is a text, and what is expected of who describes the picture; ``cls`` a label;
    ``json`` an object whose fields are read as a manifest's columns. Others are left alone. Raises `ValueError`, naming shard and
    member, for shards that are not there or damaged, a member that is no plain file or occurs twice, a sample of two shards.
    """
    shards = found_shards(places)
    kept, samples = Kept(), []
    for shard in shards:
        samples += [sample_of(shard, key, members, kept) for key, members in by_key(shard)]
    seen: dict[str, int] = {}
    for number, sample in enumerate(samples):
        if seen.setdefault(sample.id, number) != number:
            raise ValueError(f"{places}: the sample {sample.id!r} occurs twice: in two shards, or in two places of one")
    if not samples:
        raise ValueError(f"{places} holds no samples")
    labels = [str(sample.target) for sample in samples if sample.target is not None]
    described = all(sample.references and "image" in sample.inputs for sample in samples)
    return Dataset(
        f"webdataset:{places}",
        samples,
        fingerprint(samples, *(f"{shard.name}\0{file_stamp(shard)}" for shard in shards)),
        choices=classes(labels),
        slices=sliced(samples),
        source=places,
        asks="captioning" if described and not labels else "",
        checked=False,
    )


def found_shards(places: str) -> list[Path]:
    """The tars that a pattern names, in order. `ValueError` for one that is not there."""
    if Path(places).is_dir():
        found = sorted(Path(places).glob("*.tar"))
    elif "*" in places and "{" not in places:
        folder = Path(places).parent
        found = sorted(folder.glob(Path(places).name))
    else:
        found = [Path(name) for name in ranged(places)]
    if not found:
        raise ValueError(f"there are no shards {places}: expected tars, such as shard-{{000000..000009}}.tar")
    for shard in found:
        if not shard.is_file():
            raise ValueError(f"there is no shard {shard}")
    return found


def ranged(pattern: str) -> Iterator[str]:
    """The names of a pattern with ranges in braces. `ValueError` for a range that runs backwards or without end.

    >>> list(ranged("s-{08..10}.tar"))
    ['s-08.tar', 's-09.tar', 's-10.tar']
    """
    ranges = [(found[1], int(found[1]), int(found[2])) for found in RANGE.finditer(pattern)]
    number = 1
    for _, first, last in ranges:
        number *= max(last - first + 1, 0)
    if not 1 <= number <= MOST_SHARDS:
        raise ValueError(f"a range of 1 to {MOST_SHARDS} shards was expected, not {number}: {pattern}")
    pieces = RANGE.split(pattern)[::3]
    for chosen in itertools.product(*(range(first, last + 1) for _, first, last in ranges)):
        numbers = [str(n).zfill(len(text)) for n, (text, _, _) in zip(chosen, ranges, strict=True)]
        yield "".join(itertools.chain.from_iterable(itertools.zip_longest(pieces, numbers, fillvalue="")))


def by_key(shard: Path) -> Iterator[tuple[str, dict[str, tarfile.TarInfo]]]:
    """The members of each sample, by extension; neighbours with one key are one sample."""
    try:
        with tarfile.open(shard, "r:") as tar:
            named = ((key_of(shard, member), member) for member in tar if not member.isdir())
            for key, members in itertools.groupby(named, lambda one: one[0][0]):
                found: dict[str, tarfile.TarInfo] = {}
                for (_, extension), member in members:
                    if extension in found:
                        raise ValueError(f"{shard}: the member {member.name!r} occurs twice")
                    found[extension] = member
                if key:
                    yield key, found
    except tarfile.TarError as error:
        raise ValueError(f"{shard} is no whole tar (compressed ones are not read: unpack it first): {error}") from error


def key_of(shard: Path, member: tarfile.TarInfo) -> tuple[str, str]:
    """Key and extension: the name up to the first dot of its last part, and what follows. Hidden files have no key."""
    if not member.isreg() or member.issparse():
        raise ValueError(f"{shard}: the member {member.name!r} is no plain file, but a link, a device or sparse")
    folder, slash, name = member.name.rpartition("/")
    stem, _, extension = name.partition(".")
    return (f"{folder}{slash}{stem}" if stem else ""), extension.lower()


def sample_of(shard: Path, key: str, members: Mapping[str, tarfile.TarInfo], kept: Kept) -> Sample:
    """One sample of its members."""
    inputs: dict[str, Media | str] = {}
    fields: dict[str, Any] = {}
    label: str | None = None
    for extension, member in members.items():
        at, ending = Piece(shard, member.offset_data, member.size), extension.rpartition(".")[2]
        modality = kind_of_file(f"x.{ending}")
        if modality is not None and modality not in inputs:
            inputs[modality] = medium(modality, at, f"{shard.name}/{member.name}", kept)
        elif extension in TEXTS:
            inputs["text"] = text_of(at, shard, member).strip()
        elif extension in LABELS:
            label = text_of(at, shard, member).strip()
        elif extension == "json":
            fields = object_of(at, shard, member)
    described = (str(inputs["text"]),) if "text" in inputs else ()
    told = told_by(fields)
    if told["text"] is not None:
        inputs.setdefault("text", str(told["text"]))
    label = label if label is not None else told["label"]
    if not inputs:
        raise ValueError(f"{shard}: the sample {key!r} has no input among {', '.join(members)}")
    references = told["references"] or described or (() if label is None else (label,))
    return Sample(key, inputs, target=label, references=references, groups=told["groups"])


def told_by(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What a sample's JSON says of it: text, label, references; every other plain field is a group."""
    roles = {
        role: next((name for name in names if fields.get(name) is not None), None) for role, names in ALIASES.items()
    }
    texts = [written(fields[name]) for role in ("text", "question") if (name := roles[role]) is not None]
    label, expected = roles["label"], roles["references"]
    played = {name for role, name in roles.items() if role not in MEDIA}
    groups = {k: written(v) for k, v in fields.items() if k not in played and isinstance(v, str | int | float)}
    return {
        "text": "\n".join(texts) or None,
        "label": None if label is None else written(fields[label]),
        "references": () if expected is None else several(fields[expected]),
        "groups": groups,
    }


def text_of(at: Piece, shard: Path, member: tarfile.TarInfo) -> str:
    """A member as text. `ValueError` for what is no UTF-8, too large, or cut off."""
    try:
        return at.read(f"{shard}: the member {member.name!r}", LARGEST_TEXT).removeprefix(b"\xef\xbb\xbf").decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"{shard}: the member {member.name!r} is not UTF-8 (byte {error.start})") from error


def object_of(at: Piece, shard: Path, member: tarfile.TarInfo) -> dict[str, Any]:
    """A member as a JSON object."""
    found = whole(parsed(text_of(at, shard, member), shard, f"the member {member.name!r}"))
    if not isinstance(found, dict):
        raise ValueError(f"{shard}, the member {member.name!r}: an object was expected, got {type(found).__name__}")
    return {name: value for name, value in found.items() if value is not None}
