"""Calls that never come back, samples that are asked again, and word of what is waited for."""

import threading
import time

import pytest
from evaluation_fakes import Scorer, labelled

from assay.evaluation.deadline import Caller, OutOfTime, told
from assay.evaluation.errors import Terminated
from assay.evaluation.evaluate import Session, evaluate
from assay.evaluation.how import How
from assay.evaluation.tasks import classification


def classify(model, **how):
    task = classification(labelled(12), measures=["accuracy"])
    return evaluate(model, task, speed=False, session=Session(How(batch=4, **how)))


def test_a_sample_that_hangs_is_an_error_and_the_others_are_answered():
    held = threading.Event()
    plain = classify(Scorer())
    run = classify(Scorer(faults={"s05": held.wait}), timeout_s=0.05)
    held.set()
    lost = run.errors()
    assert {(one["sample"], one["error_kind"]) for one in lost} == {("s05", "timeout")}
    assert lost[0]["error"] == "no answer within 0.05 s"
    there = run.predictions["error_kind"] == ""
    assert (run.predictions["answer"][there] == plain.predictions["answer"][there]).all()
    assert not run.complete and run.headline.n_missing == 1


def test_a_call_that_is_left_behind_does_not_take_the_output_along(capsys):
    held = threading.Event()
    classify(Scorer(faults={"s05": held.wait}), timeout_s=0.05)
    print("the figures")
    held.set()
    assert capsys.readouterr().out == "the figures\n"


def test_a_deadline_that_is_kept_changes_nothing():
    assert classify(Scorer(), timeout_s=30).as_json() == classify(Scorer()).as_json()


@pytest.mark.parametrize("error", [KeyboardInterrupt, Terminated])
def test_what_ends_a_run_ends_it_from_the_other_thread_too(error):
    def stop():
        raise error

    with pytest.raises(error):
        classify(Scorer(faults={"s05": stop}), timeout_s=30)


def test_a_model_that_ends_the_program_has_not_answered():
    def ends():
        raise SystemExit(0)

    run = classify(Scorer(faults={"s05": ends}), timeout_s=30)
    assert {one["error"] for one in run.errors()} == {"EndedItself: the model called sys.exit(0) instead of answering"}


def test_a_late_answer_is_not_heard():
    caller, slow = Caller(0.05), threading.Event()
    with pytest.raises(OutOfTime, match="no answer within 0.05 s"):
        caller(lambda: (slow.wait(5), "late")[1])
    slow.set()
    assert [caller(lambda n=n: n) for n in range(3)] == [0, 1, 2]
    caller.close()


def test_a_sample_that_fails_is_asked_as_often_as_is_allowed():
    failing = iter([True] * 4 + [False] * 100)

    def flaky():
        if next(failing):
            raise RuntimeError("busy")

    model = Scorer(faults={"s05": flaky})
    # With its batch, then three times alone; that was the fourth failure.
    assert [one["error_kind"] for one in classify(model, attempts=3).errors()] == ["exception"]
    assert model.calls.count(["s05"]) == 3
    failing = iter([True] * 3 + [False] * 100)
    model = Scorer(faults={"s05": lambda: flaky()})
    assert classify(model, attempts=3).complete


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"timeout_s": 0}, "more than 0 seconds"),
        ({"timeout_s": float("nan")}, "more than 0 seconds"),
        ({"attempts": 0}, "attempts must be at least 1"),
        ({"repeats": 0}, "repeats must be at least 1"),
        ({"batch": 0}, "batch must be at least 1"),
        ({"workers": -1}, "workers must be at least 0"),
        ({"engine": "spark"}, "there is local and ray"),
    ],
)
def test_what_cannot_be_done_is_said(wrong, said):
    with pytest.raises(ValueError, match=said):
        How(**wrong)


def test_silence_is_broken_by_what_is_waited_for():
    lines: list[str] = []
    spoke = threading.Event()

    def tell(text):
        lines.append(text)
        spoke.set()

    with told(tell, every_s=0.02) as waiting:
        waiting.now("the model to answer 4 samples")
        assert spoke.wait(10)
    assert lines[0].startswith("waiting for the model to answer 4 samples, 0 s")
    count = len(lines)
    time.sleep(0.05)
    assert len(lines) == count, "it went on speaking when all was over"
