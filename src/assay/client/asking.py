"""One sample's whole way: memory first, then attempts until there is an answer, a failure that no attempt will mend, or no time left."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from assay import wire
from assay.client import pools
from assay.client.address import Address
from assay.client.memory import Cache, Recorder, Replay, address_of, cache_in
from assay.client.pools import Lost, Pools, Received
from assay.client.retry import Fault, Gate, backoff_s, fault_of, time_of_day
from assay.client.settings import Settings
from assay.client.spend import Spend
from assay.stats.streams import stream
from assay.types import Failure

AWAY = ("rate_limited", "server_error", "connection")
"""Faults after which every sample waits, not only the one that met it."""


@dataclass(frozen=True, slots=True)
class Read:
    """What was read from a reply: the answer or why it is none, and what it was charged."""

    answer: Any
    usage: wire.Usage


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked about one sample. ``instead`` are bodies that ask the same in other words, each for a server whose refusal holds a
    word: ``max_completion_tokens`` is what some call ``max_tokens``, and not all know ``logprobs``."""

    sample: str
    path: str
    body: bytes
    read: Callable[[bytes], Read]
    instead: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """A sample's answer, or its failure; and if it was a fault of the endpoint's, which."""

    answer: Any
    fault: Fault | None = None


@dataclass(frozen=True)
class Memory:
    """Where answers are looked for and kept."""

    replay: Replay | None
    recorder: Recorder | None
    cache: Cache | None

    def find(self, address: str) -> Received | None:
        """The reply that is there already, ``None`` if there is none."""
        if self.replay is not None:
            return self.replay.find(address)
        return None if self.cache is None else self.cache.find(address)


@contextlib.contextmanager
def remembered(settings: Settings, address: Address) -> Any:
    """The memory that the settings ask for."""
    recorder = None if settings.record is None else Recorder(Path(settings.record))
    try:
        yield Memory(
            None if settings.replay is None else Replay(Path(settings.replay)),
            recorder,
            None if settings.cache is None else cache_in(settings.cache, address.url),
        )
    finally:
        if recorder is not None:
            recorder.close()


class Asking:
    """Asks for samples; lives in one event loop."""

    def __init__(self, settings: Settings, address: Address, spend: Spend, memory: Memory, connections: Pools) -> None:
        self.settings, self.address, self.spend, self.memory, self.pools = settings, address, spend, memory, connections
        # Each endpoint has its own, so that two of them do not come back at the same moment.
        self.rng = stream(0, "waits", address.name)
        self.learned: set[str] = set()
        self.gate = Gate(settings.concurrency, address.name, self.rng)

    async def ask(self, worker: int, request: Request | Failure) -> Outcome:
        """What becomes of a sample; one that could not be put into a request has failed already."""
        if isinstance(request, Failure):
            return Outcome(request)
        place = address_of(request.path, request.body)
        known = self.memory.find(place)
        recalled = None if known is None else self.recalled(known, request, place)
        if recalled is not None:
            return recalled
        if self.memory.replay is not None:
            told = f"the request of sample {request.sample!r} is not in the cassette {self.memory.replay.path}: record it again"
            return Outcome(Failure("not_recorded", told))
        return await self.attempts(worker, request, place)

    def recalled(self, known: Received, request: Request, place: str) -> Outcome | None:
        """The outcome of a reply that was there already; ``None`` for a kept file that a power cut has left without its content."""
        if known.status != 200:
            fault = fault_of(known.status, known.headers, known.body, now=time_of_day())
            self.spend.known()
            return Outcome(self.after_all(fault), replace(fault, common=False))
        try:
            answer = request.read(known.body).answer
        except wire.Malformed as error:
            if self.memory.replay is None:
                return None
            return Outcome(Failure("broken_reply", f"what was recorded of it cannot be read: {error}"))
        self.spend.known()
        if self.memory.recorder is not None:
            self.memory.recorder.add(place, request.sample, known)
        return Outcome(answer)

    async def attempts(self, worker: int, request: Request, place: str) -> Outcome:
        """Asks until something is decided; never longer than the deadline, never more often than the settings say."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self.settings.deadline
        request = self.as_learned(request)
        fault: Fault | None = None
        for number in range(self.settings.attempts):
            if not await self.gate.enter(until):
                waited = Fault(Failure("deadline", self.gate.reason or "others were asked all the time"))
                return late(fault or waited, self.settings.deadline)
            try:
                came = await self.attempt(worker, request, number, place, until)
            finally:
                self.gate.leave()
            if isinstance(came, Outcome):
                self.gate.succeeded()
                return came
            fault, reply = came
            if fault.failure.kind == "rejected" and (other := self.in_other_words(request, fault.failure.message)):
                request = other
                continue
            if not fault.again or number + 1 == self.settings.attempts:
                # What has decided a sample is recorded, a refusal too; a refused key has not decided anything.
                if reply is not None and not fault.final and self.memory.recorder is not None:
                    self.memory.recorder.add(place, request.sample, reply)
                break
            wait = backoff_s(number, fault.wait_s, self.rng)
            if fault.failure.kind in AWAY:
                self.gate.busy(wait, fault.failure.message)
            if loop.time() + wait > until:
                return late(fault, self.settings.deadline)
            if fault.failure.kind not in AWAY:
                await asyncio.sleep(wait)
        assert fault is not None, "there is at least one attempt"
        return Outcome(self.after_all(fault), fault)

    def after_all(self, fault: Fault) -> Failure:
        """The failure that a fault is once nothing more is tried."""
        tried = f" ({self.settings.attempts} attempts)" if fault.again else ""
        return Failure(fault.failure.kind, fault.failure.message + tried)

    def as_learned(self, request: Request) -> Request:
        """The request in the words that this server is known to want."""
        for word, body in request.instead:
            if word in self.learned:
                request = replace(request, body=body)
        return request

    def in_other_words(self, request: Request, said: str) -> Request | None:
        """The request without what the server says that it does not know, ``None`` where that was not it."""
        word, body = next(((word, body) for word, body in request.instead if word in said), ("", request.body))
        self.learned |= {word} if word else set()
        return None if body == request.body else replace(request, body=body)

    async def attempt(
        self, worker: int, request: Request, number: int, place: str, until: float
    ) -> Outcome | tuple[Fault, Received | None]:
        """Asks once: the outcome, or a fault and the reply that it was, if there was one."""
        self.spend.attempt(number)
        limit = min(self.settings.attempt_s, until - asyncio.get_running_loop().time())
        try:
            async with asyncio.timeout(limit):
                reply = await self.pools.send(worker, request.path, request.body)
        except TimeoutError:
            return Fault(Failure("timeout", f"no whole reply within {limit:.3g} s"), again=True), None
        except Lost as lost:
            return Fault(Failure(lost.kind, str(lost)), again=lost.kind != "too_large"), None
        if not 200 <= reply.status < 300:
            return fault_of(reply.status, reply.headers, reply.body, now=time_of_day()), reply
        try:
            read = request.read(reply.body)
        except wire.Malformed as error:
            self.spend.reply(error.usage)
            return Fault(Failure("broken_reply", f"the reply cannot be read: {error}"), again=True), None
        self.spend.reply(read.usage)
        kept = Received(200, {}, reply.body)
        if self.memory.recorder is not None:
            self.memory.recorder.add(place, request.sample, kept)
        if self.memory.cache is not None and not isinstance(read.answer, Failure):
            self.memory.cache.keep(place, kept)
        return Outcome(read.answer)


def late(fault: Fault, deadline: float) -> Outcome:
    """The outcome of a sample whose time is over, or would be before it may be asked again."""
    failure = Failure(fault.failure.kind, f"{fault.failure.message}; no answer within the deadline of {deadline:g} s")
    return Outcome(failure, fault)


@contextlib.asynccontextmanager
async def opened(
    settings: Settings, address: Address, spend: Spend
) -> AsyncIterator[Callable[[int, Request | Failure], Any]]:
    """The function that asks, with its connections and its memory."""
    connections = 0 if settings.replay is not None else settings.concurrency
    with remembered(settings, address) as memory:
        async with pools.opened(address, connections) as those:
            yield Asking(settings, address, spend, memory, those).ask
