"""What a test gives."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """A test's ``statistic``, its ``p`` (two-sided unless ``method`` says otherwise), over ``n`` units, by ``method``."""

    statistic: float
    p: float
    n: int
    method: str
