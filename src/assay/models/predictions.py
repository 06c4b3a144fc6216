"""Answers that were made elsewhere, as a `Model`: ``predictions:FILE``, a row for each sample with ``id`` and ``prediction``.

JSONL, JSON, CSV, TSV or Parquet. Without a column of ids, that of the only file a row names (``image``) is the id, as it is in manifests.
A sample without a row, or whose prediction is empty or null, or whose row has an ``error``, has no answer; it is missing and never wrong.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from assay.catalog import nearest
from assay.data.readers.manifest import MEDIA, Records, columns_of, kind_of, read_rows, written
from assay.types import MODALITIES, Failure, Media, Sample

SCHEME = "predictions:"


class Predictions:
    """Gives back what a file holds for a sample's id."""

    modalities = frozenset(MODALITIES)

    def __init__(self, name: str, fingerprint: str, answers: Mapping[str, str | Failure]) -> None:
        self.name, self.fingerprint, self.answers = name, fingerprint, answers

    @property
    def told(self) -> frozenset[str]:
        """The ids that the file has rows for."""
        return frozenset(self.answers)

    def generate(self, samples: Sequence[Sample], modality: str = "text") -> list[str | Media | Failure]:
        """The prediction of each sample, or a `Failure`."""
        return [
            self.answers.get(sample.id, Failure("no_prediction", f"{self.name} has no row for it"))
            for sample in samples
        ]


def load_predictions(spec: str) -> Predictions:
    """The answers behind ``predictions:FILE``. `ValueError`, naming file and line, for a file that cannot be read, that has no
    predictions or no ids, for an id that occurs twice and for a prediction that is no text or number."""
    path = Path(spec.removeprefix(SCHEME))
    records = read_rows(path)
    columns = columns_of(records, {})
    place = columns.get("prediction")
    if place is None:
        present = dict.fromkeys(name for row in records.rows for name in row)
        raise ValueError(f"{path} has no column 'prediction': {nearest('prediction', present)}")
    identity = identity_of(records, columns)
    answers: dict[str, str | Failure] = {}
    for number, row in enumerate(records.rows):
        if identity not in row:
            raise records.error(number, f"no {identity!r}, which says what sample it is")
        name = written(row[identity])
        if name in answers:
            raise records.error(number, f"the id {name!r} stands there already")
        answers[name] = answer_of(records, number, place)
    shown = f"{SCHEME}{path.name.removesuffix('.gz').removesuffix(kind_of(path))}"
    return Predictions(shown, hashlib.sha256(path.read_bytes()).hexdigest(), answers)


def identity_of(records: Records, columns: Mapping[str, str]) -> str:
    """The column of the samples' ids."""
    files = [columns[role] for role in MEDIA if role in columns]
    if "id" not in columns and len(files) != 1:
        raise ValueError(f"{records.path} has no column 'id', which says what sample a prediction is of.")
    return columns.get("id") or files[0]


def answer_of(records: Records, number: int, place: str) -> str | Failure:
    """One row's prediction, or why there is none."""
    row = records.rows[number]
    if row.get("error") not in (None, "", False):
        return Failure("no_prediction", written(row["error"]))
    value = row.get(place)
    if value is None:
        return Failure("no_prediction", f"{records.path.name}, {records.places[number]}: the prediction is empty")
    if not isinstance(value, str | int | float):
        raise records.error(number, f"a text was expected as prediction, got {type(value).__name__}: {value!r:.60}")
    return written(value)
