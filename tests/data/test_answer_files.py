"""Files of answers: what is read, whatever the file's form, and what is refused with file and line."""

import gzip
import json

import pytest

from assay.data.readers.answers import read_answers

ROW = {"id": "a", "prediction": "a cat", "reference": "one cat"}
OTHER = {"id": "b", "prediction": None, "references": ["a dog", "hound"]}


@pytest.fixture
def write(tmp_path):
    def written(name, *rows):
        path = tmp_path / name
        lines = [
            row if isinstance(row, bytes) else row.encode() if isinstance(row, str) else json.dumps(row).encode()
            for row in rows
        ]
        path.write_bytes(b"\n".join(lines))
        return path

    return written


def test_rows_as_they_are(write):
    sheet = read_answers(
        write("mine.jsonl", ROW, OTHER, {"id": 3, "error": "timeout", "answers": ["x"], "image_id": 7})
    )
    assert (sheet.name, sheet.kind, sheet.unit) == ("mine", "rows", "image_id")
    assert sheet.data.startswith("jsonl:")
    assert [row.id for row in sheet.rows] == ["a", "b", "3"]
    assert [row.prediction for row in sheet.rows] == ["a cat", None, None]
    assert [row.references for row in sheet.rows] == [("one cat",), ("a dog", "hound"), ("x",)]
    assert [row.error for row in sheet.rows] == ["", "the prediction is null", "timeout"]
    assert sheet.rows[2].groups == {"image_id": "7"}
    assert sheet.metrics == ("bleu_4", "rouge_l", "cider_d")


@pytest.mark.parametrize("name", ["reference", "references", "label", "answer", "answers"])
def test_references_have_several_names(write, name):
    assert read_answers(write("r.jsonl", {"id": 1, "prediction": "x", name: "y"})).rows[0].references == ("y",)


def test_the_form_of_the_file_does_not_matter(write):
    plain = read_answers(write("p.jsonl", ROW, OTHER))
    line, other = json.dumps(ROW).encode(), json.dumps(OTHER).encode()
    forms = {
        "bom.jsonl": b"\xef\xbb\xbf" + line + b"\n" + other,
        "crlf.jsonl": line + b"\r\n\r\n  \r\n" + other + b"\r\n",
        "packed.jsonl.gz": gzip.compress(line + b"\n" + other),
        "list.json": json.dumps([ROW, OTHER], indent=1).encode(),
    }
    for name, data in forms.items():
        sheet = read_answers(write(name, data))
        assert sheet.rows == plain.rows, name
        assert (sheet.asked, sheet.answered) == (plain.asked, plain.answered)
    assert read_answers(write("packed.jsonl.gz", forms["packed.jsonl.gz"])).name == "packed"


def test_rows_without_ids_are_numbered(write):
    bare = {"prediction": "x", "reference": "y"}
    assert [row.id for row in read_answers(write("r.jsonl", bare, bare)).rows] == ["1", "2"]


def test_half_characters_in_texts_are_replaced(write):
    row = read_answers(
        write("r.jsonl", '{"id": 1, "prediction": "a\\ud800b", "references": ["\\udfff"], "kind": "\\ud800"}')
    ).rows[0]
    assert (row.prediction, row.references, row.groups) == ("a\ufffdb", ("\ufffd",), {"kind": "\ufffd"})


def test_references_from_a_file_of_their_own(write):
    references = write("gold.jsonl", {"id": 1, "label": "cat", "image": "p"}, {"id": 2, "label": "dog"})
    sheet = read_answers(write("mine.jsonl", {"id": "1", "prediction": "cat"}), references)
    assert [(row.id, row.prediction, row.references, row.error) for row in sheet.rows] == [
        ("1", "cat", ("cat",), ""),
        ("2", None, ("dog",), "no row in mine.jsonl"),
    ]
    assert sheet.rows[0].groups == {"image": "p"}
    assert sheet.data.startswith("gold:")
    with pytest.raises(ValueError, match=r"mine\.jsonl, line 1: id 'q12' is not in .*gold\.jsonl; did you mean 'q1'\?"):
        read_answers(
            write("mine.jsonl", {"id": "q12", "prediction": "x"}), write("gold.jsonl", {"id": "q1", "label": "x"})
        )


def test_vqa_answers_may_be_incomplete(write):
    annotations = {
        "annotations": [
            {"question_id": q, "image_id": 5, "answer_type": "other", "answers": [{"answer": "red"}] * 10}
            for q in (1, 2)
        ]
    }
    path = write("vqa.json", annotations)
    sheet = read_answers(write("r.json", json.dumps([{"question_id": 2, "answer": "red"}])), path)
    assert [(row.id, row.prediction, row.error) for row in sheet.rows] == [
        ("1", None, "no answer in r.json"),
        ("2", "red", ""),
    ]
    assert (sheet.unit, sheet.slices, sheet.metrics) == ("image_id", ("answer_type",), ("vqa_accuracy",))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            [ROW, {"id": "b", "pred": "x", "reference": "y"}],
            r"line 2: no 'prediction'; found 'id', 'pred', .*: did you mean 'pred'",
        ),
        ([{"id": 1, "reference": "y"}], r"line 1: no 'prediction'; found 'id', 'reference'\."),
        ([{"id": 1, "prediction": "x"}], r"line 1: no 'reference' or 'references'.*found 'id', 'prediction'"),
        ([{"id": 1, "prediction": "x", "references": []}], r"line 1: 'references' holds nothing"),
        ([{"id": 1, "prediction": "x", "references": ["a", None]}], r"line 1: 'references' holds null"),
        ([ROW, "", ROW], r"line 3: the id 'a' occurs already in line 1"),
        ([ROW, {"prediction": "x", "label": "y"}], r"line 2: 'id' is missing, but the rows before it have one"),
        ([{"prediction": "x", "label": "y"}, ROW], r"line 2: 'id' is there, but the rows before it have none"),
        ([{**ROW, "id": 1.5}], r"line 1: 'id' as a text or a whole number was expected, not 1\.5"),
        ([{**ROW, "id": True}], r"not True"),
        (['{"id": "\\ud800", "prediction": "x", "label": "y"}'], r"half a character"),
        ([{**ROW, "id": "x" * 501}], r"the id is too long"),
        (['{"id": "a\\u0000", "prediction": "x", "label": "y"}'], r"holds a NUL character"),
        ([ROW, '{"id": 2, "prediction": NaN, "label": 1}'], r"line 2: NaN is no JSON value; write null"),
        ([ROW, '{"id": 2, "prediction": -Infinity, "label": 1}'], r"line 2: -Infinity is no JSON value"),
        ([ROW, '{"id": 2, "prediction": "x'], r"line 2: is not JSON: .* column"),
        ([ROW, b'{"id": "\xff"}'], r"line 2: is not UTF-8"),
        (["[" * 100_000], r"is not JSON"),
        ([ROW, "[1, 2]"], r"line 2: an object with 'id', 'prediction', 'reference' was expected, not \[1, 2\]"),
        ([""], r"there are no rows in it"),
        (["[]"], r"there are no rows in it"),
        ([b"\x1f\x8bnot gzip"], r"this is no whole gzip file"),
        ([gzip.compress(b"x" * 100)[:-20] + b"\xff" * 12], r"this is no whole gzip file"),
        (['{"id": ' + "9" * 5000 + "}"], r"line 1: is not JSON that can be read"),
        ([json.dumps([{"image_id": 1, "caption": "x"}])], r"holds COCO captions without references"),
        ([json.dumps([{"question_id": 1, "answer": "x"}])], r"holds VQA answers without references"),
        ([json.dumps([{"image_id": 1, "bbox": [0, 0, 1, 1]}])], r"holds COCO detections without references"),
    ],
)
def test_what_cannot_be_read_is_told_with_file_and_line(write, lines, message):
    with pytest.raises(ValueError, match=message) as caught:
        read_answers(write("mine.jsonl", *lines))
    assert "mine.jsonl" in str(caught.value)
    assert len(str(caught.value)) < 600


def test_what_is_no_file(tmp_path, write):
    with pytest.raises(ValueError, match="is a folder"):
        read_answers(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_answers(tmp_path / "absent.jsonl")
    with pytest.raises(ValueError, match="no row has a field 'kind' to break figures down by; there is colour"):
        read_answers(write("r.jsonl", {**ROW, "colour": "red"}), by=("kind",))
