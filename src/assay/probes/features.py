"""Plain features of contents, without any net: what a probe sees of a modality when no model tells it.

Text: hashed words and pairs of words, by TF-IDF. Picture: the mean colours of a grid. Sound: log energies of bands over parts of its time.
Film: the grid of its mean frame and of its mean change. Where a model embeds, its own vectors may stand in their place.
"""

from __future__ import annotations

import itertools
import re
import zlib
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from assay.evaluation.answers import Question, answers, asker
from assay.types import Embeds, Media, MediaError, Model, Sample

Values = NDArray[np.float64]
BUCKETS, GRID, BANDS, PARTS = 512, 8, 16, 4
WORD = re.compile(r"\w+")
BATCH = 64


def plain(contents: Sequence[Media | str], modality: str) -> Values:
    """Features ``float64[n, d]`` of contents of one modality; NaN for a medium that cannot be read.

    >>> plain(["red apple", "green apple"], "text").shape
    (2, 512)
    """
    if modality == "text":
        return words([str(content) for content in contents])
    of = {"image": picture, "audio": sound, "video": film}[modality]
    rows = [None if isinstance(content, str) else read(content, of) for content in contents]
    width = next((len(row) for row in rows if row is not None), 0)
    return np.array([np.full(width, np.nan) if row is None else row for row in rows]).reshape(len(rows), width)


def read(content: Media, of: Callable[[NDArray[np.generic]], Values]) -> Values | None:
    """The features of one medium; `None` where it is broken, which the answers about it say already."""
    try:
        return of(np.asarray(content.load()))
    except MediaError:
        return None


def words(texts: Sequence[str], buckets: int = BUCKETS) -> Values:
    """TF-IDF of hashed words and pairs of neighbouring words ``[n, buckets]``, rows of length 1 (0 for a text without words)."""
    counts = np.zeros((len(texts), buckets))
    for place, text in enumerate(texts):
        found = WORD.findall(text.lower())
        for word in (*found, *map(" ".join, itertools.pairwise(found))):
            counts[place, zlib.crc32(word.encode("utf-8", "surrogatepass")) % buckets] += 1.0
    weighted = np.log1p(counts) * (1.0 + np.log((1 + len(texts)) / (1 + (counts > 0).sum(axis=0))))
    length = np.linalg.norm(weighted, axis=1, keepdims=True)
    return np.asarray(weighted / np.where(length > 0, length, 1.0))


def picture(pixels: NDArray[np.generic]) -> Values:
    """The mean colours, 0 to 1, of a grid of `GRID` by `GRID` cells, flat."""
    values = np.asarray(pixels, dtype=np.float64) / 255.0
    rows, columns = (np.linspace(0, size, GRID + 1) for size in values.shape[:2])
    cells = [
        values[int(a) : max(int(b), int(a) + 1), int(c) : max(int(d), int(c) + 1)].mean(axis=(0, 1))
        for a, b in itertools.pairwise(rows)
        for c, d in itertools.pairwise(columns)
    ]
    return np.concatenate(cells)


def sound(samples: NDArray[np.generic]) -> Values:
    """Log energies of `BANDS` bands, evenly wide in octaves, over `PARTS` parts of the time, flat."""
    wave = np.asarray(samples, dtype=np.float64)
    out = []
    for part in np.array_split(wave, PARTS):
        power = np.abs(np.fft.rfft(part if len(part) > 1 else np.zeros(2))) ** 2
        edges = np.unique(np.geomspace(1, len(power), BANDS + 1).astype(int))
        bands = [power[a:b].mean() if b > a else 0.0 for a, b in itertools.pairwise(edges)]
        out.append(np.log1p(np.pad(bands, (0, BANDS - len(bands)))))
    return np.concatenate(out)


def film(frames: NDArray[np.generic]) -> Values:
    """The grid of the mean frame, then that of the mean change from frame to frame."""
    values = np.asarray(frames, dtype=np.float64)
    change = np.abs(np.diff(values, axis=0)).mean(axis=0) if len(values) > 1 else np.zeros(values.shape[1:])
    return np.concatenate([picture(values.mean(axis=0)), picture(change)])


def embedded(model: Model, samples: Sequence[Sample], modality: str) -> Values | None:
    """The model's vectors ``float64[n, d]`` of one modality, NaN for a sample that failed; `None` for a model that does not embed."""
    if not isinstance(model, Embeds):
        return None
    ask = asker(model, Question("embed", modality), None)
    came = [
        one
        for start in range(0, len(samples), BATCH)
        for one in answers(ask, [alone(sample, modality) for sample in samples[start : start + BATCH]], [])
    ]
    width = next((len(one) for one in came if isinstance(one, np.ndarray)), 0)
    lost = np.full(width, np.nan)
    return np.array([one if isinstance(one, np.ndarray) and len(one) == width else lost for one in came], np.float64)


def alone(sample: Sample, modality: str) -> Sample:
    """A sample as a model may see it, with one modality."""
    return Sample(sample.id, {modality: sample.inputs[modality]})


def reduced(features: Values, dims: int) -> Values:
    """The scores of the first ``dims`` principal components."""
    centred = features - features.mean(axis=0)
    u, s, _ = np.linalg.svd(centred, full_matrices=False)
    return np.asarray(u[:, :dims] * s[:dims])


def clusters(
    features: Values, k: int, rng: np.random.Generator, *, rounds: int = 50, tries: int = 4
) -> NDArray[np.intp]:
    """The number of each row's cluster by k-means (k-means++ starts, the best of ``tries``); fewer where fewer rows differ."""
    best, least = np.zeros(len(features), dtype=np.intp), np.inf
    for _ in range(tries):
        centres = starts(features, k, rng)
        for _ in range(rounds):
            of = squared(features, centres).argmin(axis=1)
            moved = np.array(
                [features[of == c].mean(axis=0) if (of == c).any() else centres[c] for c in range(len(centres))]
            )
            if np.allclose(moved, centres):
                break
            centres = moved
        distance = squared(features, centres)
        if (found := float(distance.min(axis=1).sum())) < least - 1e-12:
            best, least = distance.argmin(axis=1), found
    return np.unique(best, return_inverse=True)[1].astype(np.intp)


def starts(features: Values, k: int, rng: np.random.Generator) -> Values:
    """Rows to start from, far apart (Arthur & Vassilvitskii 2007)."""
    chosen = [features[int(rng.integers(len(features)))]]
    while len(chosen) < k:
        far = squared(features, np.array(chosen)).min(axis=1)
        if far.sum() <= 1e-12:
            break
        chosen.append(features[int(rng.choice(len(features), p=far / far.sum()))])
    return np.array(chosen)


def squared(a: Values, b: Values) -> Values:
    """Squared distances ``[n, k]``."""
    return np.asarray(np.maximum((a * a).sum(1)[:, None] - 2 * a @ b.T + (b * b).sum(1)[None], 0.0))
