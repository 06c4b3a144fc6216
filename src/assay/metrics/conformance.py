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

import numpy as np

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
    data = document["data"] | representations()
    return [tried(case, data) for case in document["cases"]]


def representations() -> dict[str, Any]:
    """Embeddings of two modalities, ``x[200, 6]``, ``y[200, 4]`` and ``x4``, and a Gaussian pair ``u``, ``v``, as numpy draws them."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 6))
    y = x @ rng.standard_normal((6, 4)) + 0.5 * rng.standard_normal((200, 4))
    u, v = np.random.default_rng(1).multivariate_normal([0, 0], [[1, 0.8], [0.8, 1]], 2000).T
    return {"x": x, "y": y, "x4": x[:, :4], "u": u, "v": v}


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
