"""A search by Optuna: what it tries depends on seed and history alone, so that a cut search goes on as if it had not been."""

import json
from pathlib import Path

import pytest

from assay.cli import main
from assay.experiments.search import Range, read_range, search_settings

pytest.importorskip("optuna")
RECIPE = f"{Path(__file__).parent / 'small.py'}:own"
SPACE = {"lr": "1e-6..1e-1", "fusion": "average,gated", "steps": "8"}
DATA = "digits:test[:60]"


def test_trials_are_kept_and_a_cut_search_goes_on(tmp_path):
    whole = search_settings(RECIPE, SPACE, trials=4, data=DATA, out=tmp_path / "whole")
    search_settings(RECIPE, SPACE, trials=2, data=DATA, out=tmp_path / "cut")
    trained = []
    again = search_settings(
        RECIPE, SPACE, trials=4, data=DATA, out=tmp_path / "cut", on_trial=lambda name, step, of: trained.append(name)
    )
    assert [trial.settings for trial in again.trials] == [trial.settings for trial in whole.trials]
    assert set(trained) == {"trial 3 of 4", "trial 4 of 4"}
    rates = [float(trial.settings["lr"]) for trial in whole.trials]
    assert len(set(rates)) == 4 and all(1e-6 <= rate <= 1e-1 for rate in rates)
    assert all(trial.settings["steps"] == "8" for trial in whole.trials)
    values = [trial.run.headline.value for trial in whole.trials]
    assert whole.best.run.headline.value == max(values)
    kept = json.loads((tmp_path / "whole" / "search.json").read_text())
    assert [trial["value"] for trial in kept["trials"]] == sorted(values, reverse=True)


def test_the_command_line_searches(tmp_path, capsys):
    words = ["train", RECIPE, "steps=2", "--search", "fusion=average,gated", "--trials", "2", "--on", DATA]
    assert main([*words, "--out", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "best on digits:test[:60]" in told and "trial-00" in told
    assert main([*words, "--out", str(tmp_path), "--sweep", "fusion=average,gated"]) == 2
    assert "ask for one of them" in capsys.readouterr().err


@pytest.mark.parametrize(
    "key,given,kind,told",
    [
        ("lrr", "1..2", float, "did you mean lr"),
        ("lr", "2..1", float, "empty range"),
        ("lr", "1..fast", float, "goes from a number to a number"),
        ("fusion", "1..2", str, "is no number"),
        ("fusion", " , ", str, "no value to choose from"),
    ],
)
def test_what_is_no_range_is_told(key, given, kind, told):
    with pytest.raises(ValueError, match=told):
        read_range(key, given, kind, {"lr": "", "fusion": ""})


def test_nothing_to_vary_is_told_before_anything_is_trained(tmp_path):
    with pytest.raises(ValueError, match="one setting to vary"):
        search_settings(RECIPE, {"steps": "2"}, trials=2, data=DATA, out=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_how_ranges_are_read():
    assert read_range("lr", "0.1..0.2", float, {"lr": ""}) == Range(0.1, 0.2)
    assert read_range("lr", "1..100", int, {"lr": ""}) == Range(1, 100, whole=True)
