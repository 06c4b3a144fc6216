"""Transforms from transforms: one after another, by chance, one of several. A transform is ``(Sample, Generator) -> Sample``.

All are functions with their settings bound by `functools.partial`, so they can be sent to other processes, and the generator that is
passed in decides everything that is left to chance.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from assay.types import Sample, Transform


def chain(*transforms: Transform) -> Transform:
    """One after another; none leaves the sample as it is.

    >>> from assay.data.transforms.preprocess_text import normalise_text
    >>> chain(normalise_text(), normalise_text())(Sample("a", {"text": "A  B"}), np.random.default_rng(0)).inputs["text"]
    'a b'
    """
    return partial(_chained, transforms=transforms)


def _chained(sample: Sample, rng: np.random.Generator, transforms: tuple[Transform, ...]) -> Sample:
    for transform in transforms:
        sample = transform(sample, rng)
    return sample


def sometimes(transform: Transform, share: float = 0.5) -> Transform:
    """The transform with a probability, else nothing. `ValueError` for a share outside of 0 to 1."""
    if not 0 <= share <= 1:
        raise ValueError(f"a share from 0 to 1 was expected, got {share}")
    return partial(_sometimes, transform=transform, share=share)


def _sometimes(sample: Sample, rng: np.random.Generator, transform: Transform, share: float) -> Sample:
    return transform(sample, rng) if rng.random() < share else sample


def one_of(*transforms: Transform) -> Transform:
    """One of several, each as likely. `ValueError` for none."""
    if not transforms:
        raise ValueError("one_of needs a transform to choose")
    return partial(_one_of, transforms=transforms)


def _one_of(sample: Sample, rng: np.random.Generator, transforms: tuple[Transform, ...]) -> Sample:
    return transforms[int(rng.integers(len(transforms)))](sample, rng)
