"""Metrics as functions: names, signatures, items, slices, what is refused."""

import math
import subprocess
import sys

import numpy as np
import pytest

from assay import metrics


def test_every_name_gives_a_metric_that_calls_itself_so():
    for name in metrics.METRICS:
        metric = metrics.get(name)
        assert metric.name == name
        assert metric.signature.startswith(f"{name}|")
        assert metric.signature.rpartition("|")[2].startswith("assay:")
        assert metric.source
        assert metric.family


@pytest.mark.parametrize("name", ["hit@7", "recall@100", "ndcg@3", "top_3_accuracy"])
def test_any_k(name):
    assert metrics.get(name).name == name


@pytest.mark.parametrize(
    ("name", "near"), [("acuracy", "accuracy"), ("hits@1", "hit@1"), ("hit@0", "hit@10"), ("x", "mrr")]
)
def test_an_unknown_name_is_told_its_neighbours(name, near):
    with pytest.raises(ValueError, match=near):
        metrics.get(name)


def test_the_gallery_is_part_of_the_recipe():
    found = metrics.retrieval(np.eye(3), np.eye(3), [[0], [1], [2]], k=(1, 2))
    assert {
        "hit@1",
        "hit@2",
        "recall@2",
        "mrr",
        "map",
        "map@r",
        "r_precision",
        "ndcg",
        "ndcg@10",
        "median_rank",
    } <= set(found)
    assert "|ties:expected|gallery:3|assay:" in found["hit@1"].signature
    assert found["hit@1"].unit == "query"
    assert all(one.low <= one.value <= one.high for one in found.values())


def test_items_are_per_unit_means():
    found = metrics.score(["accuracy", "macro_f1"], list("aabb"), list("abbb"), unit=["x", "x", "y", "y"])
    assert found["accuracy"].items.tolist() == [0.5, 1.0]
    assert found["accuracy"].n == 2
    assert found["macro_f1"].items is None


def test_unparsed_answers_are_wrong_and_counted():
    found = metrics.score(["accuracy", "macro_f1"], ["a", None, "b", None], ["a", "a", "b", "b"])
    assert found["accuracy"].value == 0.5
    assert found["unparsed"].value == 0.5
    assert found["macro_f1"].value == pytest.approx(2 / 3)
    assert "unparsed" not in metrics.score(["accuracy"], ["a"], ["a"])


def test_nothing_at_all_is_nan():
    found = metrics.score(["accuracy", "macro_f1"], [], [])
    assert all(math.isnan(one.value) and math.isnan(one.low) and one.n == 0 for one in found.values())


def test_estimates_over_slices():
    rows = metrics.measure([metrics.get("accuracy")], ["a", "b", "a"], ["a", "a", "a"])
    masks = {"all": np.ones(3, bool), "style=noto": np.array([True, False, True])}
    whole, part = metrics.estimates([metrics.get("accuracy")], rows, slices=masks, condition="drop:text")
    assert (whole.slice, whole.n, part.slice, part.value, part.n) == ("all", 3, "style=noto", 1.0, 2)
    assert part.condition == "drop:text"
    assert part.items.tolist() == [1.0, 1.0]


def test_metrics_of_two_families_do_not_mix():
    with pytest.raises(ValueError, match="same inputs"):
        metrics.measure([metrics.get("mrr"), metrics.get("accuracy")], [], [])


def test_importing_metrics_costs_neither_scipy_nor_torch():
    code = (
        "import sys; import assay.metrics, assay.stats; from assay import metrics;"
        "metrics.score(['accuracy', 'macro_f1'], list('ab' * 40), list('bbab' * 20));"
        "print([m for m in ('scipy.stats', 'torch', 'polars', 'sklearn') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
