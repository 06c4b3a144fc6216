"""Prints every benchmark as one table: `python -m benchmarks [NAME …]`. One whose peer is not installed is skipped by name."""

from __future__ import annotations

import importlib
import platform
import sys
from importlib.metadata import PackageNotFoundError, version

from benchmarks.pairing import Absent, Pairing

ALL = {
    "start": "start:pairings",
    "metrics": "metrics:pairings",
    "answers": "answers:pairings",
    "labels": "labels:pairings",
    "captions": "captions:pairings",
    "captions-meteor": "captions:with_meteor",
    "meteor": "meteor:pairings",
    "contrast": "contrast:pairings",
    "representations": "representations:pairings",
    "training": "training:pairings",
    "retrieval": "retrieval:pairings",
    "detection": "detection:pairings",
    "detection-5000": "detection:pairings_large",
    "statistics": "statistics:pairings",
    "runner": "runner:pairings",
    "requests": "requests:pairings",
    "growth": "growth:pairings",
    "media": "media:pairings",
}
PACKAGES = (
    "numpy",
    "scipy",
    "scikit-learn",
    "ranx",
    "pycocoevalcap",
    "pycocotools",
    "jiwer",
    "sacrebleu",
    "torch",
    "transformers",
)


def installed(package: str) -> str:
    """The package with its version, or that it is absent."""
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"no {package}"


def line(p: Pairing) -> str:
    """One row."""
    if p.peer_s is None:
        return f"{p.work:<62} {p.ours_s:>9.3f} {'':>9} {'':>24}  {p.load:.1f}"
    ratio = f"{p.ratio:.1f}x ({p.ratio_low:.1f} to {p.ratio_high:.1f})"
    return f"{p.work:<62} {p.ours_s:>9.3f} {p.peer_s:>9.3f} {ratio:>24}  {p.load:.1f}  {p.peer}"


def run(name: str) -> None:
    """The lines of one benchmark, as they are done."""
    module, _, function = ALL[name].partition(":")
    try:
        for pairing in getattr(importlib.import_module(f"benchmarks.{module}"), function)():
            print(line(pairing), flush=True)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] in ("assay", "benchmarks"):
            raise
        print(f"{name}: skipped, {error.name} is not installed", flush=True)
    except Absent as error:
        print(f"{name}: skipped, there is no {error}", flush=True)


def main(names: list[str]) -> None:
    """All benchmarks, or those named."""
    unknown = sorted(set(names) - set(ALL))
    if unknown:
        raise SystemExit(f"unknown: {', '.join(unknown)}; there is {', '.join(ALL)}")
    print(f"Python {platform.python_version()}, {', '.join(map(installed, PACKAGES))}")
    print("medians of five runs in turn, seconds")
    print(f"{'work':<62} {'assay':>9} {'peer':>9} {'peer / assay':>24}  load")
    for name in names or ALL:
        run(name)


main(sys.argv[1:])
