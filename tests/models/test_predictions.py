"""Answers made elsewhere are measured as if a model gave them now; what is missing is missing, what is unknown is told."""

import json

import numpy as np
import pytest
from PIL import Image

import assay
from assay.cli import main
from assay.types import Told


def lines(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def questions(tmp_path):
    return lines(tmp_path / "q.jsonl", [{"id": i, "question": f"{i}?", "answer": f"a{i}"} for i in range(10)])


def test_predictions_are_scored_against_the_data(tmp_path, questions, capsys):
    rows = [{"id": i, "prediction": f"a{i}" if i else "wrong"} for i in range(8)] + [{"id": 8, "prediction": None}]
    file = lines(tmp_path / "p.jsonl", [*rows, {"id": "other", "prediction": "x"}])
    model = assay.load_model(f"predictions:{file}")
    assert isinstance(model, Told)
    run = assay.evaluate(model, questions, task="vqa", out=tmp_path / "run")
    assert run.status == "incomplete 8/10" and {error["sample"] for error in run.errors()} == {"8", "9"}
    exact = next(one for one in run.estimates if one.metric == "exact_match")
    assert (exact.value, exact.n, exact.n_missing) == (7 / 8, 8, 2)
    assert "1 ids are not in" in capsys.readouterr().err


def test_classification_and_captioning_from_a_table(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for i in range(4):
        Image.fromarray(np.full((4, 4, 3), i, np.uint8)).save(folder / f"{i}.png")
    (folder / "broken.png").write_bytes(b"no picture")
    table = "image,label,caption\n" + "".join(f"{i}.png,{'ab'[i % 2]},a picture of {i}\n" for i in range(4))
    (folder / "m.csv").write_text(table + "broken.png,a,nothing\n")
    names = [*(f"{i}.png" for i in range(4)), "broken.png"]
    (tmp_path / "p.csv").write_text("image,prediction\n" + "".join(f"{name},a\n" for name in names))
    run = assay.evaluate(f"predictions:{tmp_path / 'p.csv'}", folder, task="classification")
    # Its picture is broken here, but the answer was given where it was not.
    assert run.complete and run.headline.value == 3 / 5
    assert {one.condition for one in run.estimates} == {"clean"}
    assert assay.evaluate(f"predictions:{tmp_path / 'p.csv'}", folder, task="captioning").complete


def test_runs_of_predictions_are_compared_and_gated(tmp_path, questions):
    for name, wrong in (("good", 0), ("bad", 9)):
        rows = [{"id": i, "prediction": "?" if i < wrong else f"a{i}"} for i in range(10)]
        file = lines(tmp_path / f"{name}.jsonl", rows)
        arguments = ["evaluate", f"predictions:{file}", str(questions), "--task", "vqa", "--out", str(tmp_path / name)]
        assert main(arguments) == 0
    gate = ["gate", str(tmp_path / "bad"), "--baseline", str(tmp_path / "good"), "--metric", "exact_match"]
    assert main([*gate, "--margin", "0.01"]) == 1
    assert assay.compare(tmp_path / "good", tmp_path / "bad").verdict


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"id": 1, "prediction": "a"}, {"id": "1", "prediction": "b"}], "line 2: the id '1' stands there already"),
        ([{"id": 1, "predicton": "a"}], "did you mean predicton"),
        ([{"prediction": "a"}], "no column 'id'"),
        ([{"id": 1, "prediction": ["a"]}], "line 1: a text was expected"),
        ([{"id": 1, "prediction": "a"}, {"prediction": "a"}], "line 2: no 'id'"),
    ],
)
def test_a_file_that_does_not_say_whose_answers_they_are_is_refused(tmp_path, rows, said):
    with pytest.raises(ValueError, match="p.jsonl") as caught:
        assay.load_model(f"predictions:{lines(tmp_path / 'p.jsonl', rows)}")
    assert said in str(caught.value)


def test_what_nobody_was_asked_cannot_be_measured(tmp_path, questions):
    file = lines(tmp_path / "p.jsonl", [{"id": 1, "prediction": "a"}])
    with pytest.raises(ValueError, match="no conditions, repeats or probes"):
        assay.evaluate(f"predictions:{file}", questions, task="vqa", conditions=["drop:image"])
    strangers = lines(tmp_path / "s.jsonl", [{"id": "x", "prediction": "a"}])
    with pytest.raises(ValueError, match="none of the 1 ids.*there it is 'x', here '0'"):
        assay.evaluate(f"predictions:{strangers}", questions, task="vqa")
