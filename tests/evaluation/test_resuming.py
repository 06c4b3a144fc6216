"""A run that was cut goes on; its figures are the same to the byte; nothing that was reported is asked again."""

import json
import random
import signal
from dataclasses import replace

import pytest
from evaluation_crashes import acked, check_resumed, program, whole_run
from evaluation_fakes import Embedder, Scorer, concepts, labelled

from assay.evaluation import exports
from assay.evaluation.errors import StoreError
from assay.evaluation.evaluate import Session, evaluate
from assay.evaluation.grouping import Group
from assay.evaluation.how import How
from assay.evaluation.manifest import packages
from assay.evaluation.run import load_run
from assay.evaluation.store import Row, opened
from assay.evaluation.tasks import classification, retrieval
from assay.table import Key


@pytest.fixture(scope="module")
def runner():
    with program() as one:
        yield one


def classify(model, out, **options):
    task = classification(labelled(options.pop("count", 20)), measures=options.pop("measures", ["accuracy", "nll"]))
    return evaluate(model, task, out=out, batch=8, **{"speed": False, **options})


class Cut(Scorer):
    """Is interrupted at a model call."""

    def __init__(self, at, **options):
        super().__init__(**options)
        self.at = at

    def record(self, samples):
        super().record(samples)
        if len(self.calls) == self.at:
            raise KeyboardInterrupt


def test_cut_at_any_call_the_figures_are_the_same_to_the_byte(tmp_path):
    whole = Scorer()
    classify(whole, tmp_path / "whole")
    expected = (tmp_path / "whole" / exports.ESTIMATES).read_bytes()
    for at in range(1, len(whole.calls) + 1, 2):
        folder, first, second = tmp_path / str(at), Cut(at), Scorer()
        with pytest.raises(KeyboardInterrupt):
            classify(first, folder)
        assert not (folder / exports.ESTIMATES).exists()
        classify(second, folder)
        assert (folder / exports.ESTIMATES).read_bytes() == expected
        assert [*first.calls[:-1], *second.calls] == whole.calls


def test_progress_is_told_after_each_commit_and_from_where_a_run_goes_on(tmp_path):
    told = []
    with pytest.raises(KeyboardInterrupt):
        alone = Session(How(batch=8), linger_s=0)
        classify(Cut(3), tmp_path, on_progress=lambda *numbers: told.append(numbers), session=alone)
    assert told == [(0, 70, 0), (8, 70, 0), (16, 70, 0)]
    told.clear()
    classify(Scorer(), tmp_path, on_progress=lambda *numbers: told.append(numbers))
    assert told[0] == (16, 70, 0) and told[-1] == (70, 70, 0)


def test_batches_that_share_a_commit_are_kept_whatever_ends_the_run(tmp_path):
    told = []
    with pytest.raises(KeyboardInterrupt):
        together = Session(How(batch=8), linger_s=3600)
        classify(Cut(3), tmp_path, on_progress=lambda *numbers: told.append(numbers), session=together)
    assert told == [(0, 70, 0), (16, 70, 0)]
    rest = Scorer()
    classify(rest, tmp_path)
    assert len(rest.asked) == 54


def test_what_waits_is_not_reported_and_does_not_wait_in_memory(tmp_path):
    with opened(tmp_path / "run.sqlite") as store:
        group = Group(store, linger_s=3600)
        for number in range(3):
            rows = [Row(number * 2000 + i, Key(f"s{number}-{i}"), b"x") for i in range(2000)]
            group.add(number, rows, seconds=0.1, splits=[])
            assert group.due == (number == 2) and store.count() == 0
        assert group.commit() == 6000 and store.count() == 6000 and group.commit() == 0
        assert [size for size, _, _ in store.batches()] == [2000] * 3


def state(folder):
    return {p.name: (p.stat().st_mtime_ns, p.read_bytes()) for p in folder.iterdir()} | {".": folder.stat().st_mtime_ns}


def test_a_finished_run_is_not_asked_nor_written_again(tmp_path):
    first = classify(Scorer(), tmp_path, speed=True)
    before, again = state(tmp_path), Scorer()
    second = classify(again, tmp_path, speed=True)
    assert again.calls == [] and state(tmp_path) == before
    assert second.estimates == first.estimates and second.timings == first.timings
    assert not list(tmp_path.glob("*journal*")) and not list(tmp_path.glob(".*"))


def test_a_run_with_errors_is_finished_too_and_stays_incomplete(tmp_path):
    def broken():
        raise ValueError("broken picture")

    classify(Scorer(faults={"s02": broken}), tmp_path)
    again = Scorer()
    run = classify(again, tmp_path)
    assert again.calls == [] and not run.complete and run.status == "incomplete 65/70"


def test_other_metrics_score_again_without_the_model(tmp_path):
    classify(Scorer(), tmp_path)
    again = Scorer()
    run = classify(again, tmp_path, measures=["macro_f1", "top_2_accuracy"])
    assert again.calls == [] and run.headline.metric == "macro_f1"
    loaded = load_run(tmp_path)
    assert loaded.estimates == run.estimates and loaded.manifest.metrics == ("macro_f1", "top_2_accuracy")


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda folder: classify(Scorer(fingerprint="fake-2"), folder), "model_fingerprint: fake-1 there, fake-2 here"),
        (lambda folder: classify(Scorer(name="other"), folder), "model: fake there, other here"),
        (
            lambda folder: classify(Scorer(modalities=frozenset({"text"})), folder),
            "modalities: image, text there, text here",
        ),
        (lambda folder: classify(Scorer(), folder, count=19), "rows: 70 there"),
        (lambda folder: classify(Scorer(), folder, seed=3), "seed: 0 there, 3 here"),
        (lambda folder: evaluate(Embedder(), retrieval(concepts()), out=folder), "verb: score there, embed here"),
        (lambda folder: evaluate(Scorer(), classification(labelled()), out=folder, batch=9), "batch: 8 there, 9 here"),
    ],
)
def test_a_folder_of_another_configuration_is_refused_with_the_difference(tmp_path, change, line):
    classify(Scorer(), tmp_path)
    before = state(tmp_path)
    with pytest.raises(ValueError, match="another configuration") as refused:
        change(tmp_path)
    assert line in str(refused.value)
    assert state(tmp_path) == before


def test_samples_in_another_order_are_another_configuration(tmp_path):
    data = labelled()
    evaluate(Scorer(), classification(data), out=tmp_path, speed=False)
    turned = replace(data, samples=data.samples[::-1])
    with pytest.raises(ValueError, match="plan: "):
        evaluate(Scorer(), classification(turned), out=tmp_path, speed=False)


def test_another_version_is_noted_and_not_refused(tmp_path, monkeypatch):
    with pytest.raises(KeyboardInterrupt):
        classify(Cut(3), tmp_path)
    monkeypatch.setattr("assay.evaluation.manifest.packages", lambda: {**packages(), "numpy": "9.9"})
    run = classify(Scorer(), tmp_path)
    (note,) = run.manifest.notes
    assert note.startswith("numpy was ") and note.endswith("when the run began, 9.9 when it went on")
    assert json.loads((tmp_path / exports.MANIFEST).read_text())["notes"] == [note]


def test_an_unfinished_run_cannot_be_loaded(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        classify(Cut(3), tmp_path)
    with pytest.raises(ValueError, match="unfinished, 16 of 70 answers"):
        load_run(tmp_path)


def test_an_export_that_was_changed_is_refused_and_made_again(tmp_path):
    whole = classify(Scorer(), tmp_path)
    path = tmp_path / exports.ESTIMATES
    path.write_bytes(path.read_bytes().replace(b'"n": 20', b'"n": 21', 1))
    with pytest.raises(StoreError, match=r"estimates\.json has been changed or damaged"):
        load_run(tmp_path)
    again = Scorer()
    assert classify(again, tmp_path).estimates == whole.estimates and again.calls == []
    assert load_run(tmp_path).estimates == whole.estimates


@pytest.mark.parametrize(("task", "calls"), [("classification", (1, 5, 9)), ("retrieval", (2, 4))])
def test_killed_at_a_call_it_goes_on_to_the_same_bytes(runner, tmp_path, task, calls):
    expected, batches = whole_run(runner, tmp_path / "whole", task)
    for call in calls:
        folder = tmp_path / f"killed-{call}"
        assert runner.run(folder, task, call, "SIGKILL") == -signal.SIGKILL
        assert acked(folder) == sum(map(len, batches[: call - 1]))
        check_resumed(runner, folder, task, expected, batches)


def test_ctrl_c_ends_orderly_and_goes_on(runner, tmp_path):
    expected, batches = whole_run(runner, tmp_path / "whole", "classification")
    assert runner.run(tmp_path / "cut", "classification", 3, "SIGINT") == 130
    assert acked(tmp_path / "cut") == 8
    check_resumed(runner, tmp_path / "cut", "classification", expected, batches)


def test_killed_at_random_moments(runner, tmp_path):
    expected, batches = whole_run(runner, tmp_path / "whole", "classification")
    seed = random.randrange(10**6)
    print("seed", seed)
    draw = random.Random(seed)
    for place in range(5):
        folder = tmp_path / str(place)
        runner.run(folder, "classification", kill_after_s=draw.uniform(0, 0.3))
        runner.run(folder, "classification", kill_after_s=draw.uniform(0, 0.3))
        check_resumed(runner, folder, "classification", expected, batches)
