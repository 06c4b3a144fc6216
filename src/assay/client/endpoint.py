"""An OpenAI-compatible endpoint as a model: ``openai:MODEL@URL``.

It writes (``generate``, told the choices where there are some), weighs choices (``score``, by the letters of `assay.client.prompts`, at
most 26) and embeds texts. Each sample is a request of its own; many are under way at once. What a server does not give (a refusal, an
answer that was cut short or filtered) is a `Failure`, never an answer. After `BREAK` faults in a row without any answer, and at once when
the key is refused, the run stops: the faults since the last answer are then not kept, so that the same command asks those samples again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from assay import wire
from assay.client.address import Address, read_address
from assay.client.asking import Outcome, Read, Request, opened
from assay.client.crowd import Crowd, together
from assay.client.prompts import LETTERS, parts_of, weighed
from assay.client.settings import KEY_ENV, Settings
from assay.client.spend import Spend
from assay.types import Failure, FloatArray, Media, MediaError, ModelStoppedError, Sample, Verb

BREAK = 20
QUOTED = 120
LETTER_TOKENS = 16
"""Enough for a letter, or for the text of a choice."""

WITHHELD = {
    "truncated": "the answer was cut at the limit of tokens; raise --max-tokens. It begins",
    "filtered": "the server's filter took the answer; what is left",
    "refused": "the model refused",
}


def load_endpoint(spec: str, settings: Settings | None = None) -> Endpoint:
    """The endpoint behind ``openai:MODEL@URL``. `ValueError` for what is no such address, or a key that is not there."""
    asked = settings or Settings()
    return Endpoint(read_address(spec, asked.key_env), asked)


class Endpoint:
    """A model behind an OpenAI-compatible URL."""

    modalities = frozenset({"text", "image", "audio", "video"})

    def __init__(self, address: Address, settings: Settings) -> None:
        self.address, self.settings, self.name = address, settings, address.name
        self.spend = Spend(settings.price_in, settings.price_out)

    @property
    def fingerprint(self) -> str:
        """A hash of what decides the answers, as far as it can be told from outside."""
        decisive = (self.name, self.settings.temperature, self.settings.max_tokens, self.settings.prompt)
        return hashlib.sha256(json.dumps(decisive).encode()).hexdigest()

    def spent(self) -> Mapping[str, float]:
        """Requests, tokens and money since it was loaded."""
        return self.spend.as_json()

    def generate(self, samples: Sequence[Sample], modality: str = "text") -> list[str | Media | Failure]:
        """What it says of each sample, or a `Failure`."""
        return self.collected("generate", samples)

    def answer(self, samples: Sequence[Sample], choices: Sequence[str]) -> list[Any]:
        """What it says of each sample when it is told the choices, or a `Failure`."""
        return self.collected("generate", samples, choices=choices)

    def score(self, samples: Sequence[Sample], choices: Sequence[str]) -> Any:
        """Log-probabilities ``float32[n, k]``; a list with a `Failure` in the place of each row that there is none for."""
        return stacked(self.collected("score", samples, choices=choices))

    def embed(self, samples: Sequence[Sample], modality: str | None = None) -> Any:
        """Unit vectors ``float32[n, d]`` of the samples' texts; a list with a `Failure` in the place of each that there is none for."""
        return stacked(self.collected("embed", samples, modality=modality or "text"))

    def collected(self, verb: Verb, samples: Sequence[Sample], **asked: Any) -> list[Any]:
        """All answers in the order of the samples."""
        found = dict(one for one in self.stream(verb, samples, **asked) if one is not None)
        return [found[place] for place in range(len(samples))]

    def stream(
        self, verb: Verb, samples: Iterable[Sample], *, choices: Sequence[str] = (), modality: str | None = None
    ) -> Generator[tuple[int, Any] | None, None, None]:
        """As `assay.types.Streams` says. `ValueError` for more choices than letters, and for vectors of anything but texts."""
        if verb == "score" and not 2 <= len(choices) <= len(LETTERS):
            raise ValueError(
                f"{self.name} weighs 2 to {len(LETTERS)} choices, by their letters; got {len(choices)}."
                " The task classification takes any number: there it answers in words."
            )
        if verb == "embed" and modality != "text":
            raise ValueError(f"{self.name} gives vectors of texts only, not of {modality or 'several modalities'}.")
        requests = (self.request(verb, sample, tuple(choices)) for sample in samples)
        crowd = Crowd(self.settings.concurrency, partial(opened, self.settings, self.address, self.spend))
        with contextlib.closing(together(crowd, requests)) as came:
            yield from self.unbroken(came)

    def unbroken(self, came: Iterable[tuple[int, Outcome] | None]) -> Iterator[tuple[int, Any] | None]:
        """The answers, as long as the endpoint is there; faults are held back until it is known to be."""
        held: list[tuple[int, Outcome]] = []
        for one in came:
            if one is None:
                yield None
                continue
            fault = one[1].fault
            if fault is not None and fault.final:
                raise ModelStoppedError(f"{self.name}: {one[1].answer.message}. {self.hint()}")
            if fault is not None and fault.common:
                held.append(one)
                if len(held) >= BREAK:
                    raise ModelStoppedError(
                        f"{self.name}: {len(held)} samples in a row without an answer, the last: {one[1].answer.message}."
                    )
                continue
            yield from ((place, outcome.answer) for place, outcome in held)
            held = []
            yield one[0], one[1].answer
        yield from ((place, outcome.answer) for place, outcome in held)

    def hint(self) -> str:
        """What to do about a key that is refused."""
        name = self.settings.key_env or KEY_ENV
        return f"Check the key in {name}." if self.address.authorization else f"Put the key into {name}."

    def request(self, verb: Verb, sample: Sample, choices: tuple[str, ...]) -> Request | Failure:
        """What is asked about a sample; a `Failure` for one with a medium that cannot be sent."""
        settings, model = self.settings, self.address.model
        if verb == "embed":
            text = str(sample.inputs["text"])
            return Request(sample.id, wire.EMBEDDINGS, wire.Embedding(model, text).body(), read_vector)
        try:
            parts = parts_of(sample, settings.prompt, choices, letters=verb == "score")
        except MediaError as error:
            return Failure("media", str(error))
        if verb == "generate":
            chat = wire.Chat(model, parts, settings.temperature, settings.max_tokens)
            return Request(sample.id, wire.CHAT, chat.body(), read_text, renamed(chat))
        plain = wire.Chat(model, parts, settings.temperature, settings.max_tokens or LETTER_TOKENS)
        chat = replace(plain, top_logprobs=wire.MOST_LOGPROBS)
        instead = (*renamed(chat), ("logprob", plain.body()))
        return Request(sample.id, wire.CHAT, chat.body(), partial(read_weights, choices=choices), instead)


def renamed(chat: wire.Chat) -> tuple[tuple[str, bytes], ...]:
    """The request for a server that calls the limit of tokens otherwise."""
    if chat.max_tokens is None:
        return ()
    return ((wire.OTHER_LIMIT, replace(chat, limit=wire.OTHER_LIMIT).body()),)


def stacked(rows: list[Any]) -> FloatArray | list[Any]:
    """Rows as one array, unless a failure stands among them."""
    return rows if any(isinstance(row, Failure) for row in rows) else np.array(rows, np.float32)


def read_text(body: bytes) -> Read:
    """The words of a reply."""
    reply = wire.read_chat(body)
    return Read(withheld(reply) or reply.text, reply.usage)


def read_weights(body: bytes, *, choices: tuple[str, ...]) -> Read:
    """The log-probabilities of the choices in a reply. A letter is an answer also where more would have followed."""
    reply = wire.read_chat(body)
    kept = None if reply.withheld == "truncated" else withheld(reply)
    return Read(kept or weighed(reply, choices), reply.usage)


def read_vector(body: bytes) -> Read:
    """The unit vector in a reply."""
    values, usage = wire.read_embedding(body)
    vector = np.array(values, np.float64)
    length = float(np.linalg.norm(vector))
    if not (np.isfinite(length) and length > 0):
        return Read(Failure("not_finite", "the vector has no direction: it is zero, or not finite"), usage)
    return Read((vector / length).astype(np.float32), usage)


def withheld(reply: wire.Reply) -> Failure | None:
    """Why a reply is no whole answer, ``None`` for one that is."""
    if not reply.withheld:
        return None
    return Failure(reply.withheld, f"{WITHHELD[reply.withheld]}: {reply.text[:QUOTED]!r}")
