"""Which of several models is worth its cost: one is dominated where another is as good, as cheap, and better or cheaper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from assay.catalog import nearest
from assay.types import Estimate

COSTS = (
    *("latency_p50_s", "latency_p90_s", "latency_p95_s", "latency_p99_s", "latency_mean_s", "server_latency_p50_s"),
    *("peak_memory_bytes", "cold_start_s", "load_s", "parameters", "model_bytes", "flops"),
    *("energy_j_per_sample", "cost_per_thousand", "machine_cost_per_thousand"),
)


def check_cost(name: str) -> None:
    """`ValueError` for what is no cost."""
    if name not in COSTS:
        raise ValueError(f"{name!r} is no cost that is measured: {nearest(name, COSTS)}")


@dataclass(frozen=True)
class Offer:
    """A model's quality and what it costs; ``better`` is the quality's direction. Less cost is better."""

    model: str
    quality: Estimate
    cost: Estimate
    better: str = "higher"

    def beats(self, other: Offer) -> bool:
        """Whether it dominates the other, by the values alone; what is undefined (NaN) dominates nothing and is not dominated."""
        sign = 1 if self.better == "higher" else -1
        gain, saving = sign * (self.quality.value - other.quality.value), other.cost.value - self.cost.value
        return gain >= 0 and saving >= 0 and (gain > 0 or saving > 0)


def pareto(offers: Sequence[Offer]) -> list[dict[str, Any]]:
    """A row for each model, cheapest first: its quality and cost, and by whom it is dominated (empty: it is on the front)."""
    return [
        {
            "model": one.model,
            "quality": one.quality.as_json(),
            "cost": one.cost.as_json(),
            "dominated_by": [other.model for other in offers if other.beats(one)],
        }
        for one in sorted(offers, key=lambda offer: offer.cost.value)
    ]
