"""Requests to a server on this machine that takes a tenth of a second for each, 64 at once.

Ours: a whole evaluation, planned, asked, every answer committed durably, scored, exported. The peer: OpenAI's own client, 64
coroutines, the answers in a list and nothing else. At best 64 requests take a tenth of a second, so 640 are answered in one.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from assay.client.endpoint import load_endpoint
from assay.client.settings import Settings
from assay.data.dataset import Dataset
from assay.evaluation.evaluate import evaluate
from assay.evaluation.tasks import vqa
from assay.types import Sample
from benchmarks.pairing import Pairing, pair

REQUESTS = 1_000
AT_ONCE = 64
LATENCY_S = 0.1


async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers one connection's requests until it ends."""
    choice = {"index": 0, "message": {"role": "assistant", "content": "42"}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 10, "completion_tokens": 1, "total_tokens": 11}
    values = {"id": "x", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice], "usage": usage}
    body = json.dumps(values).encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode()
    try:
        while True:
            asked = (await reader.readuntil(b"\r\n\r\n")).lower()
            await reader.readexactly(int(asked.partition(b"content-length:")[2].split(b"\r\n")[0]))
            await asyncio.sleep(LATENCY_S)
            writer.write(head + body)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()  # the client has gone


async def serve() -> None:
    """Serves for ever; the port is the first line of the output."""
    server = await asyncio.start_server(reply, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def serving() -> Iterator[str]:
    """The URL of a server in a process of its own."""
    program = "import asyncio; from benchmarks import requests; asyncio.run(requests.serve())"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
        finally:
            server.kill()


def pairings() -> Iterator[Pairing]:
    """The same questions by both."""
    questions = [f"What is the answer to question {i}?" for i in range(REQUESTS)]
    samples = [Sample(str(i), {"text": text}, references=("42",)) for i, text in enumerate(questions)]
    task = vqa(Dataset("questions", samples, "0"), measures=("exact_match",))
    with serving() as url:

        def ours() -> None:
            with tempfile.TemporaryDirectory() as folder:
                model = load_endpoint(f"openai:m@{url}", Settings(concurrency=AT_ONCE))
                assert evaluate(model, task, out=folder, speed=False).headline.value == 1.0

        def theirs() -> None:
            assert asyncio.run(by_openai(url, questions)) == ["42"] * REQUESTS

        yield pair(
            f"{REQUESTS} requests of {LATENCY_S} s, {AT_ONCE} at once, durable, scored",
            ours,
            "openai, answers only",
            theirs,
        )


async def by_openai(url: str, questions: list[str]) -> list[str | None]:
    """The answers to all questions, asked by OpenAI's client."""
    from openai import AsyncOpenAI

    found: list[str | None] = [None] * len(questions)
    todo = iter(enumerate(questions))
    async with AsyncOpenAI(base_url=url, api_key="none") as client:

        async def work() -> None:
            for place, text in todo:
                came = await client.chat.completions.create(
                    model="m", temperature=0, messages=[{"role": "user", "content": text}]
                )
                found[place] = came.choices[0].message.content

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    return found
