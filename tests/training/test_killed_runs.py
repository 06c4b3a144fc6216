"""A training process that is killed in the middle of a step: the same command goes on to the same weights, to the bit."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from assay.catalog import RECIPES, attribute
from assay.training.recipe import Recipe

PROGRAM = """
import os, signal, sys
from test_killed_runs import short
from assay.training.loop import train
killed, steps = int(sys.argv[3]), []
def told(progress):
    steps.append(progress.step)
    if progress.step == killed:
        os.kill(os.getpid(), signal.SIGKILL)
train(short(sys.argv[1]), out=sys.argv[2], on_progress=told)
print(*steps)
"""


def short(name: str) -> Recipe:
    """A recipe's first steps, with checkpoints in between."""
    return replace(attribute(RECIPES[name])(steps=7, pictures=5), checkpoint_every=3, validate_every=0)


def run(folder: Path, *, killed_at: int = 0) -> subprocess.CompletedProcess[str]:
    """The recipe's training in a process of its own, as a user runs it.

    Not in this one: a process that has once set its number of threads may round sums differently from one that has not.
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    command = [sys.executable, "-c", PROGRAM, "vlm:easy-vqa", str(folder), str(killed_at)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_a_killed_run_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    cut, whole = tmp_path / "cut", tmp_path / "whole"
    died = run(cut, killed_at=5)
    assert died.returncode == -signal.SIGKILL and [path.name for path in cut.iterdir()] == ["checkpoint.pt"]
    resumed, straight = run(cut), run(whole)
    assert resumed.stdout.split() == ["4", "5", "6", "7"], resumed.stderr
    assert straight.stdout.split() == list("1234567"), straight.stderr
    assert (cut / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
