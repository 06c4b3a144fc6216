"""Models in processes of their own: several at once, killed when they hang, replaced when they die.

A process is a new Python (not a fork: threads and nets do not survive that; not `multiprocessing`'s spawn either, which runs the user's
program again), loads the model by its name, and answers what comes through a pipe. It ends when its pipe is closed, or, in the midst
of an answer, when its parent is gone: none is left behind, however this program ends. What it prints, by whatever means, goes to
standard error.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

from assay.evaluation.answers import Answer, Question, asker, describe, kind_of
from assay.evaluation.deadline import OutOfTime
from assay.evaluation.spread import WorkerDied, raise_as_told
from assay.types import Model, ModelStoppedError, Sample

Load = Callable[[], Model]
PROGRAM = "import sys; from assay.evaluation.workers import serve; serve(int(sys.argv[1]), int(sys.argv[2]))"
ENDING_S = 5.0
LOOK_S = 0.25


@dataclass
class Process:
    """A worker that is a process (`assay.evaluation.spread.Worker`)."""

    load: Load
    fingerprint: str
    timeout_s: float | None = None
    ended: bool = False
    child: subprocess.Popen[bytes] | None = None
    pipe: Connection[Any, Any] | None = None

    def ask(self, samples: Sequence[Sample], question: Question, width: int | None) -> list[Answer]:
        """The answers, from a process that is started if there is none. `OutOfTime` once it took too long, and it is killed."""
        pipe = self.pipe or self.start()
        try:
            pipe.send((list(samples), question, width))
            if not pipe.poll(self.timeout_s):
                self.close()
                raise OutOfTime(f"no answer within {self.timeout_s:g} s")
            told = pipe.recv()
        except (EOFError, OSError) as error:
            raise self.died() from error
        return raise_as_told(told)

    def start(self) -> Connection[Any, Any]:
        """A process that has loaded the model. `ModelStoppedError` when it cannot, or when it is not the model that was planned with."""
        if self.ended:
            raise ModelStoppedError("the run has ended.")
        packed = pack(self.load)
        ours, theirs = Pipe()
        command = [sys.executable, "-c", PROGRAM, str(theirs.fileno()), str(os.getpid())]
        places = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        with theirs:
            self.child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=2, pass_fds=[theirs.fileno()], env=places
            )
        self.pipe = ours
        try:
            ours.send_bytes(packed)
            said, value = ours.recv()
        except (EOFError, OSError) as error:
            raise self.died() from error
        if said == "failed":
            raise ModelStoppedError(f"a worker could not load the model: {value}. Name it as py:FILE.py:function.")
        if value != self.fingerprint:
            raise ModelStoppedError(
                "a worker loaded another model than the one planned with: it changed in the meantime."
            )
        return ours

    def died(self) -> WorkerDied:
        """That the process ended, and how."""
        child, code = self.child, None
        if child is not None:
            try:
                code = child.wait(ENDING_S)
            except subprocess.TimeoutExpired:
                code = None  # it closed its pipe and goes on: it is killed below
        self.close()
        return WorkerDied(f"the process that answered ended{how(code)}")

    def end(self) -> None:
        """Kills the process, and starts no other."""
        self.ended = True
        self.close()

    def close(self) -> None:
        """Kills the process."""
        child, pipe, self.child, self.pipe = self.child, self.pipe, None, None
        if child is not None:
            child.kill()
            child.wait()
        if pipe is not None:
            pipe.close()


def pack(load: Load) -> bytes:
    """The way to load a model, to be sent. `ModelStoppedError` for a model that is an object of this program."""
    try:
        return pickle.dumps(load)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise ModelStoppedError(
            f"workers load the model by its name, and this one has none that another process could find ({describe(error)}):"
            " name it as py:FILE.py:function."
        ) from error


def how(code: int | None) -> str:
    """How a process ended, in words.

    >>> how(-11), how(0)
    (' by SIGSEGV', ' with exit code 0')
    """
    if code is None:
        return ""
    return f" by {signal.Signals(-code).name}" if code < 0 else f" with exit code {code}"


def end_with(parent: int) -> None:
    """In a thread: ends this process when its parent has gone, for a model that hangs never looks at its pipe."""
    while os.getppid() == parent:
        time.sleep(LOOK_S)
    os._exit(0)


def serve(place: int, parent: int) -> None:
    """In the process: loads the model that comes through the pipe, then answers until it is closed or ``parent`` has gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the driver
    threading.Thread(target=end_with, args=(parent,), daemon=True, name="assay parent watch").start()
    pipe: Connection[Any, Any] = Connection(place)
    try:
        model = pickle.loads(pipe.recv_bytes())()
    except Exception as error:
        pipe.send(("failed", describe(error)))
        return
    pipe.send(("ready", model.fingerprint))
    while True:
        try:
            samples, question, width = pipe.recv()
        except EOFError:
            os._exit(0)
        pipe.send(reply(model, samples, question, width))


def reply(model: Model, samples: Sequence[Sample], question: Question, width: int | None) -> tuple[str, Any, str]:
    """A model's answers, or what it raised, in a form that can be sent (`assay.evaluation.spread.raise_as_told`)."""
    try:
        return "found", asker(model, question, width)(samples), ""
    except MemoryError as error:
        return "raised", "out_of_memory", describe(error)
    except Exception as error:
        return "raised", kind_of(error), describe(error)
