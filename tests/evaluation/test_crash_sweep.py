"""Killed, or refused by the disk, at system calls that write: after one more run all is as if nothing had happened.

This file run as a program (``make sweep``) goes through every call; the test takes some of them, others each day.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from evaluation_crashes import Program, check_resumed, forget, program, said, whole_run

from assay.evaluation import exports

CALLS = ("openat", "write", "pwrite64", "fsync", "fdatasync", "rename", "ftruncate", "unlink", "mkdir")
FAULTS = ("error=EIO", "error=ENOSPC", "signal=KILL")
OWN = ("", "run.sqlite", "run.sqlite-journal", "run.lock", *exports.ALL, *(f".{name}.partial" for name in exports.ALL))

Moment = tuple[str, int]  # a system call, and its number among those of its name


def works() -> bool:
    """Whether strace is there and may trace."""
    if shutil.which("strace") is None:
        return False
    return subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, check=False).returncode == 0


def strace(folder: Path, *options: str) -> list[str]:
    """The command that traces what touches a run's files."""
    paths = [folder / name if name else folder for name in OWN] + [folder.with_suffix(".spare")]
    return ["strace", "-f", *(word for path in paths for word in ("-P", str(path))), *options]


def moments(folder: Path, task: str) -> list[Moment]:
    """Every call by which an uninterrupted run touches its files."""
    log = folder.parent / "moments"
    with program(*strace(folder, "-o", str(log), "-e", f"trace={','.join(CALLS)}")) as traced:
        assert traced.run(folder, task) == 0
    found: Counter[str] = Counter()
    every = []
    for line in log.read_text(errors="replace").splitlines():
        if call := re.match(rf"{traced.child} +(\w+)\(", line):
            found[call[1]] += 1
            every.append((call[1], found[call[1]]))
    forget(folder)
    return every


def some(every: list[Moment], points: int | None) -> list[Moment]:
    """``points`` of them (all for ``None``), others each day."""
    step = 1 if points is None else max(len(every) // points, 1)
    return every[int(time.time() // 86_400) % step :: step]


def sweep(runner: Program, root: Path, task: str, fault: str, points: int | None = None) -> int:
    """Injects ``fault`` (strace's word for it) at each call, goes on and checks; how many calls it tried."""
    expected, batches = whole_run(runner, root / "whole", task)
    folder = root / "run"
    every = moments(folder, task)
    assert len(every) > 200
    chosen = some(every, points)
    failed = []
    for call in dict.fromkeys(name for name, _ in chosen):
        last = sum(name == call for name, _ in every)
        inject = f"inject={call}:{fault}:when={last}"
        with program(*strace(folder, "-o", "/dev/null", "-e", f"trace={call}", "-e", inject)) as struck:
            for number in (number for name, number in chosen if name == call):
                try:
                    code = struck.run(folder, task, spend=(call, last - number))
                    check_ended(folder, fault, code)
                    check_resumed(runner, folder, task, expected, batches)
                except AssertionError as error:
                    failed.append(f"{fault} at {call} number {number} of {last}: {error}")
                forget(folder)
    assert not failed, "\n".join(failed)
    return len(chosen)


def check_ended(folder: Path, fault: str, code: int) -> None:
    """Killed; or ended with 74 and one line that names a file of the run; or unharmed, where SQLite or the lock can do without."""
    if fault.startswith("signal"):
        assert code == -9
        return
    assert code in (0, 74), f"exit code {code}"
    assert (code == 74) == bool(said(folder))
    assert code == 0 or (str(folder) in said(folder) and said(folder).count("\n") == 1), said(folder)


@pytest.fixture(scope="module")
def runner():
    with program() as one:
        yield one


@pytest.mark.slow
@pytest.mark.skipif(not works(), reason="needs strace, and the right to trace")
@pytest.mark.parametrize("fault", FAULTS)
def test_faults_at_system_calls(tmp_path, runner, fault):
    assert sweep(runner, tmp_path, "classification", fault, points=3) >= 3


if __name__ == "__main__":
    for word in FAULTS:
        for name in ("classification", "retrieval"):
            with tempfile.TemporaryDirectory() as place, program() as one:
                print(word, name, sweep(one, Path(place), name, word), "moments", flush=True)
