"""Golden values: what metrics gave where the reference implementations ran, tried again on this machine.

The cases are data (``golden.json``, beside this file): a function of `assay.metrics`, its arguments, what to read of the
answer, the value that the reference gave, and the tolerance. A case whose extra is not installed is skipped and says so.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay import metrics
from assay.types import Estimate

FILE = Path(__file__).with_name("golden.json")


@dataclass(frozen=True, slots=True)
class Check:
    """One golden value. ``passed`` is None where it was skipped, for the ``reason``."""

    metric: str
    case: str
    reference: str
    expected: float
    got: float
    tolerance: float
    passed: bool | None
    reason: str = ""


def verify() -> list[Check]:
    """Every golden value beside what this machine gives.

    >>> all(check.passed is not False for check in verify())
    True
    """
    document = json.loads(FILE.read_text(encoding="utf-8"))
    return [tried(case, document["data"]) for case in document["cases"]]


def tried(case: Mapping[str, Any], data: Mapping[str, Any]) -> Check:
    """One case, run."""
    expected, tolerance = float(case["expected"]), float(case.get("tolerance", 1e-9))

    def check(got: float, passed: bool | None, reason: str = "") -> Check:
        return Check(case["metric"], case["case"], case["reference"], expected, got, tolerance, passed, reason)

    try:
        answer = getattr(metrics, case["call"])(
            *(filled(one, data) for one in case["args"]), **filled(case.get("options", {}), data)
        )
    except ValueError as error:
        if "extra" not in case:  # an extra that is not installed is told by an error that says how to install it
            raise
        return check(math.nan, None, str(error))
    got = read(answer, case)
    return check(got, abs(got - expected) <= tolerance)


def read(answer: Estimate | Mapping[str, Estimate], case: Mapping[str, Any]) -> float:
    """The number that a case is about: a value, or that of one item."""
    estimate = answer if isinstance(answer, Estimate) else answer[case.get("read", case["metric"])]
    if "item" not in case:
        return estimate.value
    assert estimate.items is not None, f"{case['metric']} has no items"
    return float(estimate.items[case["item"]])


def filled(value: Any, data: Mapping[str, Any]) -> Any:
    """A case's argument; ``"$name"`` stands for what the file holds under that name.

    >>> filled(["$a", 1], {"a": [2]})
    [[2], 1]
    """
    if isinstance(value, str) and value.startswith("$"):
        return data[value[1:]]
    if isinstance(value, list):
        return [filled(one, data) for one in value]
    if isinstance(value, dict):
        return {name: filled(one, data) for name, one in value.items()}
    return value
