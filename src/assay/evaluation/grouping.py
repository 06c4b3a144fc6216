"""Batches that were answered and wait, briefly, to be committed together.

A commit costs several writes that the disk must confirm (30 ms and more on a busy one), whatever it holds. A model that answers in
less would wait for the disk most of the time, so its batches share commits: none waits longer than `LINGER_S`, and nothing is
reported before it is durable. A model that takes longer for a batch has each committed at once.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic

from assay.evaluation.store import Row, Store

LINGER_S = 0.05
MOST = 4096  # rows that wait at once


@dataclass
class Group:
    """The batches that wait, with their rows; ``since`` is when the last were committed."""

    store: Store
    linger_s: float = LINGER_S
    batches: list[tuple[int, int, float, str]] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    since: float = field(default_factory=monotonic)

    def add(self, number: int, rows: Sequence[Row], *, seconds: float, splits: Sequence[int]) -> None:
        """Takes in an answered batch."""
        self.batches.append((number, len(rows), seconds, json.dumps(list(splits))))
        self.rows += rows

    @property
    def due(self) -> bool:
        """Whether what waits has waited long enough, or is much."""
        return len(self.rows) >= MOST or monotonic() - self.since >= self.linger_s

    @property
    def width(self) -> int | None:
        """How many values the first vector that waits has."""
        return next((len(row.payload) // 4 for row in self.rows if row.payload is not None), None)

    def commit(self) -> int:
        """Commits all that waits, durably and in one transaction; how many rows that were. Safe to call again after it failed: what the
        disk refused, or an interruption met, is not kept, and will be asked again."""
        batches, rows, self.batches, self.rows = self.batches, self.rows, [], []
        if batches:
            self.store.insert(batches, rows)
        self.since = monotonic()
        return len(rows)
