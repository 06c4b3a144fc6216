"""Metrics beside ranx."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from ranx import Qrels
from ranx import Run as RanxRun
from ranx import evaluate as ranx_evaluate

from assay import metrics
from assay.metrics.ranking import rank
from benchmarks.pairing import Pairing, pair

QUERIES, GALLERY, WIDTH = 1_000, 5_000, 256
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


def pairings() -> Iterator[Pairing]:
    """All of them."""
    yield retrieval()
