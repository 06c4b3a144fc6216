"""A training run's losses and figures for those who watch them elsewhere: TensorBoard, Weights & Biases, MLflow.

All three write into the run's folder and send nothing: ``tensorboard --logdir``, ``wandb sync`` and ``mlflow ui`` show or send
what lies there. Trackers stand outside the loop: they are told what any progress bar is told.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from assay.catalog import nearest
from assay.training.recipe import Progress

Settings = Mapping[str, Any]


class Tracker(Protocol):
    """Something that keeps numbers by step."""

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Keep the values of a step."""

    def close(self) -> None:
        """Write what is left to write."""


class TensorBoard:
    """Event files under ``FOLDER/tensorboard``."""

    def __init__(self, folder: Path, name: str, settings: Settings) -> None:
        # Asked for by its own name first: torch says of what is missing only where it looked.
        import tensorboard  # type: ignore[import-untyped]  # noqa: F401
        from torch.utils.tensorboard import SummaryWriter

        self.writer = SummaryWriter(str(folder / "tensorboard"))
        self.writer.add_text("settings", "\n".join(f"    {key} = {value}" for key, value in settings.items()))

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """A scalar each."""
        for key, value in values.items():
            self.writer.add_scalar(key, value, step)

    def close(self) -> None:
        """Flush and close the file."""
        self.writer.close()


class WeightsAndBiases:
    """An offline run under ``FOLDER/wandb``; ``wandb sync`` sends it when and where one wants."""

    def __init__(self, folder: Path, name: str, settings: Settings) -> None:
        import wandb

        folder.mkdir(parents=True, exist_ok=True)
        quiet = wandb.Settings(silent=True, console="off", x_disable_stats=True)
        self.run = wandb.init(
            mode="offline", dir=str(folder), project="assay", name=name, config=dict(settings), settings=quiet
        )

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """One row of history."""
        self.run.log(dict(values), step=step)

    def close(self) -> None:
        """End the run."""
        self.run.finish()


class MLflow:
    """A run in the store ``FOLDER/mlflow.db`` (SQLite)."""

    def __init__(self, folder: Path, name: str, settings: Settings) -> None:
        from mlflow import MlflowClient

        folder.mkdir(parents=True, exist_ok=True)
        self.client = MlflowClient(tracking_uri=f"sqlite:///{(folder / 'mlflow.db').resolve()}")
        experiment = self.client.get_experiment_by_name("assay")
        number = self.client.create_experiment("assay") if experiment is None else experiment.experiment_id
        self.id = self.client.create_run(number, run_name=name).info.run_id
        for key, value in settings.items():
            self.client.log_param(self.id, key, value)

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """A metric each."""
        for key, value in values.items():
            self.client.log_metric(self.id, key, value, step=step)

    def close(self) -> None:
        """End the run."""
        self.client.set_terminated(self.id)


TRACKERS: Mapping[str, Callable[[Path, str, Settings], Tracker]] = {
    "mlflow": MLflow,
    "tensorboard": TensorBoard,
    "wandb": WeightsAndBiases,
}


@contextlib.contextmanager
def tracking(
    names: Sequence[str], folder: str | Path, *, name: str = "train", settings: Settings | None = None
) -> Iterator[Callable[[Progress], None]]:
    """Inside, a function to be told of progress (``on_progress``) that hands it on to the trackers of these ``names``.

    Losses are kept at every step as ``loss/…``, a validation's figures when it was made as ``figure/…``, the speed as ``steps_per_s``.
    `ValueError` for an unknown name; `ModuleNotFoundError` where its package is not installed.
    """
    for wanted in names:
        if wanted not in TRACKERS:
            raise ValueError(f"unknown tracker {wanted!r}: {nearest(wanted, TRACKERS)}")
    with contextlib.ExitStack() as stack:
        several = []
        for wanted in dict.fromkeys(names):
            several.append(TRACKERS[wanted](Path(folder), name, settings or {}))
            stack.callback(several[-1].close)
        seen: Mapping[str, float] = {}

        def tell(progress: Progress) -> None:
            nonlocal seen
            values = {f"loss/{key}": value for key, value in progress.losses.items()}
            if progress.figures is not seen:
                seen = progress.figures
                values |= {f"figure/{key}": value for key, value in seen.items()}
            for tracker in several:
                tracker.log(progress.step, {**values, "steps_per_s": progress.rate_per_s})

        yield tell
