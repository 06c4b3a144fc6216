"""Models, tasks and metrics of installed packages: found by their names, blamed by theirs."""

import sys

import pytest

import assay
from assay import metrics
from assay.cli import main

CODE = """
from dataclasses import replace
from assay import metrics
from assay.evaluation.tasks import classification
from assay.metrics.metric import Metric

def shouting(rest):
    def answer(samples, choices=None):
        return [rest.upper() for _ in samples]
    return answer

def sorting(dataset, measures=()):
    return replace(classification(dataset, measures=measures or ("hits",)), name="sorting")

HITS = replace(metrics.get("accuracy"), name="hits")
MISNAMED = metrics.get("accuracy")

def broken(rest):
    raise RuntimeError("inside")
"""

POINTS = """
[assay.models]
shout = {module}:shouting
bad = {module}:nothing_there

[assay.tasks]
sorting = {module}:sorting
lost = no_such_module_at_all:task

[assay.metrics]
hits = {module}:HITS
misnamed = {module}:MISNAMED
accuracy = {module}:broken
"""


def install(folder, name: str, monkeypatch) -> None:
    module = name.replace("-", "_")
    (folder / f"{module}.py").write_text(CODE)
    about = folder / f"{module}-1.2.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
    (about / "entry_points.txt").write_text(POINTS.format(module=module))
    monkeypatch.syspath_prepend(str(folder))


@pytest.fixture
def installed(tmp_path, monkeypatch):
    install(tmp_path, "loud-things", monkeypatch)
    yield
    sys.modules.pop("loud_things", None)


def test_a_model_is_given_what_follows_its_name(installed, tmp_path):
    (tmp_path / "q.csv").write_text("id,question,answer\n1,why?,BECAUSE\n2,who?,me\n")
    run = assay.evaluate("shout:because", tmp_path / "q.csv", task="vqa")
    exact = next(one for one in run.estimates if one.metric == "exact_match")
    assert run.complete and exact.value == 0.5


def test_a_task_and_its_metric_from_the_command_line(installed, tmp_path):
    out = str(tmp_path / "run")
    assert main(["evaluate", "baseline:chance", "digits:test", "--limit", "20", "--task", "sorting", "--out", out]) == 0
    run = assay.evaluate("baseline:chance", "digits:test", task="sorting", limit=20, out=out)
    assert run.manifest.task == "sorting" and run.headline.metric == "hits"
    assert metrics.get("hits").name == "hits"


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (
            lambda: assay.load_model("bad:x"),
            "the model 'bad' of loud-things 1.2 cannot be loaded from loud_things:nothing_there",
        ),
        (
            lambda: assay.evaluate("baseline:chance", "digits", task="lost"),
            "the task 'lost' of loud-things 1.2 cannot be loaded",
        ),
        (lambda: metrics.get("misnamed"), "is no metric of that name"),
        (lambda: assay.load_model("shoot:x"), "did you mean shout?"),
        (lambda: metrics.get("hitz"), "did you mean hits"),
    ],
)
def test_what_is_wrong_with_a_plugin_names_its_package(installed, ask, said):
    with pytest.raises(ValueError) as caught:
        ask()
    assert said in str(caught.value)


def test_our_own_names_cannot_be_taken(installed):
    assert metrics.get("accuracy").name == "accuracy"


def test_two_packages_with_one_name_are_both_named(tmp_path, monkeypatch):
    for name in ("loud-things", "louder-things"):
        (tmp_path / name).mkdir()
        install(tmp_path / name, name, monkeypatch)
    with pytest.raises(ValueError, match=r"loud.*-things 1.2 and by loud.*-things 1.2: uninstall one"):
        assay.load_model("shout:x")
