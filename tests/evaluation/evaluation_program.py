"""A program that the crash tests start, kill and start again.

For each line of JSON, ``{"arguments": [TASK, FOLDER, CALL, SIGNAL]}``, it evaluates in a fresh copy of itself, and answers
with the copy's process id and then with how it ended. Starting Python anew would take ten times as long.

Beside FOLDER, a copy appends the ids of each model call to FOLDER.asked, a line to FOLDER.acked for each batch that was
reported as done, and the error that ended it to FOLDER.said. At model call number CALL (if it is given) it sends itself
SIGNAL. ``"spend": [NAME, TIMES]`` makes it first call that system call so many times, harmlessly, on FOLDER.spare: strace
counts each process's calls from its start, so that one traced program can be struck at any of them.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from evaluation_fakes import Embedder, Scorer, concepts, labelled

from assay.evaluation.errors import StoreError
from assay.evaluation.evaluate import Session, evaluate
from assay.evaluation.how import How
from assay.evaluation.tasks import classification, retrieval


def make(task: str):
    if task == "retrieval":
        return Embedder(modalities=frozenset({"text", "image"})), retrieval(concepts(4), measures=["hit@1"])
    return Scorer(), classification(labelled(12), measures=["accuracy"])


def append(path: str, line: str) -> None:
    # One write of one line: what a killed program has noted is noted whole.
    with Path(path).open("a") as file:
        file.write(line + "\n")


def main(task: str, folder: str, *fault: str) -> int:
    model, asking = make(task)
    record = model.record

    def recording(samples):
        record(samples)
        append(f"{folder}.asked", " ".join(s.id for s in samples))
        if fault and len(model.calls) == int(fault[0]):
            os.kill(os.getpid(), signal.Signals[fault[1]])

    model.record = recording
    try:
        evaluate(
            model,
            asking,
            out=folder,
            # Each batch by itself, so that every run makes the same calls.
            session=Session(How(batch=4), linger_s=0),
            speed=False,
            on_progress=lambda done, *_: append(f"{folder}.acked", str(done)),
        )
    except StoreError as error:
        append(f"{folder}.said", str(error))
        return 74
    except KeyboardInterrupt:
        return 130
    return 0


def spend(call: str, times: int, spare: str) -> None:
    """Calls a system call on a file that means nothing."""
    with Path(spare).open("wb", buffering=0) as file:
        number = file.fileno()
        harmless = {
            "openat": lambda: os.close(os.open(spare, os.O_RDONLY)),
            "write": lambda: os.write(number, b""),
            "pwrite64": lambda: os.pwrite(number, b"", 0),
            "fsync": lambda: os.fsync(number),
            "fdatasync": lambda: os.fdatasync(number),
            "ftruncate": lambda: os.ftruncate(number, 0),
            "rename": lambda: Path(spare).rename(spare),
            "unlink": lambda: Path(f"{spare}/none").unlink(),
            "mkdir": lambda: Path(spare).mkdir(),
        }[call]
        for _ in range(times - (call == "openat")):  # the file was opened once already
            with contextlib.suppress(FileExistsError, NotADirectoryError):
                harmless()


def serve() -> None:
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            arguments = asked["arguments"]
            if asked["spend"] and asked["spend"][1]:
                spend(*asked["spend"], f"{arguments[1]}.spare")
            os._exit(main(*arguments))
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    serve()
