"""An incomplete run says between what its figures lie, whatever the missing answers would have been."""

import json

import pytest
from evaluation_fakes import Scorer, labelled

from assay.cli import main
from assay.evaluation.evaluate import evaluate
from assay.evaluation.tasks import classification
from assay.evaluation.unknown import extremes


def run_of(lost=0):
    def broken():
        raise RuntimeError("down")

    faults = {f"s{i:02d}": broken for i in range(lost)}
    task = classification(labelled(20), measures=["accuracy", "nll", "macro_f1"])
    return evaluate(Scorer(faults=faults), task, speed=False)


def test_the_worst_and_the_best_that_could_be():
    run = run_of(5)
    found = {one.metric: one for one in extremes(run)}
    assert set(found) == {"accuracy", "nll"}, "macro-F1 is no mean of rows"
    right = round(run.headline.value * 15)
    one = found["accuracy"]
    assert (one.value, one.low, one.high) == pytest.approx((right / 15, right / 20, (right + 5) / 20))
    assert found["nll"].as_json()["high"] is None, "a likelihood has no worst value"
    full = run_of().headline.value
    assert one.low <= full <= one.high


def test_a_complete_run_has_nothing_to_bound():
    assert extremes(run_of()) == []


def test_a_run_without_any_answer_may_be_anything():
    one = extremes(run_of(20))[0]
    assert (one.low, one.high) == (0, 1) and one.as_json()["value"] is None


def test_people_and_machines_are_told(tmp_path, capsys):
    rows = [{"id": i, "prediction": None if i < 2 else "x", "label": "x" if i < 7 else "y"} for i in range(10)]
    file = tmp_path / "answers.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert main(["score", str(file), "--metrics", "accuracy", "--json"]) == 3
    told = json.loads(capsys.readouterr().out)["bounds"]
    assert told == [{"metric": "accuracy", "value": 0.625, "low": 0.5, "high": 0.7}]
    assert main(["score", str(file), "--metrics", "accuracy"]) == 3
    assert "accuracy lies between .500 and .700" in capsys.readouterr().out
