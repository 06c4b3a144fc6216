"""Verbs about runs that are kept already: measured again, put together, side by side. None of them needs a model."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assay.evaluation.matrix import Matrix
    from assay.evaluation.run import Run
    from assay.evaluation.task import Task


def task_of(folder: str | Path, *, metrics: Sequence[str] = ()) -> Task:
    """The task of a kept run, from its data as they are named in it. ``metrics`` take the place of the task's own."""
    from assay.evaluation.merge import request_of
    from assay.evaluation.prepare import make_task, selected
    from assay.verbs import load_dataset

    request, manifest = request_of(folder)
    if request.files:
        from assay.evaluation.scored import Asked, task_of_files

        asked = Asked(request.files, tuple(metrics or manifest.metrics), request.by, request.unit)
        return task_of_files(asked)
    dataset = selected(load_dataset(request.data, columns=request.columns or None), request)
    return make_task(dataset, request, metrics=metrics)


def rescore(folder: str | Path, *, metrics: Sequence[str] = ()) -> Run:
    """Measures a kept run again, without its model: by its task's usual metrics, or by these. The answers stay as they are."""
    from assay.evaluation.merge import rescore as again

    return again(folder, task_of(folder, metrics=metrics))


def merge(*folders: str | Path, out: str | Path) -> Run:
    """One run, in the folder ``out``, of the shards of a run; its figures are those of the run that was never cut, to the byte.

    `ValueError` for shards that are missing, overlap, are unfinished or of different runs, with the difference.
    """
    from assay.evaluation.merge import merge as together

    if not folders:
        raise ValueError("nothing to merge: name the folders of all shards of a run.")
    return together(folders, out, task_of(folders[0]))


def matrix(*runs: str | Path | Run, margin: float | None = None) -> Matrix:
    """Runs of any number of models and tasks, side by side: standings with the ranks that the data leave open, every pair compared.

    `ValueError` for fewer than two.
    """
    from assay.evaluation.matrix import matrix as side_by_side

    return side_by_side(read(runs), margin=margin)


def compare_runs(
    runs: Sequence[str | Path | Run],
    *,
    metrics: Sequence[str] | None = None,
    slices: Sequence[str] | None = None,
    margin: float | None = None,
) -> Any:
    """The `Comparison` of two runs, the `Matrix` of more, by some metrics over some slices."""
    from assay.evaluation.compare import compare as paired
    from assay.evaluation.matrix import matrix as side_by_side

    found = read(runs)
    if len(found) == 2:
        return paired(*found, metrics=metrics, slices=slices, margin=margin)
    return side_by_side(found, metrics=metrics, slices=slices, margin=margin)


def read(runs: Sequence[str | Path | Run]) -> list[Run]:
    """Runs from their folders."""
    from assay.verbs import load_run

    return [load_run(run) for run in runs]


def track(run: Run, *names: str) -> list[str]:
    """Tells trackers (``tensorboard``, ``wandb``, ``mlflow``) of a kept run's figures: they write into its folder and send nothing.

    Every estimate's value and interval goes under ``CONDITION/SLICE/METRIC`` (shorter for the clean condition and for the whole), with what
    the run was made of as settings. A tracker that was told before is not told again, so a finished run stays as it is; those that were
    told are given back. `ValueError` for an unknown name, and for a run that is not kept.
    """
    from assay.catalog import nearest
    from assay.training.tracking import TRACKERS

    if run.folder is None:
        raise ValueError("trackers write beside a run: keep it in a folder (out=…).")
    told = []
    for name in dict.fromkeys(names):
        if name not in TRACKERS:
            raise ValueError(f"unknown tracker {name!r}: {nearest(name, TRACKERS)}")
        if (run.folder / WRITTEN[name]).exists():
            continue
        tracker = TRACKERS[name](run.folder, f"{run.manifest.task} {run.manifest.model}", settings_of(run))
        try:
            tracker.log(0, values_of(run))
        finally:
            tracker.close()
        told.append(name)
    return told


WRITTEN = {"mlflow": "mlflow.db", "tensorboard": "tensorboard", "wandb": "wandb"}
"""What each tracker writes into a run's folder."""


def settings_of(run: Run) -> dict[str, str]:
    """What a run was made of, in words."""
    about = run.manifest
    return {
        "model": about.model,
        "data": about.data,
        "task": about.task,
        "seed": str(about.seed),
        "configuration": about.configuration.hash,
        "status": run.status,
    }


def values_of(run: Run) -> dict[str, float]:
    """Every defined figure of a run by a name that trackers take: letters, digits and ``_ - . / space``."""
    out: dict[str, float] = {}
    for one in run.estimates:
        where = [part for part in (one.condition, one.slice) if part not in ("clean", "all")]
        name = re.sub(r"[^A-Za-z0-9_\-./ ]+", ".", "/".join([*where, one.metric]))
        for suffix, value in (("", one.value), ("/low", one.low), ("/high", one.high)):
            if math.isfinite(value):
                out[name + suffix] = value
    return {**out, "n_planned": float(run.planned), "n_missing": float(run.missing)}
