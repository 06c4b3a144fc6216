"""Ranking metrics against ranx and scikit-learn."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest

from assay import metrics

PAIRS = {
    "hit@1": "hit_rate@1",
    "hit@5": "hit_rate@5",
    "hit@10": "hit_rate@10",
    "recall@1": "recall@1",
    "recall@5": "recall@5",
    "recall@10": "recall@10",
    "mrr": "mrr",
    "map": "map",
    "r_precision": "r-precision",
    "ndcg": "ndcg",
    "ndcg@10": "ndcg@10",
}


@pytest.fixture(scope="module")
def case():
    rng = np.random.default_rng(7)
    gallery = rng.standard_normal((150, 24))
    positives = [rng.choice(150, rng.integers(1, 12), replace=False).tolist() for _ in range(80)]
    queries = np.stack([gallery[p].mean(axis=0) for p in positives]) + 0.6 * rng.standard_normal((80, 24))
    return queries, gallery, positives


# ranx compiles for most of a minute; uncompiled it takes a second, and that can only be chosen before it is imported.
RANX = """
import json, sys, ranx
qrels, run, names = json.load(sys.stdin)
found = ranx.evaluate(ranx.Qrels(qrels), ranx.Run(run), names)
print(json.dumps({name: float(value) for name, value in found.items()}))
"""


@pytest.mark.skipif(find_spec("ranx") is None, reason="ranx is not installed")
def test_equal_to_ranx(case):
    queries, gallery, positives = case
    scores = queries @ gallery.T
    assert all(len(np.unique(line)) == len(line) for line in scores), "ranx breaks ties by place"
    qrels = {f"q{i}": {f"g{p}": 1 for p in found} for i, found in enumerate(positives)}
    run = {f"q{i}": {f"g{p}": score for p, score in enumerate(line)} for i, line in enumerate(scores.tolist())}
    out = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", RANX],
        input=json.dumps([qrels, run, list(PAIRS.values())]),
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    expected = json.loads(out.stdout)
    found = metrics.retrieval(queries, gallery, positives)
    for ours, theirs in PAIRS.items():
        assert found[ours].value == pytest.approx(expected[theirs], abs=1e-9), ours


def test_average_precision_and_ndcg_equal_scikit_learns(case):
    sklearn = pytest.importorskip("sklearn.metrics")
    queries, gallery, positives = case
    truth = np.zeros((len(queries), len(gallery)))
    for line, found in zip(truth, positives, strict=True):
        line[found] = 1
    # Rounded scores tie often; scikit-learn's nDCG averages over ties as assay does, its average precision does not.
    scores = np.round(queries @ gallery.T, 0)
    rows = metrics.retrieval(scores, np.eye(len(gallery)), positives)
    assert rows["ndcg"].value == pytest.approx(sklearn.ndcg_score(truth, scores), abs=1e-9)
    assert rows["ndcg@10"].value == pytest.approx(sklearn.ndcg_score(truth, scores, k=10), abs=1e-9)
    exact = queries @ gallery.T
    expected = np.mean([sklearn.average_precision_score(t, s) for t, s in zip(truth, exact, strict=True)])
    assert metrics.retrieval(queries, gallery, positives)["map"].value == pytest.approx(expected, abs=1e-9)
