"""How the cost grows: ten times as much beside ten times the time of a tenth. A ratio of 1 is linear, above it better."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from assay import metrics, stats
from benchmarks.captions import NAMES, captions
from benchmarks.pairing import Pairing, pair

TIMES = 10
PEER = "ten times a tenth of it"


def grown(work: str, size: int, case: Callable[[int], Any], ours: Callable[[Any], object]) -> Pairing:
    """``ours`` of the case of ``size`` beside that of a tenth of it."""
    small, large = case(size // TIMES), case(size)
    return pair(work, lambda: ours(large), PEER, lambda: ours(small), part=1 / TIMES)


def of_captions() -> Iterator[Pairing]:
    """BLEU, ROUGE-L, CIDEr-D of images with five references each."""

    def values(given: tuple[list[str], list[list[str]]]) -> None:
        chosen = [metrics.get(name) for name in NAMES]
        rows = metrics.measure(chosen, *given)
        [metric.aggregate(rows, np.ones((1, len(given[0])))) for metric in chosen]

    yield grown("captions, 30000 x 5, values", 30_000, captions, values)
    yield grown("captions, 20000 x 5, with intervals", 20_000, captions, lambda given: metrics.score(NAMES, *given))


def of_retrieval() -> Pairing:
    """Queries grow; the gallery is the same."""
    rng = np.random.default_rng(0)
    gallery = rng.standard_normal((5_000, 256), dtype=np.float32)

    def case(queries: int) -> Any:
        return rng.standard_normal((queries, 256), dtype=np.float32), [[i % 5_000] for i in range(queries)]

    work = "retrieval, 10000 queries x 5000, with intervals"
    return grown(work, 10_000, case, lambda given: metrics.retrieval(given[0], gallery, given[1]))


def of_bootstraps() -> Iterator[Pairing]:
    """A table of counts, an order, and a formula of sums with an interval by unit."""
    rng = np.random.default_rng(0)

    def labels(rows: int) -> Any:
        true = rng.integers(0, 10, rows)
        return {"true": true, "predicted": np.where(rng.random(rows) < 0.7, true, rng.integers(0, 10, rows))}

    def scores(rows: int) -> Any:
        true = (rng.random(rows) < 0.3).astype(int)
        return metrics.measure([metrics.get("auroc")], 1 / (1 + np.exp(-rng.standard_normal(rows) - true)), true)

    for name, size, case in (("macro_f1", 1_000_000, labels), ("auroc", 50_000, scores)):
        metric = metrics.get(name)
        work = f"{name}, {size} rows, 1000 resamples"
        yield grown(work, size, case, lambda rows, metric=metric: stats.intervals([metric], rows, resamples=1_000))


def of_detection() -> Pairing:
    """Images of about six objects and eight detections, with intervals."""
    from benchmarks.detection_coverage import image

    rng = np.random.default_rng(0)

    def case(images: int) -> Any:
        return tuple(zip(*(image(rng) for _ in range(images)), strict=True))

    return grown("detection, 5000 images, values", 5_000, case, lambda given: metrics.detection(*given, interval=False))


def pairings() -> Iterator[Pairing]:
    """All of them."""
    yield from of_captions()
    yield of_retrieval()
    yield from of_bootstraps()
    yield of_detection()
