"""Asks a model that answers each sample for itself, many at once (`assay.types.Streams`), and commits the answers as they come.

Every sample is a batch of its own, so that an interruption loses no answer that was given. Answers are committed in groups of at most
`GROUP`, none of which waits longer than `LINGER_S` for company. What answering has cost is noted with each group.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from time import perf_counter
from typing import Any

from assay.evaluation.answers import Answer, UnusableAnswer, checked, describe
from assay.evaluation.deadline import told
from assay.evaluation.engine import Engine, as_row, show
from assay.evaluation.how import OnProgress
from assay.evaluation.plan import Batch
from assay.evaluation.store import SPENT, Row
from assay.table import Key
from assay.types import Failure, ModelStoppedError, Sample, Streams

GROUP = 100
LINGER_S = 0.05


@dataclass
class Arrivals:
    """The answers that have come and are not committed yet; how many were stored before and now, and how many of these are errors."""

    engine: Engine
    model: Streams
    on_progress: OnProgress | None
    before: Counter[str]
    done: int
    failed: int
    asked: int = 0
    rows: list[tuple[int, Row]] = field(default_factory=list)
    since: float = field(default_factory=perf_counter)

    def add(self, batch: Batch, answer: Answer) -> None:
        """Takes in the answer to the only sample of a batch."""
        sample = self.engine.plan.samples[int(batch.samples[0])]
        key = Key(sample.id, batch.asked.name, batch.asked.repeat)
        self.rows.append((batch.number, as_row(batch.first, key, answer)))

    def commit(self, *, now: bool = True) -> None:
        """Commits what has come, unless it is little and may wait (``now=False``), and tells about it."""
        seconds = perf_counter() - self.since
        if not self.rows or (not now and len(self.rows) < GROUP and seconds < LINGER_S):
            return
        store = self.engine.store
        store.commit_singles(self.rows, seconds=seconds, spent=total(self.before, self.model.spent()))
        self.failed += sum(row.payload is None for _, row in self.rows)
        self.asked, self.rows, self.since = self.asked + len(self.rows), [], perf_counter()
        self.tell()

    def tell(self) -> None:
        """Says how far it is."""
        if self.on_progress is not None:
            self.on_progress(self.done + self.asked, self.engine.plan.rows, self.failed)


def streamed(engine: Engine, model: Streams, on_progress: OnProgress | None = None) -> int:
    """Answers every batch that is not stored yet; how many rows it had to ask for.

    However it ends, what came before is committed. Raises `ValueError` when the model does not have the verb, `ModelStoppedError`
    when it will answer nothing any more.
    """
    store = engine.store
    committed = store.committed()
    missing = (batch for batch in engine.plan.batches() if batch.number not in committed)
    before = Counter(store.fact(SPENT) or {})
    arrivals = Arrivals(engine, model, on_progress, before, store.count(), store.count(errors=True))
    arrivals.tell()
    try:
        with told() as waiting:
            for modality, batches in groupby(missing, key=lambda batch: batch.asked.modality):
                waiting.now(f"the first answer of {model.name}")
                with contextlib.closing(arriving(engine, model, batches, modality)) as came:
                    for one in came:
                        if one is not None:
                            arrivals.add(*one)
                            waiting.now(f"the next answer of {model.name}")
                        arrivals.commit(now=False)
    except ModelStoppedError as error:
        arrivals.commit()
        left = engine.plan.rows - store.count()
        raise ModelStoppedError(
            f"{error} {left} of {engine.plan.rows} answers are still to be given; those that came are kept."
        ) from error
    finally:
        # An interruption may have come between a commit and its being noted.
        done = store.committed() if arrivals.rows else set()
        arrivals.rows = [one for one in arrivals.rows if one[0] not in done]
        arrivals.commit()
    return arrivals.asked


def arriving(
    engine: Engine, model: Streams, batches: Iterable[Batch], modality: str | None
) -> Generator[tuple[Batch, Answer] | None, None, None]:
    """Each batch with its answer, checked, in the order of arrival; ``None`` while there is nothing new."""
    handed: dict[int, Batch] = {}
    unable: list[tuple[Batch, Answer]] = []  # what needs no asking: known already, or not to be shown
    verb, width = engine.task.verb, engine.width()

    def feed() -> Iterator[Sample]:
        place = 0
        for batch in batches:
            sample = engine.plan.samples[int(batch.samples[0])]
            known = None if engine.known is None else engine.known(Key(sample.id, batch.asked.name, batch.asked.repeat))
            if known is not None:
                unable.append((batch, known))
                continue
            shown = show(sample, batch.asked, model.modalities, engine.seed, checked=engine.task.dataset.checked)
            if isinstance(shown, Failure):
                unable.append((batch, shown))
                continue
            handed[place] = batch
            place += 1
            yield shown

    with contextlib.closing(model.stream(verb, feed(), choices=engine.choices, modality=modality)) as came:
        for one in came:
            while unable:
                yield unable.pop()
            if one is None:
                yield None
                continue
            answer = single(one[1], width, verb)
            if verb == "embed" and width is None and not isinstance(answer, Failure | str):
                width = len(answer)
            yield handed.pop(one[0]), answer
    yield from unable


def single(came: Any, width: int | None, verb: str) -> Answer:
    """One answer, checked as those of a batch are."""
    try:
        return checked([came], 1, width, verb)[0]
    except UnusableAnswer as error:
        return Failure("unusable_answer", describe(error))


def total(before: Counter[str], spent: Any) -> dict[str, float]:
    """What was spent in earlier sessions and in this one.

    >>> total(Counter(requests=2), {"requests": 3, "cost": 0.5})
    {'cost': 0.5, 'requests': 5}
    """
    return {name: before.get(name, 0) + spent.get(name, 0) for name in sorted({*before, *spent})}
