"""Cross-modal retrieval both ways, COCO's size, beside the recall of CLIP Benchmark.

The peer's way is written down here with torch: all scores at once, top k of each row, one-hot rows of the gallery's
size multiplied with the matrix of positives (its batch of 64). It gives hit@1, 5, 10; assay gives these, mAP, MRR,
nDCG and the exact rank of every query besides.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from assay import metrics
from assay.metrics.directions import USUAL
from assay.metrics.ranking import rank_both
from benchmarks.pairing import Pairing, pair

PICTURES, CAPTIONS, WIDTH, BATCH = 5_000, 5, 512, 64
TEXTS = PICTURES * CAPTIONS
DEPTHS = (1, 5, 10)


def embeddings() -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors of pictures, and of captions that lie near them, far enough to be found at all ranks."""
    rng = np.random.default_rng(0)
    pictures = rng.standard_normal((PICTURES, WIDTH), dtype=np.float32)
    noise = rng.standard_normal((TEXTS, WIDTH), dtype=np.float32)
    texts = np.repeat(pictures, CAPTIONS, axis=0) + 10 * noise
    return tuple((x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32) for x in (pictures, texts))


def recall(scores: torch.Tensor, positive: torch.Tensor, k: int) -> torch.Tensor:
    """The share of each row's positives among its top k, by one-hot rows."""
    out = []
    for start in range(0, len(scores), BATCH):
        part, right = scores[start : start + BATCH], positive[start : start + BATCH]
        top = torch.nn.functional.one_hot(torch.topk(part, k)[1], num_classes=scores.shape[1])
        out.append((top * right[:, None, :]).sum(dim=(1, 2)) / right.sum(dim=1))
    return torch.cat(out)


def pairings() -> Iterator[Pairing]:
    """Values alone, then what a user calls, with 95 % intervals of every figure."""
    pictures, texts = embeddings()
    pairs = [list(range(CAPTIONS * i, CAPTIONS * i + CAPTIONS)) for i in range(PICTURES)]
    chosen = [metrics.get(name) for name in (*(f"{n}@{k}" for n in ("hit", "recall") for k in DEPTHS), *USUAL)]

    def values() -> None:
        for ranking in rank_both(pictures, texts, pairs):
            rows = metrics.measure(chosen, ranking)
            [metric.aggregate(rows, np.ones((1, len(ranking)))) for metric in chosen]

    def theirs() -> None:
        scores = torch.from_numpy(texts) @ torch.from_numpy(pictures).t()
        positive = torch.zeros_like(scores, dtype=torch.bool)
        positive[torch.arange(TEXTS), torch.arange(TEXTS) // CAPTIONS] = True
        for k in DEPTHS:
            (recall(scores, positive, k) > 0).float().mean()
            (recall(scores.T, positive.T, k) > 0).float().mean()

    size = f"{PICTURES} x {TEXTS} x {WIDTH}, both ways"
    peer = "CLIP Benchmark's recall"
    yield pair(f"retrieval, {size}: 14 metrics, values", values, peer, theirs)
    yield pair(
        f"retrieval, {size}: with intervals", lambda: metrics.retrieval_both(pictures, texts, pairs), peer, theirs
    )
