"""Runs a plan: asks the model batch by batch, and commits every batch to the journal before it is reported as done.

A batch that is already stored is not asked again. A sample that cannot be answered becomes a row with the error; only what is no
ordinary exception (Ctrl-C, `SystemExit`, a failing disk) ends the run, and then everything reported so far is safe in the journal.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import Protocol

import numpy as np

from assay.evaluation.answers import Answer, Question, answers, asker, describe, kind_of
from assay.evaluation.plan import Batch, Pass, Plan
from assay.evaluation.store import Row, Store
from assay.evaluation.task import Task
from assay.stats.streams import stream
from assay.table import Key
from assay.types import Failure, Model, Sample, unchanged


class OnProgress(Protocol):
    """Told after each committed batch; what it is told survives a crash."""

    def __call__(self, done: int, planned: int, failed: int, /) -> None:
        """``done`` of ``planned`` answers are stored, ``failed`` of them are errors."""


@dataclass(frozen=True)
class Engine:
    """All that is needed to answer a batch."""

    model: Model
    task: Task
    plan: Plan
    store: Store
    choices: tuple[str, ...]
    seed: int

    def run(self, on_progress: OnProgress | None = None) -> int:
        """Answers every batch that is not stored yet; how many rows it had to ask for."""
        committed = self.store.committed()
        asked, failed, planned = 0, self.store.count(errors=True), self.plan.rows
        done = self.store.count()
        if on_progress is not None:
            on_progress(done, planned, failed)
        for batch in self.plan.batches():
            if batch.number in committed:
                continue
            failed += self.answer(batch)
            asked += len(batch.samples)
            if on_progress is not None:
                on_progress(done + asked, planned, failed)
        return asked

    def answer(self, batch: Batch) -> int:
        """Asks for one batch and commits it; how many of its samples failed."""
        outcomes: dict[int, Answer] = {}
        shown: list[Sample] = []
        for index in batch.samples.tolist():
            prepared = show(
                self.plan.samples[index],
                batch.asked,
                self.model.modalities,
                self.seed,
                checked=self.task.dataset.checked,
            )
            if isinstance(prepared, Failure):
                outcomes[index] = prepared
            else:
                shown.append(prepared)
        splits: list[int] = []
        ask = asker(self.model, self.question(batch.asked), self.width())
        start = perf_counter()
        came = iter(of_one_length(answers(ask, shown, splits)) if shown else [])
        seconds = perf_counter() - start
        rows = []
        for place, index in enumerate(batch.samples.tolist()):
            key = Key(self.plan.samples[index].id, batch.asked.name, batch.asked.repeat)
            rows.append(as_row(batch.first + place, key, outcomes[index] if index in outcomes else next(came)))
        self.store.commit(batch.number, rows, seconds=seconds, splits=splits)
        return sum(row.payload is None for row in rows)

    def question(self, asked: Pass) -> Question:
        """What the samples of a pass are asked."""
        return Question(self.task.verb, asked.modality, self.choices)

    def width(self) -> int | None:
        """How long a vector must be: as many as there are choices, or as the first embedding that is stored."""
        if self.task.verb == "embed":
            return self.store.width()
        return len(self.choices) if self.task.verb == "score" else None


def show(
    sample: Sample, asked: Pass, modalities: frozenset[str], seed: int, *, checked: bool = True
) -> Sample | Failure:
    """The sample as the model sees it in a pass: transformed, without target, and with nothing that the model does not take.

    Media that are not known to be whole (``checked``) are opened: a model that never looks would answer for a broken picture too.
    """
    transform = asked.condition.transform
    try:
        # Each sample has a generator of its own, so that what it shows depends on no other sample; making one takes time.
        changed = sample
        if transform is not unchanged:
            changed = transform(sample, stream(seed, "condition", asked.condition.name, str(asked.repeat), sample.id))
        wanted = modalities if asked.modality is None else {asked.modality}
        inputs = {name: value for name, value in changed.inputs.items() if name in wanted}
        for value in () if checked else inputs.values():
            if not isinstance(value, str):
                value.load()
    except Exception as error:
        return Failure(kind_of(error), describe(error))
    if not inputs:
        return Failure("nothing_left", f"under {asked.name} no input is left that the model takes")
    # A mapping of its own, so that a model that changes its inputs changes nobody else's.
    return Sample(sample.id, inputs)


def as_row(sequence: int, key: Key, answer: Answer) -> Row:
    """An answer or a failure as it is stored."""
    if isinstance(answer, Failure):
        return Row(sequence, key, None, answer.kind, answer.message)
    if isinstance(answer, str):
        return Row(sequence, key, answer.encode("utf-8"))
    return Row(sequence, key, np.ascontiguousarray(answer, dtype="<f4").tobytes())


def of_one_length(found: list[Answer]) -> list[Answer]:
    """The answers with those vectors marked as failures that are not as long as the first one (a batch asked one by one can differ)."""
    width = next((len(answer) for answer in found if isinstance(answer, np.ndarray)), 0)
    return [
        answer
        if not isinstance(answer, np.ndarray) or len(answer) == width
        else Failure("unusable_answer", f"an answer of {len(answer)} values among answers of {width}")
        for answer in found
    ]
