"""Removes a run from the disk: the files that a run writes, and nothing that somebody else put beside them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from assay.evaluation import exports, lock
from assay.evaluation.lock import locked
from assay.evaluation.store import NAME, reading

FILES = (NAME, f"{NAME}-journal", lock.NAME, *exports.ALL, exports.FIGURES, "report.html", "mlflow.db")
FOLDERS = ("tensorboard", "wandb")


@dataclass(frozen=True)
class Weight:
    """What a run takes on the disk, and what else lies in its folder."""

    files: int
    bytes: int
    others: tuple[str, ...]


def weigh(folder: Path) -> Weight:
    """What would be removed. `ValueError` for a folder that holds no run."""
    with reading(folder / NAME):
        own = [path for path in folder.iterdir() if is_own(path)]
    every = [file for path in own for file in ([path] if path.is_file() else path.rglob("*")) if file.is_file()]
    others = sorted(path.name for path in folder.iterdir() if not is_own(path))
    return Weight(len(every), sum(file.stat().st_size for file in every), tuple(others))


def is_own(path: Path) -> bool:
    """Whether a run wrote this."""
    return not path.is_symlink() and (
        (path.is_file() and (path.name in FILES or path.name.endswith(".partial")))
        or (path.is_dir() and path.name in FOLDERS)
    )


def remove(folder: Path) -> tuple[str, ...]:
    """Removes a run, the journal last; the folder too if nothing else is in it, otherwise the names of what stays.

    `ValueError` for a folder that holds no run, `RunBusyError` while somebody writes it.
    """
    weigh(folder)
    with locked(folder, announced=False), exports.reachable(folder):
        own = sorted((path for path in folder.iterdir() if is_own(path)), key=lambda path: path.name == NAME)
        for path in own:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
    rest = tuple(sorted(path.name for path in folder.iterdir()))
    if not rest:
        folder.rmdir()
    return rest
