"""The card: what probes found, in chapters that a person reads from the top: a finding in words, the figures behind it, the rest folded.

A chapter belongs to one probe of one run. A row's place on its track is where value and interval lie between the least and the greatest
end of its group, with 0 in it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assay.evaluation.probing import figures_in
from assay.evaluation.run import Run
from assay.probes.probe import Probe, chosen_probes
from assay.reporting import notation
from assay.reporting.findings import FINDINGS
from assay.types import Estimate

TRACK = 100.0
SMALL = 1.2
LISTED = 40
CROSSING = re.compile(" & (?=[^ =&]+=)")


@dataclass(frozen=True, slots=True)
class Line:
    """One figure: what it is of, its estimate, where it lies on the track (0 to 100; NaN where it is unknown)."""

    part: str
    estimate: Estimate
    bounds: tuple[float, float]
    low: float
    value: float
    high: float


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one metric, what the metric is, where 0 lies on their track, and whether they lead the chapter."""

    metric: str
    definition: str
    better: str
    zero: float
    lines: tuple[Line, ...]
    leads: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """The samples of which a figure of a metric holds in full: the first by their ids, and how many there are."""

    metric: str
    part: str
    samples: tuple[str, ...]
    count: int
    definition: str = ""


@dataclass(frozen=True, slots=True)
class Chapter:
    """What one probe found of one model."""

    model: str
    task: str
    probe: str
    question: str
    findings: tuple[str, ...]
    groups: tuple[Figures, ...]
    listed: tuple[Listed, ...] = ()


@dataclass(frozen=True, slots=True)
class Unasked:
    """A probe that model or data could not serve, and what is missing."""

    model: str
    task: str
    probe: str
    missing: str


def chapters(run: Run, name: str) -> Iterator[Chapter]:
    """The chapters of a run's probes, in the catalogue's order; ``name`` is the model's on the page."""
    for probe in chosen_probes(run.manifest.probes) if run.manifest.probes else []:
        found = [one for one in run.estimates if one.metric in probe.names and one.metric not in run.manifest.metrics]
        if found:
            told = FINDINGS[probe.name](found) if probe.name in FINDINGS else []
            yield Chapter(
                name,
                run.manifest.task,
                probe.name,
                probe.question,
                tuple(told),
                tuple(groups(probe, found)),
                tuple(listed(run, probe)),
            )


def unasked(run: Run, name: str) -> Iterator[Unasked]:
    """The probes that were skipped."""
    for probe, missing in run.manifest.skipped.items():
        yield Unasked(name, run.manifest.task, probe, missing)


def listed(run: Run, probe: Probe, most: int = LISTED) -> Iterator[Listed]:
    """The samples that a probe names, by the figures that it lists."""
    if run.figures is None:
        return
    ids = run.figures["sample"]
    for (metric, slice_, _), columns in figures_in(run.figures).items():
        if metric in probe.listed and "value" in columns:
            held = ids[columns["value"] >= 1.0].tolist()
            definition = next((one.definition for one in probe.metrics if one.name == metric), "")
            yield Listed(metric, slice_, tuple(held[:most]), len(held), definition)


def groups(probe: Probe, found: Sequence[Estimate]) -> Iterator[Figures]:
    """The figures by metric, those that lead first."""
    definitions = {metric.name: metric for metric in probe.metrics}
    order = list(dict.fromkeys([*probe.leads, *(one.metric for one in found)]))
    for metric in order:
        of = [one for one in found if one.metric == metric]
        if of:
            about = definitions.get(metric)
            ends = [x for one in of for x in (one.value, one.low, one.high) if math.isfinite(x)]
            least, most = min([0.0, *ends]), max([0.0, *ends])
            yield Figures(
                metric,
                "" if about is None else about.definition,
                "" if about is None else about.better,
                on_track(0.0, least, most),
                tuple(line(one, least, most) for one in of),
                metric in probe.leads,
            )


def line(one: Estimate, least: float, most: float) -> Line:
    """An estimate with its place between two ends."""
    places = (on_track(x, least, most) for x in (one.low, one.value, one.high))
    # A difference of shares is written like a share, though nothing but the task's metric bounds it.
    bounds = notation.SHARE if least >= -SMALL and most <= SMALL else notation.bounds(one.metric)
    return Line(part(one), one, bounds, *places)


def on_track(value: float, least: float, most: float) -> float:
    """Where a value lies, 0 to `TRACK`; NaN where it is not finite.

    >>> on_track(0.5, 0.0, 1.0), on_track(0.0, 0.0, 0.0)
    (50.0, 0.0)
    """
    if not math.isfinite(value):
        return math.nan
    return TRACK * (value - least) / (most - least) if most > least else 0.0


def part(one: Estimate) -> str:
    """What a figure is of, in words.

    >>> part(Estimate("m", 0, 0, 0, 1, slice="modality=text+image & null=noise"))
    'text and image, noise'
    """
    pieces = [piece.partition("=") for piece in CROSSING.split(one.slice)]
    words = [value.replace("+", " and ").replace("->", " → ") if sign else name for name, sign, value in pieces]
    return ", ".join(words)


def told(run: Run) -> Iterator[str]:
    """What probes found, as lines for a terminal; who was skipped and why."""
    for chapter in chapters(run, run.manifest.model):
        yield f"\n{chapter.question} ({chapter.probe})"
        lines = chapter.findings or [
            f"{group.metric} {part(one.estimate)}: {notation.figure(one.estimate, one.bounds)}"
            for group in chapter.groups
            if group.leads
            for one in group.lines
        ]
        for line in lines:
            yield f"  {line}"
    for one in unasked(run, run.manifest.model):
        yield f"\nnot asked: {one.probe}: {one.missing}."
