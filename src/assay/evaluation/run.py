"""A run as data: what was asked, what came, what was measured, what it amounts to."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assay import metrics
from assay.evaluation import exports, store
from assay.evaluation.errors import StoreError
from assay.evaluation.manifest import Manifest, read_manifest
from assay.evaluation.scoring import with_items
from assay.evaluation.tasks import FAMILIES
from assay.metrics.metric import Metric
from assay.table import Table
from assay.types import Estimate


@dataclass(frozen=True)
class Run:
    """The answers of one model to one task, and their figures; the headline is the first estimate.

    ``predictions`` has a row for each planned answer, ``measurements`` one for each thing that was measured (an answer; for retrieval a
    query in a direction). Of what only probes asked, ``predictions`` holds the failures, and ``figures`` what their figures rest on.
    ``timings`` holds all that a clock gave. ``folder`` is where it is kept, if it is.
    """

    manifest: Manifest
    estimates: tuple[Estimate, ...]
    predictions: Table = field(repr=False)
    measurements: Table = field(repr=False)
    timings: Mapping[str, Any] = field(repr=False)
    folder: Path | None = None
    figures: Table | None = field(default=None, repr=False)

    @property
    def planned(self) -> int:
        """How many answers were planned."""
        return self.manifest.rows

    @property
    def missing(self) -> int:
        """How many of them failed."""
        return int((self.predictions["error_kind"] != "").sum())

    @property
    def complete(self) -> bool:
        """Whether every planned answer was given (of a shard: of its part of the plan)."""
        return self.missing == 0

    @property
    def headline(self) -> Estimate:
        """The task's first metric over everything."""
        return self.estimates[0]

    @property
    def status(self) -> str:
        """``complete``, or how many of the planned answers there are: ``incomplete 61/64``."""
        return "complete" if self.complete else f"incomplete {self.planned - self.missing}/{self.planned}"

    def errors(self) -> list[dict[str, str]]:
        """Every failed answer: the sample's id, the condition, the kind of error and its message."""
        failed = self.predictions.where(self.predictions["error_kind"] != "")
        names = ("sample", "condition", "error_kind", "error")
        return [
            dict(zip(names, map(str, row), strict=True)) for row in zip(*(failed[name] for name in names), strict=True)
        ]

    def as_json(self) -> dict[str, Any]:
        """What ``estimates.json`` holds: no time, nothing of the machine."""
        part = {"shard": self.manifest.shard} if self.manifest.shard else {}
        return {
            **part,
            "task": self.manifest.task,
            "model": self.manifest.model,
            "data": self.manifest.data,
            "status": self.status,
            "complete": self.complete,
            "n_planned": self.planned,
            "n_missing": self.missing,
            "probes": list(self.manifest.probes),
            "skipped": [{"probe": name, "missing": lack} for name, lack in self.manifest.skipped.items()],
            "estimates": [estimate.as_json() for estimate in self.estimates],
        }


def load_run(folder: str | Path, *, measures: Sequence[Metric] = ()) -> Run:
    """The run kept in a folder. ``measures`` are metrics of the run's that cannot be asked for by name.

    `ValueError` if there is none or it is unfinished, `StoreError` if a file is not what was written.
    """
    where = Path(folder)
    with store.reading(where / store.NAME) as journal:
        noted, written = journal.fact("manifest"), journal.fact("exports")
        if noted is not None and noted.get("shard"):
            raise ValueError(
                f"the run in {where} is shard {noted['shard']} and has no figures: make one run of all of them with `assay merge`."
            )
        done = journal.count()
        if noted is None or written is None:
            planned = "?" if noted is None else noted["rows"]
            raise ValueError(
                f"the run in {where} is unfinished, {done} of {planned} answers are there: finish it by the same command."
            )
    check_exports(where, written)
    manifest = read_manifest(noted)
    values = exports.read_json(where / exports.ESTIMATES)
    table = exports.read_table(where / exports.MEASUREMENTS)
    own = {metric.name: metric for metric in measures}
    named = {name: own.get(name) or metrics.get(name) for name in manifest.metrics}
    found = [read_estimate(value) for value in values["estimates"]]
    return Run(
        manifest=manifest,
        estimates=tuple(with_items(found, table, named, FAMILIES[manifest.verb].crossed)),
        predictions=exports.read_table(where / exports.PREDICTIONS),
        measurements=table,
        timings=exports.read_json(where / exports.TIMINGS),
        folder=where,
        figures=exports.read_table(where / exports.FIGURES) if written.get(exports.FIGURES) else None,
    )


def check_exports(folder: Path, written: Mapping[str, str]) -> None:
    """`StoreError` for a file that is gone or is not what was written."""
    for name, digest in written.items():
        found = exports.digest(folder / name)
        if found != digest:
            state = "is gone" if found is None else "has been changed or damaged"
            raise StoreError(
                f"{folder / name} {state}: run the same command again, which makes it anew from the journal."
            )


def read_estimate(values: Mapping[str, Any]) -> Estimate:
    """An estimate from its JSON. ``null`` is NaN; but an interval with one end is open at the other, without bound."""
    typed: dict[str, Any] = {name: math.nan if value is None else value for name, value in values.items()}
    if (values["low"] is None) != (values["high"] is None):
        typed["low"] = -math.inf if values["low"] is None else values["low"]
        typed["high"] = math.inf if values["high"] is None else values["high"]
    return Estimate(**typed)
