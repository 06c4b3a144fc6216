"""Data of two bits, one in the text and one in the picture, and models whose truth is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from assay import verbs
from assay.data.dataset import Dataset
from assay.data.media import Image
from assay.types import Sample

CLASSES = ("no", "yes")
NO, YES = "a dull grey thing", "a bright red thing"


def bits(label: Callable[[int, int], int], n: int = 480, *, seed: int = 0) -> Dataset:
    """``n`` samples with every combination of bits equally often, shuffled; the target is a function of both."""
    rng = np.random.default_rng(seed)
    pairs = np.array([(i // 2 % 2, i % 2) for i in range(n)])[rng.permutation(n)]
    samples = [
        Sample(
            f"s{number:04d}",
            {"text": (NO, YES)[text], "image": Image(np.full((8, 8, 3), 255 * picture, np.uint8))},
            target=CLASSES[label(text, picture)],
        )
        for number, (text, picture) in enumerate(pairs.tolist())
    ]
    return Dataset("bits", samples, f"bits-{n}-{seed}", choices=CLASSES)


def text_bit(sample: Sample) -> int:
    """1 for a text that says yes, 0 for another and for none."""
    return int("red" in str(sample.inputs.get("text", "")))


def image_bit(sample: Sample) -> int:
    """1 for a bright picture, 0 for a dark one and for none."""
    return int("image" in sample.inputs and float(sample.inputs["image"].load().mean()) > 128)  # type: ignore[union-attr]


def says(rule: Callable[[Sample], int]):
    """A model that says the class of a rule."""

    def model(samples: list[Sample], choices=None) -> list[str]:
        return [CLASSES[rule(sample)] for sample in samples]

    return model


def weighs(rule: Callable[[Sample], float]):
    """A model that gives the log-odds of yes."""

    def model(samples: list[Sample], choices=None) -> np.ndarray:
        odds = np.array([rule(sample) for sample in samples])
        return np.stack([-np.logaddexp(0, odds), -np.logaddexp(0, -odds)], axis=1)

    return model


reads_text = says(text_bit)
looks = says(image_bit)
xor = says(lambda sample: text_bit(sample) ^ image_bit(sample))
adds = weighs(lambda sample: 3.0 * text_bit(sample) + 2.0 * image_bit(sample) - 2.5)


def probed(model, data: Dataset, *probes: str, conditions: tuple[str, ...] = ("clean",)):
    """The figures of some probes by metric and slice."""
    run = verbs.evaluate(model, data, task="classification", conditions=list(conditions), probes=list(probes))
    assert run.complete and not run.manifest.skipped, (run.errors()[:2], run.manifest.skipped)
    return {(e.metric, e.slice): e for e in run.estimates}


def holds(estimate, truth: float, *, slack: float = 0.0) -> bool:
    """Whether an interval holds the truth."""
    return estimate.low - slack <= truth <= estimate.high + slack
