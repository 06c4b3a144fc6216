"""Probes in an evaluation: shared conditions are asked once, what cannot be served is skipped by name, runs go on and compare."""

from __future__ import annotations

import json

import numpy as np
import pytest
from evaluation_fakes import Scorer

from assay import verbs
from assay.data.dataset import Dataset
from assay.data.media import Image
from assay.evaluation.compare import compare
from assay.probes.probe import chosen_probes, probing
from assay.types import Sample

CLASSES = ("cat", "dog")


def pictures(n: int = 40, *, modalities: tuple[str, ...] = ("text", "image")) -> Dataset:
    """Half cats, half dogs; text and picture both tell."""
    samples = []
    for i in range(n):
        target = CLASSES[i % 2]
        inputs = {"text": f"a {target} {i}", "image": Image(np.full((4, 4, 3), 250 * (i % 2), np.uint8))}
        samples.append(Sample(f"s{i:03d}", {m: inputs[m] for m in modalities}, target=target))
    return Dataset("pets", samples, f"pets-{n}", choices=CLASSES)


def reads_text(samples: list[Sample], choices=None) -> list[str]:
    """Says what the text says, and cat where there is none."""
    return ["dog" if "dog" in str(sample.inputs.get("text", "")) else "cat" for sample in samples]


def figures(run) -> dict[tuple[str, str], object]:
    return {(e.metric, e.slice): e for e in run.estimates}


def test_figures_follow_the_tasks_own_and_say_what_they_are(tmp_path):
    run = verbs.evaluate(reads_text, pictures(), task="classification", probes=["blind"], out=tmp_path / "run")
    assert run.complete and run.headline.metric == "accuracy" and run.manifest.probes == ("blind",)
    found = figures(run)
    assert found["blind_share", "modality=image"].value == 1.0
    assert found["blind_share", "modality=text"].value == 0.5
    assert found["blind_score", "solver=chance"].value == 0.5
    back = verbs.load_run(tmp_path / "run")
    assert back.as_json() == run.as_json() and back.figures is not None
    again = verbs.evaluate(reads_text, pictures(), task="classification", probes=["blind"], out=tmp_path / "run")
    assert again.as_json() == run.as_json()


def test_a_condition_that_several_want_is_asked_once():
    model = Scorer()
    run = verbs.evaluate(
        model, pictures(10), task="classification", conditions=["clean", "drop:image", "only:text"], probes=["blind"]
    )
    conditions = run.manifest.conditions
    assert len(set(conditions)) == len(conditions) and len(model.asked) == run.planned == 10 * len(conditions)
    assert {e.condition for e in run.estimates if e.metric == "accuracy"} == {"clean", "drop:image", "only:text"}


def test_what_cannot_be_served_is_skipped_by_name_and_does_not_fail():
    run = verbs.evaluate(reads_text, pictures(modalities=("text",)), task="classification", probes=["blind"])
    assert run.complete and run.manifest.probes == ()
    [skipped] = run.as_json()["skipped"]
    assert skipped["probe"] == "blind" and "text" in skipped["missing"] and "two are needed" in skipped["missing"]


def test_unknown_probes_tell_their_neighbours():
    with pytest.raises(ValueError, match="unknown probe 'blnd': did you mean blind"):
        verbs.evaluate(reads_text, pictures(4), task="classification", probes=["blnd"])
    with pytest.raises(ValueError, match="unknown probe ''"):
        chosen_probes([])


def test_failures_under_a_probes_condition_are_missing_and_said():
    def fails(samples, choices=None):
        if any("image" not in sample.inputs for sample in samples):
            raise RuntimeError("no picture")
        return ["cat"] * len(samples)

    run = verbs.evaluate(fails, pictures(6), task="classification", conditions=["clean"], probes=["blind"])
    assert not run.complete and {error["condition"] for error in run.errors()} == {"drop:image", "only:text"}
    found = figures(run)["blind_share", "modality=image"]
    assert np.isnan(found.value) and found.n == 0 and found.n_missing == 6


def test_the_order_of_names_and_repeats_do_not_matter():
    task = verbs.prepare(reads_text, pictures(6), task="classification").task
    model = verbs.load_model(reads_text)
    assert probing(task, model, ["blind", "blind"]).names == probing(task, model, ["blind"]).names == ("blind",)


def test_json_of_the_command(tmp_path, capsys):
    from assay.cli import evaluate

    options = evaluate.Evaluate("baseline:chance", "emoji", task="classification", limit=30, probe="blind", json=True)
    assert evaluate.evaluate(type(options)(**{**vars(options), "out": str(tmp_path / "run")})) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["probes"] == ["blind"] and document["skipped"] == []
    assert {"blind_score", "blind_share", "needs_share"} <= {e["metric"] for e in document["estimates"]}


def test_figures_of_two_runs_are_compared_in_pairs():
    def sees(samples, choices=None):
        return ["dog" if "image" in s.inputs and s.inputs["image"].load().mean() > 9 else "cat" for s in samples]

    a, b = (
        verbs.evaluate(model, pictures(60), task="classification", conditions=["clean"], probes=["blind"])
        for model in (reads_text, sees)
    )
    found = verbs.compare(a, b)
    rows = {(row.metric, row.slice): row for row in found.rows}
    share = rows["blind_share", "modality=image"]
    assert (share.a, share.b) == (1.0, 0.5) and share.verdict == "worse" and share.low < share.difference < share.high
    assert rows["blind_share", "modality=text"].verdict == "better"
    assert found.rows[0].metric == "accuracy" and found.family == sum(
        r.metric in a.manifest.metrics for r in found.rows
    )

    [gain] = [r for r in compare(a, b, metrics=["multimodal_gain"]).rows if r.slice == "modality=image"]
    assert gain.difference == pytest.approx(-0.5)
    with pytest.raises(ValueError, match="has not measured 'shapley'"):
        compare(a, b, metrics=["shapley"])


@pytest.mark.parametrize(
    "name",
    [
        "shuffle:image",
        "shuffle:text+image@2",
        "constant:all",
        "constant:image@2",
        "noise:text",
        "noise:image@3",
        "recase:text",
        "again",
        "drop:text",
    ],
)
def test_conditions_by_name_are_those_of_probes(name):
    task = verbs.prepare(reads_text, pictures(12), task="classification", conditions=["clean", name]).task
    condition = task.conditions[1]
    assert condition.name == name
    own = {
        one.name: one
        for one in probing(task, verbs.load_model(reads_text), ["contribution", "consistency", "blind"]).conditions
    }
    if name in own and name.startswith("shuffle"):
        sample, rng = task.dataset.samples[3], np.random.default_rng(0)
        for modality in sample.inputs:
            assert (
                own[name].transform(sample, rng).inputs[modality] is condition.transform(sample, rng).inputs[modality]
            )


@pytest.mark.parametrize(
    "name", ["shufle:image", "shuffle:", "shuffle:image@x", "constant:smell", "noise:image@6", "recase:image"]
)
def test_unknown_conditions_tell_their_neighbours(name):
    with pytest.raises(ValueError, match="unknown condition"):
        verbs.prepare(reads_text, pictures(4), task="classification", conditions=[name])


def test_a_model_that_gives_nothing_but_nan_has_undefined_figures():
    def broken(samples, choices=None) -> np.ndarray:
        return np.full((len(samples), 2), np.nan)

    run = verbs.evaluate(broken, pictures(24), task="classification", conditions=["clean"], probes=["all"])
    assert not run.complete and run.missing == run.planned
    found = figures(run)
    for name in ("shapley", "perceptual_score", "mm_shap", "flip_rate"):
        one = found[name, "modality=image"]
        assert np.isnan(one.value) and one.n == 0 and one.n_missing > 0
    assert np.isnan(found["emap_gap", "modality=text+image"].value)
