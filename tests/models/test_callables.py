"""Functions, classes, objects and files as models."""

import numpy as np
import pytest

import assay
from assay.models.callable import as_model, load_callable, log_probabilities
from assay.types import Answers, Embeds, Generates, Sample, Scores

SAMPLES = [Sample("a", {"text": "red"}), Sample("b", {"text": "blue"})]
CHOICES = ("red", "blue")


def says(samples, choices=None):
    return [sample.inputs["text"] for sample in samples]


def alone(samples):
    return ["red" for _ in samples]


def weighs(samples, choices) -> np.ndarray:
    return np.array([[0.9, 0.1] if s.inputs["text"] == "red" else [0.2, 0.8] for s in samples])


def lists(samples, choices) -> list[list[float]]:
    return [[3.0, 1.0]] * len(samples)


def unannotated(samples, choices=None):
    return [[0.1, 0.9], [np.nan, 0.2]]


def test_a_function_that_says_is_a_model_that_answers():
    model = as_model(says)
    assert isinstance(model, Generates) and isinstance(model, Answers) and not isinstance(model, Scores | Embeds)
    assert model.name == "says" and model.answer(SAMPLES, CHOICES) == model.generate(SAMPLES) == ["red", "blue"]
    assert as_model(alone).answer(SAMPLES, CHOICES) == ["red", "red"]


def test_a_function_that_is_annotated_with_numbers_scores():
    model = as_model(weighs)
    assert isinstance(model, Scores) and not isinstance(model, Generates)
    np.testing.assert_allclose(np.exp(model.score(SAMPLES, CHOICES)), [[0.9, 0.1], [0.2, 0.8]], rtol=1e-5)
    np.testing.assert_allclose(np.exp(as_model(lists).score(SAMPLES, CHOICES)).sum(1), 1, rtol=1e-6)
    with pytest.raises(ValueError, match="2 rows of 3 scores were expected, got float64.2, 2."):
        model.score(SAMPLES, ("a", "b", "c"))


def test_rows_of_scores_without_annotation_say_the_best_choice():
    assert as_model(unannotated).answer(SAMPLES, CHOICES) == ["blue", "blue"]
    assert as_model(lambda samples, choices=None: [[np.nan, np.nan]] * 2).answer(SAMPLES, CHOICES) == [None, None]


def test_log_probabilities_are_told_from_probabilities_and_logits():
    rows = np.array([[0.25, 0.75], [np.log(0.25), np.log(0.75)], [1.0, 1.0 + np.log(3.0)], [1.0, 0.0]])
    found = np.exp(log_probabilities(rows))
    np.testing.assert_allclose(found[:3], [[0.25, 0.75]] * 3, rtol=1e-12)
    np.testing.assert_allclose(found[3], [1.0, 0.0])


def test_an_object_has_the_verbs_it_has():
    class Own:
        modalities = ("text",)

        def embed(self, samples, modality=None):
            return np.ones((len(samples), 2), np.float32)

    for given in (Own, Own()):
        model = as_model(given)
        assert isinstance(model, Embeds) and not isinstance(model, Scores | Generates)
        assert model.modalities == {"text"} and model.embed(SAMPLES).shape == (2, 2) and len(model.fingerprint) == 64
    whole = assay.load_model("baseline:chance", train="digits:train")
    assert as_model(whole) is whole


def test_what_is_no_model_is_refused():
    with pytest.raises(ValueError, match="a function, or an object with embed, score or generate, got int"):
        as_model(3)
    with pytest.raises(ValueError, match="a function, or an object"):
        assay.load_model(object())


def test_a_function_in_a_file(tmp_path, monkeypatch):
    (tmp_path / "neighbour_of_mine.py").write_text("WORD = 'hello'\n")
    file = tmp_path / "mine.py"
    file.write_text("from neighbour_of_mine import WORD\ndef answer(samples):\n    return [WORD for _ in samples]\n")
    model = load_callable(f"py:{file}:answer")
    assert model.generate(SAMPLES) == ["hello", "hello"] and model.name == f"py:{file}:answer"
    before = model.fingerprint
    file.write_text(file.read_text() + "# changed\n")
    assert load_callable(f"py:{file}:answer").fingerprint != before
    monkeypatch.chdir(tmp_path)
    (tmp_path / "package_of_mine").mkdir()
    (tmp_path / "package_of_mine" / "inner.py").write_text("def answer(samples):\n    return ['x' for _ in samples]\n")
    assert load_callable("py:package_of_mine.inner:answer").generate(SAMPLES) == ["x", "x"]
    with pytest.raises(ValueError, match="did you mean answer"):
        load_callable(f"py:{file}:answr")
    with pytest.raises(ValueError, match="there is no file"):
        load_callable(f"py:{tmp_path}/none.py:answer")
    with pytest.raises(ValueError, match="no module 'nowhere.at.all'"):
        load_callable("py:nowhere.at.all:answer")
    with pytest.raises(ValueError, match="names no function"):
        load_callable("py:answer")
    file.write_text("def answer(:\n")
    with pytest.raises(ValueError, match="is no Python"):
        load_callable(f"py:{file}:answer")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import math\nmath.sqrt(-1)\n", r"mine\.py, line 2: ValueError: "),
        ("def inner():\n    return {}['k']\ninner()\n", r"mine\.py, line 2: KeyError: 'k'"),
        ("import sys\nsys.exit(0)\n", r"mine\.py, line 2: sys\.exit\(0\)"),
        ("import no_such_module_at_all\n", r"mine\.py, line 1: ModuleNotFoundError: .*no_such_module_at_all"),
        ("answer = 3\n", r"mine\.py:answer: expected a function, or an object with .* got int: 3"),
        ("class answer:\n    def __init__(self):\n        1 / 0\n", r"mine\.py: answer\(\), line 3: ZeroDivisionError"),
    ],
)
def test_what_goes_wrong_in_a_file_is_told_with_its_place(tmp_path, code, words):
    (tmp_path / "mine.py").write_text(code)
    with pytest.raises(ValueError, match=words):
        load_callable(f"py:{tmp_path}/mine.py:answer")


def test_what_goes_wrong_in_a_module_is_told_with_its_place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "module_that_breaks.py").write_text("X = 1\nimport no_such_module_at_all\n")
    with pytest.raises(ValueError, match=r"module_that_breaks, line 2: ModuleNotFoundError"):
        load_callable("py:module_that_breaks:answer")
