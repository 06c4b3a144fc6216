"""Verbs about runs that are kept already: measured again, shards put together. None of them needs a model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
