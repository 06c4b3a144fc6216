"""Answers that are there already: a cassette that is replayed or recorded, a folder of answers. Found by the hash of the request's bytes.

A cassette is JSONL, a line a reply: ``{"request": sha256, "sample": id, "status": 200, "body": "…"}``; it holds whatever decided a sample,
a rejection or a last failed attempt too, in the order in which it came. A folder keeps usable answers only, one file each, apart for
each endpoint. Neither holds the request, nor any header.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from assay.client.pools import Received
from assay.client.retry import AGAIN
from assay.data.readers.jsonl import parsed, text_of


def address_of(path: str, body: bytes) -> str:
    """SHA-256 of a request: the service and the exact bytes, in hexadecimal."""
    return hashlib.sha256(path.encode() + b"\n" + body).hexdigest()


class Replay:
    """A cassette to answer from: the replies to one request in their order, the last one again and again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.replies: defaultdict[str, list[Received]] = defaultdict(list)
        # A process that was killed while it recorded leaves half a line at the end.
        whole = text_of(path).rpartition("\n")[0]
        for number, line in enumerate(whole.split("\n"), 1):
            if line.strip():
                values = parsed(line, path, f"line {number}")
                known = self.replies[entry(values, path, number)]
                if known and known[-1].status in AGAIN:
                    known.pop()  # a server that was away has decided nothing once the sample was asked anew
                known.append(Received(values["status"], {}, values["body"].encode()))

    def find(self, address: str) -> Received | None:
        """The next reply to a request, ``None`` for one that was not recorded."""
        found = self.replies.get(address)
        if not found:
            return None
        return found.pop(0) if len(found) > 1 else found[0]


def entry(values: object, path: Path, number: int) -> str:
    """The request of a line of a cassette; `ValueError` for a line that is none."""
    if (
        isinstance(values, dict)
        and isinstance(values.get("request"), str)
        and isinstance(values.get("status"), int)
        and isinstance(values.get("body"), str)
    ):
        return str(values["request"])
    raise ValueError(f"{path}, line {number}: an object with 'request', 'status' and 'body' was expected.")


class Recorder:
    """A cassette that grows by a line for each sample that was decided; each is on the disk before the next is written."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = path.read_bytes().rpartition(b"\n") if path.exists() else (b"", b"", b"")
        self.file: IO[bytes] = path.open("r+b" if path.exists() else "wb")
        self.file.truncate(len(whole[0]) + len(whole[1]))
        self.file.seek(0, os.SEEK_END)

    def add(self, address: str, sample: str, reply: Received) -> None:
        """Writes one reply down."""
        body = reply.body.decode("utf-8", "replace")
        values = {"request": address, "sample": sample, "status": reply.status, "body": body}
        self.file.write(json.dumps(values).encode("ascii") + b"\n")
        self.file.flush()

    def close(self) -> None:
        """Ends the cassette."""
        self.file.close()


@dataclass(frozen=True)
class Cache:
    """A folder of answers of one endpoint."""

    folder: Path

    def file(self, address: str) -> Path:
        """Where an answer is kept."""
        return self.folder / address[:2] / address[2:]

    def find(self, address: str) -> Received | None:
        """The kept answer, ``None`` where there is none."""
        try:
            return Received(200, {}, self.file(address).read_bytes())
        except FileNotFoundError:
            return None

    def keep(self, address: str, reply: Received) -> None:
        """Keeps a usable answer: the file is there whole or not at all."""
        place = self.file(address)
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=place.parent, delete=False) as file:
            file.write(reply.body)
        Path(file.name).replace(place)


def cache_in(folder: str, url: str) -> Cache:
    """The folder's part for one endpoint."""
    return Cache(Path(folder) / hashlib.sha256(url.encode()).hexdigest()[:16])
