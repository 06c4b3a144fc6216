"""The driver of workers is killed: nothing that was reported is lost or asked again, no worker is left, and going on makes good."""

import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from assay.evaluation import exports
from assay.evaluation.run import load_run

PROGRAM = Path(__file__).parent / "workers_program.py"


def run(folder, engine="local", workers=0, kill_at=0):
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "ASSAY_TEST_ASKED": f"{folder}.asked",
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, str(PROGRAM), str(folder), engine, str(workers), str(kill_at)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def asked(folder):
    path = Path(f"{folder}.asked")
    return [line.split() for line in path.read_text().splitlines()] if path.exists() else []


def alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("engine", "kill_at"),
    [
        ("local", 4),
        ("local", 16),
        pytest.param(
            "ray", 8, marks=pytest.mark.skipif(find_spec("ray") is None, reason="assay[ray] is not installed")
        ),
    ],
)
def test_a_killed_driver_goes_on(tmp_path, engine, kill_at):
    whole, folder = tmp_path / "whole", tmp_path / "run"
    assert run(whole).returncode == 0
    assert run(folder, engine, 2, kill_at).returncode == -signal.SIGKILL
    acked = max(map(int, Path(f"{folder}.acked").read_text().split()))
    before = asked(folder)
    deadline = time.monotonic() + 30
    while any(alive(int(line[0])) for line in before) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(alive(int(line[0])) for line in before), "a worker outlived its driver"
    again = run(folder, engine, 2)
    assert again.returncode == 0, again.stderr
    for name in (exports.PREDICTIONS, exports.ESTIMATES):
        assert (folder / name).read_bytes() == (whole / name).read_bytes()
    later = [name for line in asked(folder)[len(before) :] for name in line[1:]]
    assert len(set(later)) <= 24 - acked, "answers that were reported were asked for again"
    # An actor that a busy cluster loses takes answers along that nobody had reported: those alone are asked for once more.
    assert engine == "ray" or len(later) == len(set(later)), "an answer was asked for twice"
    keys = list(load_run(folder).predictions.keys())
    assert len(keys) == len(set(keys)) == 24
    count = len(asked(folder))
    assert run(folder, engine, 2).returncode == 0 and len(asked(folder)) == count


@pytest.mark.parametrize(
    ("stop", "code", "said"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated"), (signal.SIGKILL, -9, "")],
)
def test_a_driver_that_is_stopped_while_a_model_hangs_ends_and_takes_its_worker_along(tmp_path, stop, code, said):
    if signal.getsignal(stop) is signal.SIG_IGN:
        pytest.skip("this shell starts its programs deaf to the signal")
    (tmp_path / "hangs.py").write_text(
        "import os, time\n"
        "def hang(samples):\n"
        f"    open({str(tmp_path / 'pid')!r}, 'a').write(f'{{os.getpid()}}\\n')\n"
        "    time.sleep(600)\n"
    )
    (tmp_path / "q.jsonl").write_text('{"id": "a", "question": "is it?", "answer": "yes"}\n')
    command = [sys.executable, "-m", "assay", "evaluate", f"py:{tmp_path / 'hangs.py'}:hang", str(tmp_path / "q.jsonl")]
    command += ["--task", "vqa", "--workers", "1", "--store", "none", "--out", str(tmp_path / "run")]
    places = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=places) as driver:
        try:
            until = time.monotonic() + 60
            while not (tmp_path / "pid").exists() and time.monotonic() < until:
                time.sleep(0.05)
            time.sleep(0.3)  # the driver waits by now
            driver.send_signal(stop)
            _, err = driver.communicate(timeout=20)
        finally:
            driver.kill()
    assert driver.returncode == code
    assert "Traceback" not in err and said in err
    worker, until = int((tmp_path / "pid").read_text()), time.monotonic() + 10
    while alive(worker) and time.monotonic() < until:
        time.sleep(0.05)
    assert not alive(worker)
