"""Which runs are compared: every two models, each model with the strongest baseline; never across tasks or data."""

import math

import pytest
from evaluation_fakes import Scorer, labelled

from assay.evaluation.evaluate import evaluate
from assay.evaluation.pairs import pairs, strongest
from assay.evaluation.tasks import classification


def run(name, fingerprint, *, data=None, metrics=("accuracy",)):
    model = Scorer(name=name, fingerprint=fingerprint)
    return evaluate(model, classification(data or labelled(12), measures=list(metrics)), speed=False)


@pytest.fixture(scope="module")
def runs():
    names = ("baseline:chance", "one", "two", "baseline:words")
    return {name: run(name, name) for name in names}


def scored(run, value, metric="accuracy"):
    from dataclasses import replace

    return replace(run, estimates=(replace(run.headline, value=value, metric=metric), *run.estimates[1:]))


def test_models_are_paired_with_each_other_and_with_the_strongest_baseline(runs):
    given = [scored(one, value) for one, value in zip(runs.values(), (0.2, 0.6, 0.7, 0.5), strict=True)]
    found = [(a.manifest.model, b.manifest.model) for a, b in pairs(given)]
    assert found == [("one", "two"), ("one", "baseline:words"), ("two", "baseline:words")]


def test_runs_of_other_data_or_of_baselines_alone_are_not_paired(runs):
    other = run("three", "three", data=labelled(12, name="elsewhere"))
    assert pairs([runs["one"], other]) == []
    assert pairs([runs["baseline:chance"], runs["baseline:words"]]) == []


def test_the_strongest_is_so_in_the_metrics_own_direction(runs):
    a, b = runs["baseline:chance"], runs["baseline:words"]
    assert strongest([scored(a, 0.4), scored(b, 0.5)]).manifest.model == "baseline:words"
    assert strongest([scored(a, 0.4, "nll"), scored(b, 0.5, "nll")]).manifest.model == "baseline:chance"
    assert strongest([scored(a, math.nan), scored(b, 0.1)]).manifest.model == "baseline:words"
    assert strongest([scored(a, 2.0, "my own"), scored(b, 1.0, "my own")]).manifest.model == "baseline:chance"
