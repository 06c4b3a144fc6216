"""Two sides in turn, after a warm-up: medians and the ratio pair by pair, so that a machine whose speed drifts does not decide."""

from __future__ import annotations

import os
import shutil
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

RUNS = 5


class Absent(Exception):
    """What a peer needs beside its package and is not on this machine."""


def needs_java() -> None:
    """Raises `Absent` without Java."""
    if shutil.which("java") is None:
        raise Absent("java")


@dataclass(frozen=True)
class Pairing:
    """One line of the table. Times are seconds; the ratio is peer / ours, above 1 where we are faster."""

    work: str
    peer: str
    ours_s: float
    peer_s: float | None
    ratio: float | None
    ratio_low: float | None
    ratio_high: float | None
    load: float


def timed(work: Callable[[], object]) -> float:
    """Wall seconds of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def pair(
    work: str,
    ours: Callable[[], object],
    peer: str = "",
    theirs: Callable[[], object] | None = None,
    *,
    part: float = 1.0,
) -> Pairing:
    """Runs both sides once to warm up, then `RUNS` times in turn. ``part`` is the share of the work that the peer is given
    where it would take minutes (a hundredth of the resamples); its time is scaled to the whole.
    """
    ours()
    if theirs is None:
        own = [timed(ours) for _ in range(RUNS)]
        return Pairing(work, peer, statistics.median(own), None, None, None, None, os.getloadavg()[0])
    theirs()
    both = [(timed(ours), timed(theirs) / part) for _ in range(RUNS)]
    ratios = sorted(b / a for a, b in both)
    return Pairing(
        work,
        peer,
        statistics.median(a for a, _ in both),
        statistics.median(b for _, b in both),
        statistics.median(ratios),
        ratios[0],
        ratios[-1],
        os.getloadavg()[0],
    )
