"""A server on this machine that speaks OpenAI's language and misbehaves by script: for each question, what each attempt gets."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

KEY = "sk-canary-7Q/x+1==zz"  # characters that JSON, URLs and base64 write differently


@dataclass
class Plan:
    """What comes back: a status, headers, a body; or less than that."""

    status: int = 200
    body: bytes | None = None  # None: an answer
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    cut: str = ""  # "reset", "half", "silence", "drip"
    content_type: str = "application/json"


def answered(text: Any = "42", finish: str = "stop", **more: Any) -> bytes:
    usage = {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12}
    choice = {"index": 0, "message": {"role": "assistant", "content": text, **more.pop("message", {})}}
    choice |= {"finish_reason": finish, **more.pop("choice", {})}
    return json.dumps({"id": "x", "model": "m", "choices": [choice], "usage": usage, **more}).encode()


def ok(text: Any = "42", finish: str = "stop", **more: Any) -> Plan:
    return Plan(body=answered(text, finish, **more))


def error(status: int, message: str = "no", code: str = "", **headers: str) -> Plan:
    body = json.dumps({"error": {"message": message, "type": "e", "code": code}}).encode()
    return Plan(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


@dataclass
class FaultServer:
    """``script`` maps a question to what its attempts get, the last again and again; any other is answered by ``usual``."""

    script: dict[str, Sequence[Plan]] = field(default_factory=dict)
    usual: Callable[[str], Plan] = lambda question: ok(f"answer to {question}")
    port: int = 0
    asked: Counter[str] = field(default_factory=Counter)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    authorizations: set[str] = field(default_factory=set)
    times: list[tuple[float, str]] = field(default_factory=list)
    under_way: int = 0
    most: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
                keys = [
                    line.split(": ", 1)[1] for line in head.split("\r\n") if line.lower().startswith("authorization")
                ]
                self.authorizations.update(keys or [""])
                values = json.loads(await reader.readexactly(int(fields["content-length"])))
                self.bodies.append(values)
                self.under_way += 1
                self.most = max(self.most, self.under_way)
                try:
                    await self.reply(writer, question_of(values))
                finally:
                    self.under_way -= 1
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has gone
        finally:
            writer.close()

    async def reply(self, writer: asyncio.StreamWriter, question: str) -> None:
        number = self.asked[question]
        self.asked[question] += 1
        self.times.append((asyncio.get_running_loop().time(), question))
        plans = self.script.get(question)
        plan = self.usual(question) if plans is None else plans[min(number, len(plans) - 1)]
        body = answered(f"answer to {question}") if plan.body is None else plan.body
        if plan.delay_s:
            await asyncio.sleep(plan.delay_s)
        if plan.cut == "silence":
            await asyncio.sleep(60)
        if plan.cut == "reset":
            writer.transport.abort()
            raise ConnectionResetError
        length = plan.headers.get("content-length", str(len(body)))
        lines = [f"HTTP/1.1 {plan.status} X", f"content-type: {plan.content_type}", f"content-length: {length}"]
        lines += [f"{name}: {value}" for name, value in plan.headers.items() if name != "content-length"]
        writer.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n")
        if plan.cut == "half":
            writer.write(body[: len(body) // 2])
            await writer.drain()
            raise ConnectionResetError
        for place in range(0, len(body), 1) if plan.cut == "drip" else ():
            writer.write(body[place : place + 1])
            await writer.drain()
            await asyncio.sleep(0.05)
        if plan.cut != "drip":
            writer.write(body)
        await writer.drain()


def question_of(values: dict[str, Any]) -> str:
    """The words of a request."""
    if "input" in values:
        return str(values["input"][0])
    content = values["messages"][0]["content"]
    if isinstance(content, str):
        return content
    return next((part["text"] for part in content if part["type"] == "text"), "")


@contextmanager
def serving(script: dict[str, Sequence[Plan]] | None = None, usual: Callable[[str], Plan] | None = None) -> Any:
    """The server, running in a thread of its own."""
    server = FaultServer(script or {})
    if usual is not None:
        server.usual = usual
    loop, ready = asyncio.new_event_loop(), threading.Event()

    def run() -> None:
        async def start() -> asyncio.Server:
            return await asyncio.start_server(server.serve, "127.0.0.1", 0)

        listening = loop.run_until_complete(start())
        server.port = listening.sockets[0].getsockname()[1]
        ready.set()
        loop.run_forever()
        listening.close()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
