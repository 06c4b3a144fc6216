"""Slices by name."""

import numpy as np
import pytest

from assay import stats


def test_names_order_and_rows_without_a_group():
    columns = {"split": ["test", "val", "test", "test"], "direction": ["a->b", "a->b", "b->a", ""]}
    found = stats.slices(columns, [("split", "direction")])
    assert list(found) == [
        "all",
        "split=test",
        "split=val",
        "direction=a->b",
        "direction=b->a",
        "split=test & direction=a->b",
        "split=test & direction=b->a",
        "split=val & direction=a->b",
    ]
    assert found["all"].all()
    assert found["split=test & direction=b->a"].tolist() == [False, False, True, False]
    assert found["direction=a->b"].tolist() == [True, True, False, False]


def test_small_parts_can_be_left_out():
    found = stats.slices({"c": np.array(["x", "x", "y"])}, at_least=2)
    assert list(found) == ["all", "c=x"]


def test_an_estimate_over_a_slice_is_that_of_its_rows():
    from assay import metrics

    wanted = [metrics.get("macro_f1")]
    true, predicted, style = list("aabbab"), list("abbbaa"), np.array(list("xyxyxy"))
    rows = metrics.measure(wanted, predicted, true)
    for one in metrics.estimates(wanted, rows, slices=stats.slices({"style": style})):
        kept = [i for i in range(6) if one.slice == "all" or style[i] == one.slice[-1]]
        alone = metrics.score(["macro_f1"], [predicted[i] for i in kept], [true[i] for i in kept])["macro_f1"]
        assert one.value == alone.value
        assert one.n == len(kept)


@pytest.mark.parametrize(
    ("columns", "crossed", "message"),
    [
        ({"a": [1], "b": [1, 2]}, (), "one length"),
        ({}, (), "at least one"),
        ({"a": [1]}, [("a", "c")], "cannot cross c"),
    ],
)
def test_what_does_not_fit(columns, crossed, message):
    with pytest.raises(ValueError, match=message):
        stats.slices(columns, crossed)
