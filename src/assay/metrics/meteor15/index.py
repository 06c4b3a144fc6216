"""METEOR's tables as files that are mapped into memory, built once from the installed package.

The index is a folder of arrays in ``$XDG_CACHE_HOME/assay`` (``~/.cache/assay``), named after what the tables hold: other
tables make another folder. It is built in a folder beside it (about 12 s, 1 GB of memory, 58 MB of disk), checked by
reading it back, and then renamed, so that an index is whole or absent; a second process waits for the first. A query
maps the files and touches the pages that it needs. An index that is damaged is built again.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import json
import os
import shutil
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.metrics.meteor15 import paraphrases, wordtables
from assay.metrics.meteor15.source import ABBREVIATIONS, EXCEPTIONS, FUNCTION_WORDS, SYNSETS, Source

LAYOUT = 1
"""The number of this arrangement of files; a change makes every index be built again."""

MANIFEST = "index.json"


@dataclass(frozen=True, slots=True)
class Arrays:
    """The index. ``words`` are in UTF-8, ascending; ``own_*`` and ``all_*`` give each word's synsets (all: with its bases').

    ``edge``, ``row_state``, ``row_start`` and ``target`` are `assay.metrics.meteor15.paraphrases.Paraphrases`.
    """

    words: NDArray[np.bytes_]
    is_function: NDArray[np.bool_]
    own_start: NDArray[np.int32]
    own_synset: NDArray[np.int32]
    all_start: NDArray[np.int32]
    all_synset: NDArray[np.int32]
    edge: NDArray[np.uint64]
    row_state: NDArray[np.int32]
    row_start: NDArray[np.int64]
    target: NDArray[np.int32]


NAMES = tuple(one.name for one in fields(Arrays))


@dataclass(frozen=True, slots=True)
class Index:
    """The arrays, and the words that keep their period."""

    arrays: Arrays
    abbreviations: Mapping[str, int]


def opened(source: Source) -> Index:
    """The index of these tables, built first where there is none.

    Raises `OSError` where the cache cannot be written, `ValueError` where the files are not METEOR's tables.
    """
    return _opened(cache_folder() / f"meteor-1.5-{source.fingerprint(LAYOUT)}", source)


def cache_folder() -> Path:
    """Where assay keeps what can be made again."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(given) if Path(given).is_absolute() else Path.home() / ".cache") / "assay"


@functools.lru_cache(maxsize=2)
def _opened(folder: Path, source: Source) -> Index:
    found = _mapped(folder)
    if found is not None:
        return found
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _alone(folder.with_name(f"{folder.name}.lock")):
            found = _mapped(folder)
            if found is None:
                _build(folder, source)
                found = _mapped(folder)
    except OSError as error:
        message = f"the index of METEOR's tables could not be written to {folder}; set XDG_CACHE_HOME to a folder with room for 70 MB"
        raise OSError(error.errno, f"{message} ({error.strerror or error})") from error
    if found is None:
        raise ValueError(f"{folder} was written and cannot be read back: is the disk sound?")
    return found


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Holds a lock that ends with the process; waits for whoever has it."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _mapped(folder: Path) -> Index | None:
    """The index in a folder; None where it is absent or not whole."""
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        if {name: _checksum(folder / f"{name}.npy") for name in NAMES} != manifest["checksums"]:
            return None
        arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in NAMES}
        return Index(Arrays(**arrays), manifest["abbreviations"])
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
        return None


def _checksum(path: Path) -> int:
    """The CRC-32 of a file, read piece by piece so that it is not all in memory at once."""
    checksum = 0
    with path.open("rb", buffering=0) as file:
        while piece := file.read(1 << 20):
            checksum = zlib.crc32(piece, checksum)
    return checksum


def _build(folder: Path, source: Source) -> None:
    """Makes the index in a folder of its own, checks it and renames it. Held alone, so any other such folder is a dead one's."""
    for left in folder.parent.glob(f"{folder.name}.*/"):
        shutil.rmtree(left)
    made = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
    try:
        checksums = {name: _write(made / f"{name}.npy", array) for name, array in _arrays(source).items()}
        manifest = {"checksums": checksums, "abbreviations": wordtables.abbreviations(source.text(ABBREVIATIONS))}
        with (made / MANIFEST).open("w") as file:
            json.dump(manifest, file)
            file.flush()
            os.fsync(file.fileno())
        if folder.exists():
            shutil.rmtree(folder)
        made.rename(folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _write(path: Path, array: NDArray[Any]) -> int:
    """Writes an array and reads it back; its file's checksum."""
    with path.open("wb") as file:
        np.save(file, array)
        file.flush()
        os.fsync(file.fileno())
    if not np.array_equal(np.load(path, mmap_mode="r"), array):
        raise OSError(f"{path} does not read back as it was written")
    return _checksum(path)


def _arrays(source: Source) -> dict[str, NDArray[Any]]:
    """All arrays of the index, from the tables."""
    own = wordtables.synsets(source.text(SYNSETS))
    bases = wordtables.irregular_forms(source.text(EXCEPTIONS))
    function = set(source.text(FUNCTION_WORDS).split("\n")) - {""}
    phrases = paraphrases.read(source.paraphrases)
    # Normalisation splits underscores, so a compound such as hot_dog is never a word of a caption.
    known = {word.encode() for word in (*own, *bases, *function) if "_" not in word}
    words = sorted(known | phrases.vocabulary.keys())
    number = {word: place for place, word in enumerate(words)}
    if len(words) >= 1 << paraphrases.WORD_BITS:
        raise ValueError(f"the tables hold {len(words)} words; the index has room for {1 << paraphrases.WORD_BITS}")
    rank = np.fromiter(map(number.__getitem__, phrases.vocabulary), dtype=np.int32, count=len(phrases.vocabulary))
    pairs = paraphrases.tree(phrases, rank)
    texts = [word.decode() for word in words]
    own_start, own_synset = _ragged([own.get(word, wordtables.NONE) for word in texts])
    all_start, all_synset = _ragged([wordtables.all_synsets(word, own, bases) for word in texts])
    return {
        "words": np.array(words),
        "is_function": np.fromiter((word in function for word in texts), dtype=np.bool_, count=len(texts)),
        "own_start": own_start,
        "own_synset": own_synset,
        "all_start": all_start,
        "all_synset": all_synset,
        **{one.name: getattr(pairs, one.name) for one in fields(pairs)},
    }


def _ragged(sets: list[frozenset[int]]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Where each set begins, and the sets one after the other, each ascending."""
    start = np.concatenate([[0], np.cumsum([len(one) for one in sets])]).astype(np.int32)
    return start, np.array([number for one in sets for number in sorted(one)], dtype=np.int32)
