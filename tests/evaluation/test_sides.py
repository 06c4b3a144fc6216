"""Many runs side by side: samples that changed, standings with the ranks that are open, gaps to what was trained on."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from evaluation_fakes import Embedder, Scorer, concepts, labelled

from assay import stats
from assay.cli import main
from assay.evaluation.compare import compare
from assay.evaluation.evaluate import evaluate
from assay.evaluation.matrix import matrix
from assay.evaluation.tasks import classification, retrieval
from assay.reporting import sides
from assay.types import CLEAN


class Knowing(Scorer):
    """Is right for the samples whose number ``knows``."""

    def __init__(self, name, knows, **options):
        super().__init__(name=name, **options)
        self.knows = knows

    def score(self, samples, choices):
        self.record(samples)
        rows = np.full((len(samples), len(choices)), np.log(0.1))
        for row, sample in zip(rows, samples, strict=True):
            number = int(sample.id[1:])
            row[(number + (not self.knows(number))) % 3] = np.log(0.8)
        return rows


def run_of(name, knows, *, count=60, data="toy", out=None, **options):
    given = labelled(count, name=data)
    task = classification(given, conditions=[CLEAN], measures=["accuracy"])
    return evaluate(Knowing(name, knows, **options), task, out=out, speed=False)


def test_the_samples_that_changed_are_named():
    a, b = run_of("a", lambda i: i % 5 > 0), run_of("b", lambda i: i % 4 > 0)
    found = compare(a, b).flips
    better = {f"s{i:02d}" for i in range(60) if i % 4 == 0 and i % 5 > 0}
    worse = {f"s{i:02d}" for i in range(60) if i % 5 == 0 and i % 4 > 0}
    assert (found.metric, found.compared, found.better, found.worse) == ("accuracy", 60, len(better), len(worse))
    assert {one.sample for one in found.listed if one.verdict == "better"} == better
    assert {one.sample for one in found.listed if one.verdict == "worse"} == worse
    first = found.listed[0]
    assert (first.a, first.b, first.value_a, first.value_b) == ("b", "c", 1.0, 0.0)
    assert "of 60 rows A is better on 12 and worse on 9 (better: s04, s08, s12; worse: " in found.sentence
    assert compare(a, a).flips.listed == ()


def test_what_either_run_lacks_has_not_changed():
    def broken():
        raise RuntimeError("down")

    a = run_of("a", lambda i: True, faults={"s00": broken})
    b = run_of("b", lambda i: i > 1)
    found = compare(a, b).flips
    assert [one.sample for one in found.listed] == ["s01"] and found.compared == 59


def test_queries_that_changed_name_their_direction():
    task = retrieval(concepts(6), measures=["hit@1"])
    a = evaluate(Embedder(), task, speed=False)
    rows = dict(a.measurements.columns)
    column = "measure.hit@1"
    changed = rows[column].copy()
    changed[3] = 1 - changed[3]
    b = replace(a, measurements=type(a.measurements)({**rows, column: changed}))
    found = compare(a, b).flips
    assert [one.sample for one in found.listed] == [str(rows["sample"][3])]
    assert found.listed[0].direction == rows["direction"][3]


def test_standings_leave_open_what_the_data_leave_open():
    runs = [
        run_of("alike", lambda i: i % 10 > 0),
        run_of("poor", lambda i: i % 2 > 0),
        run_of("good", lambda i: i % 9 > 0),
    ]
    found = matrix(runs)
    assert [(one.model, one.rank) for one in found.standings] == [("alike", 1), ("good", 2), ("poor", 3)]
    assert [(one.best, one.worst) for one in found.standings] == [(1, 2), (1, 2), (3, 3)]
    assert [(one.a, one.b) for one in found.comparisons] == [("alike", "poor"), ("alike", "good"), ("poor", "good")]
    every = [row for one in found.comparisons for row in one.rows]
    assert [row.p_holm for row in every] == pytest.approx(stats.holm([row.p for row in every]).tolist())
    assert found.comparisons[0].family == len(every) and f"over {len(every)}," in found.comparisons[0].verdict
    assert found.overall == () and found.gaps == ()
    json.dumps(found.as_json(), allow_nan=False)


def test_ranks_over_several_tasks_and_the_gap_to_what_was_trained_on():
    runs = [
        run_of(name, knows, data=data)
        for data in ("toy:train", "toy:test")
        for name, knows in (
            ("good", lambda i, data=data: data == "toy:train" or i % 2 > 0),
            ("poor", lambda i: i % 3 > 0),
        )
    ]
    found = matrix(runs)
    assert {one.model: one.tasks for one in found.overall} == {"good": 2, "poor": 2}
    gaps = {one.model: one for one in found.gaps}
    good = gaps["good"]
    assert (good.train, good.test, good.train_value, good.test_value) == ("toy:train", "toy:test", 1.0, 0.5)
    assert good.gap == 0.5 and 0.3 < good.low < 0.5 < good.high < 0.7
    a, b = runs[0].headline, runs[2].headline
    assert good.low == pytest.approx(0.5 - math.hypot(1 - a.low, b.high - 0.5))
    assert gaps["poor"].low < 0 < gaps["poor"].high
    text = sides.matrix(found)
    assert "Over all tasks" in text and "train 1.000" in text and "good is better" in text


def test_runs_of_one_model_are_told_apart(tmp_path):
    runs = [run_of("m", lambda i, k=k: i % k > 0, out=tmp_path / f"run{k}") for k in (2, 5, 7)]
    names = [one.model for one in matrix(runs).standings]
    assert sorted(names) == ["m (run2)", "m (run5)", "m (run7)"]
    with pytest.raises(ValueError, match="two runs or more"):
        matrix(runs[:1])


def test_the_command_takes_two_and_more(tmp_path, capsys):
    for k in (2, 5, 7):
        run_of(f"m{k}", lambda i, k=k: i % k > 0, out=tmp_path / f"{k}")
    folders = [str(tmp_path / f"{k}") for k in (2, 5, 7)]
    assert main(["compare", *folders[:2], "--flips", "2"]) == 0
    said = capsys.readouterr().out
    assert "m5" in said and "of 60 rows A is better on" in said and "s02" in said
    assert main(["compare", *folders, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found["standings"]) == 3 and len(found["comparisons"]) == 3
    assert found["comparisons"][0]["flips"]["listed"][0]["sample"].startswith("s")
    assert main(["compare", *folders[:2], "--metrics", "accuracy", "--slices", "split=test", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [(row["metric"], row["slice"]) for row in rows] == [("accuracy", "split=test")]
    assert main(["compare", folders[0]]) == 2
    assert "two runs or more" in capsys.readouterr().err
