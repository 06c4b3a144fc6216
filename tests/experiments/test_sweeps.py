"""A sweep on a recipe of one's own over the bundled digits: each trial kept, pairs tested and corrected, going on where it was cut."""

import json
from pathlib import Path

import pytest

from assay.cli import main
from assay.experiments.sweep import sweep
from assay.stats import holm


@pytest.fixture(scope="module")
def recipe():
    return f"{Path(__file__).parent / 'small.py'}:own"


@pytest.fixture(scope="module")
def found(recipe, tmp_path_factory):
    out = tmp_path_factory.mktemp("sweep")
    values = {"fusion": ["average", "gated"], "lr": [1e-2, 1e-6]}
    return out, sweep(recipe, values, data="digits:test[:100]", task="classification", out=out)


def test_every_combination_is_trained_measured_and_compared(found):
    out, result = found
    assert [trial.name for trial in result.trials] == [
        f"fusion={fusion} lr={lr}" for fusion in ("average", "gated") for lr in (0.01, 1e-06)
    ]
    assert all((trial.folder / "model.safetensors").exists() for trial in result.trials)
    assert len(result.pairs) == 6 and "lr=0.01" in result.best.name
    values = [trial.run.headline.value for trial in result.trials]
    assert result.best.run.headline.value == max(values)
    corrected = holm([pair.row.p for pair in result.pairs])
    assert [pair.row.p_holm for pair in result.pairs] == pytest.approx(corrected.tolist())
    # What hardly learnt loses to what did, and the data can tell.
    assert set(result.beaten()) >= {"fusion=average lr=1e-06", "fusion=gated lr=1e-06"}
    kept = json.loads((out / "sweep.json").read_text())
    assert kept["best"] == result.best.name and len(kept["pairs"]) == 6
    page = (out / "sweep.html").read_text()
    assert "<svg" in page and "fusion=gated" in page


def test_the_same_sweep_again_trains_nothing_and_says_the_same(found, recipe):
    out, result = found
    values = {"fusion": ["average", "gated"], "lr": [1e-2, 1e-6]}
    steps = []
    again = sweep(
        recipe,
        values,
        data="digits:test[:100]",
        task="classification",
        out=out,
        on_trial=lambda name, step, of: steps.append(step),
    )
    assert steps == [] and again.as_json() == result.as_json()


@pytest.mark.parametrize(
    "values,told",
    [
        ({"fusion": ["concat"]}, "at least two different combinations, got fusion=concat"),
        ({}, "at least two different"),
        ({"fusion": ["concat", "gatde"]}, "did you mean gated"),
        ({"fusoin": ["concat", "gated"]}, "did you mean fusion"),
        ({"lr": ["1e-2", "fast"]}, "lr is a number"),
        ({"steps": [1, 2]}, "steps cannot both vary and be fixed"),
    ],
)
def test_what_cannot_be_swept_is_told_before_anything_is_trained(recipe, tmp_path, values, told):
    with pytest.raises(ValueError, match=told):
        sweep(recipe, values, data="digits:test[:20]", out=tmp_path, settings={"steps": 1})
    assert list(tmp_path.iterdir()) == []


def test_the_command_line_prints_trials_and_pairs(recipe, tmp_path, capsys):
    words = ["train", recipe, "steps=2", "--sweep", "fusion=average,gated", "--on", "digits:test[:30]"]
    assert main([*words, "--out", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "fusion=average" in told and "p (Holm)" in told and str(tmp_path / "sweep.html") in told
    assert main([*words, "--out", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["data"] == "digits:test[:30]"
    assert main(["train", recipe, "--on", "digits:test"]) == 2
    assert main(["train", recipe, "--sweep", "fusion=average,gated"]) == 2
    assert "say which data to measure on" in capsys.readouterr().err
