"""What a report shows, as plain data: it needs no run, no data set and no model to be drawn.

One list of `Score` holds every figure, whole, by slice and by condition; tables and plots are selections of it
(`assay.reporting.selection`). `assay.reporting.build` makes the content from runs. Times are in seconds,
sizes in bytes; what is not known is ``None`` or NaN, never 0.
"""

from __future__ import annotations

from dataclasses import dataclass

from assay.reporting.chapters import Chapter, Unasked
from assay.reporting.composite import Composite
from assay.types import Estimate

MODEL, BASELINE = "model", "baseline"
BEST, WORST = "best", "worst"


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of a list of facts."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Cost:
    """What a model's answers took in one run: a sample asked alone, and many at once, on the machine that the run names."""

    model: str
    task: str
    data: str
    latency_p50_s: float | None = None
    latency_p95_s: float | None = None
    throughput_per_s: float | None = None
    peak_bytes: float | None = None
    parameters: float | None = None
    size_bytes: float | None = None


@dataclass(frozen=True, slots=True)
class ModelCard:
    """One model, or one of the baselines that put the figures in proportion."""

    name: str
    role: str = MODEL
    description: str = ""


@dataclass(frozen=True, slots=True)
class DataCard:
    """One data set or split: columns of the tables are in the order of these. ``parts`` names those that it pools."""

    name: str
    n: int
    description: str = ""
    licence: str = ""
    source: str = ""
    fingerprint: str = ""
    modalities: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Score:
    """One figure: whose, in which task, on which data. The estimate says which slice and condition.

    ``headline`` marks the metric by which the task is judged; ``better`` is ``higher`` or ``lower``; ``reason`` says why a value is
    undefined where more is known than the estimate tells.
    """

    model: str
    task: str
    data: str
    estimate: Estimate
    headline: bool = False
    better: str = "higher"
    bounds: tuple[float, float] = (0.0, 1.0)
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Contrast:
    """Two models on the same samples: ``difference`` is a - b, with its interval and the paired test.

    ``winner`` is the name of the better model, empty where the data cannot decide; ``equivalent`` says that they are shown to be
    alike. ``n_needed`` is about how many units would decide it, ``None`` where that cannot be said. ``family`` is the number of
    comparisons that ``p_holm`` is corrected for; ``n_missing`` rows could not be compared. ``note`` says what else limits the comparison.
    """

    task: str
    data: str
    metric: str
    a: str
    b: str
    difference: float
    low: float
    high: float
    p: float
    p_holm: float
    n: int
    winner: str = ""
    equivalent: bool = False
    n_needed: int | None = None
    n_missing: int = 0
    family: int = 1
    unit: str = "sample"
    slice: str = "all"
    condition: str = "clean"
    headline: bool = True
    bounds: tuple[float, float] = (0.0, 1.0)
    signature: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Clip:
    """A picture, a sound or a film as the bytes of a file, and what it shows in words.

    ``still`` is the first frame of a film or an animation, shown until a person asks for movement.
    """

    data: bytes
    alt: str
    still: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """One of the things that a model answered: ``score`` is its probability or similarity, ``right`` whether it is correct."""

    text: str
    score: float | None = None
    right: bool = False
    clip: Clip | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """A sample behind a figure: what was shown, what was expected, what came (the model's answer first, then what else it weighed).

    ``kind`` is ``worst`` or ``best``; ``rank`` the place (from 1) of the expected answer.
    """

    model: str
    task: str
    data: str
    sample: str
    kind: str
    target: str
    answers: tuple[Answer, ...]
    text: str = ""
    clips: tuple[Clip, ...] = ()
    rank: int | None = None
    condition: str = "clean"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """A sample that was planned and could not be asked, and why."""

    sample: str
    reason: str
    condition: str = "clean"


@dataclass(frozen=True, slots=True)
class Incomplete:
    """A run that does not hold all that was planned. ``failures`` may be the first few of ``failed``; ``bounds`` are the values
    between which metrics lie whatever the missing answers would have been: name, least, greatest."""

    model: str
    task: str
    data: str
    planned: int
    failed: int
    failures: tuple[Failure, ...] = ()
    bounds: tuple[tuple[str, float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class RunCard:
    """How a run was made, and the command that makes it again."""

    model: str
    task: str
    data: str
    command: str = ""
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportContent:
    """All that a report shows; models, data and tasks appear in the order in which they stand here."""

    title: str
    models: tuple[ModelCard, ...] = ()
    data: tuple[DataCard, ...] = ()
    scores: tuple[Score, ...] = ()
    contrasts: tuple[Contrast, ...] = ()
    costs: tuple[Cost, ...] = ()
    examples: tuple[Example, ...] = ()
    incomplete: tuple[Incomplete, ...] = ()
    runs: tuple[RunCard, ...] = ()
    commands: tuple[str, ...] = ()
    chapters: tuple[Chapter, ...] = ()
    unasked: tuple[Unasked, ...] = ()
    composite: Composite | None = None
    made: str = ""
