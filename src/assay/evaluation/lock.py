"""One writer per run folder: a lock that the kernel holds for a process and frees with it, however it ends.

The lock is ``flock`` on ``run.lock``, never a file's mere existence, so one left behind by a killed process hinders nobody.
The holder writes its process id into the file, for the message that the next one gives; an id of a process that is no
more is one that an earlier holder left.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from assay.evaluation.errors import RunBusyError, StoreError

NAME = "run.lock"
PATIENCE_S = 0.3


@contextlib.contextmanager
def locked(folder: Path, *, announced: bool = True) -> Iterator[None]:
    """Holds the folder's lock; `RunBusyError` at once (it never waits for the other) when somebody else has it.

    ``announced=False`` does not write the process id: a finished run that is only looked at stays untouched.
    """
    path = folder / NAME
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise StoreError(f"{path} cannot be opened to lock the run: {error}") from error
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = f"{folder} is being written by {holder(file)}: let it end, or choose another folder."
            raise RunBusyError(message) from None
        if announced:
            announce(file, path)
        yield
    finally:
        os.close(file)


def announce(file: int, path: Path) -> None:
    """Writes this process's id into the lock's file."""
    try:
        os.pwrite(file, f"{os.getpid():<20}\n".encode(), 0)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error}. Free the disk and run again.") from error


def holder(file: int) -> str:
    """The process that holds the lock, as well as it can be told: ``pid 4711``, ``, stopped`` when it is suspended."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        written = os.pread(file, 20, 0).decode("ascii", "replace").strip()
        if written.isdecimal() and lives(int(written)):
            return f"pid {written}{state(int(written))}"
        time.sleep(0.01)  # it has the lock and is about to write its id
    return "another process"


def lives(pid: int) -> bool:
    """Whether there is a process of this id."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def state(pid: int) -> str:
    """``, stopped`` for a suspended process where the system tells, else nothing."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return ", stopped" if stat.rpartition(")")[2].split()[:1] == ["T"] else ""
