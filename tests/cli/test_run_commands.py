"""Parts of runs from the shell: shards and merge, a fork, a deadline, another score, each with its exit code and its words."""

import json

import pytest

from assay.cli import main

ASKED = ["evaluate", "baseline:pixels", "digits:test", "--task", "classification", "--store", "none"]


def out(capsys):
    return json.loads(capsys.readouterr().out)


def test_shards_are_merged_to_the_byte(tmp_path, capsys):
    some = ["--sample", "150", "--seed", "3"]
    for i in (1, 2):
        assert main([*ASKED, *some, "--shard", f"{i}/2", "--out", str(tmp_path / f"{i}")]) == 0
        assert f"shard {i}/2: " in capsys.readouterr().out
    folders = [str(tmp_path / "1"), str(tmp_path / "2")]
    whole, merged = tmp_path / "whole", tmp_path / "merged"
    assert main([*ASKED, *some, "--out", str(whole)]) == 0
    assert main(["merge", *folders, "--out", str(merged), "--store", "none", "--json"]) == 0
    capsys.readouterr()
    assert (merged / "estimates.json").read_bytes() == (whole / "estimates.json").read_bytes()
    assert main(["merge", folders[0], "--out", str(tmp_path / "x")]) == 2
    assert "missing: 2/2" in capsys.readouterr().err
    assert main(["merge", *folders]) == 2
    assert "--out" in capsys.readouterr().err
    assert main(["compare", folders[0], str(whole)]) == 2
    assert "assay merge" in capsys.readouterr().err


def test_a_kept_run_is_scored_again(tmp_path, capsys):
    assert main([*ASKED, "--limit", "60", "--out", str(tmp_path), "--json"]) == 0
    first = out(capsys)["estimates"][0]
    assert first["metric"] == "accuracy"
    assert main(["score", str(tmp_path), "--metrics", "macro_f1,accuracy", "--store", "none", "--json"]) == 0
    again = out(capsys)["estimates"]
    assert again[0]["metric"] == "macro_f1" and first["value"] in [
        e["value"] for e in again if e["metric"] == "accuracy"
    ]
    assert main(["score", str(tmp_path), "--metrics", "cider_d", "--store", "none"]) == 2
    assert "cider_d" in capsys.readouterr().err
    assert main(["score", str(tmp_path), "--by", "split", "--store", "none"]) == 2


def test_a_fork_stands_beside(tmp_path, capsys):
    run = str(tmp_path / "run")
    assert main([*ASKED, "--limit", "40", "--out", run, "--json"]) == 0
    capsys.readouterr()
    assert main([*ASKED, "--limit", "60", "--out", run]) == 2
    assert "--fork" in capsys.readouterr().err
    assert main([*ASKED, "--limit", "60", "--out", run, "--fork", "--json"]) == 0
    folder = out(capsys)["folder"]
    assert folder.startswith(f"{run}-")
    assert main(["score", folder, "--store", "none", "--json"]) == 0
    assert out(capsys)["n_planned"] == 60


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (["--shard", "3/2"], "NUMBER/OF"),
        (["--limit", "5", "--sample", "5"], "one of them"),
        (["--sample", "0"], "at least 1"),
        (["--repeats", "0"], "at least 1"),
        (["--timeout", "0"], "more than 0"),
        (["--engine", "spark"], "local and ray"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(tmp_path, capsys, option, said):
    assert main([*ASKED, "--out", str(tmp_path / "run"), *option]) == 2
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1


def test_a_model_that_hangs(tmp_path, capsys):
    model = tmp_path / "mine.py"
    model.write_text(
        "import time\n"
        "def answer(samples, choices=None):\n"
        "    print('looking')\n"
        "    for s in samples:\n"
        "        time.sleep(60 if s.id.endswith('1') else 0)\n"
        "    return ['yes' for s in samples]\n"
    )
    rows = [{"id": f"q{i}", "question": "is it?", "answer": "yes"} for i in range(4)]
    (tmp_path / "q.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = ["evaluate", f"py:{model}:answer", str(tmp_path / "q.jsonl"), "--task", "vqa", "--timeout", "0.3"]
    assert main([*command, "--out", str(tmp_path / "run"), "--store", "none", "--json"]) == 3
    found = out(capsys)
    assert [(one["sample"], one["error_kind"]) for one in found["errors"]] == [("q1", "timeout")]
    assert found["status"] == "incomplete 3/4"


@pytest.mark.parametrize(("last", "said"), [("", "q.csv: 1 of 3 samples have no label and are left out"), ("red", "")])
def test_rows_without_a_label_are_told_of(tmp_path, capsys, last, said):
    (tmp_path / "mine.py").write_text("def answer(samples, choices=None):\n    return ['red' for _ in samples]\n")
    (tmp_path / "q.csv").write_text(f"text,label\nfire,red\nsea,blue\nblood,{last}\n")
    command = ["evaluate", f"py:{tmp_path / 'mine.py'}:answer", str(tmp_path / "q.csv"), "--task", "classification"]
    assert main([*command, "--store", "none", "--out", str(tmp_path / "run"), "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["n_planned"] == (3 if last else 2)
    assert said in printed.err and ("no label" in printed.err) == bool(said)
