"""Figures that somebody else computed for each sample: ``recorded:NAME``, their mean with an interval, so that they can be compared.

What NAME means, its harness knows; here it is only taken over. Higher is better, unless the name speaks of errors, losses or times.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from assay.metrics.metric import Metric, Rows, sign, weighted_mean

PREFIX = "recorded:"
LOWER = re.compile(
    r"(^|[_./@-])([wcmt]er|loss|perplexity|ppl|bits_per_byte|errors?|latency|runtime|toxicity|mae|mse|rmse)($|[_./@-])",
    re.I,
)


def named(name: str) -> Metric:
    """The metric ``recorded:NAME``.

    >>> named("recorded:exact_match").better, named("recorded:asr_wer").better
    ('higher', 'lower')
    """

    def measure(values: Sequence[float | None]) -> Rows:
        return {name: np.array([np.nan if value is None else value for value in values], dtype=np.float64)}

    return Metric(
        name=name,
        measure=measure,
        aggregate=weighted_mean(name),
        better="lower" if LOWER.search(name.removeprefix(PREFIX)) else "higher",
        bounds=(-np.inf, np.inf),
        item=name,
        signature=sign(name, "as the harness computed it"),
        family="recorded",
        definition="The mean of what was recorded for each sample.",
        edge="Samples without a value do not count; without any it is undefined.",
    )
