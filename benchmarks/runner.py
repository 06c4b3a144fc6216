"""What the runner costs by itself: 10,000 samples, a model that answers at once, every batch committed durably."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence

import numpy as np

from assay.data.dataset import Dataset
from assay.evaluation.evaluate import evaluate
from assay.evaluation.tasks import classification
from assay.types import FloatArray, Sample
from benchmarks.pairing import Pairing, pair

SAMPLES = 10_000


class Instant:
    """Weighs all choices alike."""

    name, fingerprint, modalities = "instant", "0", frozenset({"text"})

    def score(self, samples: Sequence[Sample], choices: Sequence[str]) -> FloatArray:
        """The same for every sample."""
        return np.full((len(samples), len(choices)), -np.log(len(choices)), np.float32)


def pairings() -> Iterator[Pairing]:
    """Asked, stored, measured, with intervals and exports."""
    samples = [Sample(str(i), {"text": str(i)}, target="ab"[i % 2]) for i in range(SAMPLES)]
    task = classification(Dataset("numbers", samples, "0", choices=("a", "b")))

    def ours() -> None:
        with tempfile.TemporaryDirectory() as folder:
            evaluate(Instant(), task, out=folder, speed=False)

    yield pair(f"runner, {SAMPLES} samples, durable, scored, exported", ours)
