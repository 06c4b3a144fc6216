"""The OpenAI-compatible schema, once: what is put into a request, what is read from a reply. Bytes on one side, plain values on the other.

A request of chat completions holds one user message of parts: text, pictures as data URIs (``image_url``), sounds in base64
(``input_audio``, WAV or MP3). Replies are read strictly: what is no JSON, has a key twice, a number that is none, or no choice in it is
`Malformed`; a reply that ended before its end, was filtered or is a refusal says so in ``Reply.withheld``.

Source: the OpenAI API reference (chat completions, embeddings), as vLLM, llama.cpp and Transformers serve it.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

CHAT, EMBEDDINGS = "/chat/completions", "/embeddings"
MOST_LOGPROBS = 20
OTHER_LIMIT = "max_completion_tokens"
HALF_CHARACTER = re.compile("[\ud800-\udfff]")
SAID = 300
"""Characters of a server's own message that are kept."""

WITHHELD = {"length": "truncated", "content_filter": "filtered"}
NO_ANSWER = ("tool_calls", "function_call")


@dataclass(frozen=True, slots=True)
class Usage:
    """How many tokens a reply was charged for; ``None`` where the server does not say, or says what cannot be."""

    input: int | None = None
    output: int | None = None


class Malformed(ValueError):
    """A reply that cannot be read as what was asked for; ``usage`` is what it was charged all the same."""

    def __init__(self, message: str, usage: Usage = Usage()) -> None:
        super().__init__(message)
        self.usage = usage


@dataclass(frozen=True, slots=True)
class Text:
    """A part that is words."""

    text: str

    def as_json(self) -> dict[str, Any]:
        """The part as the schema has it; half a character (a lone surrogate) becomes U+FFFD."""
        return {"type": "text", "text": HALF_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", self.text)}


@dataclass(frozen=True, slots=True)
class Picture:
    """A part that is a picture: the bytes of a file and its MIME type."""

    data: bytes
    mime: str

    def as_json(self) -> dict[str, Any]:
        """The part as the schema has it."""
        return {"type": "image_url", "image_url": {"url": f"data:{self.mime};base64,{encoded(self.data)}"}}


@dataclass(frozen=True, slots=True)
class Sound:
    """A part that is a sound: the bytes of a file, ``wav`` or ``mp3``."""

    data: bytes
    format: str

    def as_json(self) -> dict[str, Any]:
        """The part as the schema has it."""
        return {"type": "input_audio", "input_audio": {"data": encoded(self.data), "format": self.format}}


Part = Text | Picture | Sound


def encoded(data: bytes) -> str:
    """Base64 as text."""
    return base64.b64encode(data).decode("ascii")


@dataclass(frozen=True, slots=True)
class Chat:
    """A request for one answer. ``top_logprobs`` asks for the likeliest tokens at each place; ``None`` leaves a choice to the server;
    ``limit`` is what ``max_tokens`` is called."""

    model: str
    parts: tuple[Part, ...]
    temperature: float | None = 0.0
    max_tokens: int | None = None
    top_logprobs: int = 0
    limit: str = "max_tokens"

    def body(self) -> bytes:
        """The exact bytes of the request: the same for the same request, so that they can be its address.

        >>> Chat("m", (Text("hi"),)).body()
        b'{"messages":[{"content":"hi","role":"user"}],"model":"m","temperature":0.0}'
        """
        only = self.parts[0] if len(self.parts) == 1 else None
        # Servers of text alone know no list of parts.
        content = only.as_json()["text"] if isinstance(only, Text) else [part.as_json() for part in self.parts]
        values: dict[str, Any] = {"model": self.model, "messages": [{"role": "user", "content": content}]}
        if self.temperature is not None:
            values["temperature"] = self.temperature
        if self.max_tokens is not None:
            values[self.limit] = self.max_tokens
        if self.top_logprobs:
            values |= {"logprobs": True, "top_logprobs": min(self.top_logprobs, MOST_LOGPROBS)}
        return canonical(values)


@dataclass(frozen=True, slots=True)
class Embedding:
    """A request for the vector of one text."""

    model: str
    text: str

    def body(self) -> bytes:
        """The exact bytes of the request."""
        text = HALF_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", self.text)
        return canonical({"model": self.model, "input": [text], "encoding_format": "float"})


def canonical(values: Mapping[str, Any]) -> bytes:
    """JSON with its keys in order and no space, in ASCII."""
    return json.dumps(values, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. ``withheld`` is empty, or why this is no whole answer: ``truncated``, ``filtered``, ``refused``.

    ``first`` are the likeliest first tokens with their log-probabilities, empty where they were not offered.
    """

    text: str
    withheld: str = ""
    usage: Usage = Usage()
    first: tuple[tuple[str, float], ...] = ()


def read_chat(body: bytes) -> Reply:
    """The answer in a reply to `Chat`. Raises `Malformed`.

    >>> read_chat(b'{"choices": [{"message": {"content": "42"}, "finish_reason": "stop"}]}').text
    '42'
    """
    return chat_of(read_object(body))


def chat_of(values: Mapping[str, Any]) -> Reply:
    """The answer in the JSON object of a reply. Raises `Malformed`."""
    choices, usage = values.get("choices"), usage_of(values)
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise Malformed(f"there is no choice in it: {told(values)}", usage)
    choice = choices[0]
    message, finish = choice.get("message"), choice.get("finish_reason")
    if not isinstance(message, dict):
        raise Malformed(f"its first choice has no message: {told(choice)}", usage)
    text, refusal = text_of(message.get("content")), message.get("refusal")
    withheld = WITHHELD.get(str(finish), "")
    if not withheld and isinstance(refusal, str) and refusal:
        text, withheld = refusal, "refused"
    if text is None and not withheld:
        asked = f" (it asks for {finish})" if finish in NO_ANSWER else ""
        raise Malformed(f"its message has no text{asked}: {told(message)}", usage)
    return Reply(text or "", withheld, usage, first_tokens(choice))


def text_of(content: Any) -> str | None:
    """The text of a message: a string, or the texts of a list of parts."""
    if isinstance(content, list):
        texts = [part.get("text") for part in content if isinstance(part, dict)]
        return "".join(text for text in texts if isinstance(text, str)) if texts else None
    return content if isinstance(content, str) else None


def first_tokens(choice: Mapping[str, Any]) -> tuple[tuple[str, float], ...]:
    """The likeliest tokens at the first place of an answer."""
    offered = choice.get("logprobs")
    places = offered.get("content") if isinstance(offered, dict) else None
    top = places[0].get("top_logprobs") if isinstance(places, list) and places and isinstance(places[0], dict) else None
    found = [one for one in top if isinstance(one, dict)] if isinstance(top, list) else []
    return tuple(
        (one["token"], number)
        for one in found
        if isinstance(one.get("token"), str) and (number := number_of(one.get("logprob"))) is not None
    )


def number_of(value: Any) -> float | None:
    """A number, ``None`` for what is none; one with more digits than a float can have is infinite."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def read_embedding(body: bytes) -> tuple[list[float], Usage]:
    """The vector in a reply to `Embedding`, and what it was charged. Raises `Malformed`."""
    values = read_object(body)
    data = values.get("data")
    vector = data[0].get("embedding") if isinstance(data, list) and data and isinstance(data[0], dict) else None
    if not isinstance(vector, list) or not vector:
        raise Malformed(f"there is no vector in it: {told(values)}")
    numbers = [number for one in vector if (number := number_of(one)) is not None]
    if len(numbers) != len(vector):
        raise Malformed("its vector holds what is no number", usage_of(values))
    return numbers, usage_of(values)


def usage_of(values: Mapping[str, Any]) -> Usage:
    """The tokens that a reply says it was charged for."""
    usage = values.get("usage")
    given = usage if isinstance(usage, dict) else {}
    return Usage(count_of(given.get("prompt_tokens")), count_of(given.get("completion_tokens")))


def count_of(value: Any) -> int | None:
    """A count, or ``None`` for what is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def read_object(body: bytes) -> dict[str, Any]:
    """A JSON object from UTF-8, with or without a byte-order mark. Raises `Malformed` for anything else.

    >>> read_object(b'{"a": 1, "a": 2}')
    Traceback (most recent call last):
    assay.wire.Malformed: it has the key 'a' twice
    """
    if not body.strip():
        raise Malformed("it is empty")
    try:
        values = json.loads(body.decode("utf-8-sig"), parse_constant=no_number, object_pairs_hook=once)
    except Malformed:
        raise
    except (ValueError, RecursionError) as error:
        raise Malformed(f"it is no JSON ({type(error).__name__}): {quoted(body)}") from None
    if not isinstance(values, dict):
        raise Malformed(f"a JSON object was expected, got {type(values).__name__}")
    return values


def no_number(name: str) -> Any:
    """Refuses NaN and infinities, which JSON does not have."""
    raise Malformed(f"it holds {name}, which is no JSON")


def once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys occur once."""
    values = dict(pairs)
    if len(values) != len(pairs):
        names = [name for name, _ in pairs]
        raise Malformed(f"it has the key {next(name for name in names if names.count(name) > 1)!r:.60} twice")
    return values


def told(values: Mapping[str, Any]) -> str:
    """What an object says went wrong, else what keys it has.

    >>> told({"error": {"message": "overloaded"}}), told({"id": 1})
    ('overloaded', 'it has id')
    """
    error = values.get("error", values.get("detail", values.get("message")))
    if isinstance(error, dict):
        error = error.get("message") or error.get("code") or error.get("type")
    if isinstance(error, str) and error:
        return error[:SAID]
    return f"it has {', '.join(map(str, values))[:SAID] or 'nothing'}"


def error_of(body: bytes) -> tuple[str, str]:
    """The message and the code in the body of an error, whatever its form."""
    try:
        values = read_object(body)
    except Malformed:
        return quoted(body), ""
    error = values.get("error")
    code = error.get("code") or error.get("type") if isinstance(error, dict) else ""
    return told(values), str(code or "")[:SAID]


def quoted(body: bytes) -> str:
    """The beginning of what came, in one line."""
    return " ".join(body[: 4 * SAID].decode("utf-8", "replace").split())[:SAID] or "nothing"
