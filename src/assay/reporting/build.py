"""From runs to what a report shows. Pure gathering: nothing is measured here.

A run over several splits (``emoji``) becomes a column for each split (``emoji:test``) and one for all of them; runs of models with the same
name are told apart by a number.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations

from assay.catalog import MODELS
from assay.data.dataset import Dataset
from assay.evaluation.compare import Comparison
from assay.evaluation.manifest import shortened
from assay.evaluation.run import Run
from assay.evaluation.unknown import extremes
from assay.reporting import chapters, notation, selection, verdict
from assay.reporting.content import (
    BASELINE,
    MODEL,
    Contrast,
    Cost,
    DataCard,
    Fact,
    Failure,
    Incomplete,
    ModelCard,
    ReportContent,
    RunCard,
    Score,
)
from assay.reporting.examples import SPLIT, examples
from assay.types import MODALITIES

BASELINES = "baseline:"
FAILURES = 50  # failed samples that are named, of each run


@dataclass(frozen=True)
class Named:
    """A run, its model's name on the page, and the page's names of its data: as a whole, and of each split."""

    run: Run
    name: str
    data: str
    parts: Mapping[str, str]

    def place(self, slice_: str) -> tuple[str, str]:
        """The column and the slice within it: ``split=test & style=noto`` is ``style=noto`` of ``emoji:test``."""
        pieces = [] if slice_ == selection.ALL else selection.crossed(slice_)
        split = next((p.removeprefix("split=") for p in pieces if p.startswith("split=")), "")
        rest = " & ".join(p for p in pieces if not p.startswith("split="))
        return self.parts.get(split, self.data), rest or selection.ALL


def content(
    runs: Sequence[Run],
    *,
    comparisons: Sequence[Comparison] = (),
    datasets: Mapping[str, Dataset] | None = None,
    title: str = "",
    commands: Sequence[str] = (),
) -> ReportContent:
    """What a report of ``runs`` shows.

    ``datasets`` are the runs' data sets by the name in their manifests, for the media of the examples, the descriptions and licences; a
    run whose data set is not among them is shown without. ``comparisons`` come in the order of the pairs of runs. `ValueError` for no runs.
    """
    if not runs:
        raise ValueError("a report needs at least one run: give the folder of one, as in assay report runs/a.")
    named = name_runs(runs)
    known = datasets or {}
    return ReportContent(
        title=title or _title(named),
        models=tuple(_models(named)),
        data=tuple(_data(named, known)),
        scores=tuple(score for one in named for score in _scores(one)),
        contrasts=tuple(_contrasts(named, comparisons)),
        costs=tuple(_cost(one) for one in named),
        examples=tuple(
            e
            for one in named
            if not _is_baseline(one)
            for e in examples(one.run, known.get(one.run.manifest.data), name=one.name, parts=one.parts)
        ),
        incomplete=tuple(_incomplete(one) for one in named if not one.run.complete),
        runs=tuple(_run_card(one) for one in named),
        commands=tuple(commands),
        chapters=tuple(c for one in named for c in chapters.chapters(one.run, one.name)),
        unasked=tuple(u for one in named for u in chapters.unasked(one.run, one.name)),
    )


def name_runs(runs: Sequence[Run]) -> list[Named]:
    """The runs with names that tell them apart: a second model called ``aligned`` is ``aligned (2)``."""
    prints: dict[str, list[str]] = {}
    seen: dict[tuple[str, str, str, str], int] = {}
    named = []
    for run in runs:
        m = run.manifest
        same = prints.setdefault(m.model, [])
        if m.model_fingerprint not in same:
            same.append(m.model_fingerprint)
        number = same.index(m.model_fingerprint) + 1
        # One model twice on the same task (two seeds, two batch sizes) is two lines as well.
        about = (m.model, m.model_fingerprint, m.task, m.data)
        seen[about] = seen.get(about, 0) + 1
        name = m.model if number == 1 else f"{m.model} ({number})"
        name = name if seen[about] == 1 else f"{name}, run {seen[about]}"
        splits = _splits(run)
        data = f"{m.data} (all)" if len(splits) > 1 else m.data
        named.append(Named(run, name, data, {s: _part_name(m.data, s) for s in splits} if len(splits) > 1 else {}))
    return named


def _part_name(data: str, split: str) -> str:
    """What a split of a data set is asked for by.

    >>> _part_name("emoji", "test"), _part_name("emoji[::3]", "test")
    ('emoji:test', 'emoji:test[::3]')
    """
    base, bracket, cut = data.partition("[")
    return f"{base}:{split}{bracket}{cut}"


def _splits(run: Run) -> list[str]:
    """The splits that a run's figures are broken down by."""
    names = [
        e.slice.removeprefix("split=") for e in run.estimates if e.slice.startswith("split=") and " & " not in e.slice
    ]
    return list(dict.fromkeys(names))


def _is_baseline(one: Named) -> bool:
    return one.run.manifest.model.startswith(BASELINES)


def _title(named: Sequence[Named]) -> str:
    names = selection.unique(one.name for one in named if not _is_baseline(one)) or (named[0].name,)
    on = selection.unique(one.run.manifest.data for one in named)
    listed = f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
    return f"{listed} on {', '.join(on)}"


def _models(named: Sequence[Named]) -> Iterator[ModelCard]:
    for name in selection.unique(one.name for one in named):
        one = next(n for n in named if n.name == name)
        takes = [m for m in MODALITIES if m in one.run.manifest.modalities]
        yield ModelCard(name, BASELINE if _is_baseline(one) else MODEL, f"takes {', '.join(takes)}" if takes else "")


def _data(named: Sequence[Named], known: Mapping[str, Dataset]) -> Iterator[DataCard]:
    """A card for each split, then for the whole that they make."""
    for name in selection.unique(one.run.manifest.data for one in named):
        alike = [n for n in named if n.run.manifest.data == name]
        one = max(alike, key=lambda n: len(n.parts))
        data = known.get(name)
        groups = one.run.measurements.columns.get(SPLIT)
        ids = one.run.measurements["sample"]
        for split, part in one.parts.items():
            assert groups is not None, "figures by split rest on rows with a split"
            yield DataCard(part, len(set(ids[groups == split].tolist())), _described(data, split))
        yield DataCard(
            one.data,
            len(set(one.run.predictions["sample"].tolist())) if data is None else len(data),
            description="" if data is None or one.parts else data.description,
            licence="" if data is None else data.licence,
            source="" if data is None else data.source,
            fingerprint=one.run.manifest.data_fingerprint,
            modalities=() if data is None else data.modalities,
            parts=tuple(one.parts.values()),
        )


def _described(data: Dataset | None, split: str) -> str:
    """What a data set's description says of one split: ``test: …; test-concepts: …``."""
    said = [] if data is None else data.description.split("; ")
    return next((line.removeprefix(f"{split}: ") for line in said if line.startswith(f"{split}: ")), "")


def _scores(one: Named) -> Iterator[Score]:
    """The figures that the page shows: all metrics over the whole, the headline by slice and under the other conditions."""
    head, own = one.run.headline.metric, one.run.manifest.metrics
    for e in one.run.estimates:
        if e.metric not in own:  # a probe's: they have chapters of their own
            continue
        column, part = one.place(e.slice)
        if e.metric != head and (part != selection.ALL or e.condition != selection.CLEAN):
            continue
        better, bounds = notation.better(e.metric), notation.bounds(e.metric)
        yield Score(one.name, one.run.manifest.task, column, replace(e, slice=part), e.metric == head, better, bounds)


def _contrasts(named: Sequence[Named], comparisons: Sequence[Comparison]) -> Iterator[Contrast]:
    pairs = list(permutations(named, 2))
    for comparison in comparisons:
        found = next((pair for pair in pairs if _is_of(comparison, *pair)), None)
        if found is None:
            raise ValueError(
                f"a comparison of {comparison.a} and {comparison.b} ({comparison.task} on {comparison.data}) belongs to no two of the runs."
            )
        pairs.remove(found)
        a, b = found
        own = [row for row in comparison.rows if row.metric in a.run.manifest.metrics]
        for row in own:
            yield verdict.contrast(comparison, row, names=(a.name, b.name), place=a.place(row.slice))


def _is_of(comparison: Comparison, a: Named, b: Named) -> bool:
    ours, theirs = a.run.manifest, b.run.manifest
    about = (comparison.a, comparison.b, comparison.task, comparison.data)
    return about == (ours.model, theirs.model, ours.task, ours.data)


def _cost(one: Named) -> Cost:
    m, t = one.run.manifest, one.run.timings
    return Cost(
        model=one.name,
        task=m.task,
        data=m.data,
        latency_p50_s=t.get("p50_s"),
        latency_p95_s=t.get("p95_s"),
        throughput_per_s=t.get("samples_per_s"),
        peak_bytes=t.get("peak_memory_bytes"),
        parameters=t.get("parameters"),
        size_bytes=t.get("model_bytes"),
    )


def _incomplete(one: Named) -> Incomplete:
    failures = [Failure(e["sample"], f"{e['error_kind']}: {e['error']}", e["condition"]) for e in one.run.errors()]
    m = one.run.manifest
    bounds = tuple((found.metric, found.low, found.high) for found in extremes(one.run))
    return Incomplete(one.name, m.task, m.data, one.run.planned, one.run.missing, tuple(failures[:FAILURES]), bounds)


def _run_card(one: Named) -> RunCard:
    """The manifest in words, and the command that makes the run again where the model can be named."""
    m = one.run.manifest
    name = next((known for known in (m.model, f"assay:{m.model}") if known in MODELS), "")
    seed = f" --seed {m.seed}" if m.seed else ""
    command = f"assay evaluate {name} {shlex.quote(m.data)} --task {m.task}{seed}" if name else ""
    packages = ", ".join(f"{package} {version}" for package, version in m.packages.items())
    facts = {
        "model fingerprint": m.model_fingerprint,
        "data fingerprint": m.data_fingerprint,
        "modalities": ", ".join(m.modalities),
        "conditions": ", ".join(m.conditions),
        "choices": shortened(m.choices),
        "answers": f"{one.run.planned:,} planned, {one.run.missing:,} missing",
        "unit": m.unit,
        "batch": str(m.batch),
        "seed": str(m.seed),
        "packages": packages,
        "machine": ", ".join(f"{value} {key}" if key == "cpus" else str(value) for key, value in m.machine.items()),
        "peak memory": str(one.run.timings.get("peak_memory_method") or ""),
        "notes": "; ".join(m.notes),
    }
    return RunCard(one.name, m.task, m.data, command, tuple(Fact(k, v) for k, v in facts.items() if v))
