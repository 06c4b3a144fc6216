"""Which runs are worth comparing: every two models, and each model with the strongest of the baselines beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

from assay import metrics
from assay.evaluation.run import Run

BASELINE = "baseline:"


def pairs(runs: Sequence[Run]) -> list[tuple[Run, Run]]:
    """The pairs among runs of one task on the same data, task by task in the order given."""
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.manifest.task, run.manifest.data), []).append(run)
    return [pair for group in groups.values() for pair in within(group)]


def within(runs: Sequence[Run]) -> list[tuple[Run, Run]]:
    """The pairs among runs that asked the same: models first, then each model and the strongest baseline."""
    simple = [run for run in runs if run.manifest.model.startswith(BASELINE)]
    own = [run for run in runs if not run.manifest.model.startswith(BASELINE)]
    return [*combinations(own, 2), *((run, strongest(simple)) for run in own if simple)]


def strongest(runs: Sequence[Run]) -> Run:
    """The run with the best headline. One without a value is the weakest; of equals the first is taken."""

    def goodness(run: Run) -> float:
        value = run.headline.value
        return -math.inf if math.isnan(value) else value if higher_is_better(run.headline.metric) else -value

    return max(runs, key=goodness)


def higher_is_better(metric: str) -> bool:
    """The direction of a metric by name; a user's own, which no name finds, counts as one that should be high."""
    try:
        return metrics.get(metric).better == "higher"
    except ValueError:
        return True
