"""What is done with a run once it is kept: it is noted in the index of runs, and told to trackers."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assay.evaluation.run import Run

NONE = "none"
STORE = (
    "the index of runs to note it in: an SQLite file, postgresql://..., or none (default: in the user's data folder)"
)


def note(run: Run, store: str = "") -> None:
    """Notes the run in the index at ``store``. In the usual one only if it can be: without ``assay[store]`` nothing is noted, and a home
    that cannot be written is told on standard error. One that was asked for must work."""
    if store == NONE or run.manifest.shard or (not store and find_spec("sqlalchemy") is None):
        return
    from assay.evaluation import index

    try:
        with index.opened(store) as opened:
            index.note(opened, run)
    except OSError as error:
        if store:
            raise
        print(f"assay: the run is kept, but not noted in the index: {error}", file=sys.stderr)
