"""Prints every benchmark as one table: `python -m benchmarks [NAME …]`."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import version

from benchmarks import (
    answers,
    captions,
    contrast,
    detection,
    labels,
    meteor,
    metrics,
    representations,
    requests,
    retrieval,
    runner,
    start,
    statistics,
)
from benchmarks.pairing import Pairing

ALL = {
    "start": start.pairings,
    "metrics": metrics.pairings,
    "answers": answers.pairings,
    "labels": labels.pairings,
    "captions": captions.pairings,
    "meteor": meteor.pairings,
    "contrast": contrast.pairings,
    "representations": representations.pairings,
    "retrieval": retrieval.pairings,
    "detection": detection.pairings,
    "detection-5000": detection.pairings_large,
    "statistics": statistics.pairings,
    "runner": runner.pairings,
    "requests": requests.pairings,
}


def line(p: Pairing) -> str:
    """One row."""
    if p.peer_s is None:
        return f"{p.work:<62} {p.ours_s:>9.3f} {'':>9} {'':>24}  {p.load:.1f}"
    ratio = f"{p.ratio:.1f}x ({p.ratio_low:.1f} to {p.ratio_high:.1f})"
    return f"{p.work:<62} {p.ours_s:>9.3f} {p.peer_s:>9.3f} {ratio:>24}  {p.load:.1f}  {p.peer}"


def main(names: list[str]) -> None:
    """All benchmarks, or those named."""
    unknown = sorted(set(names) - set(ALL))
    if unknown:
        raise SystemExit(f"unknown: {', '.join(unknown)}; there is {', '.join(ALL)}")
    packages = ", ".join(f"{p} {version(p)}" for p in ("numpy", "scipy", "scikit-learn", "ranx", "pycocoevalcap"))
    print(f"Python {platform.python_version()}, {packages}; medians of five runs in turn, seconds")
    print(f"{'work':<62} {'assay':>9} {'peer':>9} {'peer / assay':>24}  load")
    for name in names or ALL:
        for pairing in ALL[name]():
            print(line(pairing), flush=True)


main(sys.argv[1:])
