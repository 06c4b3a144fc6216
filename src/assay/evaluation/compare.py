"""Which of two runs is better: paired by what both answered, clustered by the unit, corrected for how much is compared.

Every metric is compared over every slice asked for; the p-values are corrected together by Holm's method, so a verdict
speaks for itself however many others stand beside it. Differences are A - B, and verdicts speak of A.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay import metrics as library
from assay import stats
from assay.evaluation.exports import plain
from assay.evaluation.flips import Flips, flips
from assay.evaluation.manifest import Manifest, differences
from assay.evaluation.probing import figures_in
from assay.evaluation.run import Run
from assay.evaluation.scoring import masks
from assay.evaluation.tasks import FAMILIES
from assay.evaluation.tasks.family import rows_of
from assay.metrics.metric import Metric
from assay.stats.measured import defined
from assay.table import KEY, Table
from assay.types import CLEAN

Margin = float | Mapping[str, float] | None


@dataclass(frozen=True, slots=True)
class Compared:
    """One metric over one slice. ``verdict`` speaks of A: ``better``, ``worse``, ``equivalent`` or ``inconclusive``.

    ``n`` units were compared, ``n_missing`` rows could not be because one of the runs has no answer. ``n_needed`` units would decide, where
    that can be said.
    """

    metric: str
    slice: str
    condition: str
    a: float
    b: float
    difference: float
    low: float
    high: float
    p: float
    p_holm: float
    n: int
    n_missing: int
    verdict: str
    n_needed: int | None
    margin: float | None
    better: str
    unit: str
    signature: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs (by their models' names) on one task and data; the headline metric over everything is the first row.

    ``flips`` are the samples that changed. ``family`` is over how many rows p-values are corrected, where these are but some of them.
    """

    a: str
    b: str
    task: str
    data: str
    rows: tuple[Compared, ...]
    notes: tuple[str, ...] = ()
    alpha: float = 0.05
    flips: Flips | None = None
    family: int | None = None

    @property
    def verdict(self) -> str:
        """The headline's verdict as a sentence."""
        return sentence(self, self.rows[0])

    def as_json(self) -> dict[str, Any]:
        """Plain values; undefined is ``None``."""
        value: dict[str, Any] = plain({**asdict(self), "verdict": self.verdict})
        return value


def compare(
    run_a: Run,
    run_b: Run,
    *,
    metrics: Sequence[str | Metric] | None = None,
    slices: Sequence[str] | None = None,
    conditions: Sequence[str] = (CLEAN.name,),
    margin: Margin = None,
    alpha: float = 0.05,
    figures: bool = True,
) -> Comparison:
    """Compares two runs row by row (a sample; for retrieval a query in a direction) over the rows that both have.

    ``metrics`` default to those that both runs have; ``slices`` to ``all`` and every split. With a ``margin``, the difference that would
    not matter, a verdict can be *equivalent*. ``figures``: those of probes that both runs have are compared too, after all else and
    corrected among themselves. Raises `ValueError` for runs that asked different things, with the difference, and for
    unknown slices, conditions and metrics.
    """
    check_comparable(run_a.manifest, run_b.manifest)
    a, b, notes = paired(run_a, run_b)
    of_probes = shared_figures(run_a, run_b) if figures and slices is None else []
    asked = None if metrics is None else [m for m in metrics if m not in {figure.name for figure, _ in of_probes}]
    chosen = chosen_metrics(run_a, run_b, asked) if asked is None or asked or not metrics else []
    rows: list[Compared] = []
    for condition in conditions:
        here = a["condition"] == condition
        if not here.any():
            known = ", ".join(dict.fromkeys(a["condition"].tolist()))
            raise ValueError(f"the runs share nothing under the condition {condition!r}; they share {known}.")
        rows += (
            []
            if not chosen
            else over_slices(chosen, a.where(here), b.where(here), wanted=slices, margin=margin, run=run_a)
        )
    name, here = run_a.manifest, a["condition"] == conditions[0]
    changed = flips(chosen, a.where(here), b.where(here)) if chosen else None
    read = [
        over_figure(run_a, run_b, figure, key, margin=margin)
        for figure, key in of_probes
        if metrics is None or figure.name in metrics
    ]
    every = (*judged(rows, alpha), *judged(read, alpha))
    family = len(rows) or len(read)
    return Comparison(
        name.model, run_b.manifest.model, name.task, name.data, every, notes, alpha, changed, family=family
    )


def shared_figures(run_a: Run, run_b: Run) -> list[tuple[Metric, tuple[str, str, str]]]:
    """The figures of probes that both runs have, with their metric, part and condition."""
    if run_a.figures is None or run_b.figures is None:
        return []
    theirs = figures_in(run_b.figures)
    return [(library.get(key[0]), key) for key in figures_in(run_a.figures) if key in theirs]


def over_figure(run_a: Run, run_b: Run, metric: Metric, key: tuple[str, str, str], *, margin: Margin) -> Compared:
    """A figure of probes compared over the samples on which both runs have it, not yet corrected."""
    assert run_a.figures is not None and run_b.figures is not None, "only shared figures are compared"
    index_a, index_b = stats.shared(run_a.figures["sample"].tolist(), run_b.figures["sample"].tolist())
    a = {name: column[index_a] for name, column in figures_in(run_a.figures)[key].items()}
    b = {name: column[index_b] for name, column in figures_in(run_b.figures)[key].items()}
    there_a, there_b = (defined(rows, tuple(rows)) for rows in (a, b))
    both = there_a & there_b
    lost = int(((there_a | there_b) & ~both).sum())
    rows_a, rows_b = ({name: column[both] for name, column in rows.items()} for rows in (a, b))
    unit, seed = run_a.figures["unit"][index_a][both], run_a.manifest.seed
    limits = margin if not isinstance(margin, Mapping) else margin.get(metric.name)
    [found] = stats.compare([metric], rows_a, rows_b, unit, margin=limits, seed=seed)
    return as_compared(metric, found, key[1], key[2], n_missing=lost, unit=run_a.manifest.unit)


def check_comparable(a: Manifest, b: Manifest) -> None:
    """`ValueError` unless the runs asked the same kind of question of the same data (or of parts of it)."""
    if a.verb == b.verb and (a.data_fingerprint == b.data_fingerprint or whole(a.data) == whole(b.data)):
        return
    about = ("task", "verb", "data", "data_fingerprint")
    lines = [line for line in differences(a.configuration, b.configuration) if line.partition(":")[0] in about]
    difference = "\n  ".join(line.replace(" there, ", " in A, ").replace(" here", " in B") for line in lines)
    raise ValueError(f"these runs cannot be compared, they asked different things:\n  {difference}")


def whole(data: str) -> str:
    """The name of what a data set is a split or a part of.

    >>> whole("emoji:test[:50]"), whole("emoji[::3]"), whole("coco:images/val.json")
    ('emoji', 'emoji', 'coco:images/val.json')
    """
    return re.sub(r"(:[A-Za-z0-9_+-]+)?(\[(::?\d+|~\d+@\d+)\])?$", "", data)


def paired(run_a: Run, run_b: Run) -> tuple[Table, Table, tuple[str, ...]]:
    """The measurements of the rows that both runs have, aligned, and what is to be noted. `ValueError` if there are none."""
    tables = run_a.measurements, run_b.measurements
    index_a, index_b = stats.shared(keys(tables[0]), keys(tables[1]))
    if not len(index_a):
        raise ValueError(
            f"these runs share nothing to compare: {run_a.manifest.model} on {run_a.manifest.data} ({len(tables[0])} rows)"
            f" and {run_b.manifest.model} on {run_b.manifest.data} ({len(tables[1])} rows) have no sample in common."
        )
    a, b = taken(tables[0], index_a), taken(tables[1], index_b)
    if "true" in a.columns:
        differ = a["true"] != b["true"]
        if "measure.true" in a.columns and "measure.true" in b.columns:
            differ |= ~a["missing"] & ~b["missing"] & (a["measure.true"] != b["measure.true"])
        other = np.flatnonzero(differ)
        if len(other):
            name = str(a["sample"][other[0]])
            raise ValueError(
                f"these runs cannot be compared: they hold different targets for {len(other)} samples, first {name!r}."
            )
    notes = []
    if len(index_a) < max(map(len, tables)):
        notes.append(f"over the {len(index_a):,} rows that both have, of {len(tables[0]):,} and {len(tables[1]):,}")
    if "candidates" in a.columns:
        unequal = int(((a["candidates"] != b["candidates"]) & ~a["missing"] & ~b["missing"]).sum())
        if unequal:
            notes.append(f"{unequal} queries had galleries of different sizes")
    return a, b, tuple(notes)


def taken(table: Table, index: NDArray[np.intp]) -> Table:
    """Rows of a table by their places."""
    return Table({name: column[index] for name, column in table.columns.items()})


def keys(table: Table) -> list[tuple[Any, ...]]:
    """What makes a measured row unique."""
    names = [*KEY, *(name for name in ("direction",) if name in table.columns)]
    return list(zip(*(table[name].tolist() for name in names), strict=True))


def chosen_metrics(run_a: Run, run_b: Run, wanted: Sequence[str | Metric] | None) -> list[Metric]:
    """The metrics to compare, the headline first. `ValueError` for one that a run has not measured."""
    if wanted is None:
        wanted = [name for name in run_a.manifest.metrics if name in run_b.manifest.metrics]
        if not wanted:
            raise ValueError(f"the runs share no metric: {run_a.manifest.metrics} and {run_b.manifest.metrics}.")
    chosen = [library.get(name) if isinstance(name, str) else name for name in wanted]
    for metric in chosen:
        for run in (run_a, run_b):
            if not set(metric.columns) <= set(rows_of(run.measurements)):
                has = ", ".join(run.manifest.metrics)
                raise ValueError(f"the run of {run.manifest.model} has not measured {metric.name!r}; it has {has}.")
    return chosen


def over_slices(
    chosen: Sequence[Metric], a: Table, b: Table, *, wanted: Sequence[str] | None, margin: Margin, run: Run
) -> list[Compared]:
    """Every metric over every slice under one condition, not yet corrected."""
    parts = masks(a, FAMILIES[run.manifest.verb].crossed)
    if wanted is None:
        wanted = [name for name in parts if name == "all" or (name.startswith("split=") and " & " not in name)]
    out = []
    there = ~(a["missing"] | b["missing"])
    condition = str(a["condition"][0])
    for name in wanted:
        if name not in parts:
            raise ValueError(f"unknown slice {name!r} under {condition}; there is {', '.join(parts)}.")
        mask = parts[name] & there
        rows_a, rows_b = (rows_of(table.where(mask)) for table in (a, b))
        found = stats.compare(chosen, rows_a, rows_b, a["unit"][mask], margin=margin, seed=run.manifest.seed)
        lost = int((parts[name] & ~there).sum())
        out += [
            as_compared(metric, one, name, condition, n_missing=lost, unit=run.manifest.unit)
            for metric, one in zip(chosen, found, strict=True)
        ]
    return out


def as_compared(
    metric: Metric, one: stats.Comparison, part: str, condition: str, *, n_missing: int, unit: str
) -> Compared:
    """A comparison by `assay.stats`, with where it was made."""
    return Compared(
        metric=metric.name,
        slice=part,
        condition=condition,
        a=one.a,
        b=one.b,
        difference=one.difference,
        low=one.low,
        high=one.high,
        p=one.p,
        p_holm=one.p_adjusted,
        n=one.n,
        n_missing=n_missing,
        verdict=one.verdict,
        n_needed=one.n_needed,
        margin=one.margin,
        better=metric.better,
        unit=unit,
        signature=metric.signature,
    )


def judged(rows: Sequence[Compared], alpha: float) -> tuple[Compared, ...]:
    """The rows with p-values corrected over all of them, and verdicts by these. Equivalence rests on the interval and stays."""
    adjusted = stats.holm([row.p for row in rows])
    return tuple(judge(row, float(p), len(rows), alpha) for row, p in zip(rows, adjusted, strict=True))


def judge(row: Compared, p: float, tests: int, alpha: float) -> Compared:
    """A row with its corrected p-value and its verdict."""
    if row.verdict == "equivalent":
        return replace(row, p_holm=p)
    if p < alpha:
        better = (row.difference > 0) == (row.better == "higher")
        return replace(row, p_holm=p, verdict="better" if better else "worse", n_needed=None)
    return replace(row, p_holm=p, verdict="inconclusive", n_needed=needed(row, tests, alpha))


def needed(row: Compared, tests: int, alpha: float) -> int | None:
    """About how many units would decide (`assay.stats.units_to_decide`), the level shared among the tests."""
    return stats.units_to_decide(row.difference, row.low, row.high, row.n, margin=row.margin, alpha=alpha, tests=tests)


def sentence(comparison: Comparison, row: Compared) -> str:
    """A row's verdict for people."""
    a, b = comparison.a, comparison.b
    where = "" if row.slice == "all" else f" on {row.slice}"
    figures = f"{row.metric}{where} {row.a:.3f} against {row.b:.3f}, difference {row.difference:+.3f} [{row.low:+.3f}, {row.high:+.3f}]"
    tested = (
        f"p = {row.p_holm:.2g} after Holm's correction over {comparison.family or len(comparison.rows)}, n = {row.n}"
    )
    if row.verdict in ("better", "worse"):
        return f"{a} is {row.verdict} than {b}: {figures}, {tested}."
    if row.verdict == "equivalent":
        return f"{a} and {b} are equivalent within {row.margin}: {figures}, n = {row.n}."
    more = "" if row.n_needed is None else f", needs about n = {row.n_needed:,}"
    return f"{a} and {b}: inconclusive{more}: {figures}, {tested}."
