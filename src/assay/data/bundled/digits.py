"""1,797 handwritten digits of 8 x 8 pixels: the optical recognition test set of the UCI repository, as in scikit-learn."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from assay.data.bundled.bundle import Bundle
from assay.data.dataset import Dataset
from assay.data.media import Image
from assay.types import Sample

FILE = Path(__file__).parent / "files" / "digits" / "samples.parquet"
SUMMARY = "1,797 handwritten digits of 8 x 8 pixels"
SPLITS: Mapping[str, str] = {"train": "four fifths of every digit", "test": "one fifth of every digit"}
DEFAULT = ("test",)


def read(splits: tuple[str, ...], name: str) -> Dataset:
    """The samples of the given splits."""
    rows = pl.read_parquet(FILE).with_row_index().filter(pl.col("split").is_in(splits))
    samples = [
        Sample(
            id=f"digit-{row['index']}",
            inputs={"image": Image(row["png"], f"digit-{row['index']}")},
            target=row["digit"],
            references=(row["digit"],),
            groups={"split": row["split"], "digit": row["digit"]},
        )
        for row in rows.iter_rows(named=True)
    ]
    return Dataset(
        name=name,
        samples=samples,
        fingerprint=hashlib.sha256(" ".join(splits).encode() + FILE.read_bytes()).hexdigest(),
        choices=tuple("0123456789"),
        slices=("split", "digit"),
        licence="CC-BY-4.0 (E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits, UCI, 1998)",
        description="; ".join(f"{split}: {SPLITS[split]}" for split in splits),
        source="packed by tools/build_small.py from scikit-learn's copy",
    )


DIGITS = Bundle(SUMMARY, SPLITS, DEFAULT, read)
