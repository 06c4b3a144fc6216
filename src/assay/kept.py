"""Verbs about runs that are kept already: measured again, put together, side by side. None of them needs a model."""

from __future__ import annotations

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
