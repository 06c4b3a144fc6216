"""A run's journal: every answer as a row of ``run.sqlite``, committed batch by batch, durable when `Store.commit` returns.

One connection, one writer (see `assay.evaluation.lock`), a rollback journal and full synchronisation: no write-ahead log, which SQLite
versions before 3.51.3 can corrupt. A batch is committed whole or not at all. Each row carries a checksum, so that a flipped bit is found
when it is read. A payload is ``float32`` little-endian, a row of scores or an embedding, or a text in UTF-8.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from assay.evaluation.errors import StoreError
from assay.table import Key

NAME = "run.sqlite"
SPENT = "spent"
"""The fact that says what answering has cost, over all sessions of the run."""

LAYOUT = 1
SCHEMA = """
CREATE TABLE facts(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE batches(number INTEGER PRIMARY KEY, size INTEGER NOT NULL, seconds REAL NOT NULL, splits TEXT NOT NULL);
CREATE TABLE rows(
    sequence INTEGER PRIMARY KEY, sample TEXT NOT NULL, condition TEXT NOT NULL, repeat INTEGER NOT NULL,
    payload BLOB, error_kind TEXT NOT NULL, error TEXT NOT NULL, checksum INTEGER NOT NULL,
    UNIQUE(sample, condition, repeat)
);
"""


class Row(NamedTuple):
    """One answer: ``payload``, or the kind of the error and its message. ``sequence`` is its place in the plan."""

    sequence: int
    key: Key
    payload: bytes | None
    error_kind: str = ""
    error: str = ""

    @property
    def checksum(self) -> int:
        """CRC-32 over everything in the row."""
        words = f"{self.sequence}\0{self.key.sample}\0{self.key.condition}\0{self.key.repeat}\0{self.error_kind}\0{self.error}\0"
        return zlib.crc32(self.payload or b"", zlib.crc32(words.encode()))


@dataclass(frozen=True)
class Store:
    """An open journal. ``path`` is ``None`` for one that lives in memory only."""

    connection: sqlite3.Connection
    path: Path | None

    def commit(self, number: int, rows: Sequence[Row], *, seconds: float, splits: Sequence[int] = ()) -> None:
        """Stores a batch with all its rows in one transaction; when this returns they survive a power cut.

        ``splits`` are the sizes at which memory ran out. Raises `StoreError` when the disk refuses; then nothing of the batch is kept.
        """
        self.insert([(number, len(rows), seconds, json.dumps(list(splits)))], rows)

    def commit_singles(self, rows: Sequence[tuple[int, Row]], *, seconds: float, spent: Mapping[str, float]) -> None:
        """Stores batches of one row each, with their numbers, and what answering has cost by now, in one transaction.

        ``seconds`` is how long all of them took together.
        """
        each = seconds / max(len(rows), 1)
        self.insert([(number, 1, each, "[]") for number, _ in rows], [row for _, row in rows], {SPENT: dict(spent)})

    def insert(
        self,
        batches: Sequence[tuple[int, int, float, str]],
        rows: Sequence[Row],
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        """Batches with all their rows, and facts, in one transaction; `StoreError` when the disk refuses."""
        values = [(r.sequence, *r.key, r.payload, r.error_kind, r.error, r.checksum) for r in rows]
        size = sum(len(r.payload or b"") + len(r.error) + 100 for r in rows)
        with (
            guarded(self.path, f"a batch of {len(rows)} answers (about {size:,} bytes) is not kept"),
            self.transaction(),
        ):
            self.connection.executemany("INSERT INTO batches VALUES (?, ?, ?, ?)", batches)
            self.connection.executemany("INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
            for name, value in (facts or {}).items():
                self.connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, json.dumps(value)))

    def forget(self, batches: Iterable[tuple[int, int, int]]) -> int:
        """Takes out those batches (number, place of the first row, size) that hold an error, and with them what says that the run is
        finished; how many rows these are. They are then asked again, the rows beside an error too: a batch is whole or not there.
        """
        with guarded(self.path):
            failed = {place for (place,) in self.connection.execute("SELECT sequence FROM rows WHERE error_kind != ''")}
        again = [one for one in batches if not failed.isdisjoint(range(one[1], one[1] + one[2]))] if failed else []
        if again:
            with guarded(self.path), self.transaction():
                self.connection.executemany(
                    "DELETE FROM batches WHERE number = ?", [(number,) for number, _, _ in again]
                )
                places = [(first, first + size) for _, first, size in again]
                self.connection.executemany("DELETE FROM rows WHERE sequence >= ? AND sequence < ?", places)
                self.connection.execute("DELETE FROM facts WHERE name IN ('exports', 'scoring')")
        return sum(size for _, _, size in again)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, also when it is interrupted."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.connection.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise

    def committed(self) -> set[int]:
        """The numbers of the batches that are stored."""
        with guarded(self.path):
            return {number for (number,) in self.connection.execute("SELECT number FROM batches")}

    def rows(self, first: int = 0, count: int = -1) -> Iterator[Row]:
        """The stored rows in the plan's order, from place ``first`` on; `StoreError` when one is damaged."""
        end = first + count if count >= 0 else 2**62
        query = (
            "SELECT sequence, sample, condition, repeat, payload, error_kind, error, checksum FROM rows"
            " WHERE sequence >= ? AND sequence < ? ORDER BY sequence"
        )
        with guarded(self.path):
            for sequence, sample, condition, repeat, payload, kind, error, checksum in self.connection.execute(
                query, (first, end)
            ):
                row = Row(sequence, Key(sample, condition, repeat), payload, kind, error)
                if row.checksum != checksum:
                    raise damaged(self.path, f"the checksum of sample {sample!r} under {condition!r} is wrong")
                yield row

    def payload(self, key: Key) -> bytes | None:
        """The answer under one key, ``None`` if it failed or was never asked; `StoreError` when it is damaged."""
        query = (
            "SELECT sequence, payload, error_kind, error, checksum FROM rows"
            " WHERE sample = ? AND condition = ? AND repeat = ?"
        )
        with guarded(self.path):
            found = self.connection.execute(query, key).fetchone()
        if found is None:
            return None
        sequence, payload, kind, error, checksum = found
        if Row(sequence, key, payload, kind, error).checksum != checksum:
            raise damaged(self.path, f"the checksum of sample {key.sample!r} under {key.condition!r} is wrong")
        return None if payload is None else bytes(payload)

    def count(self, *, errors: bool = False) -> int:
        """How many rows are stored, or how many of them are errors."""
        with guarded(self.path):
            query = "SELECT count(*) FROM rows" + (" WHERE error_kind != ''" if errors else "")
            return int(self.connection.execute(query).fetchone()[0])

    def width(self) -> int | None:
        """How many values an answer has that is a vector, ``None`` while there is no answer."""
        with guarded(self.path):
            found = self.connection.execute(
                "SELECT length(payload) FROM rows WHERE payload IS NOT NULL LIMIT 1"
            ).fetchone()
            return None if found is None else int(found[0]) // 4

    def batches(self) -> list[tuple[int, float, list[int]]]:
        """For each stored batch: its size, the seconds that the model took, the sizes at which memory ran out."""
        with guarded(self.path):
            found = self.connection.execute("SELECT size, seconds, splits FROM batches ORDER BY number")
            return [(size, seconds, json.loads(splits)) for size, seconds, splits in found]

    def clocks(self) -> dict[int, tuple[float, list[int]]]:
        """By the number of each stored batch: the seconds that the model took, the sizes at which memory ran out."""
        with guarded(self.path):
            found = self.connection.execute("SELECT number, seconds, splits FROM batches")
            return {number: (seconds, json.loads(splits)) for number, seconds, splits in found}

    def fact(self, name: str) -> Any:
        """What was noted under a name, ``None`` if nothing was."""
        with guarded(self.path):
            found = self.connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
            return None if found is None else json.loads(found[0])

    def note(self, name: str, value: Any) -> None:
        """Notes a JSON value under a name."""
        with guarded(self.path), self.transaction():
            self.connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, json.dumps(value)))


@contextlib.contextmanager
def opened(path: Path | None) -> Iterator[Store]:
    """The journal at ``path`` for its only writer, made if it is not there; in memory for ``None``. Damaged ones are refused."""
    with guarded(path):
        connection = sqlite3.connect(path or ":memory:", timeout=30.0, isolation_level=None)
    try:
        with guarded(path):
            connection.execute("PRAGMA journal_mode = DELETE")
            # EXTRA is FULL that also syncs the folder once the rollback journal is gone: without it, a power cut could
            # bring the journal back, and with it undo a batch that was already reported.
            connection.execute("PRAGMA synchronous = EXTRA")
        store = Store(connection, path)
        prepare(store)
        yield store
    finally:
        connection.close()


@contextlib.contextmanager
def reading(path: Path) -> Iterator[Store]:
    """The journal at ``path``, to read. One that a killed process left in the middle of a commit is first rolled back by SQLite."""
    if not path.is_file():
        raise ValueError(f"{path.parent} holds no run: there is no {path.name} in it.")
    address = "file:" + quote(os.fsencode(path))
    with guarded(path):
        connection = sqlite3.connect(f"{address}?mode=ro", timeout=30.0, isolation_level=None, uri=True)
        try:
            connection.execute("SELECT count(*) FROM sqlite_master")
        except sqlite3.OperationalError:
            connection.close()
            connection = sqlite3.connect(f"{address}?mode=rw", timeout=30.0, isolation_level=None, uri=True)
    try:
        store = Store(connection, path)
        verify(store)
        yield store
    finally:
        connection.close()


def prepare(store: Store) -> None:
    """Makes the tables of a new journal, in one transaction, and checks those of an old one."""
    with guarded(store.path):
        tables = store.connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if tables == 0:
            with store.transaction():
                for statement in filter(str.strip, SCHEMA.split(";")):
                    store.connection.execute(statement)
                store.connection.execute(f"PRAGMA user_version = {LAYOUT}")
            return
    verify(store)


def verify(store: Store) -> None:
    """`StoreError` unless the file is whole and of this layout."""
    with guarded(store.path):
        layout = store.connection.execute("PRAGMA user_version").fetchone()[0]
        found = store.connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise damaged(store.path, found)
        if layout != LAYOUT:
            raise StoreError(
                f"{store.path} has layout {layout}, this version of assay reads {LAYOUT}: choose another folder."
            )
        sizes, stored = store.connection.execute(
            "SELECT (SELECT total(size) FROM batches), (SELECT count(*) FROM rows)"
        ).fetchone()
        if sizes != stored:
            raise damaged(store.path, f"its batches hold {int(sizes)} rows, but {stored} are there")


@contextlib.contextmanager
def guarded(path: Path | None, consequence: str = "") -> Iterator[None]:
    """Turns what SQLite raises into one `StoreError` that names the file, the reason and what to do."""
    try:
        yield
    except sqlite3.OperationalError as error:
        lost = f"; {consequence}" if consequence else ""
        raise StoreError(
            f"{path}: {error}{lost}. Mend the disk or free space on it; the same command then goes on."
        ) from error
    except sqlite3.DatabaseError as error:
        raise damaged(path, str(error)) from error


def damaged(path: Path | None, reason: str) -> StoreError:
    """The error for a journal that must not be trusted."""
    return StoreError(
        f"{path} is damaged ({reason}) and is not used: restore it from a copy, or move its folder away and run again."
    )
