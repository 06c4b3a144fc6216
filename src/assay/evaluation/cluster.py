"""Models as actors of a Ray cluster: the one that is running (``RAY_ADDRESS``), else one on this machine for as long as it is needed.

Actors only answer; keys, order, commits and exports are the driver's, so a run is the same to the byte as one that was answered
here, whatever dies on the way. Needs ``assay[ray]``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from assay.evaluation.answers import Answer, Question, describe
from assay.evaluation.asking import Answerer, Came, Limits, Work
from assay.evaluation.deadline import OutOfTime
from assay.evaluation.spread import WorkerDied, raise_as_told, spread
from assay.evaluation.workers import Load, reply
from assay.types import Model, ModelStoppedError, Sample


class Answering:
    """The actor: one model that answers."""

    def __init__(self, load: Load) -> None:
        self.model: Model = load()

    def fingerprint(self) -> str:
        """That of the model."""
        return self.model.fingerprint

    def ask(self, samples: list[Sample], question: Question, width: int | None) -> tuple[str, Any, str]:
        """`assay.evaluation.workers.reply`."""
        return reply(self.model, samples, question, width)


@dataclass
class Actor:
    """A worker that is a Ray actor (`assay.evaluation.spread.Worker`)."""

    ray: Any
    load: Load
    expected: str
    timeout_s: float | None = None
    ended: bool = False
    handle: Any = None

    def ask(self, samples: Sequence[Sample], question: Question, width: int | None) -> list[Answer]:
        """The answers, from an actor that is started if there is none. `OutOfTime` once it took too long, and it is killed."""
        handle = self.handle or self.start()
        try:
            told = self.ray.get(handle.ask.remote(list(samples), question, width), timeout=self.timeout_s)
        except self.ray.exceptions.GetTimeoutError:
            self.close()
            raise OutOfTime(f"no answer within {self.timeout_s:g} s") from None
        except (self.ray.exceptions.RayActorError, self.ray.exceptions.WorkerCrashedError) as error:
            self.close()
            raise WorkerDied("the Ray actor that answered ended") from error
        return raise_as_told(told)

    def start(self) -> Any:
        """An actor that has loaded the model. `ModelStoppedError` when it cannot, or when it is not the model that was planned with."""
        if self.ended:
            raise ModelStoppedError("the run has ended.")
        handle = self.ray.remote(num_cpus=1, max_restarts=0)(Answering).remote(self.load)
        try:
            found = self.ray.get(handle.fingerprint.remote())
        except self.ray.exceptions.ActorDiedError as error:
            if error.__cause__ is None and "creation" not in str(error):
                raise WorkerDied("the Ray actor ended while it loaded the model") from error
            raise ModelStoppedError(f"a Ray actor could not load the model: {describe(error)}") from error
        if found != self.expected:
            raise ModelStoppedError(
                "a Ray actor loaded another model than the one planned with: its machine holds another file."
            )
        self.handle = handle
        return handle

    def end(self) -> None:
        """Kills the actor, and starts no other."""
        self.ended = True
        self.close()

    def close(self) -> None:
        """Kills the actor."""
        handle, self.handle = self.handle, None
        if handle is not None and self.ray.is_initialized():
            self.ray.kill(handle)


def on_cluster(load: Load, fingerprint: str, count: int, limits: Limits) -> Answerer:
    """Answers by ``count`` actors."""
    import ray

    def answer(works: Iterable[Work]) -> Iterator[tuple[Work, Came]]:
        pending = iter(works)
        first = next(pending, None)
        if first is None:
            return
        own = not ray.is_initialized()
        if own:
            begin(ray, count)
        try:
            yield from spread(lambda: Actor(ray, load, fingerprint, limits.timeout_s), count, limits)(
                chain([first], pending)
            )
        finally:
            if own:
                ray.shutdown()

    return answer


def begin(ray: Any, count: int) -> None:
    """Joins the cluster of ``RAY_ADDRESS``, or starts one here with room for all actors."""
    quiet = {"include_dashboard": False, "log_to_driver": False, "logging_level": "ERROR"}
    if os.environ.get("RAY_ADDRESS"):
        ray.init(log_to_driver=False, logging_level="ERROR")
        return
    ray.init(address="local", num_cpus=max(count, os.cpu_count() or 1), **quiet)
