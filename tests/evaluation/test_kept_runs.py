"""What a run keeps: files that read back as what they were, written whole; missing answers that count as missing."""

import json
import math
from dataclasses import replace

import numpy as np
import polars
import pytest
from evaluation_fakes import Embedder, Scorer, concepts, labelled

from assay import metrics
from assay.evaluation import exports
from assay.evaluation.errors import StoreError
from assay.evaluation.evaluate import Session, evaluate
from assay.evaluation.run import load_run
from assay.evaluation.tasks import classification, retrieval
from assay.table import Table


def broken():
    raise ValueError("broken\x00 picture")


@pytest.mark.parametrize(
    ("model", "task"),
    [
        (Scorer(faults={"s04": broken}), classification(labelled(20, 5))),
        (Embedder(modalities=frozenset({"text", "image", "audio"})), retrieval(concepts(8))),
    ],
)
def test_a_run_reads_back_as_it_was(tmp_path, model, task):
    run = evaluate(model, task, out=tmp_path)
    back = load_run(tmp_path)
    assert back.estimates == run.estimates and back.manifest == run.manifest and back.timings == run.timings
    assert back.as_json() == run.as_json() and back.errors() == run.errors()
    for here, there in zip(run.estimates, back.estimates, strict=True):
        assert (here.items is None) == (there.items is None)
        if here.items is not None:
            np.testing.assert_allclose(np.sort(here.items), np.sort(there.items))
            assert here.items.mean() == pytest.approx(here.value, nan_ok=True) or here.unit != "sample"
    for name in ("predictions", "measurements"):
        a, b = getattr(run, name), getattr(back, name)
        assert list(a.columns) == list(b.columns)
        for column in a.columns:
            np.testing.assert_array_equal(a[column], b[column])
    frame = polars.read_parquet(tmp_path / exports.PREDICTIONS)
    assert frame.height == run.planned and frame["answer"].dtype == polars.List(polars.Float32)


def test_a_metric_of_ones_own_is_measured_and_kept(tmp_path):
    own = replace(metrics.get("accuracy"), name="exactness")
    run = evaluate(Scorer(), classification(labelled(), measures=[own]), out=tmp_path, speed=False)
    again = evaluate(Scorer(), classification(labelled(), measures=[own]), out=tmp_path, speed=False)
    assert run.headline.metric == "exactness" and again.estimates == run.estimates
    assert load_run(tmp_path, measures=[own]).estimates == run.estimates
    with pytest.raises(ValueError, match="unknown metric 'exactness'"):
        load_run(tmp_path)


def test_estimates_json_is_plain_and_has_the_designs_fields(tmp_path):
    run = evaluate(Scorer(), classification(labelled()), out=tmp_path, speed=False)
    raw = (tmp_path / exports.ESTIMATES).read_bytes()
    value = json.loads(raw, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))
    assert raw.endswith(b"}\n") and value["complete"] and value["n_planned"] == run.planned
    assert list(value["estimates"][0]) == [
        "metric", "value", "low", "high", "n", "n_missing", "unit", "slice", "condition", "signature",
    ]  # fmt: skip
    for one in value["estimates"]:
        assert one["value"] is None or one["low"] <= one["value"] <= one["high"]


def test_missing_answers_are_counted_in_their_slices_and_in_no_score():
    data = labelled(18, 3)
    sound = evaluate(Scorer(), classification(data, measures=["accuracy"]), speed=False)
    hurt = evaluate(Scorer(faults={"s04": broken}), classification(data, measures=["accuracy"]), speed=False)
    sample = data.samples[4]
    held = {"all", *(f"{name}={value}" for name, value in sample.groups.items())}
    for a, b in zip(sound.estimates, hurt.estimates, strict=True):
        expected = 1 if a.slice in held else 0
        assert (b.n_missing, b.n) == (expected, a.n - expected)
        if not expected:
            assert (a.value, a.low, a.high) == (b.value, b.low, b.high)


def test_a_unit_that_lost_one_of_its_answers_counts_as_missing_and_as_measured():
    run = evaluate(
        Embedder(faults={"test1/x": broken}, modalities=frozenset({"text", "image"})),
        retrieval(concepts(4)),
        speed=False,
    )
    assert (run.headline.n, run.headline.n_missing) == (4, 1)


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.json"
    exports.write_json(path, {"a": 1})

    def fail(file):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(StoreError, match=r"a\.json could not be written: .*No space left"):
        exports.write_atomically(path, fail)
    assert json.loads(path.read_text()) == {"a": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_half_written_files_are_swept(tmp_path):
    (tmp_path / ".estimates.json.partial").write_text("half")
    evaluate(Scorer(), classification(labelled()), out=tmp_path, speed=False)
    assert not list(tmp_path.glob(".*"))


def test_json_is_the_same_to_the_byte_and_holds_what_json_can():
    value = {
        "nan": math.nan,
        "inf": [np.float64(-math.inf), np.int64(3)],
        "text": "猫\ud800",
        "x": 0.1,
        "t": (np.array([1.5]),),
    }
    text = exports.as_json(value)
    assert text == exports.as_json(dict(value)) and b"NaN" not in text
    assert json.loads(text) == {"nan": None, "inf": [None, 3], "text": "猫\ud800", "x": 0.1, "t": [[1.5]]}


def test_tables_read_back(tmp_path):
    table = Table(
        {
            "sample": np.array(["a", "bé", ""]),
            "condition": np.array(["clean"] * 3),
            "repeat": np.arange(3),
            "vector": np.arange(6, dtype=np.float32).reshape(3, 2),
            "flag": np.array([True, False, True]),
            "words": np.array(["x", "", "long"], dtype=object),
            "value": np.array([1.0, np.nan, -np.inf]),
        }
    )
    exports.write_table(tmp_path / "t.parquet", table)
    back = exports.read_table(tmp_path / "t.parquet")
    for name, column in table.columns.items():
        np.testing.assert_array_equal(back[name], column)
        assert back[name].dtype.kind in (column.dtype.kind, "U")


def test_timings_hold_what_a_clock_gave_and_say_what_memory_is(tmp_path):
    run = evaluate(Scorer(), classification(labelled(40)), out=tmp_path, session=Session(load_s=1.5))
    assert 0 < run.timings["p50_s"] <= run.timings["p95_s"] < 1
    assert run.timings["samples_per_s"] > 0 and run.timings["load_s"] == 1.5
    assert run.timings["peak_memory_bytes"] > 1e7
    assert run.timings["peak_memory_method"].startswith("process high-water mark")
    assert run.timings["parameters"] is None and run.timings["latency"]["clean"]["n"] >= 20
    assert b"_s" not in (tmp_path / exports.ESTIMATES).read_bytes()
    silent = evaluate(Scorer(), classification(labelled(40)), speed=False)
    assert silent.timings["p50_s"] is None


def test_a_model_that_knows_its_size_tells_it():
    from assay.types import Facts

    class Known(Scorer):
        def facts(self):
            return Facts(parameters=12, bytes=48)

    timings = evaluate(Known(), classification(labelled()), speed=False).timings
    assert (timings["parameters"], timings["model_bytes"], timings["flops"]) == (12, 48, None)


def test_a_model_that_fails_only_while_it_is_timed_spoils_nothing(capsys):
    class Tired(Scorer):
        def score(self, samples, choices):
            if len(samples) == 1:
                raise RuntimeError("one is too few")
            return super().score(samples, choices)

    run = evaluate(Tired(), classification(labelled(20)), batch=20)
    assert run.complete and run.timings["p50_s"] is None
    assert "one is too few" in capsys.readouterr().err


def test_a_finished_run_whose_speed_was_not_measured_gets_it_without_being_scored_again(tmp_path, monkeypatch):
    task = classification(labelled(30))
    evaluate(Scorer(), task, out=tmp_path, speed=False)
    before = {name: (tmp_path / name).stat().st_mtime_ns for name in exports.ALL}
    monkeypatch.setattr("assay.evaluation.evaluate.scored", lambda *given: pytest.fail("scored again"))
    run = evaluate(Scorer(), task, out=tmp_path)
    assert run.timings["p50_s"] > 0 and load_run(tmp_path).timings == run.timings
    changed = {name for name in exports.ALL if (tmp_path / name).stat().st_mtime_ns != before[name]}
    assert changed == {exports.TIMINGS}
    assert evaluate(model := Scorer(), task, out=tmp_path).timings == run.timings and model.calls == []


def test_what_cannot_be_a_runs_folder_is_said_to_the_user(tmp_path):
    (tmp_path / "file").write_text("mine")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ValueError, match="cannot be a run's folder"):
            evaluate(Scorer(), classification(labelled()), out=out, speed=False)
    assert (tmp_path / "file").read_text() == "mine"
