"""Two processes by torchrun learn what one learns; a cut run of two goes on to the bit; contrast over everybody's vectors."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from distributed_program import STEPS, contrast, curve, recipe, sharded_curve, tokens

from assay.models.layers import parameter_count
from assay.training.loop import train
from assay.training.sharded import shard


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """What two processes found, and the folder of their runs."""
    folder = tmp_path_factory.mktemp("two")
    program = Path(__file__).parent / "distributed_program.py"
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", program, folder]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    out = subprocess.run([*map(str, command)], env=environment, capture_output=True, text=True, check=False)
    assert (folder / "found.json").exists(), out.stderr
    return json.loads((folder / "found.json").read_text()), folder


@pytest.mark.slow
def test_two_processes_have_the_loss_curve_of_one_that_accumulates(two, tmp_path):
    found, _ = two
    assert found["processes"] == 2 and found["everyones"] == [0, 1]
    alone = curve(recipe(accumulate=2), tmp_path)
    assert len(alone) == STEPS and alone[-1] < alone[0]
    # Only the order of additions differs.
    assert found["whole"] == pytest.approx(alone, rel=1e-4)


@pytest.mark.slow
def test_a_cut_run_of_two_processes_goes_on_to_the_bit(two):
    found, folder = two
    assert found["cut"] == found["dropped"][:6] and found["resumed"] == found["dropped"][4:]
    whole, cut = ((folder / name / "model.safetensors").read_bytes() for name in ("dropped", "cut"))
    assert whole == cut
    with pytest.raises(ValueError, match="run by 2 processes, here are 1"):
        train(recipe(dropout=0.3), out=folder / "cut")


@pytest.mark.slow
def test_gathered_contrast_has_the_gradient_of_the_whole_batch(two):
    found, _ = two
    vectors = torch.randn(6, 8, generator=torch.Generator().manual_seed(0))
    assert found["contrast"] == pytest.approx(contrast(vectors), abs=1e-6)


@pytest.mark.slow
def test_weights_of_losses_that_are_learnt_are_refused(two):
    assert "Uncertainty learns how losses are weighed" in two[0]["refused"]


@pytest.mark.slow
def test_a_shared_out_net_learns_what_a_whole_one_learns_and_each_process_holds_half(two):
    found, _ = two
    net = tokens()
    assert found["sharded"] == pytest.approx(sharded_curve(net), rel=1e-4)
    assert parameter_count(net) / 2 <= found["held"] < 0.6 * parameter_count(net)
    sums = {name: float(value.sum()) for name, value in net.state_dict().items()}
    assert found["weights"] == pytest.approx(sums, abs=2e-2)


def test_one_process_shares_nothing_out():
    with pytest.raises(ValueError, match="start them with torchrun"):
        shard(tokens())
