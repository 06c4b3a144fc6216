"""What every public function of metrics does with input that is not as it should be: an error that says where, or NaN with a count.

Never another exception, never a warning, and never a 0 where nothing was measured.
"""

import itertools
import math
import re

import pytest
from metric_inputs import CHOICES
from public_calls import CALLS, NO_ROWS

from assay import metrics
from assay.types import Estimate

every = pytest.mark.parametrize("name", CALLS)
HOSTILE = [None, math.nan, math.inf, -math.inf, -1, 3, 10**40, 1j, "", " \t\n", "\ud800 a", "\0", "zebra", b"x"]
HOSTILE += [object(), [], {}, {"a"}, [[["a"]]], [math.nan, 1, 2], [None, 1, 2], (1, 2, 3, 4), [0.0, 0.0, 0.0]]
UNPAIRED = {"frechet_distance", "hubness"}
"""Two lists that need not be as long as each other."""

COUNTED_AS_WRONG = {"accuracy", "confusion_matrix", "per_class", "precision", "recall", "f1", "f1:samples"}
"""An answer of None could not be parsed: it is wrong, and has its share beside the figure."""


def called(name, arguments):
    """The figures, by name; None where a `ValueError` was raised, and what it said."""
    try:
        found = CALLS[name][0](*arguments)
    except ValueError as error:
        return None, str(error)
    if isinstance(found, Estimate):
        return {found.metric: found}, ""
    figures = {key: one for key, one in found.items() if isinstance(one, Estimate)} if isinstance(found, dict) else {}
    return {**figures, **nested(found)}, ""


def nested(found):
    if not isinstance(found, dict):
        return {}
    return {f"{way} {key}": e for way, of in found.items() if isinstance(of, dict) for key, e in of.items()}


def replaced(arguments, at, rows):
    return [rows if place == at else one for place, one in enumerate(arguments)]


def sound(figures):
    """Values within their interval; a NaN has no interval either."""
    for one in figures.values():
        if not isinstance(one, Estimate):
            continue
        assert math.isnan(one.value) or not one.low > one.value + 1e-9
        assert math.isnan(one.value) or not one.high < one.value - 1e-9
        assert one.n_missing >= 0
        if one.n == 0:
            assert math.isnan(one.value), f"{one.metric} of nothing is {one.value}"


def test_every_public_function_is_among_them():
    assert {name.partition(":")[0] for name in CALLS} >= set(metrics.HOMES) - NO_ROWS


@every
def test_good_rows_are_measured(name):
    figures, said = called(name, CALLS[name][1])
    assert figures is not None, said
    sound(figures)
    assert all(one.n > 0 for one in figures.values() if isinstance(one, Estimate))


@every
def test_no_rows_are_nan_or_refused(name):
    figures, said = called(name, [[] for _ in CALLS[name][1]])
    assert figures is not None or "expected" in said
    for one in (figures or {}).values():
        assert not isinstance(one, Estimate) or (math.isnan(one.value) and one.n == 0)


@every
@pytest.mark.parametrize(
    "given", [None, 3, "abcdef", (row for row in "ab")], ids=["none", "number", "text", "generator"]
)
def test_what_is_no_list_is_said_to_be_none(name, given):
    arguments = CALLS[name][1]
    for at in range(len(arguments)):
        figures, said = called(name, replaced(arguments, at, given))
        optional = given is None and name in ("caption_length", "distinct_1", "distinct_2", "hubness")
        assert (figures is None and re.search("expected|fit", said)) or optional, (at, said)


@every
def test_unequal_lengths_are_refused_with_both(name):
    arguments = CALLS[name][1]
    for at in range(len(arguments) if len(arguments) > 1 and name not in UNPAIRED else 0):
        figures, said = called(name, replaced(arguments, at, arguments[at][:-1]))
        assert figures is None
        assert re.search(rf"\b{len(arguments[at]) - 1}\b", said), said


@every
def test_a_hostile_row_is_named_or_measured(name):
    arguments = CALLS[name][1]
    for at, hostile in itertools.product(range(len(arguments)), HOSTILE):
        rows = arguments[at]
        figures, said = called(name, replaced(arguments, at, [*rows[:1], hostile, *rows[2:]]))
        sound(figures or {})
        assert figures is not None or re.search(r"\b1\b", said), f"{hostile!r} in argument {at}: {said}"
        figures, said = called(name, replaced(arguments, at, [hostile] * len(rows)))
        sound(figures or {})


@every
def test_an_answer_that_never_came_is_missing_and_never_wrong(name):
    family = metrics.get(name.removeprefix("score:")).family if name.startswith("score:") else ""
    if name in COUNTED_AS_WRONG or family in ("labels", "label_sets"):
        return
    first, *others = CALLS[name][1]
    figures, said = called(name, [[first[0], None, *first[2:]], *others])
    if figures is None:
        assert re.search(r"\b1\b", said), said
        return
    if len(others) > 1:
        return  # the other raters go on without one
    none, _ = called(name, [[None] * len(first), *others])
    for key, one in (none or {}).items():
        assert not isinstance(one, Estimate) or math.isnan(one.value), f"{key} without any answer is {one.value}"


@pytest.mark.parametrize("name", [name for name in metrics.METRICS if metrics.get(name).family == "labels"])
def test_labels_that_could_not_be_parsed_are_counted(name):
    found = metrics.score([name], ["a", None, "b"], ["a", "a", "b"])
    assert found["unparsed"].value == pytest.approx(1 / 3)
    assert found[name].n == 3


def test_one_class_only():
    scores, ones = [0.2, 0.9, 0.4], [1, 1, 1]
    assert math.isnan(metrics.auroc(scores, ones).value)
    assert metrics.average_precision(scores, ones).value == 1
    assert math.isnan(metrics.average_precision(scores, [0, 0, 0]).value)
    assert math.isnan(metrics.cohen_kappa(ones, ones).value)
    assert math.isnan(metrics.krippendorff_alpha([ones, ones]).value)
    assert math.isnan(metrics.pearson(ones, scores).value)
    assert math.isnan(metrics.score(["mcc"], ones, ones)["mcc"].value)
    assert metrics.f1(ones, ones).value == 1


def test_no_positives():
    one = metrics.retrieval([[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]], [[0], []])
    assert {key: (found.value, found.n) for key, found in one.items() if key in ("hit@1", "map", "recall@5")} == {
        "hit@1": (1.0, 1),
        "recall@5": (1.0, 1),
        "map": (1.0, 1),
    }
    none = metrics.retrieval([[1.0, 0.0]], [[1.0, 0.0]], [[]])
    assert all(math.isnan(found.value) and found.n == 0 for found in none.values())
    empty = {"boxes": [], "labels": []}
    found = metrics.detection([{"boxes": [[0, 0, 5, 5]], "labels": ["cat"], "scores": [0.9]}], [empty])
    assert all(math.isnan(one.value) for one in found.values())


@pytest.mark.parametrize("side", [0, 1])
def test_boxes_with_negative_sides(side):
    good = {"boxes": [[0, 0, 5, 5]], "labels": ["cat"]}
    bad = {"boxes": [[0, 0, 5, 5], [0, 0, -5, 5]], "labels": ["cat", "cat"]}
    sides = [[good | {"scores": [0.5]}] * 2, [good] * 2]
    sides[side][1] = bad | ({} if side else {"scores": [0.5, 0.5]})
    with pytest.raises(ValueError, match=r"(predicted|targets)\[1\].*negative|\[1\].*-5"):
        metrics.detection(*sides)
    with pytest.raises(ValueError, match=r"\[1\]"):
        metrics.grounding([[0, 0, 5, 5], [0, 0, 5, -5]], [[0, 0, 5, 5]] * 2)


def test_unknown_labels():
    accuracy = metrics.get("accuracy")
    with pytest.raises(ValueError, match="row 1.*'zebra' is none of the choices"):
        accuracy.measure(["a", "a"], ["a", "zebra"], CHOICES)
    assert accuracy.measure(["a", "zebra"], ["a", "a"], CHOICES)["unparsed"].tolist() == [0, 1]
    assert metrics.score(["accuracy"], ["a", "zebra"], ["a", "a"])["accuracy"].value == 0.5
    with pytest.raises(ValueError, match="zebra"):
        metrics.detection(
            [{"boxes": [], "labels": [], "scores": []}],
            [{"boxes": [[0, 0, 1, 1]], "labels": ["zebra"]}],
            classes=["cat"],
        )
    with pytest.raises(ValueError, match="row 1: 7 is no class of 2"):
        metrics.auroc([[0.1, 0.9], [0.2, 0.8]], [0, 7])


@pytest.mark.parametrize(
    "name", ["bleu_4", "meteor15_noparaphrase", "rouge_l", "cider_d", "distinct_1", "caption_length"]
)
def test_a_caption_of_ten_megabytes_is_refused_by_its_row(name):
    long = "a cat sits on the mat. " * 450_000
    for given in ((["a cat", long], [["a cat"], ["a"]]), (["a cat", "a"], [["a cat"], [long]])):
        with pytest.raises(ValueError, match="row 1: a caption of at most 1,000,000 characters"):
            metrics.score([name], *given)


@pytest.mark.parametrize("name", ["exact_match", "token_f1", "anls", "wer", "vqa_accuracy"])
def test_an_answer_of_ten_megabytes_is_only_wrong(name):
    long = "a cat sits on the mat. " * 450_000
    found = metrics.score([name], ["a cat", long], [["a cat"], ["a dog"]])[name]
    assert found.n == 2
    assert math.isfinite(found.value)
