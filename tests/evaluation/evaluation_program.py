"""A program that the crash tests start, kill and start again: ``evaluation_program.py TASK FOLDER [CALL SIGNAL]``.

Beside FOLDER, it appends the ids of each model call to FOLDER.asked, and a line to FOLDER.acked for each batch that was reported as
done. At model call number CALL it sends itself SIGNAL. With ``--serve`` it does so in a fresh copy of itself for each line of
arguments (JSON) that it reads, and answers with the copy's process id and then with how it ended: starting Python takes ten times as long.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from evaluation_fakes import Embedder, Scorer, concepts, labelled

from assay.evaluation.errors import StoreError
from assay.evaluation.evaluate import evaluate
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
            batch=4,
            speed=False,
            on_progress=lambda done, *_: append(f"{folder}.acked", str(done)),
        )
    except StoreError as error:
        print(error, file=sys.stderr)
        return 74
    except KeyboardInterrupt:
        return 130
    return 0


def serve() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            os._exit(main(*json.loads(line)))
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    if sys.argv[1:] == ["--serve"]:
        serve()
    else:
        sys.exit(main(*sys.argv[1:]))
