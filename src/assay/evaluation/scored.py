"""Scores a file of answers: as a run, kept if asked, compared if asked, with what the rows say about the figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from assay.data.readers.answers import read_answers
from assay.data.readers.sheet import Row
from assay.evaluation.compare import Comparison, compare
from assay.evaluation.evaluate import Session, evaluate
from assay.evaluation.facts import facts, unasked
from assay.evaluation.how import How
from assay.evaluation.prepare import Request
from assay.evaluation.run import Run, load_run
from assay.evaluation.task import Task
from assay.evaluation.tasks.recorded import recorded, scoring
from assay.metrics.metric import Metric
from assay.types import Estimate

BATCH = 4096  # rows that are kept at once


@dataclass(frozen=True)
class Asked:
    """What to score and how: the ``files`` (answers, annotations, questions), metrics by name (none: the usual ones), fields
    ``by`` which figures are broken down, the field ``unit`` whose rows are resampled together (None: the natural one)."""

    files: tuple[str | Path, ...]
    metrics: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    unit: str | None = None
    seed: int = 0


@dataclass(frozen=True)
class Scored:
    """The run that a file of answers is, and how it compares with another."""

    run: Run
    rows: Sequence[Row] = field(repr=False)
    measures: Sequence[Metric] = field(repr=False)
    comparison: Comparison | None = None

    @property
    def estimates(self) -> tuple[Estimate, ...]:
        """The run's figures, the first metric over all rows first."""
        return self.run.estimates

    def metric(self, name: str) -> Metric:
        """One of the metrics, with its signature for these rows."""
        return next(metric for metric in self.measures if metric.name == name)

    def facts(self, name: str) -> list[str]:
        """What the rows say about one of the figures: why it is 0 or undefined, what is missing."""
        return facts(self.metric(name), self.rows, self.whole(name))

    def unasked(self) -> dict[str, list[str]]:
        """The same of every figure that is undefined or next to nothing."""
        told = {m.name: unasked(m, self.rows, self.whole(m.name)) for m in self.measures}
        return {name: found for name, found in told.items() if found}

    def whole(self, name: str) -> Estimate:
        """A metric's figure over all rows."""
        return next(one for one in self.run.estimates if (one.metric, one.slice) == (name, "all"))


def score(
    asked: Asked,
    *,
    out: str | Path | None = None,
    baseline: str | Path | None = None,
    margin: float | None = None,
) -> Scored:
    """The answers of a file, measured. With ``out`` the run is kept in that folder.

    ``baseline`` is another file, with the same references, or a run's folder: then ``comparison`` says which is better,
    paired by row; ``margin`` is the difference that would not matter. Raises `ValueError`, naming file and line, for what
    cannot be read, for a metric that a file does not hold, and for a baseline that has nothing in common.
    """
    if not 1 <= len(asked.files) <= 3:
        raise ValueError(
            f"a file of answers, then annotations, then questions were expected, not {len(asked.files)} files."
        )
    first = asked.files[0]
    scored = _scored(asked, first, out=out)
    if baseline is None:
        return scored
    if Path(baseline).is_dir():
        other = load_run(baseline)
    else:
        # Two files of one name in two folders are told apart by their whole paths.
        name = str(baseline) if Path(first).name == Path(baseline).name else None
        other = _scored(asked, baseline, name=name).run
    return replace(scored, comparison=compare(scored.run, other, margin=margin))


def task_of_files(asked: Asked) -> Task:
    """The task of files that were scored before."""
    sheet = read_answers(asked.files[0], *asked.files[1:], by=asked.by)
    return scoring(sheet, asked.metrics, unit=asked.unit)


def _scored(asked: Asked, answers: str | Path, *, out: str | Path | None = None, name: str | None = None) -> Scored:
    sheet = read_answers(answers, *asked.files[1:], by=asked.by)
    task = scoring(sheet, asked.metrics, unit=asked.unit)
    model = recorded(sheet if name is None else replace(sheet, name=name))
    files = tuple(str(Path(file).absolute()) for file in (answers, *asked.files[1:]))
    request = Request(task=task.name, files=files, by=asked.by, unit=asked.unit)
    session = Session(How(batch=BATCH), request=request)
    run = evaluate(model, task, out=out, seed=asked.seed, speed=False, session=session)
    return Scored(run, sheet.rows, task.metrics)
