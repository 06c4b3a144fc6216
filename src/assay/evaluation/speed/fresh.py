"""A model in a process that has done nothing before: how long until the first answer, and how much memory at most.

The time is from starting Python to the first answer, with all that is imported and loaded; files may lie in the system's cache. The peak
is that of the process after one batch more, and includes Python and the libraries. It is read from ``VmHWM`` where there is one: what
`getrusage` gives begins, on Linux, with the peak of whoever started the process.
"""

from __future__ import annotations

import os
import pickle
import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter
from typing import Any

from assay.evaluation.answers import describe
from assay.evaluation.speed.scenarios import Clock, Query, putter
from assay.evaluation.workers import pack
from assay.types import Failure, Model

PROGRAM = "import sys; from assay.evaluation.speed.fresh import serve; serve(int(sys.argv[1]))"
LONGEST_S = 600.0


class NotMeasured(Exception):
    """Why nothing could be measured in a fresh process."""


@dataclass(frozen=True)
class Start:
    """One start: seconds to the first answer and of them those that loading took; the peak of memory in bytes."""

    first_answer_s: float
    load_s: float
    peak_bytes: int


def start(load: Callable[[], Model], batch: Sequence[Query], clock: Clock) -> Start:
    """Starts a process that loads the model, answers the first query and then the batch. `NotMeasured` with the reason."""
    packed = pack(load)
    ours, theirs = Pipe()
    command = [sys.executable, "-c", PROGRAM, str(theirs.fileno())]
    places = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    begun = clock.now()
    with theirs:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=2, pass_fds=[theirs.fileno()], env=places)
    try:
        ours.send_bytes(packed)
        ours.send(list(batch))
        load_s = told(ours)
        taken = clock.now() - begun
        return Start(taken, load_s, told(ours))
    except (EOFError, OSError) as error:
        raise NotMeasured("the process ended before it had answered") from error
    finally:
        ours.close()
        child.kill()
        child.wait()


def told(pipe: Connection[Any, Any]) -> Any:
    """What the process measured. `NotMeasured` for what it could not."""
    if not pipe.poll(LONGEST_S):
        raise NotMeasured(f"no answer within {LONGEST_S:g} s")
    said, value = pipe.recv()
    if said == "failed":
        raise NotMeasured(value)
    return value


def serve(place: int) -> None:
    """In the process: loads, answers one, answers all, tells."""
    pipe: Connection[Any, Any] = Connection(place)
    try:
        packed, batch = pipe.recv_bytes(), pipe.recv()
        begun = perf_counter()
        model = pickle.loads(packed)()
        load_s = perf_counter() - begun
        put = putter(model)
        answered(put(batch[:1]))
        pipe.send(("found", load_s))
        answered(put(batch))
        pipe.send(("found", peak_bytes()))
    except NotMeasured as why:
        pipe.send(("failed", str(why)))
    except Exception as error:
        pipe.send(("failed", describe(error)))
    pipe.poll(None)


def answered(failed: Sequence[Failure]) -> None:
    """`NotMeasured` for a sample without an answer."""
    if failed:
        raise NotMeasured(f"a sample got no answer: {failed[0].message}")


def peak_bytes() -> int:
    """The process's high-water mark."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
