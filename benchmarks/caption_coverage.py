"""How often 95 % intervals of BLEU-4 and CIDEr-D hold the figure of the population: `python -m benchmarks.caption_coverage`.

A population of captions is made once, in units of five rows that are about alike (one set of topics, one quality of the predictions).
Its figure is the truth. Data sets are drawn from it: rows, each a unit of its own, or whole units that are resampled together.
CIDEr-D has the document frequencies of the population's references, frozen. The result stands in docs/design/log.md.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay import metrics, stats
from assay.metrics.consensus import with_frequencies
from benchmarks.captions import captions

UNITS, ROWS = 6_000, 5
SETS, RESAMPLES = 2_000, 1_999
SIZES = (200, 500, 2_000)
CLUSTERS = (30, 60, 200)

Columns = Mapping[str, NDArray[Any]]


def population(seed: int = 0) -> tuple[list[Any], Columns]:
    """Two metrics and the columns of `UNITS` × `ROWS` rows, unit after unit."""
    rng = np.random.default_rng(seed)
    said, references = captions(UNITS * ROWS, seed)
    for unit in range(UNITS):
        close = rng.beta(2, 4)  # in some units predictions are often a reference, word for word but one
        for row in range(unit * ROWS, (unit + 1) * ROWS):
            if rng.random() < close:
                words = references[row][0].split(" ")
                words[rng.integers(len(words))] = "thing"
                said[row] = " ".join(words)
    chosen = [metrics.get("bleu_4"), with_frequencies(metrics.get("cider_d"), references)]
    return chosen, metrics.measure(chosen, said, references)


def covered(chosen: list[Any], rows: Columns, size: int, *, clustered: bool, sets: int) -> NDArray[np.float64]:
    """The share of data sets whose interval holds the population's figure, by metric."""
    rng = np.random.default_rng(size)
    truth = [float(metric.aggregate(rows, np.ones((1, UNITS * ROWS)))[0]) for metric in chosen]
    hits = np.zeros(len(chosen))
    for drawn in range(sets):
        if clustered:
            place = (rng.integers(UNITS, size=size)[:, None] * ROWS + np.arange(ROWS)).ravel()
        else:
            place = rng.integers(UNITS * ROWS, size=size)
        unit = np.repeat(np.arange(size), ROWS) if clustered else None
        taken = {name: column[place] for name, column in rows.items()}
        found = stats.intervals(chosen, taken, unit, seed=drawn, resamples=RESAMPLES)
        hits += [one.low <= value <= one.high for one, value in zip(found, truth, strict=True)]
    return hits / sets


def main(sets: int = SETS) -> None:
    """Prints the table."""
    chosen, rows = population()
    print(f"share of {sets} data sets whose 95 % interval ({RESAMPLES} resamples) holds the truth: bleu_4, cider_d")
    for clustered, sizes in ((False, SIZES), (True, CLUSTERS)):
        for size in sizes:
            what = f"{size} units of {ROWS} rows" if clustered else f"{size} rows"
            print(
                f"{what:<24}",
                *(f"{share:.4f}" for share in covered(chosen, rows, size, clustered=clustered, sets=sets)),
                flush=True,
            )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
