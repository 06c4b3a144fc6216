"""``assay bench MODEL [MODEL ...] DATA [--task T]``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from assay.cli import DONE, INCOMPLETE
from assay.cli.api import Api
from assay.cli.evaluate import columns_named
from assay.cli.options import Command, arg
from assay.cli.output import print_json

if TYPE_CHECKING:
    from assay.evaluation.speed.bench import Bench as Measured


@dataclass(frozen=True)
class Bench:
    """Measures what answering costs: latency, throughput, memory, cold start, size, energy, money, each with its interval.

    Of several models also their quality, and which of them are dominated."""

    models: tuple[str, ...] = arg("models as `assay evaluate` takes them; then the data")
    data: str = arg("data as `assay evaluate` takes it")
    task: str | None = arg("as of `assay evaluate` (default: what model and data can do)", default=None)
    scenarios: str = arg(
        "one query after another, in batches, by Poisson arrivals", default="single-stream,offline,server"
    )
    seconds: float = arg("of each scenario", default=10.0)
    queries: int = arg("at most so many a scenario", default=100_000)
    rate: float | None = arg(
        "queries a second of the server scenario (default: half of what the single stream answered)", default=None
    )
    starts: int = arg("fresh processes for cold start and peak memory", default=3)
    price_per_hour: float | None = arg("of the machine, for the cost of a thousand", default=None)
    cost: str = arg(
        "by which figure several models are weighed against their quality", default="latency_p50_s", metavar="METRIC"
    )
    batch: int = arg("how many samples are asked at once offline", default=64)
    limit: int | None = arg("take only the first so many samples", default=None)
    map: str | None = arg("which column is what: image=path,label=species", default=None, metavar="ROLE=COLUMN,...")
    seed: int = arg("of the arrivals and of the choice of samples", default=0)
    json: bool = arg("print one JSON document", default=False)
    api: Api = field(default_factory=Api, metadata={"help": "for openai:MODEL@URL"})


def bench(options: Bench) -> int:
    """Prints the figures. Exit code 3 when a query got no answer."""
    from assay import verbs
    from assay.evaluation.how import How
    from assay.evaluation.speed.bench import Effort

    effort = Effort(
        scenarios=tuple(name.strip() for name in options.scenarios.split(",")),
        seconds=options.seconds,
        queries=options.queries,
        rate=options.rate,
        starts=options.starts,
        price_per_hour=options.price_per_hour,
    )
    if options.api.cache is not None or options.api.replay is not None:
        raise ValueError("--cache, --replay: answers that are not asked for have no latency; leave them out.")
    settings = [options.api.settings(name) for name in options.models]
    found, front = verbs.bench(
        [
            name if one is None else verbs.load_model(name, endpoint=one)
            for name, one in zip(options.models, settings, strict=True)
        ],
        options.data,
        task=options.task,
        limit=options.limit,
        columns=None if options.map is None else columns_named(options.map),
        effort=effort,
        how=How(seed=options.seed, batch=options.batch),
        cost=options.cost,
    )
    if options.json:
        print_json(document(found, front))
    else:
        show(found, front)
    return DONE if all(one.complete for one in found) else INCOMPLETE


def document(found: Sequence[Measured], front: Sequence[Any]) -> dict[str, Any]:
    """One model's figures; of several all figures by ``slice`` ``model=NAME``, each model's own document, and the front."""
    if len(found) == 1:
        return found[0].as_json()
    every = [replace(e, slice=f"model={one.model}").as_json() for one in found for e in one.estimates]
    return {"estimates": every, "models": [one.as_json() for one in found], "pareto": list(front)}


def show(found: Sequence[Measured], front: Sequence[Any]) -> None:
    """The figures of each model, then which are worth their cost."""
    for one in found:
        print(f"{one.model} on {one.data} ({one.task}), {one.machine['system']}, {one.machine['cpus']} cpus")
        for e in one.estimates:
            print(f"  {e.metric:<30} {e.value:>12,.6g}  [{e.low:,.6g}, {e.high:,.6g}]  n={e.n:,} {e.unit}")
        for name, why in one.absent.items():
            print(f"  {name:<30} absent: {why}")
        for why, count in one.failed.items():
            print(f"  without an answer: {count:,} x {why}")
        print()
    for row in front:
        quality, cost = row["quality"], row["cost"]
        spoken = "not measured" if cost["value"] is None else f"{cost['value']:,.4g}"
        worth = f"dominated by {', '.join(row['dominated_by'])}" if row["dominated_by"] else "not dominated"
        print(f"{row['model']:<30} {quality['metric']} {quality['value']:.4g}  {cost['metric']} {spoken}  {worth}")


BENCH = Command("bench", Bench, bench, "assay bench assay:fused emoji:test --task classification --seconds 5 --json")
