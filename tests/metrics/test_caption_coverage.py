"""Do 95 % intervals of BLEU-4 and CIDEr-D hold the population's figure in 95 % of samples? (In full: benchmarks/caption_coverage.py.)"""

import numpy as np
import pytest

from assay import metrics, stats
from assay.metrics.consensus import with_frequencies

SAMPLES, POPULATION, SIZE = 400, 3_000, 200
SAID = "a the dog cat man horse rides runs sits on in near red big mat beach park ball and with"
WORDS = np.array(SAID.split())


@pytest.fixture(scope="module")
def population():
    """Predictions that keep more or fewer of a reference's words."""
    rng = np.random.default_rng(5)
    references = [[" ".join(rng.choice(WORDS, rng.integers(6, 12))) for _ in range(3)] for _ in range(POPULATION)]
    predictions = []
    for row in references:
        words = np.array(row[0].split())
        predictions.append(
            " ".join(np.where(rng.random(len(words)) < rng.beta(4, 2), words, rng.choice(WORDS, len(words))))
        )
    chosen = [metrics.get("bleu_4"), with_frequencies(metrics.get("cider_d"), references)]
    return chosen, metrics.measure(chosen, predictions, references)


@pytest.mark.parametrize("clustered", [False, True], ids=["rows", "units"])
def test_intervals_cover(population, clustered):
    chosen, rows = population
    rng = np.random.default_rng(3)
    truth = [metric.aggregate(rows, np.ones((1, POPULATION)))[0] for metric in chosen]
    covered = np.zeros(2)
    for sample in range(SAMPLES):
        if clustered:
            place = (rng.integers(POPULATION // 4, size=SIZE // 4)[:, None] * 4 + np.arange(4)).ravel()
        else:
            place = rng.integers(POPULATION, size=SIZE)
        unit = np.repeat(np.arange(SIZE // 4), 4) if clustered else None
        taken = {name: column[place] for name, column in rows.items()}
        found = stats.intervals(chosen, taken, unit, seed=sample, resamples=499)
        covered += [one.low <= value <= one.high for one, value in zip(found, truth, strict=True)]
    assert ((covered / SAMPLES >= 0.92) & (covered / SAMPLES <= 0.98)).all(), covered / SAMPLES
