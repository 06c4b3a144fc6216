"""Rows of answers that contradict themselves are refused, with their line."""

import json

import pytest

from assay.data.readers.answers import read_answers

GOOD = '{"id": "1", "prediction": "a", "reference": "a"}\n'


@pytest.mark.parametrize(
    "more",
    [
        {"reference": "a", "references": ["b"]},
        {"reference": "a", "label": "b"},
        {"references": ["a", "b"], "answers": ["a", "c"]},
    ],
)
def test_references_that_contradict_each_other(tmp_path, more):
    file = tmp_path / "answers.jsonl"
    file.write_text(GOOD + json.dumps({"id": "2", "prediction": "a", **more}) + "\n")
    with pytest.raises(ValueError, match=r"answers\.jsonl, line 2: .* contradict each other"):
        read_answers(file)


@pytest.mark.parametrize(
    "more",
    [
        {"reference": "a", "references": ["b", "a"]},
        {"reference": "a", "label": "a"},
        {"answer": "a", "answers": [{"answer": "b"}, {"answer": "a"}]},
        {"reference": "a", "label": None},
    ],
)
def test_references_that_agree(tmp_path, more):
    file = tmp_path / "answers.jsonl"
    file.write_text(json.dumps({"id": "1", "prediction": "a", **more}) + "\n")
    assert "a" in read_answers(file).rows[0].references


def test_a_key_that_occurs_twice(tmp_path):
    file = tmp_path / "answers.jsonl"
    file.write_text(GOOD + '{"id": "2", "prediction": "a", "prediction": "b", "reference": "a"}\n')
    with pytest.raises(ValueError, match=r"answers\.jsonl, line 2: 'prediction' occurs twice in one object"):
        read_answers(file)
