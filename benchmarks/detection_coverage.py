"""How often 95 % intervals of COCO's mAP hold the figure of the population: `python -m benchmarks.detection_coverage [N [SETS [FIRST]]]`.

Images differ in how hard they are, and what is in an image shares that: objects are missed together, boxes are loose
together. A population of 30,000 images is made once, and its figure is the truth; data sets are drawn from it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np

from assay import metrics, stats
from assay.metrics.coco import measure_boxes
from assay.stats.streams import stream

CLASSES, OBJECTS = 3, 3.0
POPULATION = 30_000
NAMES = ("coco_map", "coco_map_50", "coco_mar_100")
TELL = 250


def boxes(rng: np.random.Generator, count: int) -> np.ndarray:
    """Boxes ``float[count, 4]`` of 12 to 200 pixels."""
    return np.column_stack([rng.uniform(0, 400, (count, 2)), np.exp(rng.uniform(np.log(12), np.log(200), (count, 2)))])


def image(rng: np.random.Generator) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """What is predicted and what is true of one image."""
    hard = rng.normal()
    count, wrong = int(rng.poisson(OBJECTS)), int(rng.poisson(np.exp(0.3 * hard)))
    true, labels = boxes(rng, count), rng.integers(0, CLASSES, count)
    seen = rng.random(count) < 1 / (1 + np.exp(0.8 * hard - 1.2 + 0.5 * rng.standard_normal(count)))
    loose = true + 0.1 * np.exp(0.3 * hard) * rng.standard_normal((count, 4)) * np.tile(true[:, 2:], 2)
    loose[:, 2:] = np.abs(loose[:, 2:])
    surety = np.concatenate([1 - 0.5 * hard + rng.standard_normal(seen.sum()), rng.standard_normal(wrong) - 0.5])
    found = {
        "boxes": np.concatenate([loose[seen], boxes(rng, wrong)]),
        "labels": np.concatenate([labels[seen], rng.integers(0, CLASSES, wrong)]),
        "scores": 1 / (1 + np.exp(-surety)),
    }
    return found, {"boxes": true, "labels": labels}


def coverage(n: int, sets: int, first: int = 0) -> Iterator[tuple[int, dict[str, int]]]:
    """How many data sets of ``n`` images there were and how many intervals held the population's figure, by metric.

    Told every `TELL` data sets; they are numbered from ``first``, so that parts can be run apart and added up.
    """
    rng = stream(0, "detection coverage", "population")
    predicted, targets = zip(*(image(rng) for _ in range(POPULATION)), strict=True)
    rows = measure_boxes(predicted, targets, range(CLASSES))
    chosen = [metrics.get(name) for name in NAMES]
    truth = [float(one.aggregate(rows, np.ones((1, POPULATION)))[0]) for one in chosen]
    held = dict.fromkeys(NAMES, 0)
    for place in range(first, first + sets):
        drawn = stream(place, "detection coverage", str(n)).integers(POPULATION, size=n)
        taken = {name: column[drawn] for name, column in rows.items()}
        found = stats.intervals(chosen, taken, seed=place, resamples=999)
        for one, at in zip(found, truth, strict=True):
            held[one.metric] += one.low <= at <= one.high
        done = place + 1 - first
        if done % TELL == 0 or done == sets:
            yield done, dict(held)


def main() -> None:
    """500 images, 2,000 data sets."""
    n, sets, first = (int(given) for given in [*sys.argv[1:], *("500", "2000", "0")[len(sys.argv) - 1 :]])
    for done, held in coverage(n, sets, first):
        shares = ", ".join(f"{name} {hits / done:.4f}" for name, hits in held.items())
        print(f"{n} images, data sets {first} to {first + done - 1}: {shares}", flush=True)


if __name__ == "__main__":
    main()
