"""Hugging Face's ``datasets``: folders that it saved, folders of Parquet as they are on the hub, its layouts of plain files; hub names
where `datasets` is installed and there is a network.

The columns' roles are found as in a manifest, classes by the features that are kept with the data. Pictures in Parquet files
stay there until they are asked for; in a saved folder (Arrow's stream format) they are held as the compressed bytes they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from assay.catalog import nearest
from assay.data.dataset import Dataset
from assay.data.readers.folder import from_records, read_path
from assay.data.readers.manifest import Records, absent, table_rows
from assay.data.stored import digest_of, file_stamp
from assay.data.tables import Table, read_table
from assay.types import MediaError

PREFERRED = ("test", "validation", "val", "dev", "train")
SPLIT_OF = re.compile(r"^(?P<split>[A-Za-z_]+?)(?:-\d{5}-of-\d{5}.*|[-_.]\d+)?\.parquet$")
SAVED, SEVERAL = "dataset_info.json", "dataset_dict.json"


def huggingface(places: str) -> Dataset:
    """``FOLDER[:SPLIT]`` or ``ORG/NAME[:SPLIT]``: one split (else the first there is of test, validation, train).

    A folder is what ``save_to_disk`` made (one split or several), Parquet files (``data/test-00000-of-00001.parquet``, or a
    folder for each split), or plain files with a manifest or classes, in a folder for each split or not. What is no folder is a
    name on the hub. Raises `ValueError` for a split that is not there, for damaged files and where the hub cannot be reached.
    """
    place, split = parted(places)
    if not Path(place).is_dir():
        return from_hub(place, split, f"hf:{places}")
    folder = Path(place)
    found = saved_splits(folder) or parquet_splits(folder)
    if found:
        name, files = chosen(found, split, folder)
        return from_tables(files, f"hf:{places}", name)
    folders = {one.name: one for one in sorted(folder.iterdir()) if one.is_dir() and one.name in PREFERRED}
    if folders:
        name, one = chosen(folders, split, folder)
        return renamed(read_path(one), f"hf:{places}", name)
    if split:
        raise ValueError(f"{folder} holds no splits: leave out {split!r}")
    return renamed(read_path(folder), f"hf:{places}", "")


def parted(places: str) -> tuple[str, str]:
    """Folder or name, and the split behind its last colon.

    >>> parted("org/name:test"), parted("folder")
    (('org/name', 'test'), ('folder', ''))
    """
    if Path(places).is_dir():
        return places, ""
    place, _, split = places.rpartition(":") if ":" in places else (places, "", "")
    return place, split


def chosen(found: Mapping[str, Any], split: str, folder: Path) -> tuple[str, Any]:
    """The split that was named, else the first of `PREFERRED`, else the only one."""
    if split and split not in found:
        raise ValueError(f"{folder} has no split {split!r}: {nearest(split, found)}")
    name = split or next((one for one in PREFERRED if one in found), next(iter(found)))
    return name, found[name]


def renamed(data: Dataset, name: str, split: str) -> Dataset:
    """The data set by the name it was asked for, its samples with their split."""
    samples = [replace(s, groups={**s.groups, "split": split}) if split else s for s in data.samples]
    return replace(data, name=name, samples=samples)


def saved_splits(folder: Path) -> dict[str, list[Path]]:
    """The Arrow files of each split of a folder that ``save_to_disk`` made; none for another folder."""
    if (folder / SEVERAL).is_file():
        names = object_of(folder / SEVERAL).get("splits", [])
        return {name: arrow_files(folder / name) for name in names}
    return {"": arrow_files(folder)} if (folder / SAVED).is_file() and (folder / "state.json").is_file() else {}


def arrow_files(folder: Path) -> list[Path]:
    """The files that ``state.json`` names, in order."""
    listed = object_of(folder / "state.json").get("_data_files", [])
    found = [folder / Path(str(one.get("filename"))).name for one in listed]
    for file in found:
        if not file.is_file():
            raise ValueError(f"{folder} names {file.name}, which is not there")
    if not found:
        raise ValueError(f"{folder / 'state.json'} names no files")
    return found


def parquet_splits(folder: Path) -> dict[str, list[Path]]:
    """The Parquet files of each split, by their names or folders; none where there are none."""
    found: dict[str, list[Path]] = {}
    for file in sorted((*folder.glob("*.parquet"), *folder.glob("*/*.parquet"))):
        named = SPLIT_OF.match(file.name)
        split = file.parent.name if file.parent.name in PREFERRED else named["split"] if named else file.stem
        found.setdefault(split, []).append(file)
    return found


def object_of(path: Path) -> dict[str, Any]:
    """The JSON object in a file."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(found, dict):
        raise ValueError(f"{path}: an object was expected, got {type(found).__name__}")
    return found


def from_tables(files: Sequence[Path], name: str, split: str) -> Dataset:
    """The rows of all files of one split, under each other."""
    rows: list[dict[str, Any]] = []
    places: list[str] = []
    for file in files:
        in_parquet = file.suffix == ".parquet"
        table = read_table(file, "parquet" if in_parquet else "stream")
        records = table_rows(file, table) if in_parquet else stream_rows(file, table)
        classes = class_names(table.features if in_parquet else saved_features(file))
        rows += [spelt(row, classes) for row in records.rows]
        places += [f"{file.name} {place}" for place in records.places]
    if not rows:
        raise ValueError(f"{files[0]} holds no rows")
    parts = [f"{file.name}\0{file_stamp(file)}" for file in files]
    return renamed(from_records(Records(files[0], rows, places), {}, name, digest_of(*parts)), name, split)


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """Bytes that are in memory already, in one buffer with others."""

    buffer: memoryview
    start: int
    stop: int
    where: str

    def read(self, source: str, limit: int) -> bytes:
        """The bytes. Raises `MediaError` for more than ``limit``."""
        if self.stop - self.start > limit:
            raise MediaError(f"{source}: {self.stop - self.start} bytes, more than the limit of {limit}")
        return bytes(self.buffer[self.start : self.stop])

    def stamp(self) -> str:
        """The file's name, and the place in it."""
        return self.where

    def __reduce__(self) -> tuple[Any, ...]:
        # To another process go these bytes, and not the whole buffer.
        data = bytes(self.buffer[self.start : self.stop])
        return _held, (data, self.where)


def _held(data: bytes, where: str) -> Held:
    return Held(memoryview(data), 0, len(data), where)


def stream_rows(path: Path, table: Table) -> Records:
    """The rows of a table in Arrow's stream format, with the bytes that they hold."""
    rows = []
    for number, row in enumerate(table.rows):
        for name, (buffer, places) in table.blobs.items():
            if (place := places[number]) is not None:
                row[name] = Held(buffer, *place, f"{path.name}@{name}:{number}")
        rows.append({key: value for key, value in row.items() if not absent(value)})
    return Records(path, rows, [f"row {i}" for i in range(len(rows))])


def saved_features(file: Path) -> Mapping[str, Any]:
    """What `datasets` says of the columns, beside a saved folder's files."""
    found = object_of(file.parent / SAVED).get("features") if (file.parent / SAVED).is_file() else {}
    return found if isinstance(found, dict) else {}


def class_names(features: Mapping[str, Any]) -> dict[str, list[str]]:
    """The names of the classes of each column that has them.

    >>> class_names({"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}, "text": {"dtype": "string", "_type": "Value"}})
    {'label': ['cat', 'dog']}
    """
    return {
        name: [str(one) for one in kind["names"]]
        for name, kind in features.items()
        if isinstance(kind, dict) and kind.get("_type") == "ClassLabel" and isinstance(kind.get("names"), list)
    }


def spelt(row: dict[str, Any], classes: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The row with the names of its classes in place of their numbers; -1 is none."""
    out = dict(row)
    for name, names in classes.items():
        number = row.get(name)
        if isinstance(number, int) and not isinstance(number, bool):
            if 0 <= number < len(names):
                out[name] = names[number]
            else:
                del out[name]
    return out


def from_hub(name: str, split: str, asked: str) -> Dataset:
    """A data set of the hub, through `datasets`, with its media left undecoded."""
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", name):
        raise ValueError(f"there is no folder {name}, and it is no name on the hub (ORG/NAME)")
    try:
        import datasets
    except ImportError:
        raise ValueError(f"there is no folder {name}; names on the hub need: pip install datasets") from None
    try:
        splits = list(datasets.get_dataset_split_names(name))
        part, _ = chosen({one: one for one in splits}, split, Path(name))
        found = datasets.load_dataset(name, split=part)
    except ValueError:
        raise
    except Exception as error:  # The hub, the network and the data's own layout fail in ways of their own.
        raise ValueError(f"{name} cannot be had from the hub: {type(error).__name__}: {error}") from error
    for column, feature in found.features.items():
        if type(feature).__name__ in ("Image", "Audio", "Video"):
            found = found.cast_column(column, type(feature)(decode=False))
    features = {k: {"_type": type(f).__name__, "names": getattr(f, "names", None)} for k, f in found.features.items()}
    classes = class_names(features)
    rows = [spelt({k: v for k, v in row.items() if not absent(v)}, classes) for row in found]
    records = Records(Path(name), rows, [f"{part} row {i}" for i in range(len(rows))])
    data = from_records(records, {}, asked, digest_of(str(getattr(found, "_fingerprint", name))))
    return renamed(data, asked, part)
