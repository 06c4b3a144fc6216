"""Runs in other people's tools: frames of Polars and pandas, event files, offline runs."""

import json
from pathlib import Path

import numpy as np
import pytest

import assay
from assay.cli import main


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kept") / "run"
    return assay.evaluate("baseline:chance", "digits:test[:40]", task="classification", out=folder)


@pytest.mark.parametrize("library", ["polars", "pandas"])
def test_tables_as_frames(run, library):
    pytest.importorskip(library)
    answers = assay.frame(run.predictions, library)
    assert list(answers.columns)[:3] == ["sample", "condition", "repeat"] and len(answers) == 40
    assert np.allclose(np.array(list(answers["answer"])), run.predictions["answer"])
    figures = assay.frame(run.estimates, library)
    assert len(figures) == len(run.estimates) and figures["metric"][0] == "accuracy" and "items" not in figures.columns
    assert figures["value"][0] == run.headline.value
    rows = assay.compare(run, run).rows
    assert list(assay.frame(rows, library)["verdict"]) == [row.verdict for row in rows]
    assert len(assay.frame([], library)) == 0


def test_what_is_no_table():
    with pytest.raises(ValueError, match="did you mean polars"):
        assay.frame([], "polar")
    with pytest.raises(ValueError, match="not of int"):
        assay.frame([1])


def tensorboard(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    (file,) = (folder / "tensorboard").iterdir()
    found = EventAccumulator(str(file)).Reload()
    return {name: found.Scalars(name)[0].value for name in found.Tags()["scalars"]}


def mlflow(folder):
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{folder / 'mlflow.db'}")
    (one,) = client.search_runs([client.get_experiment_by_name("assay").experiment_id])
    return one.data.metrics


def wandb(folder):
    (summary,) = Path(folder).glob("wandb/offline-run-*/*.wandb")
    assert summary.stat().st_size > 0
    return {}


@pytest.mark.parametrize(
    ("name", "read"),
    [("tensorboard", tensorboard), pytest.param("mlflow", mlflow, marks=pytest.mark.slow), ("wandb", wandb)],
)
def test_trackers_are_told_the_figures_once(run, name, read):
    pytest.importorskip(name, reason="assay[tracking] is not installed")
    assert assay.track(run, name) == [name]
    told = read(run.folder)
    if told:
        assert told["accuracy"] == pytest.approx(run.headline.value)
        assert told["accuracy/low"] == pytest.approx(run.headline.low) and told["n_planned"] == 40
    assert assay.track(run, name) == []


def test_who_is_no_tracker(run):
    with pytest.raises(ValueError, match="did you mean wandb"):
        assay.track(run, "wandbb")
    memory = assay.evaluate("baseline:chance", "digits:test[:4]", task="classification")
    with pytest.raises(ValueError, match="keep it in a folder"):
        assay.track(memory, "tensorboard")


def test_the_command_tracks(tmp_path, capsys):
    pytest.importorskip("tensorboard", reason="assay[tracking] is not installed")
    command = ["evaluate", "baseline:chance", "digits:test[:20]", "--task", "classification", "--json"]
    assert main([*command, "--out", str(tmp_path), "--track", "tensorboard", "--store", "none"]) == 0
    json.loads(capsys.readouterr().out)
    assert tensorboard(tmp_path)["accuracy"] >= 0
