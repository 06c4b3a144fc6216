"""Decoding in a process of its own: a file on which a decoder hangs, dies or fills the memory loses one sample and not the run.

`apart` sends a file's bytes to a child and gets an array back. A child serves one file after another (starting one costs
about 0.2 s, a file some 0.1 ms more than decoding it here); it is killed when a file takes too long, and a new one takes its
place. Its memory, its processor time for each file, its files and its environment are limited: no key is in it. Where a
platform has no `resource` (Windows), only the clock is.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from assay.types import MediaError

LENGTH = struct.Struct("<IQ")
PIPE_BYTES = 1 << 20
PASSED_ON = ("PATH", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "SYSTEMROOT")
IDLE_AT_MOST = 8
TABLES = ("parquet", "stream", "stretch")
TRIES = 2
"""A child that dies is given the file once more by another: it may have been the system that killed it."""

Request = Mapping[str, Any]
Reply = tuple[dict[str, Any], bytearray]


def apart(kind: str, data: bytes, source: str, limits: Mapping[str, float]) -> tuple[NDArray[Any], float | None]:
    """The array of a file's bytes (``kind``: image, audio, video; rate: a sound's rate alone) and its rate (Hz, frames a second, ``None``).

    ``limits`` holds those of `assay.data.media.Limits`. Raises `MediaError` as decoding here would, and when the child took
    too long (``wall_s``, ``cpu_s``), wanted too much memory (``memory``) or died.
    """
    told, content = ask({"kind": kind, "source": source, **limits}, data, limits["wall_s"])
    return np.frombuffer(content, told["dtype"]).reshape(told["shape"]), told["rate"]


def ask(asked: Request, data: bytes, wall_s: float) -> Reply:
    """What a child answers: its words, and bytes. Raises `MediaError` with the error's words, or with how the child ended."""
    for attempt in range(1, TRIES + 1):
        try:
            with _borrowed() as child:
                told, content = child.ask(asked, data, wall_s)
            break
        except _Died as died:
            if attempt == TRIES:
                raise MediaError(f"{asked['source']}: the decoder {died} on this file") from None
    if "error" in told:
        raise MediaError(told["error"])
    return told, content


class _Died(Exception):
    """How a child ended."""


class Child:
    """One decoding process and its two pipes."""

    def __init__(self) -> None:
        kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        here = Path(__file__).resolve().parents[2]
        path = os.pathsep.join([str(here), *(one for one in sys.path if one)])
        self.process = subprocess.Popen(
            [sys.executable, "-m", "assay.data.decoder"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={
                **kept,
                "PYTHONPATH": path,
                "OMP_NUM_THREADS": "1",
                "OPENBLAS_NUM_THREADS": "1",
                "POLARS_MAX_THREADS": "1",
            },
            start_new_session=True,  # Ctrl-C is for the run, which ends its children itself.
        )
        assert self.process.stdin is not None and self.process.stdout is not None
        self.to, self.back = self.process.stdin.fileno(), self.process.stdout.fileno()
        for end in (self.to, self.back):
            os.set_blocking(end, False)
            _widen(end)

    def ask(self, asked: Request, data: bytes, wall_s: float) -> Reply:
        """The answer; `MediaError` after ``wall_s`` seconds, `_Died` when there will be none."""
        until = time.monotonic() + wall_s
        head = json.dumps(asked).encode()
        try:
            for part in (LENGTH.pack(len(head), len(data)) + head, data):
                self._write(part, until)
            head_size, size = LENGTH.unpack(self._read(LENGTH.size, until))
            return json.loads(self._read(head_size, until)), self._read(size, until)
        except TimeoutError:
            self.end()
            raise MediaError(f"{asked['source']}: was not decoded within {wall_s:g} s") from None
        except (BrokenPipeError, EOFError):
            raise _Died(self.end()) from None
        except BaseException:
            self.end()  # An answer that nobody waits for must not be read as the next one's.
            raise

    def _write(self, data: bytes, until: float) -> None:
        rest = memoryview(data)
        while rest:
            _wait([self.to], True, until)
            rest = rest[os.write(self.to, rest[:PIPE_BYTES]) :]

    def _read(self, size: int, until: float) -> bytearray:
        out = bytearray(size)
        view, got = memoryview(out), 0
        while got < size:
            _wait([self.back], False, until)
            came = os.readv(self.back, [view[got:]])
            if came == 0:
                raise EOFError
            got += came
        return out

    def end(self) -> str:
        """Kills the child, and tells how it had ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(0.2)  # one that is just dying has a reason of its own
        self.process.kill()
        code = self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        if code == -getattr(signal, "SIGXCPU", 0):
            return "took too much processor time"
        return f"died ({signal.Signals(-code).name})" if code < 0 else f"ended with exit code {code}"


def _wait(ends: Sequence[int], writing: bool, until: float) -> None:
    left = until - time.monotonic()
    waiter = select.poll()
    for end in ends:
        waiter.register(end, select.POLLOUT if writing else select.POLLIN)
    if left <= 0 or not waiter.poll(left * 1000):
        raise TimeoutError


def _widen(end: int) -> None:
    """A pipe that takes a picture in one go, where the system allows."""
    import fcntl

    with contextlib.suppress(OSError, AttributeError):
        fcntl.fcntl(end, fcntl.F_SETPIPE_SZ, PIPE_BYTES)


_lock = Lock()
_idle: list[Child] = []


@contextlib.contextmanager
def _borrowed() -> Iterator[Child]:
    """A child that nobody else talks to."""
    with _lock:
        child = _idle.pop() if _idle else None
    if child is None:
        child = Child()
    try:
        yield child
    finally:
        with _lock:
            back = child.process.returncode is None and len(_idle) < IDLE_AT_MOST
            if back:
                _idle.append(child)
        if not back and child.process.returncode is None:
            child.end()


def close() -> None:
    """Ends all idle children; the next file starts a new one."""
    with _lock:
        children = list(_idle)
        _idle.clear()
    for child in children:
        child.process.kill()
        child.end()


def _forget() -> None:
    """After a fork: the children are the parent's, and its lock may have been held."""
    global _lock
    _lock = Lock()
    _idle.clear()


atexit.register(close)
os.register_at_fork(after_in_child=_forget)


def serve(stream: BinaryIO, out: BinaryIO) -> None:
    """The child's life: a request, an answer, until the pipe is closed."""
    while len(head := stream.read(LENGTH.size)) == LENGTH.size:
        head_size, size = LENGTH.unpack(head)
        asked = json.loads(stream.read(head_size))
        told, content = answer(asked, stream.read(size))
        words = json.dumps(told).encode()
        out.write(LENGTH.pack(len(words), len(content)) + words)
        out.write(content)
        out.flush()


def answer(asked: Request, data: bytes) -> tuple[dict[str, Any], Any]:
    """What decoding gives: the array's form with its bytes, or the error's words."""
    from assay.data import decode, tables

    if asked["kind"] in TABLES:
        restrain(int(asked["memory"]), int(asked["cpu_s"]))
        return tables.answer(asked)
    source = asked["source"]
    rate: float | None = None
    restrain(int(asked["memory"]), int(asked["cpu_s"]))
    try:
        array: NDArray[Any]
        if asked["kind"] == "image":
            array = decode.image(data, source, int(asked["pixels"]))
        elif asked["kind"] == "audio":
            array, rate = decode.audio(data, source, asked["seconds"])
        elif asked["kind"] == "rate":
            array, rate = np.zeros(0, np.float32), decode.audio_rate_hz(data, source)
        else:
            array, rate = decode.video(data, source, int(asked["frames"]), int(asked["film_pixels"]))
    except MediaError as error:
        return {"error": str(error)}, b""
    except MemoryError:
        return {"error": f"{source}: decoding it takes more than {asked['memory'] / 2**30:g} GiB of memory"}, b""
    array = np.ascontiguousarray(array)
    return {"dtype": array.dtype.str, "shape": array.shape, "rate": rate}, array.reshape(-1).view(np.uint8).data


def restrain(memory: int, cpu_s: int) -> None:
    """Limits this process: ``memory`` bytes in all, ``cpu_s`` more seconds of processor time, no files written, no core dumped."""
    try:
        import resource
    except ImportError:
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    spent = int(used.ru_utime + used.ru_stime)
    for kind, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, spent + cpu_s + 1),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
