"""Killed at system calls that write: after one more run all is as if nothing had happened.

`make sweep`, or this file run as a program, goes through every call; the test takes some of them, others each day.
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
POINTS = 4


def works() -> bool:
    """Whether strace is there and may trace."""
    if shutil.which("strace") is None:
        return False
    return subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, check=False).returncode == 0


def count_calls(folder: Path, task: str) -> dict[str, int]:
    """How often an uninterrupted run makes each of the calls."""
    log = folder.with_suffix(".log")
    done = run_alone(folder, task, prefix=("strace", "-f", "-o", str(log), "-e", f"trace={CALLS}"))
    assert done.returncode == 0, done.stderr
    found: dict[str, int] = {}
    for line in log.read_text(errors="replace").splitlines():
        call = re.match(r"\d+ +(\w+)\(", line)
        if call:
            found[call[1]] = found.get(call[1], 0) + 1
    return found


def sweep(runner: Program, root: Path, task: str, points: int | None) -> int:
    """Kills at ``points`` of all calls (all for ``None``), resumes and checks each time; how many it tried."""
    expected, batches = whole_run(runner, root / "whole", task)
    moments = [(call, n) for call, count in count_calls(root / "counted", task).items() for n in range(1, count + 1)]
    assert len(moments) > 30
    if points is not None:
        step = len(moments) // points
        moments = moments[int(time.time() // 86_400) % step :: step]
    for place, (call, number) in enumerate(moments):
        folder = root / f"{place}-{call}-{number}"
        inject = f"inject={call}:signal=KILL:when={number}"
        run_alone(folder, task, prefix=("strace", "-f", "-o", "/dev/null", "-e", f"trace={call}", "-e", inject))
        try:
            check_resumed(runner, folder, task, expected, batches)
        except AssertionError as error:
            raise AssertionError(f"killed at {call} number {number}: {error}") from error
    return len(moments)


@pytest.mark.skipif(not works(), reason="needs strace, and the right to trace")
def test_killed_at_system_calls(tmp_path):
    with program() as runner:
        assert sweep(runner, tmp_path, "classification", POINTS) >= POINTS


if __name__ == "__main__":
    for name in ("classification", "retrieval"):
        with tempfile.TemporaryDirectory() as place, program() as one:
            print(name, sweep(one, Path(place), name, None), "moments")
