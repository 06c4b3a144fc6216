"""What a run is a run of: everything that decides its answers, and what is only good to know.

The configuration hash covers what changes predictions: model, data, task, conditions, choices, plan, seed. A change of metrics only scores
again; other versions of packages are noted.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from assay.evaluation.plan import Plan
from assay.evaluation.task import Task
from assay.types import Model
from assay.version import __version__

PACKAGES = ("numpy", "scipy", "polars", "torch", "transformers")


@dataclass(frozen=True)
class Configuration:
    """What decides the answers. ``plan`` is the hash of all keys in their order and of the batches, ``shard`` which part of it this
    is (``2/4``; empty for all)."""

    model: str
    model_fingerprint: str
    modalities: tuple[str, ...]
    data: str
    data_fingerprint: str
    task: str
    verb: str
    conditions: tuple[str, ...]
    repeats: int
    choices: tuple[str, ...]
    rows: int
    batch: int
    seed: int
    plan: str
    shard: str = ""

    @property
    def hash(self) -> str:
        """SHA-256 of all of it, in hexadecimal."""
        values = {name: value for name, value in asdict(self).items() if name != "shard" or value}
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Manifest(Configuration):
    """The configuration, how it is scored, and where it was run."""

    unit: str = "sample"
    metrics: tuple[str, ...] = ()
    packages: Mapping[str, str] = field(default_factory=dict)
    machine: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    probes: tuple[str, ...] = ()
    skipped: Mapping[str, str] = field(default_factory=dict)

    @property
    def configuration(self) -> Configuration:
        """The part that decides the answers."""
        return Configuration(**{f.name: getattr(self, f.name) for f in fields(Configuration)})


def make_manifest(model: Model, task: Task, plan: Plan, choices: tuple[str, ...], seed: int) -> Manifest:
    """The manifest of asking a model a task by a plan."""
    return Manifest(
        model=model.name,
        model_fingerprint=model.fingerprint,
        modalities=tuple(sorted(model.modalities)),
        data=task.dataset.name,
        data_fingerprint=task.dataset.fingerprint,
        task=task.name,
        verb=task.verb,
        conditions=tuple(dict.fromkeys(asked.name for asked in plan.passes)),
        repeats=task.repeats,
        choices=choices,
        rows=plan.rows,
        batch=plan.size,
        seed=seed,
        plan=plan.digest,
        shard="" if plan.shard is None else str(plan.shard),
        unit=task.unit,
        metrics=tuple(metric.name for metric in task.metrics),
        packages=packages(),
        machine=machine(),
        probes=task.probing.names,
        skipped=dict(task.probing.skipped),
    )


LATER = ("probes", "shard", "skipped")
"""What runs of earlier versions do not say."""


def read_manifest(values: Mapping[str, Any]) -> Manifest:
    """A manifest from its JSON. `ValueError` for one that lacks something or has something unknown."""
    names = {f.name for f in fields(Manifest)}
    needed = names - set(LATER)
    if not needed <= set(values) <= names:
        different = {*(needed - set(values)), *(set(values) - names)}
        raise ValueError(
            f"a run's manifest holds {', '.join(sorted(names))}; different here: {', '.join(sorted(different))}."
        )
    typed: dict[str, Any] = {n: tuple(value) if isinstance(value, list) else value for n, value in values.items()}
    return Manifest(**typed)


def differences(there: Configuration, here: Configuration) -> list[str]:
    """Line by line what is not the same in two configurations.

    >>> one = Configuration("m", "f", ("text",), "d", "g", "t", "score", ("clean",), 1, ("a", "b"), 4, 64, 0, "p")
    >>> from dataclasses import replace
    >>> differences(one, replace(one, seed=7))
    ['seed: 0 there, 7 here']
    """
    lines = []
    for f in fields(Configuration):
        a, b = getattr(there, f.name), getattr(here, f.name)
        if a != b:
            lines.append(f"{f.name}: {shortened(a)} there, {shortened(b)} here")
    return lines


def asdict_json(manifest: Manifest) -> dict[str, Any]:
    """The manifest as plain JSON values."""
    values: dict[str, Any] = json.loads(json.dumps(asdict(manifest)))
    return values


def resumed(there: Manifest, here: Manifest, *, going_on: bool) -> Manifest:
    """The manifest of a run that was begun before: as it began, scored as now, and if it has answers to get yet (``going_on``) with a
    note on every package of another version."""
    notes = [
        f"{name} was {before} when the run began, {now} when it went on"
        for name in sorted({*there.packages, *here.packages})
        if going_on and (before := there.packages.get(name, "absent")) != (now := here.packages.get(name, "absent"))
    ]
    every = tuple(dict.fromkeys((*there.notes, *notes)))
    return replace(
        there,
        unit=here.unit,
        metrics=here.metrics,
        probes=here.probes,
        skipped=here.skipped,
        notes=every,
    )


def shortened(value: Any) -> str:
    """A value in at most eighty characters."""
    text = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return text if len(text) <= 80 else f"{text[:60]}… ({len(text)} characters)"


def packages() -> dict[str, str]:
    """The versions of assay and of the packages that figures depend on."""
    found = {"assay": __version__, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue  # an optional package that is not installed
    return found


def machine() -> dict[str, Any]:
    """The kind of machine; nothing that names it or its user."""
    return {"system": f"{platform.system()} {platform.machine()}", "cpus": os.cpu_count()}
