"""Actors of a Ray cluster answer as this process would, whatever is killed on the way; only the driver writes."""

import os
import signal
from functools import partial
from pathlib import Path

import pytest

from assay.data.dataset import Dataset
from assay.evaluation import exports
from assay.evaluation.evaluate import Session, evaluate
from assay.evaluation.how import How
from assay.evaluation.run import load_run
from assay.evaluation.tasks import vqa
from assay.models.callable import load_callable
from assay.types import Sample

ray = pytest.importorskip("ray", reason="assay[ray] is not installed")
MODELS = Path(__file__).parent / "answering_models.py"


@pytest.mark.slow
def test_a_run_with_killed_actors_is_the_local_run_to_the_byte(tmp_path, monkeypatch):
    monkeypatch.setenv("ASSAY_TEST_ASKED", str(tmp_path / "asked"))
    samples = [Sample(str(i), {"text": f"question {i}"}, references=("yes",)) for i in range(40)]
    task = vqa(Dataset("questions", samples, "1", asks="vqa"), measures=["exact_match"])
    load = partial(load_callable, f"py:{MODELS}:steady")

    def ask(folder, on_progress=None, **how):
        session = Session(How(batch=4, **how), load, linger_s=0)
        return evaluate(load(), task, out=folder, speed=False, session=session, on_progress=on_progress)

    ask(tmp_path / "here")
    (tmp_path / "asked").unlink()
    killed: set[int] = set()

    def kill(done, planned, failed):
        if done in (8, 24):
            pid = int((tmp_path / "asked").read_text().splitlines()[-1].split()[0])
            if pid != os.getpid() and pid not in killed:
                killed.add(pid)
                os.kill(pid, signal.SIGKILL)

    run = ask(tmp_path / "ray", kill, engine="ray", workers=2)
    assert run.complete and killed and not ray.is_initialized()
    for name in (exports.PREDICTIONS, exports.ESTIMATES):
        assert (tmp_path / "ray" / name).read_bytes() == (tmp_path / "here" / name).read_bytes()
    lines = [line.split() for line in (tmp_path / "asked").read_text().splitlines()]
    assert str(os.getpid()) not in {line[0] for line in lines}
    keys = list(load_run(tmp_path / "ray").predictions.keys())
    assert len(keys) == len(set(keys)) == 40
    ask(tmp_path / "ray", engine="ray", workers=2)
    assert len((tmp_path / "asked").read_text().splitlines()) == len(lines), "a finished run asked again"
