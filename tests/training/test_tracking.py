"""What trackers keep is read back with each library's own reader; nothing is sent."""

import importlib.util
import time

import pytest

from assay.training.recipe import Progress
from assay.training.tracking import TRACKERS, tracking

SETTINGS = {"lr": 0.01, "fusion": "concat"}


def steps() -> list[Progress]:
    early, late = {"accuracy": 0.5}, {"accuracy": 0.75}
    figures = [{}, early, early, late]
    return [Progress(i + 1, 4, {"words": 4.0 - i}, figures[i], 2.0) for i in range(4)]


def tracked(name: str, folder) -> None:
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    with tracking([name, name], folder, name="small", settings=SETTINGS) as tell:
        for progress in steps():
            tell(progress)


def test_tensorboard_reads_every_step(tmp_path):
    tracked("tensorboard", tmp_path)
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert [(e.step, e.value) for e in events.Scalars("loss/words")] == [(1, 4.0), (2, 3.0), (3, 2.0), (4, 1.0)]
    assert [(e.step, e.value) for e in events.Scalars("figure/accuracy")] == [(2, 0.5), (4, 0.75)]


@pytest.mark.slow
def test_mlflow_reads_every_step_and_the_settings(tmp_path):
    tracked("mlflow", tmp_path)
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{tmp_path / 'mlflow.db'}")
    (run,) = client.search_runs([client.get_experiment_by_name("assay").experiment_id])
    assert run.data.params == {"lr": "0.01", "fusion": "concat"} and run.info.status == "FINISHED"
    history = client.get_metric_history(run.info.run_id, "figure/accuracy")
    assert sorted((m.step, m.value) for m in history) == [(2, 0.5), (4, 0.75)]


@pytest.mark.slow
def test_wandb_writes_an_offline_run_with_the_history(tmp_path):
    tracked("wandb", tmp_path)
    (kept,) = (tmp_path / "wandb").glob("offline-run-*/*.wandb")
    wanted = (b"loss/words", b"figure/accuracy", b"fusion")
    deadline = time.monotonic() + 60  # its own process writes the file, and takes its time on a busy machine
    while not all(word in kept.read_bytes() for word in wanted) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert [word for word in wanted if word not in kept.read_bytes()] == []


def test_an_unknown_tracker_tells_the_nearest(tmp_path):
    with pytest.raises(ValueError, match="did you mean tensorboard"), tracking(["tensorbord"], tmp_path):
        pass
    assert list(tmp_path.iterdir()) == [] and sorted(TRACKERS) == ["mlflow", "tensorboard", "wandb"]
