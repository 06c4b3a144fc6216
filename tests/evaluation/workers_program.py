"""A program that evaluates by workers and kills itself: ``workers_program.py FOLDER ENGINE WORKERS KILL_AT``.

It appends what was reported as done to FOLDER.acked, and dies of SIGKILL once that is KILL_AT answers (0: never).
"""

import os
import signal
import sys
from functools import partial
from pathlib import Path

from assay.data.dataset import Dataset
from assay.evaluation.evaluate import Session, evaluate
from assay.evaluation.how import How
from assay.evaluation.tasks import vqa
from assay.models.callable import load_callable
from assay.types import Sample

MODELS = Path(__file__).parent / "answering_models.py"


def main(folder, engine, workers, kill_at):
    samples = [Sample(str(i), {"text": f"question {i}"}, references=("yes",)) for i in range(24)]
    task = vqa(Dataset("questions", samples, "1", asks="vqa"), measures=["exact_match"])
    load = partial(load_callable, f"py:{MODELS}:steady")

    def progress(done, planned, failed):
        with Path(f"{folder}.acked").open("a") as file:
            file.write(f"{done}\n")
        if kill_at and done >= kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    session = Session(How(batch=4, engine=engine, workers=workers), load, linger_s=0)
    evaluate(load(), task, out=folder, speed=False, session=session, on_progress=progress)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
