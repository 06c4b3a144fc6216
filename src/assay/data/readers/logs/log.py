"""What every reader of a log gives: records as a file of answers holds them, and the harness's own scores beside them.

A record has ``id``, ``prediction`` (or ``error``), ``references`` where there are any, ``scores`` (a figure by name, as the harness
computed it), ``unit`` where several records are of one sample, and further short fields, by which figures can be broken down.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Record = dict[str, Any]
Placed = Sequence[tuple[str, Any]]
"""Values and where in the file each of them stands."""


@dataclass(frozen=True)
class Log:
    """``name`` says whose answers these are, ``data`` what they were asked; ``records`` have their places for messages."""

    name: str
    data: str
    records: Sequence[tuple[str, Record]]


def mapping(value: Any) -> dict[str, Any]:
    """An object as it is, anything else as an empty one: what a log does not have in its place, it does not have."""
    return value if isinstance(value, dict) else {}


def listed(value: Any) -> list[Any]:
    """A list as it is, anything else as an empty one."""
    return value if isinstance(value, list) else []


def whole(value: Any, usual: int) -> int:
    """A whole number, ``usual`` for anything else."""
    number = figure(value)
    return usual if number is None else int(number)


def figure(value: Any) -> float | None:
    """A number or a truth value as a figure; ``None`` for anything else, NaN and infinities included.

    >>> figure(True), figure(0.5), figure(float("nan")), figure("1")
    (1.0, 0.5, None, None)
    """
    if not isinstance(value, bool | int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def figures(values: Mapping[str, Any]) -> dict[str, float]:
    """The figures among some values, under names that a metric can have.

    >>> figures({"exact match,none": 1, "text": "x"})
    {'exact_match_none': 1.0}
    """
    return {plain(name): number for name, value in values.items() if (number := figure(value)) is not None}


def plain(name: str) -> str:
    """A name of letters, digits and ``_ . @ / + -`` alone."""
    return re.sub(r"[^\w.@/+-]+", "_", str(name)).strip("_") or "score"


def several(value: Any) -> list[str]:
    """One expected answer or several: a list, or a text that is a list as Python writes it, else the text itself.

    >>> several("['a', 'b']"), several("a"), several(None)
    (['a', 'b'], ['a'], [])
    """
    if value is None:
        return []
    if isinstance(value, str) and value.startswith("[") and value.endswith("]"):
        try:
            value = ast.literal_eval(value)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return [value]
    if isinstance(value, list):
        return [str(one) for one in value if one is not None]
    return [str(value)]
