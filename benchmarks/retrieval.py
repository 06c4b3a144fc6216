"""Cross-modal retrieval both ways, COCO's size, beside the recall of CLIP Benchmark.

The peer's way is written down here with torch: all scores at once, top k of each row, one-hot rows of the gallery's
size multiplied with the matrix of positives (its batch of 64). It gives hit@1, 5, 10; assay gives these, mAP, MRR,
nDCG and the exact rank of every query besides. Memory is the peak of a fresh process, data and libraries included.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from assay import metrics
from assay.metrics.directions import USUAL
from assay.metrics.ranking import rank_both
from benchmarks.pairing import Pairing, pair

PICTURES, CAPTIONS, WIDTH, BATCH = 5_000, 5, 512, 64
TEXTS = PICTURES * CAPTIONS
DEPTHS = (1, 5, 10)
PAIRS = [list(range(CAPTIONS * i, CAPTIONS * i + CAPTIONS)) for i in range(PICTURES)]


def embeddings() -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors of pictures, and of captions that lie near them, far enough to be found at all ranks."""
    rng = np.random.default_rng(0)
    pictures = rng.standard_normal((PICTURES, WIDTH), dtype=np.float32)
    noise = rng.standard_normal((TEXTS, WIDTH), dtype=np.float32)
    texts = np.repeat(pictures, CAPTIONS, axis=0) + 10 * noise
    return tuple((x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32) for x in (pictures, texts))


def recall(scores: Any, positive: Any, k: int) -> Any:
    """The share of each row's positives among its top k, by one-hot rows."""
    import torch

    out = []
    for start in range(0, len(scores), BATCH):
        part, right = scores[start : start + BATCH], positive[start : start + BATCH]
        top = torch.nn.functional.one_hot(torch.topk(part, k)[1], num_classes=scores.shape[1])
        out.append((top * right[:, None, :]).sum(dim=(1, 2)) / right.sum(dim=1))
    return torch.cat(out)


def theirs(pictures: np.ndarray, texts: np.ndarray) -> None:
    """hit@1, 5, 10 both ways."""
    import torch

    scores = torch.from_numpy(texts) @ torch.from_numpy(pictures).t()
    positive = torch.zeros_like(scores, dtype=torch.bool)
    positive[torch.arange(TEXTS), torch.arange(TEXTS) // CAPTIONS] = True
    for k in DEPTHS:
        (recall(scores, positive, k) > 0).float().mean()
        (recall(scores.T, positive.T, k) > 0).float().mean()


def values(pictures: np.ndarray, texts: np.ndarray) -> None:
    """Fourteen metrics both ways, without intervals."""
    chosen = [metrics.get(name) for name in (*(f"{n}@{k}" for n in ("hit", "recall") for k in DEPTHS), *USUAL)]
    for ranking in rank_both(pictures, texts, PAIRS):
        rows = metrics.measure(chosen, ranking)
        [metric.aggregate(rows, np.ones((1, len(ranking)))) for metric in chosen]


def peak_mb(side: str) -> float:
    """The peak memory of a fresh process that does it once (Linux)."""
    code = f"from benchmarks import retrieval as r; r.{side}(*r.embeddings()); print(open('/proc/self/status').read())"
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    return float(told.partition("VmHWM:")[2].split()[0]) / 1024


def pairings() -> Iterator[Pairing]:
    """Values alone, then what a user calls, with 95 % intervals of every figure."""
    given = embeddings()
    size = f"{PICTURES} x {TEXTS} x {WIDTH}, both ways"
    peer = "CLIP Benchmark's recall"
    work = f"retrieval, {size}: 14 metrics; {peak_mb('values'):.0f} against {peak_mb('theirs'):.0f} MB"
    yield pair(work, lambda: values(*given), peer, lambda: theirs(*given))
    work = f"retrieval, {size}: with intervals"
    yield pair(work, lambda: metrics.retrieval_both(*given, PAIRS), peer, lambda: theirs(*given))
