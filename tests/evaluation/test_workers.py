"""Workers that answer in processes of their own: killed, hanging, dying, they change no answer but those they cannot give."""

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from evaluation_fakes import Scorer, labelled

from assay.data.dataset import Dataset
from assay.evaluation import exports
from assay.evaluation.answers import Question
from assay.evaluation.evaluate import Session, evaluate
from assay.evaluation.how import How
from assay.evaluation.tasks import classification, vqa
from assay.evaluation.workers import Process
from assay.models.callable import load_callable
from assay.types import ModelStoppedError, Sample

MODELS = Path(__file__).parent / "answering_models.py"


def ask(name, folder, *, count=24, on_progress=None, **how):
    samples = [Sample(str(i), {"text": f"question {i}"}, references=("yes",)) for i in range(count)]
    load = partial(load_callable, f"py:{MODELS}:{name}")
    session = Session(How(batch=4, **how), load, linger_s=0)
    task = vqa(Dataset("questions", samples, "1", asks="vqa"), measures=["exact_match"])
    return evaluate(load(), task, out=folder, speed=False, session=session, on_progress=on_progress)


def asked(path):
    return [line.split() for line in path.read_text().splitlines()]


def same_files(a, b):
    return all((a / name).read_bytes() == (b / name).read_bytes() for name in (exports.PREDICTIONS, exports.ESTIMATES))


def test_workers_that_are_killed_change_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("ASSAY_TEST_ASKED", str(tmp_path / "asked"))
    ask("steady", tmp_path / "here")
    (tmp_path / "asked").unlink()
    killed: set[int] = set()

    def kill(done, planned, failed):
        if done in (8, 16):
            pid = int(asked(tmp_path / "asked")[-1][0])
            if pid != os.getpid() and pid not in killed:
                killed.add(pid)
                os.kill(pid, signal.SIGKILL)

    run = ask("steady", tmp_path / "spread", workers=2, on_progress=kill)
    assert run.complete and killed
    assert same_files(tmp_path / "here", tmp_path / "spread")
    pids = {line[0] for line in asked(tmp_path / "asked")}
    assert str(os.getpid()) not in pids and len(pids) > 2
    before = len(asked(tmp_path / "asked"))
    assert ask("steady", tmp_path / "spread", workers=2).complete
    assert len(asked(tmp_path / "asked")) == before


def test_what_kills_or_stops_its_worker_is_an_error_and_nothing_else_is(tmp_path):
    run = ask("poisoned", None, count=12, workers=2, timeout_s=1.5)
    lost = {one["sample"]: (one["error_kind"], one["error"]) for one in run.errors()}
    assert lost == {
        "3": ("worker_died", "the process that answered ended with exit code 0"),
        "5": ("timeout", "no answer within 1.5 s"),
        "8": ("exception", "RuntimeError: no eight"),
    }
    plain = ask("steady", None, count=12)
    there = run.predictions["error_kind"] == ""
    assert run.predictions["answer"][there].tolist() == plain.predictions["answer"][there].tolist()


def test_a_model_that_no_other_process_could_load_is_refused():
    task = classification(labelled(6), measures=["accuracy"])
    model = Scorer()
    with pytest.raises(ModelStoppedError, match="py:FILE.py:function"):
        evaluate(model, task, speed=False, session=Session(How(workers=1)))


def test_a_program_without_a_guard_may_use_workers(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        "import assay\n"
        f"run = assay.evaluate('py:{MODELS}:steady', 'easy-vqa:test[:6]', how=assay.How(workers=1))\n"
        "print('complete', run.complete)\n"
    )
    places = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, env=places, check=False)
    assert done.stdout == "complete True\n", done.stderr


def test_a_model_that_changed_in_the_meantime_is_refused(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("def answer(samples, choices=None):\n    return ['yes' for _ in samples]\n")
    load = partial(load_callable, f"py:{file}:answer")
    model = load()
    file.write_text("def answer(samples, choices=None):\n    return ['no' for _ in samples]\n")
    samples = [Sample("1", {"text": "why?"}, references=("yes",))]
    task = vqa(Dataset("questions", samples, "1", asks="vqa"), measures=["exact_match"])
    with pytest.raises(ModelStoppedError, match="another model"):
        evaluate(model, task, speed=False, session=Session(How(workers=1), load))


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_an_interrupted_run_leaves_no_worker(tmp_path, monkeypatch):
    monkeypatch.setenv("ASSAY_TEST_ASKED", str(tmp_path / "asked"))

    def stop(done, planned, failed):
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ask("steady", tmp_path / "run", workers=2, on_progress=stop)
    assert not any(alive(int(line[0])) for line in asked(tmp_path / "asked"))
    assert ask("steady", tmp_path / "run").complete


def test_a_worker_that_was_ended_starts_no_other():
    load = partial(load_callable, f"py:{MODELS}:steady")
    worker = Process(load, load().fingerprint)
    worker.end()
    with pytest.raises(ModelStoppedError, match="ended"):
        worker.ask([Sample("1", {"text": "why?"})], Question("generate"), None)
