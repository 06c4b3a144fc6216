"""Answers that were written down, as rows: what was answered, what it should have been, where it belongs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

UNITS = ("image", "image_id", "unit")


@dataclass(frozen=True, slots=True)
class Row:
    """One answer. ``prediction`` is as it was read (None: missing, for the reason ``error``), ``references`` likewise. ``scores`` are
    figures that somebody else computed for it."""

    id: str
    prediction: Any
    references: tuple[Any, ...]
    groups: Mapping[str, str] = field(default_factory=dict)
    error: str = ""
    options: tuple[str, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sheet:
    """All rows of one set of answers. ``name`` says whose answers they are, ``data`` what they were compared with."""

    name: str
    data: str
    kind: str
    rows: tuple[Row, ...]
    metrics: tuple[str, ...]
    slices: tuple[str, ...] = ()

    @property
    def unit(self) -> str:
        """The group whose rows belong together: the picture that several questions are about; else each row by itself."""
        return next((name for name in UNITS if any(row.groups.get(name) for row in self.rows)), "sample")

    @property
    def asked(self) -> str:
        """A hash of all that was asked: ids and references, whatever was answered."""
        return digest([[row.id, list(row.references), list(row.options)] for row in self.rows])

    @property
    def answered(self) -> str:
        """A hash of the answers."""
        return digest([[row.id, row.prediction, row.error, *([row.scores] if row.scores else [])] for row in self.rows])


def digest(value: Any) -> str:
    """SHA-256 of a JSON value, in hexadecimal."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()
