"""Answers that were written down elsewhere: a file's predictions as a model that says them again, and the task to score them.

So a file is kept, measured, compared and reported as any run is. An answer is kept as the text that it is, or as JSON
where it is something else (numbers, labels, boxes). A row whose answer is missing is planned and failed: it leaves the
figures and is counted, and the run is incomplete.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay import metrics
from assay.catalog import nearest
from assay.data.dataset import Dataset
from assay.data.readers.sheet import Row, Sheet
from assay.evaluation.answers import Unanswered
from assay.evaluation.plan import Pass
from assay.evaluation.task import Task, named_metrics
from assay.evaluation.tasks.family import Family, joined, measured
from assay.metrics.metric import Metric, Rows
from assay.metrics.recorded import PREFIX
from assay.metrics.texts import reference_counts
from assay.table import KEY, Table
from assay.types import CLEAN, Model, Sample

FAMILIES = ("recorded", "texts", "labels", "label_sets", "scores", "choices", "yes_no", "numbers", "boxes")
"""What the rows of a file can be measured as."""

COMPANIONS = {"choices": "choice_unparsed", "yes_no": "yes_no_unparsed"}


@dataclass(frozen=True)
class Recorded:
    """A model that says what a file says. It is `assay.types.Generates`."""

    name: str
    fingerprint: str
    answers: Mapping[str, Row] = field(repr=False)
    modalities: frozenset[str] = frozenset({"text"})

    def generate(self, samples: Sequence[Sample], modality: str = "text") -> list[str]:
        """The recorded answers; the reason of the first that is missing is raised."""
        return [said(self.answers[sample.id]) for sample in samples]


def said(row: Row) -> str:
    """An answer as it is kept."""
    if row.prediction is None:
        raise Unanswered(row.error)
    return row.prediction if isinstance(row.prediction, str) else json.dumps(row.prediction, ensure_ascii=False)


def recorded(sheet: Sheet) -> Recorded:
    """The model that says what is written in a file."""
    return Recorded(sheet.name, sheet.answered, {row.id: row for row in sheet.rows})


def scoring(sheet: Sheet, names: Sequence[str] = (), *, unit: str | None = None) -> Task:
    """The task of comparing a file's answers with its references. `ValueError` for a metric that needs something else."""
    samples = [
        Sample(row.id, {"text": row.groups.get("question", "")}, row, tuple(map(text_of, row.references)), row.groups)
        for row in sheet.rows
    ]
    chosen = with_unparsed(named_metrics(tuple(dict.fromkeys(names or sheet.metrics))))
    for metric in chosen:
        if metric.family not in FAMILIES:
            raise ValueError(
                f"{metric.name} measures {metric.family}, which a file of answers does not hold: {others(chosen)}"
            )
    if unit is not None and unit != "sample" and not any(unit in row.groups for row in sheet.rows):
        held = {name: None for row in sheet.rows for name in row.groups}
        raise ValueError(f"no row has a field {unit!r} to resample by: {nearest(unit, held)}")
    data = Dataset(sheet.data, samples, sheet.asked, slices=sheet.slices)
    return Task("score", data, "read", tuple(map(signed(sheet), chosen)), unit=sheet.unit if unit is None else unit)


def with_unparsed(chosen: Sequence[Metric]) -> tuple[Metric, ...]:
    """Metrics that read an answer out of a text bring along the share of texts that they could not read."""
    more = [COMPANIONS[metric.family] for metric in chosen if metric.family in COMPANIONS and ":" not in metric.name]
    return (*chosen, *named_metrics([name for name in dict.fromkeys(more) if name not in {one.name for one in chosen}]))


def others(chosen: Sequence[Metric]) -> str:
    """What to do for a metric that is none of a file's."""
    wanted = {metric.family for metric in chosen}
    if wanted & {"ranking", "directions"}:
        return "give embeddings to assay.metrics.retrieval."
    return f"a file can be measured as {', '.join(FAMILIES)}."


def signed(sheet: Sheet) -> Callable[[Metric], Metric]:
    """Adds to metrics of texts how many references a row has."""
    counts = reference_counts([row.references for row in sheet.rows])

    def sign(metric: Metric) -> Metric:
        if metric.family == "recorded":
            return within(metric, [row.scores.get(metric.name.removeprefix(PREFIX)) for row in sheet.rows])
        return metric.signed(counts) if metric.family == "texts" else metric

    return sign


def within(metric: Metric, values: Sequence[float | None]) -> Metric:
    """A recorded figure that is never outside 0 and 1 is a share; one that is nothing else is a proportion."""
    there = [value for value in values if value is not None]
    if not there or min(there) < 0 or max(there) > 1:
        return metric
    return replace(metric, bounds=(0.0, 1.0), interval="wilson" if set(there) <= {0.0, 1.0} else metric.interval)


def passes(task: Task, modalities: frozenset[str]) -> list[Pass]:
    """Every row once."""
    return [Pass(CLEAN.name, CLEAN, np.arange(len(task.dataset.samples), dtype=np.intp))]


def no_choices(task: Task, model: Model) -> tuple[str, ...]:
    """A file is given nothing to choose from."""
    return ()


def measure(task: Task, parts: Sequence[tuple[Pass, Table]]) -> Table:
    """A row for each row of the file."""
    return joined([measure_pass(task, answers) for _, answers in parts])


def measure_pass(task: Task, answers: Table) -> Table:
    """What was expected first, what came, and what the metrics measure, over all rows: a corpus is all of its references."""
    samples = task.dataset.samples
    missing = answers["error_kind"] != ""
    came = [None if lost else str(text) for text, lost in zip(answers["answer"], missing.tolist(), strict=True)]
    shown: dict[str, Any] = {name: answers[name] for name in KEY}
    shown["true"] = objects([sample.references[0] if sample.references else "" for sample in samples])
    shown["predicted"] = objects([str(text) for text in answers["answer"]])
    rows = {
        name: column[~missing] for name, column in rows_of(task, came, [sample.target for sample in samples]).items()
    }
    return measured(task, samples, missing, shown, rows)


def objects(values: Sequence[str]) -> NDArray[Any]:
    """Texts of any length."""
    return np.array([*values, None], dtype=object)[:-1]


def rows_of(task: Task, came: Sequence[str | None], rows: Sequence[Row]) -> dict[str, NDArray[Any]]:
    """The columns ``[n]`` of all metrics; those of a row without an answer mean nothing."""
    out: dict[str, NDArray[Any]] = {}
    for family, read in READERS.items():
        chosen = [metric for metric in task.metrics if metric.family == family]
        if chosen:
            try:
                out.update(read(chosen, came, rows))
            except ValueError as error:
                names = ", ".join(metric.name for metric in chosen)
                raise ValueError(f"{names}: {located(str(error), rows)}") from error
    return out


def located(message: str, rows: Sequence[Row]) -> str:
    """A message that names a row by its number, with the row's id."""
    head, _, rest = message.partition("row ")
    number = rest[: len(rest) - len(rest.lstrip("0123456789"))]
    if number and int(number) < len(rows):
        return f"{head}row {number} (id {rows[int(number)].id!r}){rest[len(number) :]}"
    return message


def text_of(value: Any) -> str:
    """A reference as a text: itself, or JSON.

    >>> text_of("a cat"), text_of(3), text_of(True)
    ('a cat', '3', 'true')
    """
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def texts(chosen: Sequence[Metric], came: Sequence[str | None], rows: Sequence[Row]) -> Rows:
    """Texts against all references."""
    return metrics.measure(chosen, list(came), [list(map(text_of, row.references)) for row in rows])


def recorded_scores(chosen: Sequence[Metric], came: Sequence[str | None], rows: Sequence[Row]) -> Rows:
    """The figures that the rows hold already."""
    out: dict[str, NDArray[Any]] = {}
    for metric in chosen:
        out.update(metric.measure([row.scores.get(metric.name.removeprefix(PREFIX)) for row in rows]))
    return out


def choices(chosen: Sequence[Metric], came: Sequence[str | None], rows: Sequence[Row]) -> Rows:
    """Letters of options, whose texts the rows may hold."""
    from assay.metrics.choice import measure_choices
    from assay.metrics.texts import paired_texts

    options = [row.options for row in rows] if all(row.options for row in rows) else None
    return measure_choices(paired_texts(list(came), [text_of(row.references[0]) for row in rows]), options)


def labels(chosen: Sequence[Metric], came: Sequence[str | None], rows: Sequence[Row]) -> Rows:
    """Labels, coded so that every file with the same references has the same codes: an answer that is no true label is its own class."""
    true = [text_of(row.references[0]) for row in rows]
    known = sorted(set(true))
    found = dict(metrics.measure(chosen, list(came), true, known))
    code = {label: place for place, label in enumerate(known)}
    given = [code.get(text, len(known) + zlib.crc32(text.encode())) if text is not None else -1 for text in came]
    found["predicted"] = np.array(given, dtype=np.int64)
    found["unparsed"] = np.zeros(len(rows))
    return found


def label_sets(chosen: Sequence[Metric], came: Sequence[str | None], rows: Sequence[Row]) -> Rows:
    """Lists of labels against lists of labels."""
    return metrics.measure(
        chosen,
        [several(text, row) for text, row in zip(came, rows, strict=True)],
        [list(row.references) for row in rows],
    )


def several(text: str | None, row: Row) -> list[Any]:
    """The labels of an answer; of a missing one none, which says nothing."""
    value = [] if text is None else _json(text, row)
    if not isinstance(value, list):
        raise ValueError(f"id {row.id!r}: a list of labels was expected, not {value!r:.60}")
    return value


def scores(chosen: Sequence[Metric], came: Sequence[str | None], rows: Sequence[Row]) -> Rows:
    """Scores of classes (or one score, of the positive class) against the true class."""
    there = [place for place, text in enumerate(came) if text is not None]
    found = [_json(came[place], rows[place]) for place in there]
    lengths = {len(one) if isinstance(one, list) else 0 for one in found}
    if len(lengths) > 1:
        raise ValueError(f"as many scores in every row were expected, not {sorted(lengths)}")
    true = [rows[place].references[0] for place in there]
    return spread(metrics.measure(chosen, found, true), there, len(rows))


def numbers(chosen: Sequence[Metric], came: Sequence[str | None], rows: Sequence[Row]) -> Rows:
    """Numbers against numbers."""
    given = [None if text is None else _number(text, row) for text, row in zip(came, rows, strict=True)]
    return metrics.measure(chosen, given, [_number(text_of(row.references[0]), row) for row in rows])


def boxes(chosen: Sequence[Metric], came: Sequence[str | None], rows: Sequence[Row]) -> Rows:
    """Boxes of each image against the true ones."""
    given = [None if text is None else _json(text, row) for text, row in zip(came, rows, strict=True)]
    return metrics.measure(chosen, given, [row.references[0] for row in rows])


READERS: Mapping[str, Callable[[Sequence[Metric], Sequence[str | None], Sequence[Row]], Rows]] = {
    "recorded": recorded_scores,
    "texts": texts,
    "labels": labels,
    "label_sets": label_sets,
    "scores": scores,
    "choices": choices,
    "yes_no": texts,
    "numbers": numbers,
    "boxes": boxes,
}


def spread(found: Rows, there: Sequence[int], n: int) -> Rows:
    """Columns of the rows that are there over all ``n``."""
    out = {}
    for name, column in found.items():
        out[name] = np.zeros((n, *column.shape[1:]), dtype=column.dtype)
        out[name][list(there)] = column
    return out


def _json(text: str | None, row: Row) -> Any:
    try:
        return json.loads(text or "null")
    except (json.JSONDecodeError, RecursionError):
        raise ValueError(
            f"id {row.id!r}: numbers, a list or an object were expected, not the text {text!r:.60}"
        ) from None


def _number(text: str, row: Row) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"id {row.id!r}: a number was expected, not {text!r:.60}") from None


FAMILY = Family(passes, no_choices, measure)
