"""Metrics of labels and scores beside scikit-learn."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from sklearn.metrics import accuracy_score, average_precision_score, f1_score, roc_auc_score

from assay import metrics
from benchmarks.pairing import Pairing, pair

ROWS, CLASSES = 100_000, 10


def scored() -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of the classes, better than chance, and the true classes."""
    rng = np.random.default_rng(0)
    true = rng.integers(0, CLASSES, ROWS)
    shares = rng.dirichlet(np.ones(CLASSES), ROWS)
    shares[np.arange(ROWS), true] += 0.2
    return shares / shares.sum(axis=1, keepdims=True), true


def points() -> Pairing:
    """Accuracy, macro-F1, AUROC (one against the rest) and average precision, values alone, all of it from raw input."""
    shares, true = scored()
    said = shares.argmax(axis=1)
    labels, areas = (
        [metrics.get(n) for n in names] for names in (("accuracy", "macro_f1"), ("auroc", "average_precision"))
    )
    once = np.ones((1, ROWS))

    def ours() -> None:
        for chosen, given in ((labels, said), (areas, shares)):
            rows = metrics.measure(chosen, given, true)
            [metric.aggregate(rows, once) for metric in chosen]

    def theirs() -> None:
        accuracy_score(true, said)
        f1_score(true, said, average="macro")
        roc_auc_score(true, shares, multi_class="ovr")
        average_precision_score(true[:, None] == np.arange(CLASSES), shares)

    return pair(f"accuracy, F1, AUROC, AP, {ROWS} rows, {CLASSES} classes", ours, "scikit-learn", theirs)


def pairings() -> Iterator[Pairing]:
    """Points; the bootstraps of macro-F1 and AUROC are among `benchmarks.statistics`."""
    yield points()
