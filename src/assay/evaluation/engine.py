"""Runs a plan: asks the model batch by batch, and commits every batch to the journal, whole, before it is reported as done.

A batch that is already stored is not asked again. A sample that cannot be answered becomes a row with the error; only what is no
ordinary exception (Ctrl-C, `SystemExit`, a failing disk) ends the run, and then everything reported so far is safe in the journal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from assay.data.ahead import ahead
from assay.evaluation.answers import Answer, Question, describe, kind_of
from assay.evaluation.asking import Answerer, Came, Work
from assay.evaluation.conditions import left
from assay.evaluation.deadline import Waiting, told
from assay.evaluation.grouping import LINGER_S, Group
from assay.evaluation.how import OnProgress
from assay.evaluation.plan import Batch, Pass, Plan
from assay.evaluation.store import Row, Store
from assay.evaluation.task import Task
from assay.stats.streams import stream
from assay.table import Key
from assay.types import Failure, Model, Sample, unchanged

Known = Callable[[Key], Answer | None]


@dataclass(frozen=True)
class Engine:
    """All that is needed to fill a journal. ``known`` gives answers that need no asking: those of a run that this one forks from."""

    model: Model
    task: Task
    plan: Plan
    store: Store
    choices: tuple[str, ...]
    seed: int
    known: Known | None = None
    linger_s: float = LINGER_S

    def run(self, answerer: Answerer, on_progress: OnProgress | None = None) -> int:
        """Answers every batch that is not stored yet; how many rows it had to ask for."""
        committed = self.store.committed()
        planned, done, failed = self.plan.rows, self.store.count(), self.store.count(errors=True)
        before, tell = done, (lambda *numbers: None) if on_progress is None else on_progress
        tell(done, planned, failed)
        pending = (batch for batch in self.plan.batches() if batch.number not in committed)
        group = Group(self.store, 0.0 if self.store.path is None else self.linger_s)
        with told() as waiting:
            try:
                for work, came in answerer(map(partial(self.work, waiting, group), pending)):
                    failed += self.keep(group, work, came)
                    if group.due:
                        waiting.now(f"the disk to keep {len(group.rows)} answers")
                        done += group.commit()
                        tell(done, planned, failed)
                    waiting.now("the next batch")
            finally:
                # What was answered is kept, whatever ended the run.
                if group.rows:
                    done += group.commit()
                    tell(done, planned, failed)
        return done - before

    def work(self, waiting: Waiting, group: Group, batch: Batch) -> Work:
        """What is to be asked in a batch: the samples as the model sees them, without those that are known or cannot be shown."""
        waiting.now(f"the samples of batch {batch.number}")
        known: dict[int, Answer] = {}
        shown: list[Sample] = []
        wanted = (
            {batch.asked.modality} if batch.asked.modality else left(batch.asked.condition.name, self.model.modalities)
        )
        samples = [self.plan.samples[index] for index in batch.samples.tolist()]
        for index, sample in zip(batch.samples.tolist(), ahead(samples, wanted), strict=True):
            found = None if self.known is None else self.known(Key(sample.id, batch.asked.name, batch.asked.repeat))
            if found is not None:
                known[index] = found
                continue
            prepared = show(sample, batch.asked, self.model.modalities, self.seed, checked=self.task.dataset.checked)
            if isinstance(prepared, Failure):
                known[index] = prepared
            else:
                shown.append(prepared)
        waiting.now(f"{self.model.name} to answer {len(shown)} samples (batch {batch.number}, {batch.asked.name})")
        question = Question(self.task.verb, batch.asked.modality, self.choices)
        return Work(batch, shown, known, question, self.width(group))

    def keep(self, group: Group, work: Work, came: Came) -> int:
        """Puts what came back for a batch with what is to be committed; how many of its samples failed."""
        batch, found = work.batch, iter(of_one_length(came.found, self.width(group)))
        rows = []
        for place, index in enumerate(batch.samples.tolist()):
            key = Key(self.plan.samples[index].id, batch.asked.name, batch.asked.repeat)
            answer = work.known[index] if index in work.known else next(found)
            rows.append(as_row(batch.first + place, key, answer))
        group.add(batch.number, rows, seconds=came.seconds, splits=came.splits)
        return sum(row.payload is None for row in rows)

    def width(self, group: Group | None = None) -> int | None:
        """How long a vector must be: as many as there are choices, or as the first embedding that is stored (or waits to be)."""
        if self.task.verb == "embed":
            return self.store.width() or (None if group is None else group.width)
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


def of_one_length(found: list[Answer], width: int | None = None) -> list[Answer]:
    """The answers with those vectors marked as failures that are not of the width, else not as long as the first one (a batch asked
    one by one can differ, and so can several workers)."""
    if width is None:
        width = next((len(answer) for answer in found if isinstance(answer, np.ndarray)), 0)
    return [
        answer
        if not isinstance(answer, np.ndarray) or len(answer) == width
        else Failure("unusable_answer", f"an answer of {len(answer)} values among answers of {width}")
        for answer in found
    ]
