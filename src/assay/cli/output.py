"""Standard output: one JSON document for machines, text for people."""

from __future__ import annotations

import json
import math
from typing import Any


def print_json(document: Any) -> None:
    """One JSON document; what is not finite is ``null``."""
    print(json.dumps(finite(document), ensure_ascii=False, indent=2, allow_nan=False))


def finite(value: Any) -> Any:
    """The same value with NaN and infinities as ``None``, at any depth.

    >>> finite({"a": [1.0, float("nan")]})
    {'a': [1.0, None]}
    """
    if isinstance(value, dict):
        return {str(k): finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [finite(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
