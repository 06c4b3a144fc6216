"""One writer per folder; the loser says at once who holds it; no lock outlives its process."""

import os
import signal
import subprocess
import sys
import time

import pytest

from assay.evaluation.errors import RunBusyError, StoreError
from assay.evaluation.lock import NAME, locked

HOLD = """
import sys, time
from pathlib import Path
from assay.evaluation.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_the_second_writer_is_refused_at_once_and_told_the_pid(tmp_path, holder):
    start = time.monotonic()
    with pytest.raises(RunBusyError, match=rf"pid {holder.pid}\b"), locked(tmp_path):
        pass
    assert time.monotonic() - start < 1


def test_a_stopped_holder_still_holds_and_is_said_to_be_stopped(tmp_path, holder):
    holder.send_signal(signal.SIGSTOP)
    time.sleep(0.1)
    with pytest.raises(RunBusyError, match=rf"pid {holder.pid}, stopped"), locked(tmp_path):
        pass


def test_a_killed_holder_hinders_nobody(tmp_path, holder):
    holder.kill()
    holder.wait()
    assert (tmp_path / NAME).read_text().strip() == str(holder.pid)
    with locked(tmp_path):
        assert (tmp_path / NAME).read_text().strip() == str(os.getpid())


def test_the_pid_of_a_process_that_is_no_more_is_not_told(tmp_path, holder):
    holder.kill()
    holder.wait()
    with (
        locked(tmp_path, announced=False),
        pytest.raises(RunBusyError, match="by another process"),
        locked(tmp_path),
    ):
        pass


def test_a_folder_that_cannot_be_locked_is_said_by_name(tmp_path):
    (tmp_path / NAME).mkdir()
    with pytest.raises(StoreError, match=r"run\.lock cannot be opened"), locked(tmp_path):
        pass


def test_a_holder_that_has_not_yet_written_its_pid(tmp_path):
    with (
        locked(tmp_path, announced=False),
        pytest.raises(RunBusyError, match="by another process"),
        locked(tmp_path),
    ):
        pass


RACE = """
import os, sys, time
from pathlib import Path
from assay.evaluation.errors import RunBusyError
from assay.evaluation.lock import locked
folder, at = Path(sys.argv[1]), float(sys.argv[2])
for round in range(6):
    while time.time() < at + round * 0.4:
        pass
    try:
        with locked(folder):
            print(round, "won", flush=True)
            time.sleep(0.25)
    except RunBusyError as error:
        print(round, "lost" if "pid " in str(error) else "unnamed", flush=True)
"""


def test_of_two_that_start_together_exactly_one_wins(tmp_path):
    at = str(time.time() + 1.0)
    both = [
        subprocess.Popen([sys.executable, "-c", RACE, str(tmp_path), at], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = sorted(line for process in both for line in process.communicate(timeout=60)[0].splitlines())
    assert said == sorted(f"{i} {word}" for i in range(6) for word in ("won", "lost"))
