"""Films made ready: some of their frames, or another frame rate."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from assay.catalog import nearest
from assay.data.transforms.held import with_video
from assay.types import Sample, Transform

WAYS = ("middle", "ends", "first", "random")


def sample_frames(count: int, how: str = "middle") -> Transform:
    """Films of exactly ``count`` frames; shorter ones repeat some.

    The film is cut into ``count`` equal parts: ``middle`` takes each part's middle, ``random`` one by chance of each (segment
    sampling, Wang et al. 2016); ``ends`` evenly from the first to the last frame, ``first`` the beginning. `ValueError` for another
    way, or below 1.
    """
    if how not in WAYS:
        raise ValueError(f"unknown way {how!r}: {nearest(how, WAYS)}")
    if count < 1:
        raise ValueError(f"at least 1 frame was expected, got {count}")
    return partial(_sample_frames, count=count, how=how)


def _sample_frames(sample: Sample, rng: np.random.Generator, count: int, how: str) -> Sample:
    def fewer(frames: NDArray[np.uint8], fps: float) -> tuple[NDArray[np.uint8], float]:
        chosen = frame_places(len(frames), count, how, rng)
        return frames[chosen], fps if how == "first" else fps * count / len(frames)

    return with_video(sample, fewer)


def frame_places(length: int, count: int, how: str, rng: np.random.Generator) -> NDArray[np.intp]:
    """Which of ``length`` frames are taken, in order: ``intp[count]``.

    >>> rng = np.random.default_rng(0)
    >>> [frame_places(10, 4, how, rng).tolist() for how in ("middle", "ends", "first")]
    [[1, 3, 6, 8], [0, 3, 6, 9], [0, 1, 2, 3]]
    """
    if how == "first":
        return np.minimum(np.arange(count), length - 1)
    if how == "ends":
        return np.rint(np.linspace(0, length - 1, count)).astype(np.intp)
    within = rng.random(count) if how == "random" else np.full(count, 0.5)
    return np.minimum((np.arange(count) + within) * length / count, length - 1).astype(np.intp)


def frame_rate(fps: float) -> Transform:
    """Films at another rate: at each time the frame that is shown then. `ValueError` for 0 or less."""
    if fps <= 0:
        raise ValueError(f"frames per second above 0 were expected, got {fps}")
    return partial(_frame_rate, fps=fps)


def _frame_rate(sample: Sample, rng: np.random.Generator, fps: float) -> Sample:
    def again(frames: NDArray[np.uint8], held: float) -> tuple[NDArray[np.uint8], float]:
        count = max(round(len(frames) / held * fps), 1)
        chosen = np.minimum(np.arange(count) * held / fps, len(frames) - 1).astype(np.intp)
        return frames[chosen], fps

    return with_video(sample, again)
