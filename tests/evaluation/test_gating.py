"""The gate: passes what is not worse, fails what is, says so when it cannot tell; and how often it errs."""

import json
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from evaluation_fakes import Scorer, labelled

from assay import verbs
from assay.cli import main
from assay.evaluation.evaluate import evaluate
from assay.evaluation.gate import gate
from assay.evaluation.tasks import classification
from assay.reporting import gated
from assay.table import Table
from assay.types import CLEAN

DATA = labelled(120, 3)


class Right(Scorer):
    """Is right about the samples for which ``right`` holds."""

    def __init__(self, right, **options):
        super().__init__(**options)
        self.right = right

    def score(self, samples, choices):
        self.record(samples)
        rows = np.full((len(samples), len(choices)), np.log(0.1))
        for row, sample in zip(rows, samples, strict=True):
            number = int(sample.id[1:])
            row[(number + (not self.right[number])) % 3] = np.log(0.8)
        return rows


def run_of(right, name="model", measures=("accuracy", "nll"), out=None, **options):
    model = Right(np.asarray(right), name=name, **options)
    return evaluate(model, classification(DATA, conditions=[CLEAN], measures=list(measures)), speed=False, out=out)


EVERY = np.ones(120, bool)
MOST = np.arange(120) % 20 != 0
HALF = np.arange(120) % 2 == 0


def test_itself_passes_at_any_margin():
    found = gate(run_of(MOST), run_of(MOST, "other"))
    assert (found.outcome, found.exit_code, found.identical) == ("pass", 0, True)
    assert (found.difference, found.n, found.metric) == (0.0, 120, "accuracy")
    assert "nothing has changed" in found.sentence


def test_worse_fails_and_better_passes():
    worse, better = gate(run_of(HALF), run_of(MOST), margin=0.05), gate(run_of(MOST), run_of(HALF), margin=0.05)
    assert (worse.outcome, worse.exit_code) == ("fail", 1)
    assert worse.high < -0.05
    assert (better.outcome, better.exit_code) == ("pass", 0)
    assert better.low > 0
    assert better.n_needed is None


def test_what_the_data_cannot_decide_is_inconclusive():
    other = MOST.copy()
    other[[1, 2, 3]] = False
    found = gate(run_of(other), run_of(MOST), margin=0.03)
    assert (found.outcome, found.exit_code) == ("inconclusive", 4)
    assert found.low < -0.03 < found.high
    assert found.n_needed > 120
    assert f"needs about n = {found.n_needed:,}" in found.sentence
    assert gate(run_of(other), run_of(MOST), margin=0.2).outcome == "pass"


def test_lower_is_better_where_it_is():
    found = gate(run_of(HALF), run_of(MOST), metric="nll", margin=0.1)
    assert (found.outcome, found.better) == ("fail", "lower")
    assert found.value > found.baseline_value
    assert found.low < found.difference < found.high < 0
    assert gate(run_of(MOST), run_of(HALF), metric="nll", margin=0.1).outcome == "pass"


def test_a_slice_by_itself():
    hard = np.arange(120) % 3 == 0
    found = gate(run_of(~hard | HALF), run_of(EVERY), margin=0.02, slice="split=hard")
    assert (found.n, found.outcome) == (40, "fail")
    assert gate(run_of(~hard | HALF), run_of(EVERY), slice="split=test").outcome == "pass"


def test_answers_that_were_lost_hold_a_pass_back():
    def boom():
        raise RuntimeError("no")

    faults = {"s00": boom, "s20": boom}
    lost = run_of(MOST, faults=faults)
    found = gate(lost, run_of(MOST), margin=0.1)
    assert (found.outcome, found.n_lost, found.n) == ("inconclusive", 2, 118)
    assert "2 of its answers are missing" in found.reason
    assert gate(run_of(MOST), lost, margin=0.1).outcome == "pass"
    assert gate(lost, run_of(MOST, faults=faults), margin=0.1).outcome == "pass"
    assert gate(run_of(HALF, faults=faults), run_of(MOST), margin=0.1).outcome == "fail"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"margin": -0.1}, "0 or more, not -0.1"),
        ({"margin": float("nan")}, "0 or more"),
        ({"metric": "mrr"}, "has not measured 'mrr'"),
        ({"metric": "acuracy"}, "accuracy"),
        ({"slice": "split=tset"}, "unknown slice 'split=tset'"),
    ],
)
def test_what_does_not_fit(options, message):
    run = run_of(MOST)
    with pytest.raises(ValueError, match=message):
        gate(run, run, **options)


@pytest.mark.parametrize(("loss", "margin", "wrong"), [(0.0, 0.0, "fail"), (0.1, 0.1, "pass"), (0.05, 0.1, "fail")])
def test_how_often_it_errs(loss, margin, wrong):
    """Over 200 pairs of runs: at the margin's edge one in forty errs in each direction, further inside fewer."""
    rng, run = np.random.default_rng(0), run_of(MOST, measures=["accuracy"])
    columns, outcomes = run.measurements.columns, []
    for _ in range(200):
        hard = rng.random(120)
        new, old = (
            replace(
                run, measurements=Table({**columns, "measure.correct": (hard + rng.normal(0, 0.1, 120) < share) * 1.0})
            )
            for share in (0.7 - loss, 0.7)
        )
        outcomes.append(gate(new, old, metric="accuracy", margin=margin).outcome)
    assert outcomes.count(wrong) / 200 <= 0.06
    assert len(set(outcomes)) > 1


def test_the_command(tmp_path, capsys):
    run_of(HALF, "new <b>|\x1b[31m", out=tmp_path / "new")
    run_of(MOST, "old", out=tmp_path / "old")
    new, old = str(tmp_path / "new"), str(tmp_path / "old")
    files = [f"{tmp_path}/gate.xml", f"{tmp_path}/gate.md"]
    code = main(
        ["gate", new, "--baseline", old, "--margin", "0.02", "--json", "--junit", files[0], "--markdown", files[1]]
    )
    assert code == 1
    answer = json.loads(capsys.readouterr().out)
    assert (answer["outcome"], answer["exit_code"], answer["metric"]) == ("fail", 1, "accuracy")
    assert answer["high"] < -0.02
    suites = ElementTree.parse(files[0]).getroot()
    assert (suites.get("tests"), suites.get("failures"), suites.get("errors")) == ("1", "1", "0")
    case = suites.find("testsuite/testcase")
    assert "new <b>" in case.get("name")
    assert "\x1b" not in case.find("failure").text
    text = (tmp_path / "gate.md").read_text(encoding="utf-8")
    assert text.startswith("### ❌ assay gate: fail")
    assert r"new \<b\>\|" in text
    assert main(["gate", old, "--baseline", old]) == 0
    assert "nothing has changed" in capsys.readouterr().out
    assert main(["gate", old]) == 2
    assert "--baseline" in capsys.readouterr().err


def test_an_open_question_is_an_error_in_junit_and_never_a_pass():
    other = MOST.copy()
    other[[1, 2, 3]] = False
    found = gate(run_of(other), run_of(MOST), margin=0.03)
    suites = ElementTree.fromstring(gated.junit(found).split("\n", 1)[1])
    assert (suites.get("failures"), suites.get("errors")) == ("0", "1")
    assert gated.markdown(found).startswith("### ❔")
    passed = gated.junit(replace(found, outcome="pass"))
    assert "<failure" not in passed
    assert "<error" not in passed


def test_the_verb_takes_runs_and_folders(tmp_path):
    run = run_of(MOST, out=tmp_path / "run")
    assert verbs.gate(run, tmp_path / "run").outcome == "pass"
