"""What the runner costs by itself: a model that answers at once, every batch committed durably, scored and exported.

Beside inspect_ai and lm-eval where these are installed apart, so that they change nothing here:
``python -m venv .peers && .peers/bin/pip install inspect_ai lm_eval``. Peers are given few samples (they take up to a thousand times
as long): what a sample takes is the difference between two sizes, so that what a peer takes to start is left out, scaled to the whole.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from assay.data.dataset import Dataset
from assay.evaluation.evaluate import evaluate
from assay.evaluation.task import Task
from assay.evaluation.tasks import classification
from assay.types import FloatArray, Sample
from benchmarks.pairing import Pairing, pair, timed

SAMPLES = 10_000
MANY = 200_000
RUNS = 3
PEERS = {"inspect_ai": 200, "lm_eval": 2_000}
PYTHON = Path(__file__).parent.parent / ".peers" / "bin" / "python"


class Instant:
    """Weighs all choices alike."""

    name, fingerprint, modalities = "instant", "0", frozenset({"text"})

    def score(self, samples: Sequence[Sample], choices: Sequence[str]) -> FloatArray:
        """The same for every sample."""
        return np.full((len(samples), len(choices)), -np.log(len(choices)), np.float32)


def numbers(count: int) -> Task:
    """A classification of so many texts."""
    samples = [Sample(str(i), {"text": str(i)}, target="ab"[i % 2]) for i in range(count)]
    return classification(Dataset("numbers", samples, "0", choices=("a", "b")))


def pairings() -> Iterator[Pairing]:
    """Asked, stored, measured, with intervals and exports; then a finished run that is looked at again."""
    task = numbers(SAMPLES)

    def ours() -> None:
        with tempfile.TemporaryDirectory() as folder:
            evaluate(Instant(), task, out=folder, speed=False)

    work = f"runner, {SAMPLES:,} samples, durable, scored, exported"
    for name, part in PEERS.items():
        if PYTHON.exists():
            yield beside(work, ours, name, part)
    if not PYTHON.exists():
        yield pair(work, ours)
    yield from resumed()


def beside(work: str, ours: Callable[[], None], peer: str, part: int) -> Pairing:
    """Both sides in turn; the peer's time is what its own process measured for ``part`` more samples, scaled to all."""
    ours()
    both = [(timed(ours), (seconds_of(peer, 2 * part) - seconds_of(peer, part)) * SAMPLES / part) for _ in range(RUNS)]
    ratios = sorted(b / a for a, b in both)
    middle = [statistics.median(side) for side in zip(*both, strict=True)]
    return Pairing(
        work, peer, middle[0], middle[1], statistics.median(ratios), ratios[0], ratios[-1], os.getloadavg()[0]
    )


def seconds_of(peer: str, samples: int) -> float:
    """What a peer says it took for so many samples."""
    program = Path(__file__).parent / "peers" / f"{peer}_run.py"
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": ""}
    done = subprocess.run(
        [str(PYTHON), str(program), str(samples)], capture_output=True, text=True, env=environment, check=True
    )
    return float(done.stdout.split()[-1])


def resumed() -> Iterator[Pairing]:
    """The memory that asking takes, by how much it grows over many samples, and how long a finished run takes to be found finished."""
    task = numbers(MANY)
    grown: list[int] = []
    with tempfile.TemporaryDirectory() as folder:
        evaluate(Instant(), task, out=folder, speed=False, on_progress=lambda done, *_: grown.append(resident()))
        by = max(grown) - grown[len(grown) // 100]
        yield pair(
            f"a finished run of {MANY:,} again (memory grew by {by / 1e6:.1f} MB in asking)",
            lambda: evaluate(Instant(), task, out=folder, speed=False),
        )


def resident() -> int:
    """The bytes that this process holds in memory now."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
