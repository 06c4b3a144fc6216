"""The journal: whole batches, found damage, one clear error."""

import resource
import sqlite3
import subprocess
import sys

import pytest

from assay.evaluation.errors import StoreError
from assay.evaluation.store import NAME, Row, opened, reading
from assay.table import Key


def rows(first, count, size=40):
    return [Row(first + i, Key(f"s{first + i}"), bytes([i % 251]) * size) for i in range(count)]


def test_rows_come_back_as_they_were_stored(tmp_path):
    told = [Row(0, Key("a", "clean", 1), b"\0\1\2\3"), Row(1, Key("b"), None, "media", "no such file")]
    with opened(tmp_path / NAME) as store:
        store.commit(0, told, seconds=0.5, splits=[4, 2])
        store.note("x", {"y": [1, None]})
    with opened(tmp_path / NAME) as store:
        assert list(store.rows()) == told
        assert list(store.rows(first=1)) == told[1:]
        assert store.committed() == {0} and store.batches() == [(2, 0.5, [4, 2])]
        assert (store.count(), store.count(errors=True), store.width()) == (2, 1, 1)
        assert store.fact("x") == {"y": [1, None]} and store.fact("z") is None


def test_a_batch_is_kept_whole_or_not_at_all(tmp_path):
    with opened(tmp_path / NAME) as store:
        store.commit(0, rows(0, 3), seconds=0)
        with pytest.raises(StoreError):
            store.commit(1, [*rows(3, 3), Row(9, Key("s0"), b"again")], seconds=0)
        assert store.committed() == {0} and store.count() == 3


def test_an_interrupted_commit_leaves_nothing(tmp_path):
    def cut():
        yield from rows(3, 1)
        raise KeyboardInterrupt

    with opened(tmp_path / NAME) as store:
        store.commit(0, rows(0, 3), seconds=0)
        with pytest.raises(KeyboardInterrupt), store.transaction():
            values = ((r.sequence, *r.key, r.payload, "", "", r.checksum) for r in cut())
            store.connection.executemany("INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
        assert store.count() == 3


def test_no_write_ahead_log_and_full_synchronisation(tmp_path):
    with opened(tmp_path / NAME) as store:
        assert store.connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert store.connection.execute("PRAGMA synchronous").fetchone()[0] >= 2


def test_a_file_that_is_no_journal_is_refused_by_name(tmp_path):
    (tmp_path / NAME).write_bytes(b"not a database, whatever its name says" * 100)
    with pytest.raises(StoreError, match=r"run\.sqlite is damaged .* not used"), opened(tmp_path / NAME):
        pass


def test_a_truncated_journal_is_refused(tmp_path):
    with opened(tmp_path / NAME) as store:
        store.commit(0, rows(0, 400), seconds=0)
    whole = (tmp_path / NAME).read_bytes()
    (tmp_path / NAME).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StoreError, match="damaged"), opened(tmp_path / NAME) as store:
        list(store.rows())


def test_a_flipped_bit_is_found_or_harmless(tmp_path):
    path = tmp_path / NAME
    with opened(path) as store:
        store.commit(0, rows(0, 300), seconds=0)
        told = list(store.rows())
    whole = path.read_bytes()
    found = 0
    for place in range(100, len(whole), 997):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        try:
            with reading(path) as store:
                assert list(store.rows()) == told, f"byte {place} changed an answer unnoticed"
        except StoreError:
            found += 1
    assert found > 10


def test_rows_that_vanished_are_noticed(tmp_path):
    with opened(tmp_path / NAME) as store:
        store.commit(0, rows(0, 5), seconds=0)
    with sqlite3.connect(tmp_path / NAME) as connection:
        connection.execute("DELETE FROM rows WHERE sequence = 2")
    with pytest.raises(StoreError, match="5 rows, but 4"), reading(tmp_path / NAME):
        pass


def test_a_folder_without_a_run_is_a_users_mistake(tmp_path):
    with pytest.raises(ValueError, match="holds no run"), reading(tmp_path / NAME):
        pass


FULL = """
import resource, sys
from assay.evaluation.errors import StoreError
from assay.evaluation.store import Row, opened
from assay.table import Key
from pathlib import Path
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    with opened(Path(sys.argv[1])) as store:
        for number in range(50):
            store.commit(number, [Row(number * 20 + i, Key(f"s{number * 20 + i}"), b"x" * 100) for i in range(20)], seconds=0)
            print(number, flush=True)
except StoreError as error:
    print(error, file=sys.stderr)
    sys.exit(74)
"""


@pytest.mark.parametrize("limit", [2_000, 30_000, 70_000])
def test_a_full_disk_stops_cleanly_and_loses_nothing_that_was_reported(tmp_path, limit):
    path = tmp_path / "a folder with spaces" / NAME
    path.parent.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(path), str(limit)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 74, done.stderr
    assert str(path) in done.stderr and "the same command then goes on" in done.stderr
    acked = {int(line) for line in done.stdout.split()}
    assert len(acked) < 50
    with opened(path) as store:
        assert store.committed() == acked
        assert store.count() == 20 * len(acked)
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
