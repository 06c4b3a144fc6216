"""Sends one request and gives back what came, whole or not at all, by several pools of few connections.

A pool looks through all its connections at every request: one of sixty-four costs seven milliseconds a request, eight of eight cost one.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass

import httpx

from assay.client.address import Address, Secrets

CONNECTIONS = 8
"""In one pool."""

LARGEST = 32 << 20
"""Bytes that a reply may have, once it is decompressed."""

CONNECT_S = 10.0
LOGGERS = ("httpx", "httpcore", *(f"httpcore.{part}" for part in ("connection", "http11", "http2", "proxy", "socks")))


class Lost(Exception):
    """No whole reply came. ``kind`` is ``connection``, ``timeout`` or ``too_large``."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Hiding(logging.Filter):
    """Takes secrets out of what the transport logs: at its finest level it writes down the headers that a server sends."""

    def __init__(self, secrets: Secrets) -> None:
        super().__init__()
        self.secrets = secrets

    def filter(self, record: logging.LogRecord) -> bool:
        """Lets every record pass, cleaned."""
        record.msg, record.args = self.secrets.text(record.getMessage()), ()
        return True


@contextlib.contextmanager
def hidden(secrets: Secrets) -> Iterator[None]:
    """As long as it lasts, the transport's loggers write no secrets."""
    hiding = Hiding(secrets)
    for name in LOGGERS:
        logging.getLogger(name).addFilter(hiding)
    try:
        yield
    finally:
        for name in LOGGERS:
            logging.getLogger(name).removeFilter(hiding)


@dataclass(frozen=True, slots=True)
class Received:
    """A whole reply; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Pools:
    """Open connections to one endpoint."""

    clients: tuple[httpx.AsyncClient, ...]
    address: Address

    async def send(self, worker: int, path: str, body: bytes) -> Received:
        """One attempt by the worker's own pool. Raises `Lost`. What comes back is free of secrets."""
        secrets = self.address.secrets
        try:
            async with self.clients[worker % len(self.clients)].stream(
                "POST", self.address.to(path), content=body
            ) as reply:
                came = bytearray()
                async for chunk in reply.aiter_bytes():
                    came += chunk
                    if len(came) > LARGEST:
                        raise Lost("too_large", f"the reply has more than {LARGEST >> 20} MiB")
                headers = {name.lower(): secrets.text(value) for name, value in reply.headers.items()}
                return Received(reply.status_code, headers, secrets.clean(bytes(came)))
        except httpx.TimeoutException as error:
            raise Lost("timeout", f"no connection within {CONNECT_S:.0f} s ({type(error).__name__})") from None
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, ValueError) as error:
            reason = secrets.text(" ".join(str(error).split())) or "the connection ended"
            raise Lost("connection", f"{type(error).__name__}: {reason}") from None


@contextlib.asynccontextmanager
async def opened(address: Address, concurrency: int) -> AsyncIterator[Pools]:
    """Pools for so many connections in all. Redirects are not followed, proxies are not asked for servers on this machine."""
    headers = {"content-type": "application/json", "accept": "application/json", "accept-encoding": "identity"}
    if address.authorization:
        headers["authorization"] = address.authorization
    count = -(-concurrency // CONNECTIONS)
    # A context of its own for each pool would cost a tenth of a second each.
    context = httpx.create_ssl_context() if address.url.startswith("https:") else False
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(hidden(address.secrets))
        clients = [
            await stack.enter_async_context(
                httpx.AsyncClient(
                    headers=headers,
                    verify=context,
                    trust_env=not address.local,
                    timeout=httpx.Timeout(None, connect=CONNECT_S),
                    limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS),
                )
            )
            for _ in range(count)
        ]
        yield Pools(tuple(clients), address)
