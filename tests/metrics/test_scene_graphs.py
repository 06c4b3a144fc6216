"""Scene-graph F1: facts compared exactly, by kind, and every input that is no graph."""

import numpy as np
import pytest

from assay import metrics

TRUE = {
    "objects": ["dog", "mat", "dog"],
    "attributes": [("dog", "black"), ["mat", "red"]],
    "relations": [("dog", "on", "mat")],
}
SAID = ["dog", ("cat",), ("dog", "black"), ("dog", "on", "mat"), ("dog", "near", "mat")]


def test_f1_over_all_facts_and_by_kind():
    names = ["sgf1", "sgf1_objects", "sgf1_attributes", "sgf1_relations"]
    found = metrics.score(names, [SAID], [TRUE])
    assert [found[name].value for name in names] == pytest.approx([2 * 3 / 10, 2 * 1 / 4, 2 * 1 / 3, 2 * 1 / 3])


def test_the_value_is_the_mean_of_the_rows_and_items_are_theirs():
    found = metrics.sgf1([SAID, TRUE, []], [TRUE, TRUE, TRUE])
    np.testing.assert_allclose(found.items, [0.6, 1, 0])
    assert found.value == pytest.approx(1.6 / 3)
    assert found.signature.startswith("sgf1|match:exact|facts:set|")


def test_both_forms_of_a_graph_are_one():
    facts = {("dog",), ("mat",), ("dog", "black"), ("mat", "red"), ("dog", "on", "mat")}
    assert metrics.sgf1([facts], [TRUE]).value == 1


def test_facts_are_compared_as_they_stand():
    assert metrics.sgf1([["Dog"]], [["dog"]]).value == 0
    assert metrics.sgf1([["dogs"]], [["dog"]]).value == 0
    assert metrics.sgf1([["a\ud800"]], [["a\ud800"]]).value == 1


def test_rows_with_nothing_to_compare_are_undefined():
    found = metrics.score(["sgf1", "sgf1_relations"], [[], ["dog"], None], [[], ["dog"], ["dog"]])
    assert found["sgf1"].value == 1
    assert (found["sgf1"].n, found["sgf1"].n_missing) == (1, 1)
    assert np.isnan(found["sgf1_relations"].value)
    assert np.isnan(metrics.sgf1([], []).value)


@pytest.mark.parametrize(
    ("predicted", "true", "message"),
    [
        ([[]], [], "1 predicted, 0 true"),
        ("dog", ["dog"], "predictions: a list, one a row"),
        ([{}], {"objects": []}, "references: a list, one a row"),
        ([[]], [None], "row 0: a collection of facts was expected in the true graph, not None"),
        ([[], "dog"], [[], []], "row 1: a collection of facts was expected in the predicted graph, not 'dog'"),
        ([[("a", "b", "c", "d")]], [[]], "row 0: an object, .* was expected as a predicted fact"),
        ([[()]], [[]], "row 0: an object, .* was expected as a predicted fact"),
        ([[("dog", 2)]], [[]], r"not \('dog', 2\)"),
        ([{"attributes": [("dog",)]}], [[]], r"row 0: 2 texts was expected as a predicted fact"),
        ([{"colours": []}], [[]], "has objects, attributes, relations, not colours"),
        ([[3.0]], [[]], "not 3.0"),
    ],
)
def test_what_is_no_graph_names_its_row(predicted, true, message):
    with pytest.raises(ValueError, match=message):
        metrics.sgf1(predicted, true)
