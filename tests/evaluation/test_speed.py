"""What answering costs, by a clock that only moves when it is told to: no figure here depends on the machine."""

import json
import math
from dataclasses import dataclass, field

import numpy as np
import pytest

import assay
from assay import verbs
from assay.cli import main
from assay.evaluation.how import How
from assay.evaluation.prepare import Prepared
from assay.evaluation.speed import energy, figures
from assay.evaluation.speed.bench import Effort, bench
from assay.evaluation.speed.pareto import Offer, pareto
from assay.evaluation.speed.scenarios import Clock, Query, putter, server, single_stream
from assay.types import Estimate, Facts, Sample


@dataclass
class Hands:
    """The hands of a clock."""

    at: float = 0.0

    def clock(self):
        return Clock(lambda: self.at, self.wait)

    def wait(self, seconds):
        self.at += seconds


@dataclass
class Slow:
    """A model that takes ``first`` seconds a call and ``each`` a sample; samples named in ``faults`` fail."""

    hands: Hands
    each: float = 0.01
    first: float = 0.0
    faults: frozenset = frozenset()
    name: str = "slow"
    modalities: frozenset = frozenset({"text"})
    fingerprint: str = "slow-1"
    calls: list = field(default_factory=list)

    def score(self, samples, choices):
        self.calls.append(len(samples))
        self.hands.at += self.first + self.each * len(samples)
        if any(sample.id in self.faults for sample in samples):
            raise RuntimeError("no")
        return np.log(np.full((len(samples), len(choices)), 1 / len(choices), np.float32))

    def facts(self):
        return Facts(parameters=7, bytes=28)


def data(n=40):
    samples = [Sample(f"s{i}", {"text": f"t{i}"}, target="ab"[i % 2]) for i in range(n)]
    return assay.Dataset("letters", samples, fingerprint="letters-1", choices=("a", "b"))


def measured(model, *, batch=10, **effort):
    ready = verbs.prepare(model, data(), task="classification", how=How(batch=batch))
    ready = Prepared(model, ready.task, None, None, ready.how, None)
    return bench(ready, Effort(**effort), clock=model.hands.clock())


def test_times_are_the_clocks():
    found = measured(Slow(Hands(), each=0.25, first=0.25), seconds=50.0)
    assert found["latency_p50_s"].value == found["latency_p90_s"].value == pytest.approx(0.5)
    assert found["latency_mean_s"].low == pytest.approx(0.5) == found["latency_mean_s"].high
    assert found["latency_p90_early_stopping_s"].value == pytest.approx(0.5)
    assert found["throughput_per_s"].value == pytest.approx(10 / 2.75)
    assert found["parameters"].value == 7 and found["model_bytes"].low == 28
    assert {"flops", "cold_start_s", "peak_memory_bytes", "time_to_first_token_s", "latency_p999_s"} <= set(
        found.absent
    )
    assert found.complete and not found.failed


def test_loadgens_golden_values():
    hundred = np.arange(1.0, 101.0)
    assert figures.percentile(hundred, 0.99) == 100.0 and figures.percentile(hundred, 0.5) == 51.0
    # t = 2 of 81 may lie beyond the bound: the second greatest is shown.
    assert figures.early_stopping(np.arange(81.0), 0, "")[0][0].value == 79.0
    assert figures.early_stopping(np.arange(80.0), 0, "")[0][0].value == 79.0


@pytest.mark.parametrize("p", [0.5, 0.9])
def test_a_percentiles_interval_covers(p):
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(1000):
        (one,) = [
            e for e in figures.latencies("x", rng.exponential(size=100), 0, "")[0] if e.metric == f"x_p{int(p * 100)}_s"
        ]
        held += one.low <= -math.log(1 - p) <= one.high
    assert held >= 935


def test_a_query_that_waits_counts_from_when_it_was_due():
    model = Slow(Hands(), each=1.0)
    ask = [Query(question(), Sample("a", {"text": "x"}))]
    timed = server(putter(model), ask, np.array([0.0, 0.5, 0.6, 9.0]), model.hands.clock(), seconds=10.0)
    assert timed.seconds.tolist() == pytest.approx([1.0, 1.5, 2.4, 1.0])


def test_a_server_that_lags_has_endless_latencies_and_ends():
    model = Slow(Hands(), each=10.0)
    found = measured(model, scenarios=("server",), rate=100.0, seconds=5.0)
    assert found["server_latency_p50_s"].as_json()["value"] is None
    assert len(model.calls) < 10 and any("lags behind" in why for why in found.failed)


def question():
    from assay.evaluation.answers import Question

    return Question("score", None, ("a", "b"))


def test_what_fails_has_no_latency_and_is_counted():
    model = Slow(Hands(), faults=frozenset({"s3"}))
    ask = [Query(question(), one) for one in data(4).samples]
    timed = single_stream(putter(model), ask, model.hands.clock(), seconds=100.0, most=8)
    assert len(timed.seconds) == 6 and timed.missing == 2
    found = measured(Slow(Hands(), faults=frozenset(f"s{i}" for i in range(40))), seconds=1.0)
    assert "throughput_per_s" in found.absent and "latency_p50_s" in found.absent and not found.complete


@dataclass
class Paid(Slow):
    """One that is paid by the query."""

    def stream(self, verb, samples, *, choices=(), modality=None):
        yield from enumerate(self.score(list(samples), choices))

    def spent(self):
        return {"requests": sum(self.calls), "cost": 0.002 * sum(self.calls)}


def test_what_an_endpoint_costs():
    model = Paid(Hands())
    found = measured(model, queries=30)
    assert found["cost_per_thousand"].value == pytest.approx(2.0)
    assert sum(model.calls) == 60  # nothing is asked to warm up
    assert "server" in found.absent["cold_start_s"] and "endpoint" in found.absent["server_latency_p50_s"]


def test_energy_goes_around_the_wrap(tmp_path):
    package = tmp_path / "intel-rapl:0"
    package.mkdir()
    (package / "max_energy_range_uj").write_text("999999\n")
    (package / "energy_uj").write_text("900000\n")
    joules = energy.meter(tmp_path)
    (package / "energy_uj").write_text("400000\n")
    assert joules() == pytest.approx(0.5)
    assert joules() == pytest.approx(0.5)
    assert energy.meter(tmp_path / "nowhere") is None


def test_the_dominated_are_named():
    def offer(name, quality, cost):
        return Offer(name, Estimate("q", quality, 0, 1, 9), Estimate("c", cost, 0, 9, 9))

    rows = pareto([offer("good", 0.9, 3), offer("cheap", 0.5, 1), offer("poor", 0.4, 2), offer("lost", 0.1, math.nan)])
    told = {row["model"]: row["dominated_by"] for row in rows}
    assert told == {"cheap": [], "poor": ["cheap"], "good": [], "lost": []}


@pytest.mark.parametrize(
    ("option", "says"),
    [
        (["--seconds", "nan"], "seconds"),
        (["--rate", "0"], "rate"),
        (["--queries", "0"], "queries"),
        (["--scenarios", "offlin"], "single-stream"),
        (["--cache", "x"], "no latency"),
        (["--cost", "latency_p5_s"], "latency_p50_s"),
    ],
)
def test_a_mistake_is_told(option, says, capsys):
    assert main(["bench", "baseline:chance", "digits:test", "--task", "classification", *option]) == 2
    assert says in capsys.readouterr().err


def test_two_models_from_the_command_line(capsys):
    some = [
        "--task",
        "classification",
        "--seconds",
        "1",  # A stall of the machine is not taken for a model that lags behind.
        "--starts",
        "2",
        "--price-per-hour",
        "3",
        "--limit",
        "90",
        "--json",
    ]
    assert main(["bench", "baseline:chance", "baseline:pixels", "digits:test", *some]) == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["models"]) == len(told["pareto"]) == 2
    for one in told["models"]:
        by = {e["metric"]: e for e in one["estimates"]}
        assert {"latency_p50_s", "throughput_per_s", "machine_cost_per_thousand", "server_latency_p50_s"} <= set(by)
        assert 0 < by["load_s"]["value"] < by["cold_start_s"]["value"]
        assert by["peak_memory_bytes"]["value"] > 10e6 and by["peak_memory_bytes"]["n"] == 2
    assert {e["slice"].partition("=")[0] for e in told["estimates"]} == {"model"}
