"""From the words by which a user names data to the data set: a bundled name, a path, a reader's name, a benchmark's; and a part of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from assay.catalog import CARDS, DATASETS, READERS, attribute, find, nearest
from assay.data.dataset import Dataset


def named_dataset(name: str, columns: Mapping[str, str] | None = None) -> Dataset:
    """The data set of a name; `assay.load_dataset` says which names there are. `ValueError` for an unknown one, with its neighbours."""
    whole, _, cut = name.partition("[") if not Path(name).exists() else (name, "", "")
    base, _, split = whole.partition(":")
    if base in CARDS and base not in DATASETS:
        base, split = "card", f"{base},{split}"
    elif whole.endswith(".toml") and base not in READERS:
        base, split = "card", whole
    if base in READERS and split:
        return shortened(find("reader", base, READERS)(split), cut)
    if base not in DATASETS and looks_like_path(whole):
        return shortened(attribute("assay.data.readers.folder:read_path")(whole, renamed=columns), cut)
    if columns:
        raise ValueError(f"columns are named for files of your own, not for {whole}.")
    if base not in DATASETS:
        raise ValueError(
            f"unknown data set {whole!r}, and there is no file or folder of that name: {nearest(base, [*DATASETS, *READERS, *CARDS])}"
        )
    return shortened(find("data set", base, DATASETS)(base, split or None), cut)


def looks_like_path(name: str) -> bool:
    """Whether a name is that of a file or folder: it is there, or has a separator or an ending."""
    return (
        Path(name).exists()
        or "/" in name
        or Path(name).suffix.lower() in (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet")
    )


def shortened(data: Dataset, cut: str) -> Dataset:
    """The part of a data set that ``:50]`` or ``::2]`` behind its name asks for; all of it without."""
    if not cut:
        return data
    asked = re.fullmatch(r"(::?|~)([1-9]\d*)(?:(?<=\d)@(\d+))?\]", cut)
    if asked is None or (asked[3] is not None and asked[1] != "~"):
        raise ValueError(
            f"cannot read [{cut} behind {data.name}: expected [:N] for the first N samples, [::K] for every K-th,"
            " [~N] or [~N@SEED] for N by chance."
        )
    number = int(asked[2])
    if asked[1] == "~":
        return data.chosen(number, int(asked[3] or 0))
    return data.first(number) if asked[1] == ":" else data.every(number)
