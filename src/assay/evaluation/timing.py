"""How fast a model answers and what it needs, measured apart from the run's answers.

The latency is that of one sample at a time, after a warm-up, over samples that the model did answer; the throughput is that of the run's
own batches. The peak of memory is the process's, and says so: it includes Python, the libraries and the data.
"""

from __future__ import annotations

import resource
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from assay.evaluation.answers import Question, asker, describe
from assay.evaluation.engine import show
from assay.evaluation.plan import Pass, Plan
from assay.evaluation.store import SPENT, Store
from assay.evaluation.task import Task
from assay.table import Table
from assay.types import CLEAN, Facts, Failure, Model, Sample

SINGLES = 40
WARM_UP = 3
BUDGET_S = 0.8
FEWEST = 5  # fewer single answers than this give no percentiles


def timings(plan: Plan, store: Store, facts: Facts | None) -> dict[str, Any]:
    """What ``timings.json`` holds; what is unknown is ``None``. It asks the model nothing: it gathers what the journal notes."""
    batches = store.batches()
    noted, session = store.fact("latency") or {}, store.fact("session") or {}
    return {
        "p50_s": noted.get("p50_s"),
        "p95_s": noted.get("p95_s"),
        "samples_per_s": throughput(batches),
        "peak_memory_bytes": session.get("peak_memory_bytes"),
        "peak_memory_method": session.get("peak_memory_method"),
        "parameters": None if facts is None else facts.parameters,
        "model_bytes": None if facts is None else facts.bytes,
        "flops": None if facts is None else facts.flops,
        "load_s": session.get("load_s"),
        "asked_s": sum(seconds for _, seconds, _ in batches),
        "batch": plan.size,
        "latency": noted.get("latency", {}),
        **({"spent": spent} if (spent := store.fact(SPENT)) else {}),
        "memory_splits": {str(number): splits for number, (_, _, splits) in enumerate(batches) if splits},
    }


def throughput(batches: Sequence[tuple[int, float, list[int]]]) -> float | None:
    """Samples per second: the median over the batches of the largest size, so that a warm-up or a stall does not decide it."""
    largest = max((size for size, _, _ in batches), default=0)
    rates = [size / seconds for size, seconds, _ in batches if size == largest and seconds > 0]
    return statistics.median(rates) if rates else None


def latency(
    model: Model, task: Task, plan: Plan, answers: Table, choices: tuple[str, ...], *, seed: int
) -> dict[str, Any]:
    """Asks single samples for about a second in all: percentiles of the time for one, over all and by what was asked."""
    passes = (
        [asked for asked in plan.passes if asked.modality is not None]
        or [asked for asked in plan.passes if asked.name == CLEAN.name]
        or list(plan.passes[:1])
    )
    taken: dict[str, list[float]] = {}
    for asked in passes:
        samples = answered(model, plan, asked, answers, seed=seed)[: SINGLES // len(passes) + WARM_UP]
        question = Question(task.verb, asked.modality, choices)
        taken[asked.name] = single_times(model, question, samples, budget_s=BUDGET_S / len(passes))
    return {
        **percentiles([seconds for times in taken.values() for seconds in times]),
        "latency": {name: {**percentiles(times), "n": len(times)} for name, times in taken.items()},
    }


def answered(model: Model, plan: Plan, asked: Pass, answers: Table, *, seed: int) -> list[Sample]:
    """Samples of a pass that the model did answer, evenly spread, as it is shown them."""
    right = answers.where(
        (answers["condition"] == asked.name) & (answers["repeat"] == asked.repeat) & (answers["error_kind"] == "")
    )
    known = set(right["sample"].tolist())
    able = [index for index in asked.samples.tolist() if plan.samples[index].id in known]
    chosen = able[:: max(len(able) // (SINGLES + WARM_UP), 1)]
    shown = (show(plan.samples[index], asked, model.modalities, seed) for index in chosen)
    return [sample for sample in shown if not isinstance(sample, Failure)]


def single_times(model: Model, question: Question, samples: Sequence[Sample], *, budget_s: float) -> list[float]:
    """Seconds for each sample asked alone, until the samples or the time run out; the first few only warm up.

    A model that fails here, though it answered before, ends the measuring: what it took to fail is no latency.
    """
    ask = asker(model, question, None)
    times: list[float] = []
    begun = perf_counter()
    for sample in samples:
        start = perf_counter()
        try:
            if isinstance(ask([sample])[0], Failure):
                break
        except Exception as error:
            print(f"the latency of {model.name} is not measured further: {describe(error)}", file=sys.stderr)
            break
        times.append(perf_counter() - start)
        if perf_counter() - begun > budget_s:
            break
    return times[min(WARM_UP, len(times) - 1) :] if len(times) > 1 else times


def percentiles(times: Sequence[float]) -> dict[str, float | None]:
    """Median and 95th percentile; ``None`` for too few values to speak of.

    >>> percentiles([0.5] * 20), percentiles([0.5])
    ({'p50_s': 0.5, 'p95_s': 0.5}, {'p50_s': None, 'p95_s': None})
    """
    if len(times) < FEWEST:
        return {"p50_s": None, "p95_s": None}
    p50, p95 = np.percentile(np.array(times), [50, 95])
    return {"p50_s": float(p50), "p95_s": float(p95)}


def restart_peak_memory() -> bool:
    """Sets the process's high-water mark back to what it uses now, where the system lets us (Linux); whether it did."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return False
    return True


def peak_memory(restarted: bool) -> Mapping[str, Any]:
    """The process's high-water mark in bytes, with what it is the mark of."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    since = "since the evaluation began" if restarted else "since it started"
    return {"peak_memory_bytes": peak, "peak_memory_method": f"process high-water mark {since}"}
