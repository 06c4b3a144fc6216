"""Metrics and intervals beside ranx, scikit-learn and scipy."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from ranx import Qrels
from ranx import Run as RanxRun
from ranx import evaluate as ranx_evaluate
from scipy.stats import bootstrap
from sklearn.metrics import f1_score

from assay import metrics, stats
from assay.metrics.ranking import rank
from benchmarks.pairing import Pairing, pair

QUERIES, GALLERY, WIDTH = 1_000, 5_000, 256
ROWS, CLASSES, RESAMPLES, PEERS_RESAMPLES = 100_000, 10, 1_000, 10
RANKED = ["hit@1", "hit@5", "hit@10", "recall@10", "mrr", "map", "ndcg@10"]
RANX = ["hit_rate@1", "hit_rate@5", "hit_rate@10", "recall@10", "mrr", "map", "ndcg@10"]


def retrieval() -> Pairing:
    """Seven ranking metrics from embeddings; ranx is given the whole run as it needs it (making it is part of its work)."""
    rng = np.random.default_rng(0)
    queries = rng.standard_normal((QUERIES, WIDTH), dtype=np.float32)
    gallery = rng.standard_normal((GALLERY, WIDTH), dtype=np.float32)
    positives = [sorted(rng.choice(GALLERY, 5, replace=False).tolist()) for _ in range(QUERIES)]
    names = [f"d{i}" for i in range(GALLERY)]
    qrels = Qrels({f"q{i}": {names[j]: 1 for j in p} for i, p in enumerate(positives)})
    chosen = [metrics.get(name) for name in RANKED]

    def ours() -> None:
        rows = metrics.measure(chosen, rank(queries, gallery, positives))
        [m.aggregate(rows, np.ones((1, QUERIES))) for m in chosen]

    def theirs() -> None:
        scores = queries @ gallery.T
        run = RanxRun({f"q{i}": dict(zip(names, row.tolist(), strict=True)) for i, row in enumerate(scores)})
        ranx_evaluate(qrels, run, RANX)

    return pair(f"retrieval, {QUERIES} x {GALLERY} x {WIDTH}, seven metrics, full ranks", ours, "numpy + ranx", theirs)


def macro_f1_interval() -> Pairing:
    """A bootstrap of macro-F1; the peer does a hundredth of the resamples, and its time is shown as it is."""
    rng = np.random.default_rng(0)
    true = rng.integers(CLASSES, size=ROWS)
    predicted = np.where(rng.random(ROWS) < 0.7, true, rng.integers(CLASSES, size=ROWS))
    names = [str(i) for i in range(CLASSES)]
    f1 = metrics.get("macro_f1")
    rows = metrics.measure([f1], [names[i] for i in predicted], [names[i] for i in true], names)

    def ours() -> None:
        stats.intervals([f1], rows, resamples=RESAMPLES)

    def theirs() -> None:
        bootstrap(
            (true, predicted),
            lambda t, p: f1_score(t, p, average="macro"),
            paired=True,
            vectorized=False,
            n_resamples=PEERS_RESAMPLES,
            method="percentile",
            rng=0,
        )

    work = f"macro-F1 interval, {ROWS} rows, {RESAMPLES} resamples (peer: {PEERS_RESAMPLES})"
    return pair(work, ours, "scipy + scikit-learn", theirs)


def pairings() -> Iterator[Pairing]:
    """All of them."""
    yield retrieval()
    yield macro_f1_interval()
