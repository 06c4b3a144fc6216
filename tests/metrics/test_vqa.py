"""VQA accuracy: the golden strings, the quirks that are part of the standard, what is refused."""

import math

import numpy as np
import pytest

from assay import metrics, stats
from assay.metrics import vqa

GOLDEN = {
    "The Two dogs.": "2 dogs",
    "3.": "3",
    "3.5": "3.5",
    "1,000": "1000",
    "1,000-meter race": "1000meter race",
    "t-shirt": "t shirt",
    "and/or": "and or",
    "Dont know": "don't know",
    "none": "0",
    "5 p.m.": "5 pm",
    "10:30": "10:30",
    "a": "",
    "St. Mary's": "st mary's",
    "Im here": "im here",
    "couldn'tve couldnt've": "couldn't've couldn't've",
    "somebody'd yall'd've": "somebodyd y'all'd've",
    "ow's'at 'ows'at 'ow'sat": "'ow's'at 'ow's'at 'ow's'at",
    "$5 & 50% #1 *": "$5 & 50% #1 *",
    "red, blue-green": "red blue green",
    "": "",
}


@pytest.mark.parametrize(("text", "expected"), GOLDEN.items())
def test_golden_normalisation(text, expected):
    assert vqa.normalise(text) == expected


def test_only_32_periods_go():
    assert vqa.normalise("." * 40 + "x") == "." * 8 + "x"


def test_a_mark_is_judged_on_the_text_as_it_came():
    assert vqa.normalise("a-b -c") == "ab c"  # one dash beside a space deletes them all
    assert vqa.normalise("a/b 1,2") == "ab 12"  # a comma between digits deletes every mark


def test_the_table_of_contractions_is_whole():
    # 120 in the reference, of which four have capitals and never match, and two change nothing.
    assert len(vqa.CONTRACTIONS) == 114
    assert vqa.CONTRACTIONS["hes"] == "he's"
    assert not {"wed", "shell", "ill", "its", "lets"} & set(vqa.CONTRACTIONS)


def test_textvqa_splits_possessives():
    assert vqa.normalise_textvqa("Is it Macy's, 1,000?") == "is it macy 's 1000"
    assert vqa.normalise("Macy's") == "macy's"


@pytest.mark.parametrize(("same", "expected"), list(enumerate([0, 0.3, 0.6, 0.9, 1, 1, 1, 1, 1, 1, 1])))
def test_leave_one_out_of_ten(same, expected):
    humans = [["red"] * same + [f"colour {i}" for i in range(10 - same)]]
    assert metrics.vqa_accuracy(["red"], humans).value == pytest.approx(expected, abs=1e-12)


def test_annotators_are_told_apart_by_place():
    assert metrics.vqa_accuracy(["red"], [["red"] * 4 + ["blue"] * 6]).value == 1.0


def test_official_compares_to_the_letter_where_annotators_agree():
    agreed = [["yes"] * 10, ["2"] * 10]
    official = metrics.vqa_accuracy(["Yes", "2."], agreed)
    always = metrics.vqa_accuracy(["Yes", "2."], agreed, norm="always")
    assert official.items.tolist() == [0, 0]
    assert always.items.tolist() == [1, 1]
    assert metrics.vqa_accuracy([" yes\n"], [["yes\t"] * 9 + [" yes"]]).value == 1.0
    assert metrics.vqa_accuracy(["Yes"], [["yes"] * 9 + ["no"]]).value == 1.0


def test_one_reference_is_a_normalised_exact_match():
    found = metrics.vqa_accuracy(["Two.", "3"], [["2"], ["4"]])
    assert found.items.tolist() == [1.0, 0.0]
    assert found.signature.startswith("vqa_accuracy|norm:official|refs:1|assay:")


@pytest.mark.parametrize(("annotators", "expected"), [(2, 1 / 3), (3, 2 / 3), (4, 1.0), (9, 1.0)])
def test_few_annotators_are_left_out_one_by_one_all_the_same(annotators, expected):
    assert metrics.vqa_accuracy(["red"], [["red"] * annotators]).value == pytest.approx(expected, abs=1e-12)


def test_a_missing_answer_is_counted_and_not_wrong():
    found = metrics.vqa_accuracy(["red", None], [["red"] * 10] * 2)
    assert (found.value, found.n, found.n_missing) == (1.0, 1, 1)
    assert metrics.vqa_accuracy(["red", ""], [["red"] * 10] * 2).value == 0.5


def test_slices_by_type():
    names = [metrics.get("vqa_accuracy")]
    rows = metrics.measure(names, ["yes", "2", "no"], [["yes"] * 10, ["3"] * 10, ["no"] * 10])
    masks = stats.slices({"answer_type": ["yes/no", "number", "yes/no"]})
    found = {one.slice: one.value for one in metrics.estimates(names, rows, slices=masks)}
    assert found == {"all": pytest.approx(2 / 3), "answer_type=number": 0.0, "answer_type=yes/no": 1.0}


@pytest.mark.parametrize(
    ("answers", "humans", "message"),
    [
        (["a"], [], "1 predictions, 0 references"),
        ("red", [["red"]], "not one text"),
        (["a", "b"], [["a"], []], "row 1 has no reference"),
        (["a"], [None], "row 0: references"),
        (["a", 2], [["a"], ["2"]], "row 1: a text was expected as prediction, not 2"),
        (["a", math.nan], [["a"], ["2"]], "row 1: a text was expected"),
        (["a", "b"], [["a", "b"], ["b", None]], "row 1: a text was expected as reference, not None"),
    ],
)
def test_bad_input_names_its_row(answers, humans, message):
    with pytest.raises(ValueError, match=message):
        metrics.vqa_accuracy(answers, humans)


def test_an_unknown_norm_is_refused():
    with pytest.raises(ValueError, match="official, always, evalai_textvqa"):
        metrics.vqa_accuracy(["a"], [["a"]], norm="strict")


def test_hostile_texts():
    found = metrics.vqa_accuracy(["\ud800", "", " ", "x" * 10_000_000], [["\ud800"], [""], ["\n"], ["." * 10_000]])
    assert found.items.tolist() == [1, 1, 1, 0]


def test_nothing_at_all():
    found = metrics.vqa_accuracy([], [])
    assert math.isnan(found.value)
    assert found.n == 0


def slow_accuracy(answer, humans, normalise, conditional):
    """The definition, spelt out for one question."""
    trim = [text.replace("\n", " ").replace("\t", " ").strip() for text in (answer, *humans)]
    if not conditional or len(set(trim[1:])) > 1 or len(humans) == 1:
        trim = [normalise(text) for text in trim]
    answer, *humans = trim
    if len(humans) == 1:
        return float(answer == humans[0])
    held_out = [[h for j, h in enumerate(humans) if j != i] for i in range(len(humans))]
    return float(np.mean([min(1, sum(h == answer for h in others) / 3) for others in held_out]))


@pytest.mark.parametrize("norm", ["official", "always", "evalai_textvqa"])
def test_equal_to_the_definition_spelt_out(norm):
    rng = np.random.default_rng(3)
    words = ["red", "Red", "red.", "2", "two", "the two", "t-shirt", "t shirt", "Macy's", "no\n", " no", "a", ""]
    answers = rng.choice(words, 400).tolist()
    humans = [
        rng.choice(words[: rng.integers(1, len(words))], rng.choice([1, 2, 3, 9, 10, 11])).tolist() for _ in answers
    ]
    expected = [
        slow_accuracy(a, h, vqa.NORMS[norm][1], norm == "official") for a, h in zip(answers, humans, strict=True)
    ]
    np.testing.assert_allclose(metrics.vqa_accuracy(answers, humans, norm=norm).items, expected, atol=1e-12)
