"""Energy of the processor's packages as Linux tells it (RAPL, ``/sys/class/powercap``), in joules: of all that runs there.

A counter of microjoules wraps at ``max_energy_range_uj``; differences are taken around it. Idle power is not taken off.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

POWERCAP = Path("/sys/class/powercap")


def meter(root: Path = POWERCAP) -> Callable[[], float] | None:
    """A function that gives the joules since its first call, over all packages; None where they cannot be read."""
    domains = [one for one in sorted(root.glob("intel-rapl:*")) if one.name.count(":") == 1]
    try:
        ranges = [int((one / "max_energy_range_uj").read_text()) for one in domains]
        last = [read(one) for one in domains]
    except (OSError, ValueError):
        return None  # commonly for root alone
    if not domains:
        return None
    total = 0

    def joules() -> float:
        nonlocal total, last
        now = [read(one) for one in domains]
        total += sum(difference(a, b, span) for a, b, span in zip(last, now, ranges, strict=True))
        last = now
        return total / 1e6

    return joules


def read(domain: Path) -> int:
    """Microjoules that a domain has counted."""
    return int((domain / "energy_uj").read_text())


def difference(before: int, after: int, span: int) -> int:
    """What a counter has counted that begins again from 0 after ``span``.

    >>> difference(90, 10, 100), difference(10, 90, 100)
    (21, 80)
    """
    return after - before if after >= before else after - before + span + 1
