"""How an evaluation is carried out: what part, how often, in which batches, by whom, for how long."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

BATCH = 64


class OnProgress(Protocol):
    """Told after each committed batch; what it is told survives a crash."""

    def __call__(self, done: int, planned: int, failed: int, /) -> None:
        """``done`` of ``planned`` answers are stored, ``failed`` of them are errors."""


@dataclass(frozen=True)
class Shard:
    """One of ``of`` parts of a plan, counted from 1."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    @staticmethod
    def read(text: str) -> Shard:
        """A shard from ``2/4``.

        >>> Shard.read("2/4").of
        4
        """
        found = re.fullmatch(r"([1-9]\d*)/([1-9]\d*)", text)
        if found is None or int(found[1]) > int(found[2]):
            raise ValueError(f"a shard is written as NUMBER/OF, 1/4 to 4/4 for four of them, not {text!r}.")
        return Shard(int(found[1]), int(found[2]))


@dataclass(frozen=True)
class How:
    """``seed`` is that of the resampling, of random conditions and of the choice of samples. ``sample`` takes that many samples by
    chance (the same ones whatever their order); ``repeats`` asks each so often; ``shard`` answers one part of the plan, to be
    merged with the others.

    ``fork``: where the folder holds a run of another configuration, the run goes on in a new folder beside it, with the
    answers that the change leaves as they are. ``retry_failed`` asks again what failed in an earlier session. ``timeout_s`` is the
    longest that one call of the model may take, ``attempts`` how often a sample that fails is asked. ``workers`` processes load the
    model and answer, or ``engine="ray"`` actors of a Ray cluster.
    """

    seed: int = 0
    sample: int | None = None
    repeats: int = 1
    shard: Shard | None = None
    fork: bool = False
    retry_failed: bool = False
    batch: int = BATCH
    timeout_s: float | None = None
    attempts: int = 1
    workers: int = 0
    engine: str = "local"

    def __post_init__(self) -> None:
        for name, value, least in (
            ("repeats", self.repeats, 1),
            ("batch", self.batch, 1),
            ("attempts", self.attempts, 1),
            ("workers", self.workers, 0),
        ):
            if value < least:
                raise ValueError(f"{name} must be at least {least}, got {value}.")
        if self.timeout_s is not None and not self.timeout_s > 0:
            raise ValueError(f"timeout must be more than 0 seconds, got {self.timeout_s}.")
        if self.engine not in ("local", "ray"):
            raise ValueError(f"unknown engine {self.engine!r}: there is local and ray.")
