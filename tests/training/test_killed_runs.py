"""A training process that is killed in the middle of a step: the same command goes on to the same weights, to the bit."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from assay.catalog import RECIPES, attribute
from assay.training.loop import train
from assay.training.recipe import Recipe

KILLED = """
import os, signal, sys
from test_killed_runs import short
from assay.training.loop import train
train(short(sys.argv[1]), out=sys.argv[2], on_progress=lambda p: p.step == 5 and os.kill(os.getpid(), signal.SIGKILL))
"""


def short(name: str) -> Recipe:
    """A recipe's first steps, with checkpoints in between."""
    return replace(attribute(RECIPES[name])(steps=7, pictures=5), checkpoint_every=3, validate_every=0)


@pytest.mark.slow
def test_a_killed_run_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    name = "vlm:easy-vqa"
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path]),
        "OMP_NUM_THREADS": str(torch.get_num_threads()),
    }
    cut = tmp_path / "cut"
    died = subprocess.run([sys.executable, "-c", KILLED, name, str(cut)], env=environment, check=False)
    assert died.returncode == -signal.SIGKILL and [path.name for path in cut.iterdir()] == ["checkpoint.pt"]
    steps: list[int] = []
    train(short(name), out=cut, on_progress=lambda progress: steps.append(progress.step))
    train(short(name), out=tmp_path / "whole")
    assert steps == [4, 5, 6, 7]
    assert (cut / "model.safetensors").read_bytes() == (tmp_path / "whole" / "model.safetensors").read_bytes()
