"""``assay score`` and ``assay metrics`` as a user meets them: exit codes, JSON, explanations, golden values."""

import json

import pytest

from assay import metrics
from assay.cli import main
from assay.metrics import conformance
from assay.metrics.explaining import TAKES

ROWS = [
    {"id": i, "prediction": p, "reference": r}
    for i, (p, r) in enumerate([("a", "a"), ("b", "a"), ("b", "b"), ("a", "a")])
]


@pytest.fixture
def write(tmp_path):
    def written(name, rows):
        (tmp_path / name).write_text("\n".join(map(json.dumps, rows)))
        return str(tmp_path / name)

    return written


def test_a_table_for_people(write, capsys):
    assert main(["score", write("mine.jsonl", ROWS), "--metrics", "accuracy,macro_f1"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("mine: 4 rows of jsonl:")
    assert "accuracy" in out
    assert ".750" in out


def test_one_json_document_and_exit_3_when_something_is_missing(write, capsys):
    path = write("mine.jsonl", [*ROWS, {"id": "x", "prediction": None, "reference": "a"}])
    assert main(["score", path, "--metrics", "accuracy", "--json"]) == 3
    document = json.loads(capsys.readouterr().out)
    first = document["estimates"][0]
    assert (first["metric"], first["value"], first["n"], first["n_missing"]) == ("accuracy", 0.75, 4, 1)
    assert (document["complete"], document["n_missing"], document["comparison"], document["folder"]) == (
        False,
        1,
        None,
        None,
    )
    assert document["errors"][0]["sample"] == "x"
    assert main(["score", path, "--metrics", "accuracy"]) == 3
    assert "INCOMPLETE: 1 of 5 rows have no prediction" in capsys.readouterr().out


def test_a_baseline_and_a_folder(write, capsys, tmp_path):
    mine, before = write("mine.jsonl", ROWS), write("before.jsonl", [{**row, "prediction": "b"} for row in ROWS])
    out = str(tmp_path / "run")
    assert main(["score", mine, "--metrics", "accuracy", "--baseline", before, "--out", out]) == 0
    shown = capsys.readouterr().out
    assert "mine and before cannot be told apart in accuracy" in shown
    assert f"kept in {out}" in shown
    assert main(["compare", out, out]) == 0
    assert main(["report", out]) == 0
    assert (tmp_path / "run" / "report.html").is_file()


def test_explanations_with_and_without_a_file(write, capsys):
    assert main(["score", "--explain", "cider_d"]) == 0
    out = capsys.readouterr().out
    assert "sigma:6" in out
    assert "Vedantam" in out
    assert "in this file" not in out
    one = write("one.jsonl", [{"id": 1, "prediction": "a cat", "references": ["a cat", "the cat"]}])
    assert main(["score", one, "--explain", "cider_d"]) == 0
    assert "the corpus has one image, so every idf is 0" in capsys.readouterr().out
    assert main(["metrics", "explain", "cider_d", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == "cider_d"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{}", "--metrics", ""], "--metrics needs a name"),
        (["{}", "--metrics", " , "], "--metrics needs a name"),
        ([], "name a file of predictions"),
        (["absent.jsonl"], "absent.jsonl"),
        (["{}", "--metrics", "acuracy"], "did you mean accuracy"),
        (["{}", "{}", "{}", "{}"], "not 4 files"),
        (["{}", "--metrics", "mrr"], "assay.metrics.retrieval"),
        (["--explain", "cidre_d"], "did you mean cider_d"),
        (["{}", "--metrics", "accuracy", "--baseline", "absent"], "absent"),
    ],
)
def test_mistakes_are_one_line_and_exit_2(write, capsys, arguments, message):
    path = write("mine.jsonl", ROWS)
    assert main(["score", *(one.replace("{}", path) for one in arguments)]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1


def test_metrics_are_listed_by_family(capsys):
    assert main(["metrics"]) == 0
    out = capsys.readouterr().out
    assert "labels: predicted labels, true labels" in out
    assert "macro_f1" in out
    assert main(["metrics", "--family", "scores", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {one["family"] for one in found} == {"scores"}
    assert all(one["definition"] and one["edge"] and one["source"] for one in found)
    assert {metrics.get(name).family for name in metrics.METRICS} <= set(TAKES)
    assert main(["metrics", "explain", "cka"]) == 0
    assert "assay.metrics.cka(x, y" in capsys.readouterr().out
    assert main(["metrics", "explain", "modality_gap", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["call"] == "assay.metrics.modality_gap(x, y)"
    assert main(["metrics", "--family", "label"]) == 2
    assert main(["metrics", "verfy"]) == 2
    assert main(["metrics", "explain"]) == 2


def test_golden_values_are_what_they_should_be(capsys):
    assert main(["metrics", "verify", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["failed"] == 0
    assert document["passed"] + document["skipped"] == len(document["checks"]) >= 40
    assert main(["metrics", "verify"]) == 0
    assert "three captions, corpus" in capsys.readouterr().out


def test_a_wrong_value_and_a_missing_extra_are_told(monkeypatch, tmp_path, capsys):
    document = json.loads(conformance.FILE.read_text(encoding="utf-8"))
    case = next(one for one in document["cases"] if one["metric"] == "auroc")
    wrong = {**case, "expected": 0.5}
    lacking = {**case, "metric": "meteor", "call": "auroc", "args": [[0.5], ["cat"]], "extra": "meteor"}
    path = tmp_path / "golden.json"
    path.write_text(json.dumps({"data": document["data"], "cases": [case, wrong, lacking]}))
    monkeypatch.setattr(conformance, "FILE", path)
    assert main(["metrics", "verify"]) == 1
    out = capsys.readouterr().out
    assert "FAIL" in out
    assert "skipped: row 0" in out
    assert "1 of 3 values are as they should be, 1 are not, 1 skipped" in out


@pytest.mark.parametrize("where", ["/proc/no_such_folder", "/dev/null/run", "x" * 300])
def test_a_folder_that_cannot_be_made_is_told_as_it_is(write, capsys, tmp_path, monkeypatch, where):
    monkeypatch.chdir(tmp_path)
    assert main(["score", write("mine.jsonl", ROWS), "--metrics", "accuracy", "--out", where]) == 2
    err = capsys.readouterr().err
    assert "cannot be a run's folder" in err and "kept" not in err
