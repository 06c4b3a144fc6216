"""Checkpoints that are whole or absent: written beside, flushed to the disk, renamed. A cut run continues to the bit.

Besides the weights they hold the optimiser, the average, the sampler and both random states. They are opened with
``weights_only``: nothing in a checkpoint is run.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

FILE = "checkpoint.pt"


def write_checkpoint(folder: Path, state: Mapping[str, Any]) -> Path:
    """Put ``state`` in the folder's checkpoint, atomically and durably. Raises `OSError` when the disk fails."""
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder, prefix=f".{FILE}.")
    try:
        with os.fdopen(handle, "wb") as file:
            torch.save(dict(state), file)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(folder / FILE)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return folder / FILE


def read_checkpoint(folder: Path, settings: Mapping[str, Any]) -> dict[str, Any] | None:
    """The folder's checkpoint, or ``None``. `ValueError` when it belongs to other settings, with the difference."""
    path = folder / FILE
    if not path.exists():
        return None
    try:
        state: dict[str, Any] = torch.load(path, weights_only=True)
    except Exception as error:
        raise ValueError(
            f"{path} cannot be read as a checkpoint ({error}); delete it, or train into another folder"
        ) from error
    kept = state["settings"]
    different = [
        f"{key}: {kept.get(key)!r} there, {settings.get(key)!r} now"
        for key in sorted({*kept, *settings})
        if kept.get(key) != settings.get(key)
    ]
    if different:
        raise ValueError(
            f"{path} belongs to another run ({'; '.join(different)}); "
            "name another folder, or start anew without resuming"
        )
    return state
