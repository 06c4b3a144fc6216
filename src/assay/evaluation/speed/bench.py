"""All that answering costs for one model on one task, with what could not be measured and why."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from assay.evaluation.engine import show
from assay.evaluation.evaluate import facts_of, own_passes
from assay.evaluation.evaluate import prepared as planned
from assay.evaluation.manifest import machine
from assay.evaluation.prepare import Prepared
from assay.evaluation.speed import energy, figures
from assay.evaluation.speed.fresh import NotMeasured, Start, start
from assay.evaluation.speed.scenarios import (
    Clock,
    Meter,
    Put,
    Query,
    Timed,
    arrivals,
    offline,
    putter,
    server,
    single_stream,
    warm,
)
from assay.stats.streams import stream
from assay.types import Estimate, Failure, Streams

SCENARIOS = ("single-stream", "offline", "server")
LOAD = 0.5
"""Without a rate the server's queries come at this share of what the single stream answered."""

TOKENS = "models give whole answers here: no token can be seen before the last"
CYCLE = 512
"""So many samples are prepared at most, and asked over and over."""


@dataclass(frozen=True)
class Effort:
    """How much is asked. ``seconds`` of each scenario, ``queries`` at most; ``rate`` of the server's queries a second (None: half of what
    the single stream answered); ``starts`` of fresh processes (0: none); ``price_per_hour`` of the machine."""

    scenarios: tuple[str, ...] = SCENARIOS
    seconds: float = 10.0
    queries: int = 100_000
    rate: float | None = None
    starts: int = 3
    price_per_hour: float | None = None

    def __post_init__(self) -> None:
        strange = [name for name in self.scenarios if name not in SCENARIOS]
        if strange or not self.scenarios:
            raise ValueError(f"scenarios are {', '.join(SCENARIOS)}; got {', '.join(strange) or 'none'}.")
        for name, value, least in (("queries", self.queries, 1), ("starts", self.starts, 0)):
            if value < least:
                raise ValueError(f"{name} must be at least {least}, got {value}.")
        for name, number in (("seconds", self.seconds), ("rate", self.rate), ("price_per_hour", self.price_per_hour)):
            if number is not None and not (math.isfinite(number) and number > 0):
                raise ValueError(f"{name} must be a number above 0, got {number}.")


@dataclass(frozen=True)
class Bench:
    """What was measured of a model: estimates, what is absent by name with the reason, how failures came."""

    model: str
    data: str
    task: str
    estimates: tuple[Estimate, ...]
    absent: dict[str, str]
    failed: dict[str, int]
    machine: dict[str, Any] = field(default_factory=machine)

    def __getitem__(self, metric: str) -> Estimate:
        """The estimate of a metric. `KeyError` for one that is absent."""
        return {one.metric: one for one in self.estimates}[metric]

    def cost(self, metric: str) -> Estimate:
        """The estimate of a metric; an undefined one where it is absent."""
        known = {one.metric: one for one in self.estimates}
        return known.get(metric) or Estimate(metric, math.nan, math.nan, math.nan, 0)

    @property
    def complete(self) -> bool:
        """Whether every query was answered."""
        return not self.failed

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        told = {name: getattr(self, name) for name in ("model", "data", "task", "absent", "failed", "machine")}
        return {**told, "estimates": [one.as_json() for one in self.estimates]}


@dataclass
class Bencher:
    """A model being measured: the figures found up to now."""

    prepared: Prepared
    effort: Effort
    clock: Clock
    put: Put
    batches: list[list[Query]]
    found: list[Estimate] = field(default_factory=list)
    absent: dict[str, str] = field(default_factory=dict)
    failed: Counter[str] = field(default_factory=Counter)
    mute: bool = False  # it answered nothing at all: it is not asked further

    @property
    def queries(self) -> list[Query]:
        """The queries of all batches by turns, so that every kind of question is asked from the first."""
        longest = max(map(len, self.batches))
        return [batch[place] for place in range(longest) for batch in self.batches if place < len(batch)]

    def note(self, found: tuple[list[Estimate], dict[str, str]]) -> None:
        """Keeps figures and what is absent."""
        self.found += found[0]
        self.absent.update(found[1])

    def rate(self, metric: str, above: np.ndarray[Any, Any], timed: Timed, recipe: str) -> None:
        """Keeps a rate over calls, if there were any."""
        if len(above):
            self.found.append(figures.rate(metric, above, timed.sizes, timed.missing, recipe))


def bench(prepared: Prepared, effort: Effort | None = None, *, clock: Clock | None = None) -> Bench:
    """Latency, throughput, memory, cold start, size, energy and cost of a model on a task's own questions.

    Raises `ValueError` when the model cannot do the task or no sample can be shown to it. A sample that fails has no latency and is
    counted (``n_missing``).
    """
    model, task = prepared.model, prepared.task
    at = Bencher(prepared, effort or Effort(), clock or Clock(), putter(model), batches_of(prepared))
    stream_rate = measure_single(at)
    measure_offline(at)
    measure_server(at, stream_rate)
    measure_starts(at)
    sizes(at)
    at.absent |= {"time_to_first_token_s": TOKENS, "time_per_token_s": TOKENS}
    return Bench(model.name, task.dataset.name, task.name, tuple(at.found), at.absent, dict(at.failed))


def batches_of(prepared: Prepared) -> list[list[Query]]:
    """The task's own questions in batches, samples as the model is shown them. `ValueError` where none can be shown."""
    from assay.evaluation.answers import Question

    model, task, how = prepared.model, prepared.task, prepared.how
    plan, choices = planned(model, task, batch=how.batch)
    passes = own_passes(task, plan, model.modalities)
    out: list[list[Query]] = []
    for asked in passes:
        question = Question(task.verb, asked.modality, choices)
        chosen = stream(how.seed, "bench", asked.name).permutation(asked.samples)[
            : max(CYCLE // len(passes), how.batch)
        ]
        shown = (show(plan.samples[index], asked, model.modalities, how.seed) for index in chosen)
        ready = [Query(question, one) for one in shown if not isinstance(one, Failure)]
        # A last batch that is not full would count as a full one where rates are compared.
        whole = len(ready) - len(ready) % how.batch or len(ready)
        out += [ready[at : at + how.batch] for at in range(0, whole, how.batch)]
    if not out:
        raise ValueError(f"no sample of {task.dataset.name!r} can be shown to {model.name!r}.")
    return out


def measure_single(at: Bencher) -> float | None:
    """Latencies of one query after another, and money where an endpoint tells it; how many a second were answered."""
    model, effort = at.prepared.model, at.effort
    wanted = "single-stream" in effort.scenarios
    if not wanted and not ("server" in effort.scenarios and effort.rate is None):
        return None
    paid = isinstance(model, Streams) and "cost" in model.spent()
    if not isinstance(model, Streams):  # asking a server to warm up costs money and warms nothing here
        warm(at.put, at.queries, at.clock, most_s=effort.seconds / 4)
    spent: Meter | None = (lambda: float(model.spent()["cost"])) if isinstance(model, Streams) and paid else None
    timed = single_stream(at.put, at.queries, at.clock, seconds=effort.seconds, most=effort.queries, meter=spent)
    at.failed.update(timed.failed)
    at.mute = not len(timed.seconds)
    recipe = "scenario=single-stream|batch=1"
    if wanted:
        at.note(figures.latencies("latency", timed.seconds, timed.missing, recipe))
        at.note(figures.early_stopping(timed.seconds, timed.missing, recipe))
    if paid and len(timed.seconds):
        at.found.append(figures.mean("cost_per_thousand", 1000 * timed.spent, timed.missing, "query", "usage x prices"))
    total = float(timed.seconds.sum())
    return len(timed.seconds) / total if total > 0 else None


def measure_offline(at: Bencher) -> None:
    """Samples a second in batches; joules a sample; the machine's price of a thousand."""
    if "offline" not in at.effort.scenarios:
        return
    if at.mute:
        at.absent["throughput_per_s"] = "no query was answered"
        return
    meter = energy.meter()
    batches = at.batches
    most = max(at.effort.queries // len(batches[0]), 1)
    if not isinstance(at.prepared.model, Streams):
        at.put(batches[0])
    timed = offline(at.put, batches, at.clock, seconds=at.effort.seconds, most=most, meter=meter)
    at.failed.update(timed.failed)
    recipe = f"scenario=offline|batch={max(map(len, batches))}"
    if not len(timed.seconds):
        at.absent["throughput_per_s"] = "no batch was answered in full"
        return
    taken = Timed(timed.sizes, timed.seconds, timed.spent, timed.failed)
    at.rate("throughput_per_s", timed.sizes, taken, recipe)
    if meter is None:
        at.absent["energy_j_per_sample"] = (
            "the machine shows no energy counter that may be read (RAPL, /sys/class/powercap)"
        )
    else:
        at.rate("energy_j_per_sample", timed.spent, timed, f"{recipe}|rapl packages, idle not taken off")
    if at.effort.price_per_hour is not None:
        money = timed.seconds * (at.effort.price_per_hour * 1000 / 3600)
        at.rate("machine_cost_per_thousand", money, timed, f"{recipe}|price_per_hour={at.effort.price_per_hour:g}")


def measure_server(at: Bencher, stream_rate: float | None) -> None:
    """Latencies from when queries were due that came by a Poisson process."""
    effort, seed = at.effort, at.prepared.how.seed
    if "server" not in effort.scenarios:
        return
    if isinstance(at.prepared.model, Streams):
        at.absent["server_latency_p50_s"] = "an endpoint answers many at once by itself; it is not asked one by one"
        return
    rate = effort.rate if effort.rate is not None else LOAD * stream_rate if stream_rate else None
    if rate is None:
        at.absent["server_latency_p50_s"] = "no query was answered that a rate could follow from"
        return
    due = arrivals(stream(seed, "bench", "arrivals"), rate, seconds=effort.seconds, most=effort.queries)
    timed = server(at.put, at.queries, due, at.clock, seconds=effort.seconds)
    at.failed.update(timed.failed)
    if waiting := int(np.isinf(timed.seconds).sum()):
        at.failed[f"left waiting: the model lags behind {rate:.4g} queries a second"] = waiting
    at.note(figures.latencies("server_latency", timed.seconds, timed.missing, f"scenario=server|poisson {rate:.6g}/s"))


def measure_starts(at: Bencher) -> None:
    """Fresh processes: the first answer, the loading, the peak of memory."""
    names = ("cold_start_s", "load_s", "peak_memory_bytes")
    try:
        starts = list(fresh_starts(at))
    except NotMeasured as why:
        at.absent |= dict.fromkeys(names, str(why))
        return
    columns = ([s.first_answer_s for s in starts], [s.load_s for s in starts], [s.peak_bytes for s in starts])
    for name, values in zip(names, columns, strict=True):
        at.found.append(figures.mean(name, np.array(values, dtype=np.float64), 0, "process", "fresh process"))


def fresh_starts(at: Bencher) -> Iterator[Start]:
    """Each start of a fresh process. `NotMeasured` with why there is none."""
    prepared = at.prepared
    if at.mute:
        raise NotMeasured("no query was answered")
    if isinstance(prepared.model, Streams):
        raise NotMeasured("the model runs on a server")
    if prepared.load is None or prepared.load_s is None:
        raise NotMeasured("the model was given as an object: name it (a folder, py:FILE.py:function) to load it afresh")
    if not at.effort.starts:
        raise NotMeasured("no start of a fresh process was asked for")
    for _ in range(at.effort.starts):
        yield start(prepared.load, at.batches[0], at.clock)


def sizes(at: Bencher) -> None:
    """What the model knows of its own size."""
    facts = facts_of(at.prepared.model)
    known: Sequence[tuple[str, Callable[[Any], Any]]] = (
        ("parameters", lambda f: f.parameters),
        ("model_bytes", lambda f: f.bytes),
        ("flops", lambda f: f.flops),
    )
    for name, read in known:
        value = None if facts is None else read(facts)
        if value is None:
            at.absent[name] = "the model does not say"
        else:
            at.found.append(figures.exact(name, value))
