"""Models that print, on every level, and models that end the program: standard output is the document alone."""

import json
import os
import subprocess
import sys

import pytest

LOUD = """
import os, subprocess, sys
print("loading")
os.write(1, b"loading below\\n")
def answer(samples, choices=None):
    print("asked")
    os.write(1, b"asked below\\n")
    subprocess.run(["echo", "a child"])
    return ["0"] * len(samples)
def ends(samples, choices=None):
    sys.exit(0)
"""


@pytest.fixture
def assay(tmp_path):
    (tmp_path / "loud.py").write_text(LOUD)

    def called(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "assay", *arguments], cwd=tmp_path, env=os.environ, capture_output=True, text=True
        )

    return called


@pytest.mark.parametrize("more", [[], ["--workers", "1"]])
def test_evaluate(assay, more):
    asked = [
        "evaluate",
        "py:loud.py:answer",
        "digits:test",
        "--task",
        "classification",
        "--limit",
        "4",
        "--json",
        *more,
    ]
    done = assay(*asked)
    assert json.loads(done.stdout)["estimates"], done.stderr
    for words in ("loading", "loading below", "asked", "asked below", "a child"):
        assert f"{words}\n" in done.stderr
    assert done.returncode == 0


def test_predict(assay, tmp_path):
    done = assay("predict", "py:loud.py:answer", "--text", "a", "--choices", "0,1", "--json")
    assert json.loads(done.stdout), done.stderr
    assert "asked below\n" in done.stderr


def test_models_that_end_the_program(assay):
    done = assay("evaluate", "py:loud.py:ends", "digits:test", "--task", "classification", "--limit", "2", "--json")
    assert done.returncode == 3, done.stderr
    assert "sys.exit(0)" in json.loads(done.stdout)["errors"][0]["error"]
    done = assay("predict", "py:loud.py:ends", "--text", "a", "--choices", "0,1")
    assert (done.returncode, done.stdout) == (2, "")
    assert "called sys.exit(0) instead of answering" in done.stderr
