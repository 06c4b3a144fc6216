"""A run of a changed configuration that goes on from another: the answers that the change leaves as they are need no asking.

An answer is taken over if model, verb, choices and the data (or what they are a part of) are the same, and the condition draws
nothing by chance or the seed is the same. What failed before is asked again. The folder of the run that was there stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from assay.evaluation.answers import WRITTEN, Answer
from assay.evaluation.manifest import Configuration, Manifest, differences, read_manifest
from assay.evaluation.store import NAME, Store, reading
from assay.table import Key
from assay.types import CLEAN

DECIDING = ("model", "model_fingerprint", "modalities", "task", "verb", "choices")


@dataclass(frozen=True)
class Reused:
    """The answers of another run, by key; only under ``conditions`` (None: under all)."""

    store: Store = field(repr=False)
    origin: str
    note: str
    written: bool
    conditions: frozenset[str] | None = None

    def __call__(self, key: Key) -> Answer | None:
        """What was answered there, ``None`` for what was not or would be answered otherwise now."""
        if self.conditions is not None and key.condition not in self.conditions:
            return None
        payload = self.store.payload(key)
        if payload is None:
            return None
        return payload.decode("utf-8") if self.written else np.frombuffer(payload, dtype="<f4")


def forked(out: str | Path | None, manifest: Manifest) -> tuple[str | Path | None, Path | None]:
    """The folder to write and the one to take answers from: ``out`` itself where there is no run or one of this configuration, else
    a folder beside it, named after the configuration."""
    folder = None if out is None else Path(out).absolute()
    if folder is None or not (folder / NAME).is_file():
        return out, None
    with reading(folder / NAME) as store:
        noted = store.fact("manifest")
    if noted is None or not differences(read_manifest(noted).configuration, manifest.configuration):
        return out, None
    return folder.with_name(f"{folder.name}-{manifest.configuration.hash[:8]}"), folder


@contextmanager
def known_answers(origin: Path | None, manifest: Manifest) -> Iterator[Reused | None]:
    """The answers of the run in ``origin`` that still hold; ``None`` where there is none."""
    if origin is None:
        yield None
        return
    with reading(origin / NAME) as store:
        there = read_manifest(store.fact("manifest"))
        changed = differences(there.configuration, manifest.configuration)
        apart = reasons(there.configuration, manifest.configuration)
        if apart:
            note = f"nothing is taken over from {origin.name}, another {', '.join(apart)}"
            yield Reused(store, origin.name, note, manifest.verb in WRITTEN, frozenset())
            return
        same_seed = there.seed == manifest.seed
        names = ", ".join(line.partition(":")[0] for line in changed)
        note = f"answers taken over from {origin.name}, which differs in {names}"
        conditions = None if same_seed else frozenset({CLEAN.name, *filter(fixed, there.conditions)})
        yield Reused(store, origin.name, note, manifest.verb in WRITTEN, conditions)


def reasons(there: Configuration, here: Configuration) -> list[str]:
    """Why no answer of one configuration holds in the other; empty if they do."""
    names = [name for name in DECIDING if getattr(there, name) != getattr(here, name)]
    # Parts of the same data have its fingerprint with the part behind it.
    if there.data_fingerprint.partition("[")[0] != here.data_fingerprint.partition("[")[0]:
        names.append("data")
    return names


def fixed(condition: str) -> bool:
    """Whether a condition does the same whatever the seed.

    >>> fixed("only:image"), fixed("noise:image@3")
    (True, False)
    """
    return condition.partition(":")[0] in ("only", "drop")
