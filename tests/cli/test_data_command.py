"""``assay data check``: what it prints and writes, and how it ends."""

import json

import pytest
from PIL import Image

from assay.cli import main


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    for n in range(4):
        Image.new("RGB", (8, 8), (60 * n, 0, 0)).save(folder / f"{n}.png")
    (folder / "copy.png").write_bytes((folder / "3.png").read_bytes())
    names = ["0.png", "1.png", "2.png", "3.png", "copy.png"]
    splits = ["train", "train", "train", "test", "train"]
    (folder / "m.csv").write_text(
        "image,label,split\n"
        + "".join(f"{n},{'ab'[i % 2]},{s}\n" for i, (n, s) in enumerate(zip(names, splits, strict=True)))
    )
    return folder


def test_a_check_prints_and_writes(folder, tmp_path, capsys):
    assert main(["data", "check", str(folder), "--out", str(tmp_path / "out")]) == 0
    told = capsys.readouterr().out
    assert "leak" in told and "copy.png (like 3.png)" in told and "4 of 5 samples are kept" in told
    assert main(["data", "show", str(tmp_path / "out")]) == 0
    assert "4 samples" in capsys.readouterr().out


def test_a_check_can_fail(folder, capsys):
    assert main(["data", "check", str(folder), "--fail-on", "leak"]) == 1
    assert main(["data", "check", str(folder), "--fail-on", "outlier"]) == 0
    assert main(["data", "check", str(folder), "--fail-on", "leek"]) == 2
    assert "did you mean leak" in capsys.readouterr().err
    (folder / "1.png").write_bytes(b"broken")
    assert main(["data", "check", str(folder), "--json", "--fail-on", "leak"]) == 3
    told = json.loads(capsys.readouterr().out)
    assert told["counts"]["broken"] == 1 and told["broken"][0]["sample"] == "1.png" and not told["sound"]
    assert ("copy.png", "leak", "3.png") in {(one["sample"], one["reason"], one["other"]) for one in told["findings"]}


def test_a_check_keeps_what_it_is_told_to(folder, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["data", "check", str(folder), "--out", str(out), "--reject", "broken,partial"]) == 0
    assert len((out / "manifest.jsonl").read_text().splitlines()) == 5
    assert main(["data", "check", str(folder), "--reject", "brokn"]) == 2


def test_a_check_in_the_space_of_a_model(folder, capsys):
    assert main(["data", "check", str(folder), "--embed", "assay:aligned"]) == 0
    (folder / "speaks.py").write_text("def answer(samples):\n    return ['a' for _ in samples]\n")
    assert main(["data", "check", str(folder), "--embed", f"py:{folder}/speaks.py:answer"]) == 2
    assert "cannot embed" in capsys.readouterr().err


def test_columns_can_be_named(folder, capsys):
    (folder / "m.csv").write_text("where,species\n0.png,cat\n")
    assert main(["data", "check", str(folder)]) == 2
    assert main(["data", "check", str(folder), "--map", "image=where,label=species", "--json"]) == 0


def test_the_list_holds_benchmarks(capsys):
    assert main(["data", "list", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {"emoji", "pope", "mme", "mmbench", "winoground"} <= {one["name"] for one in told}
    assert main(["data", "list"]) == 0
    assert "pope:DIR or pope:coco_pope_random.json,val2014" in capsys.readouterr().out
