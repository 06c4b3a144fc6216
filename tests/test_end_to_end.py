"""What the first user does, from the command line and from Python, with the shipped models on the bundled data."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

import assay
from assay.cli import main
from assay.data.media import Image
from assay.types import Sample

FIELDS = ["metric", "value", "low", "high", "n", "n_missing", "unit", "slice", "condition", "signature"]


def command(*arguments):
    return [sys.executable, "-m", "assay", *map(str, arguments)]


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    """A picture in the held-out style, as a file."""
    apple = next(s for s in assay.load_dataset("emoji:test").samples if s.groups["name"] == "red apple")
    data, mime = apple.inputs["image"].bytes_and_mime()
    path = tmp_path_factory.mktemp("media") / f"apple.{mime.partition('/')[2]}"
    path.write_bytes(data)
    return path


def test_retrieval_prints_one_json_document_that_keeps_the_contract(tmp_path):
    out = subprocess.run(
        command(
            "evaluate",
            "assay:aligned",
            "emoji:test-concepts",
            "--task",
            "retrieval",
            "--json",
            "--out",
            tmp_path / "run",
        ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert out.returncode == 0, out.stderr
    document = json.loads(out.stdout)
    first = document["estimates"][0]
    assert (first["metric"], first["slice"], first["condition"]) == ("hit@1", "all", "clean")
    assert {"image->text", "audio->text", "text->audio"} <= {
        e["slice"].partition("direction=")[2] for e in document["estimates"]
    }
    for estimate in document["estimates"]:
        assert list(estimate) == FIELDS
        if estimate["value"] is not None:
            assert estimate["low"] <= estimate["value"] <= estimate["high"]
    assert document["timings"]
    kept = json.loads((tmp_path / "run" / "estimates.json").read_text())
    assert kept["estimates"] == document["estimates"] and "timings" not in kept


def test_killed_and_run_again_gives_the_same_bytes(tmp_path):
    def run(folder):
        return command("evaluate", "assay:fused", "emoji:test-concepts", "--task", "classification", "--out", folder)

    straight, cut = tmp_path / "straight", tmp_path / "cut"
    subprocess.run(run(straight), capture_output=True, check=True)
    for _ in range(2):
        process = subprocess.Popen(run(cut), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        journal, before, deadline = cut / "run.sqlite", None, time.monotonic() + 100
        while time.monotonic() < deadline and process.poll() is None:
            size = journal.stat().st_size if journal.exists() else 0
            before = size if before is None else before
            if size > max(before, 20_000):
                break
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not (cut / "estimates.json").exists(), "the run was over before it could be killed"
    subprocess.run(run(cut), capture_output=True, check=True)
    assert (cut / "estimates.json").read_bytes() == (straight / "estimates.json").read_bytes()


@pytest.mark.parametrize("name", ["joint", "aligned", "fused"])
def test_a_picture_in_and_words_out(name, picture, capsys):
    assert main(["predict", f"assay:{name}", "--image", str(picture), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    labels = [g["label"] for g in answer["names"] + answer["classes"]]
    assert answer["sentence"] and any(label in ("food & drink", "red apple") for label in labels), labels


def test_choices_are_weighed_in_words(picture, capsys):
    assert main(["predict", "assay:aligned", "--image", str(picture), "--choices", "apple,airplane,flag"]) == 0
    assert "apple" in capsys.readouterr().out.splitlines()[0]


def test_words_find_pictures_and_draw_them(tmp_path, capsys):
    sheet = tmp_path / "found.png"
    assert main(["search", "assay:aligned", "emoji:test", "red apple", "--k", "5", "--sheet", str(sheet)]) == 0
    assert "apple" in capsys.readouterr().out
    assert sheet.read_bytes().startswith(b"\x89PNG")


def test_a_broken_picture_is_counted_and_the_rest_measured(tmp_path):
    data = assay.load_dataset("emoji:test").first(40)
    torn = Sample(
        "torn", {"image": Image(b"torn", "torn.png")}, data.samples[0].target, groups=dict(data.samples[0].groups)
    )
    broken = replace(
        data, samples=[*data.samples[:20], torn, *data.samples[20:]], views={}, fingerprint="with a torn one"
    )
    run = assay.evaluate("assay:fused", broken, task="classification", out=tmp_path / "run", conditions=["clean"])
    assert not run.complete and run.status == "incomplete 40/41"
    assert [e["sample"] for e in run.errors()] == ["torn"] and "torn.png" in run.errors()[0]["error"]
    assert run.headline.n_missing == 1
    whole = assay.evaluate("assay:fused", replace(data, views={}), task="classification", conditions=["clean"])
    assert run.headline.value == pytest.approx(whole.headline.value)


def test_compare_and_report_from_python_more_than_once(tmp_path):
    runs = [
        assay.evaluate(
            m, "emoji:test-concepts", task="classification", limit=60, out=tmp_path / m[-5:], conditions=["clean"]
        )
        for m in ("assay:joint", "assay:fused")
    ]
    compared = assay.compare(*runs)
    assert compared.rows[0].metric == "accuracy" and compared.verdict
    for name in ("one.html", "two.html"):
        page = assay.report(runs, tmp_path / name)
        assert page.read_text().count("<html") == 1


def test_another_configuration_is_refused_with_the_difference(tmp_path, capsys):
    base = ["evaluate", "baseline:chance", "--task", "classification", "--out", str(tmp_path / "run")]
    assert main([*base[:2], "digits:test", *base[2:]]) == 0
    assert main([*base[:2], "digits:train", *base[2:]]) == 2
    assert "digits:test there, digits:train here" in capsys.readouterr().err


def test_a_model_of_ones_own_needs_four_things():
    class Mine:
        name, fingerprint, modalities = "mine", "1", frozenset({"image"})

        def score(self, samples, choices):
            return np.full((len(samples), len(choices)), -np.log(len(choices)), np.float32)

    run = assay.evaluate(Mine(), "digits:test", task="classification")
    assert run.complete and 0 < run.headline.value < 0.2


def test_easy_vqa_is_a_task_like_any_other():
    run = assay.evaluate("baseline:words", "easy-vqa:test", task="classification", limit=400)
    assert run.complete and run.manifest.unit == "image"
