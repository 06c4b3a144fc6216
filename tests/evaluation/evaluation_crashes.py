"""Starts `evaluation_program`, lets it be killed, and checks that going on makes good."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from assay.evaluation import exports
from assay.evaluation.run import load_run

PROGRAM = Path(__file__).parent / "evaluation_program.py"
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    "PYTHONDONTWRITEBYTECODE": "1",
    "OMP_NUM_THREADS": "1",
}


class Program:
    """Runs the program in copies of one process that has all imported."""

    def __init__(self, server: subprocess.Popen[str]) -> None:
        self.server = server
        self.child = 0

    def run(
        self,
        folder: Path,
        task: str,
        *fault: object,
        kill_after_s: float | None = None,
        spend: tuple[str, int] | None = None,
    ) -> int:
        """The exit code of a run; minus the signal's number if it died of one."""
        asked = {"arguments": [task, str(folder), *map(str, fault)], "spend": spend}
        self.server.stdin.write(json.dumps(asked) + "\n")
        self.server.stdin.flush()
        self.child = int(self.server.stdout.readline())
        if kill_after_s is not None:
            time.sleep(kill_after_s)
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.child, signal.SIGKILL)
        return int(self.server.stdout.readline())


@contextlib.contextmanager
def program(*prefix: str) -> Iterator[Program]:
    """The program, ready to be run often; with a ``prefix`` under another program."""
    command = [*prefix, os.path.realpath(sys.executable), str(PROGRAM)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT) as server:
        yield Program(server)
        server.stdin.close()


def asked(folder: Path) -> list[list[str]]:
    """The ids of every model call so far, whoever made it."""
    path = Path(f"{folder}.asked")
    return [line.split() for line in path.read_text().splitlines()] if path.exists() else []


def acked(folder: Path) -> int:
    """How many answers have been reported as done."""
    path = Path(f"{folder}.acked")
    return max(map(int, path.read_text().split()), default=0) if path.exists() else 0


def said(folder: Path) -> str:
    """The error that ended a run, empty if none did."""
    path = Path(f"{folder}.said")
    return path.read_text() if path.exists() else ""


def forget(folder: Path) -> None:
    """Removes a run and all that was noted of it."""
    shutil.rmtree(folder, ignore_errors=True)
    for note in folder.parent.glob(f"{folder.name}.*"):
        note.unlink()


def whole_run(runner: Program, folder: Path, task: str) -> tuple[bytes, list[list[str]]]:
    """The figures and the calls of an uninterrupted run."""
    assert runner.run(folder, task) == 0
    return (folder / exports.ESTIMATES).read_bytes(), asked(folder)


def check_resumed(runner: Program, folder: Path, task: str, expected: bytes, batches: list[list[str]]) -> None:
    """After one more run: the same bytes, nothing reported was asked again, nothing is left over, a third run does nothing."""
    before, reported = len(asked(folder)), acked(folder)
    assert runner.run(folder, task) == 0
    assert (folder / exports.ESTIMATES).read_bytes() == expected
    again = asked(folder)[before:]
    assert sum(map(len, again)) <= sum(map(len, batches)) - reported, "answers that were reported were asked for again"
    assert again == batches[len(batches) - len(again) :]
    assert not list(folder.glob(".*")) and not list(folder.glob("*journal*"))
    keys = list(load_run(folder).predictions.keys())
    assert len(set(keys)) == len(keys) == sum(map(len, batches))
    assert runner.run(folder, task) == 0
    assert len(asked(folder)) == before + len(again), "a finished run asked the model"
