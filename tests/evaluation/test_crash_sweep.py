"""Killed, or refused by the disk, at system calls that write: after one more run all is as if nothing had happened.

This file run as a program goes through every call; the test takes some of them, others each day.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from evaluation_crashes import Program, check_resumed, program, run_alone, whole_run

CALLS = "write,pwrite64,fsync,fdatasync,rename,renameat2,ftruncate,unlink,unlinkat,mkdir"
OWN = (
    "run.sqlite",
    "run.sqlite-journal",
    "run.lock",
    ".estimates.json.partial",
    ".manifest.json.partial",
    ".predictions.parquet.partial",
)


def works() -> bool:
    """Whether strace is there and may trace."""
    if shutil.which("strace") is None:
        return False
    return subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, check=False).returncode == 0


def strace(folder: Path, *options: str, own: bool) -> list[str]:
    """The command that traces the run in a folder, whole or (``own``) as far as it touches the run's files."""
    paths = [word for name in OWN for word in ("-P", str(folder / name))] if own else []
    return ["strace", "-f", *paths, *options]


def moments(folder: Path, task: str, *, own: bool) -> list[tuple[str, int]]:
    """Every call that an uninterrupted run makes: its name and its number among those of the name."""
    log = folder.with_suffix(".log")
    done = run_alone(folder, task, prefix=strace(folder, "-o", str(log), "-e", f"trace={CALLS}", own=own))
    assert done.returncode == 0, done.stderr
    found: list[tuple[str, int]] = []
    for line in log.read_text(errors="replace").splitlines():
        if call := re.match(r"\d+ +(\w+)\(", line):
            found.append((call[1], 1 + sum(name == call[1] for name, _ in found)))
    return found


def some(every: list[tuple[str, int]], points: int | None) -> list[tuple[str, int]]:
    """``points`` of them (all for ``None``), others each day."""
    step = 1 if points is None else max(len(every) // points, 1)
    return every[int(time.time() // 86_400) % step :: step]


def sweep(runner: Program, root: Path, task: str, fault: str, points: int | None = None) -> int:
    """Injects ``fault`` (strace's word for it) at each call, goes on and checks; how many calls it tried."""
    own = not fault.startswith("signal")
    expected, batches = whole_run(runner, root / "whole", task)
    every = moments(root / "counted", task, own=own)
    assert len(every) > 30
    for call, number in (chosen := some(every, points)):
        folder = root / f"{call}-{number}"
        inject = f"inject={call}:{fault}:when={number}"
        prefix = strace(folder, "-o", "/dev/null", "-e", f"trace={call}", "-e", inject, own=own)
        done = run_alone(folder, task, prefix=prefix)
        try:
            assert not own or done.returncode in (0, 74), done.stderr
            assert done.returncode != 74 or str(folder) in done.stderr
            check_resumed(runner, folder, task, expected, batches)
        except AssertionError as error:
            raise AssertionError(f"{fault} at {call} number {number}: {error}") from error
    return len(chosen)


@pytest.mark.skipif(not works(), reason="needs strace, and the right to trace")
@pytest.mark.parametrize(("fault", "points"), [("signal=KILL", 3), ("error=EIO", 1), ("error=ENOSPC", 1)])
def test_faults_at_system_calls(tmp_path, fault, points):
    with program() as runner:
        assert sweep(runner, tmp_path, "classification", fault, points) >= points


if __name__ == "__main__":
    for word in ("signal=KILL", "error=EIO", "error=ENOSPC"):
        for name in ("classification", "retrieval"):
            with tempfile.TemporaryDirectory() as place, program() as one:
                print(word, name, sweep(one, Path(place), name, word), "moments", flush=True)
