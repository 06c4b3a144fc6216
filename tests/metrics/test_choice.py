"""Multiple choice and yes-no: what is read as which answer, what is never guessed, group and circular scores."""

import math

import numpy as np
import pytest

from assay import metrics
from assay.metrics.choice import parse_choice
from assay.metrics.yes_no import parse_as_pope, parse_yes_no

NAMED = {
    "A": "A",
    "(C)": "C",
    " B\n": "B",
    "d": "D",
    "(d).": "D",
    "B. dog": "B",
    "B.dog": "B",
    "B) dog": "B",
    "B: dog": "B",
    "B dog": "B",
    "**B**": "B",
    "**B.** the dog": "B",
    '"B"': "B",
    "A. dog": "A",
    "A because it is red": "A",
    "A\n\nA dog is running": "A",
    "The answer is C.": "C",
    "the answer is: (C)": "C",
    "So the correct answer is option B, as shown": "B",
    "Answer: **B**": "B",
    "ANSWER: D": "D",
    "Answer\nD": "D",
    "the answer is B, I repeat: the answer is B": "B",
    r"Thus \boxed{B}": "B",
    r"Thus \boxed{\text{(B)}}": "B",
    "答案是B": "B",
    "答案：Ｃ。": "C",
    "（Ｂ）": "B",
    "B\t\tdog": "B",
}
NEVER_GUESSED = [
    "",
    "   ",
    "A dog is running",
    "I am not sure",
    "I",
    "B or C",
    "B/C",
    "A, B and C",
    "(A) or (B)",
    "I think it is B",
    "the answer is a dog",
    "The answer is A dog",
    "The answer is not B",
    "The answer is B or C",
    "The answer is B. No wait, the answer is C",
    "Sorry, I cannot answer.",
    "None of the above",
    "Because",
    "B's",
    "Z",
    "\ud800",
    "B\ud800",
    "options",
]


@pytest.mark.parametrize(("text", "letter"), NAMED.items())
def test_what_names_a_letter(text, letter):
    assert parse_choice(text) == letter


@pytest.mark.parametrize("text", NEVER_GUESSED)
def test_what_names_none_or_several_is_never_guessed(text):
    # MMMU's reference parser draws a random option here, and a model that refuses scores chance.
    assert {parse_choice(text) for _ in range(20)} == {None}


def test_options_word_for_word():
    options = ["a cat", "a dog", "two dogs", "Two dogs."]
    assert parse_choice("A cat.", options) == "A"
    assert parse_choice(" a  DOG", options) == "B"
    assert parse_choice("two dogs", options) is None  # two options read so
    assert parse_choice("dog", options) is None
    assert parse_choice("E", options) is None
    assert parse_choice("E", 5) == "E"


def test_unparsed_is_wrong_and_counted_and_missing_is_neither():
    found = metrics.multiple_choice(["B", "no idea", None, "(C) x"], ["B", 0, "A", 3])
    assert found["multiple_choice"].items.tolist() == [1, 0, 0]
    assert found["choice_unparsed"].value == pytest.approx(1 / 3)
    assert (found["multiple_choice"].n, found["multiple_choice"].n_missing) == (3, 1)
    assert "parse:strict|unparsed:wrong" in found["multiple_choice"].signature


def test_the_share_of_unparsed_comes_along():
    assert "choice_unparsed" in metrics.score(["multiple_choice"], ["B", "?"], ["B", "A"])
    assert "choice_unparsed" not in metrics.score(["multiple_choice"], ["B", "A"], ["B", "A"])


def test_options_are_given_row_by_row():
    found = metrics.multiple_choice(["red", "blue"], [0, "B"], options=[["red", "blue"], ["red", "blue"]])
    assert found["multiple_choice"].value == 1.0


@pytest.mark.parametrize(
    ("predictions", "references", "options", "message"),
    [
        (["A"], ["AB"], None, "row 0: a letter was expected as the right answer, not 'AB'"),
        (["A", "A"], ["A", 26], None, "row 1: a place from 0 to 25"),
        (["A"], ["C"], [["x", "y"]], "row 0: the right letter C is none of 2 options"),
        (["A"], ["A"], [], "1 rows, 0 lists"),
        (["A"], ["A", "B"], None, "1 predictions, 2 references"),
        ([1], ["A"], None, "row 0: a text was expected as prediction"),
    ],
)
def test_bad_choices_name_their_row(predictions, references, options, message):
    with pytest.raises(ValueError, match=message):
        metrics.multiple_choice(predictions, references, options=options)


@pytest.mark.parametrize("text", ["A" * 1_000_000, "answer is " * 100_000, "(" * 1_000_000, "\\boxed{" * 100_000])
def test_a_run_away_answer_is_parsed_in_linear_time(text):
    assert parse_choice(text) is None
    assert parse_yes_no(text) is None


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Yes", True),
        ("yes.", True),
        ("**No**, there is not", False),
        ("no", False),
        ("The answer is no", False),
        ("Answer: Yes", True),
        ("是的，有一只狗", True),
        ("不是。", False),
        ("", None),
        ("Not sure", None),
        ("I know it", None),
        ("There is no dog", None),
        ("yes or no", None),
        ("Yes/No", None),
        ("yesterday", None),
        ("yes-man", None),
        ("the answer is yes; the answer is no", None),
        ("\ud800", None),
    ],
)
def test_yes_and_no(text, answer):
    assert parse_yes_no(text) is answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [("", True), ("I cannot say", True), ("There is no dog. Yes", False), ("It is. Not no", True), ("NO", True)],
)
def test_popes_own_parser_takes_all_else_for_yes(text, answer):
    assert parse_as_pope(text) is answer


def test_pope_by_hand():
    predictions = ["yes", "yes", "no", "no", "dunno", "dunno"]
    references = ["yes", "no", "yes", "no", "yes", "no"]
    found = {name: one.value for name, one in metrics.pope(predictions, references).items()}
    assert found == pytest.approx(
        {
            "pope_accuracy": 2 / 6,
            "pope_precision": 1 / 2,
            "pope_recall": 1 / 3,
            "pope_f1": 2 / 5,
            "pope_yes_ratio": 2 / 6,
            "yes_no_unparsed": 2 / 6,
        }
    )
    official = metrics.pope(predictions, references, parser="official")
    assert official["pope_yes_ratio:official"].value == pytest.approx(4 / 6)
    assert official["pope_accuracy:official"].value == pytest.approx(3 / 6)
    assert "unparsed:yes" in official["pope_accuracy:official"].signature


def test_pope_undefined():
    found = metrics.pope(["no", "no"], ["no", "no"])
    assert found["pope_accuracy"].value == 1.0
    assert all(math.isnan(found[name].value) for name in ("pope_precision", "pope_recall", "pope_f1"))
    with pytest.raises(ValueError, match="row 1: yes or no was expected as the right answer, not 'maybe'"):
        metrics.pope(["no", "no"], ["no", "maybe"])
    with pytest.raises(ValueError, match="strict, official"):
        metrics.pope(["no"], ["no"], parser="lax")


def test_groups_by_hand():
    found = metrics.group_accuracy([1, 1, 1, 0, 1, 1, 1], ["a", "a", "b", "b", "c", "c", "c"])
    single = 6 / 7
    assert found["group_accuracy"].value == pytest.approx(2 / 3)
    assert found["group_single"].value == pytest.approx(single)
    assert found["group_expected"].value == pytest.approx((2 * single**2 + single**3) / 3)
    assert found["group_excess"].value == pytest.approx(2 / 3 - (2 * single**2 + single**3) / 3)
    assert found["group_accuracy"].n == 3


def test_a_group_with_a_missing_item_is_undefined():
    found = metrics.group_accuracy([1, 1, 0, np.nan], ["a", "a", "b", "b"])
    assert (found["group_accuracy"].value, found["group_accuracy"].n, found["group_accuracy"].n_missing) == (1.0, 1, 1)
    with pytest.raises(ValueError, match=r"row 1: right \(1\), wrong \(0\) or missing"):
        metrics.group_accuracy([1, 0.5], ["a", "a"])
    with pytest.raises(ValueError, match="2 labels"):
        metrics.group_accuracy([1], ["a", "a"])
    assert math.isnan(metrics.group_accuracy([], [])["group_expected"].value)


def test_circular_evaluation_sees_through_a_constant_letter():
    # Four rotations of each of 50 questions: the letter that is right moves.
    items = np.repeat(np.arange(50), 4)
    true = np.tile(list("ABCD"), 50).tolist()
    constant = metrics.circular_accuracy(["A"] * 200, true, items)
    assert constant["group_single"].value == 0.25
    assert constant["group_accuracy"].value == 0.0
    # A guesser that is true to content picks one option and follows it through the rotations.
    rng = np.random.default_rng(0)
    shift = np.repeat(rng.integers(0, 4, 20_000), 4)
    true_at = np.tile(np.arange(4), 20_000)
    letters = np.array(list("ABCD"))
    faithful = metrics.circular_accuracy(
        letters[(true_at + shift) % 4].tolist(), letters[true_at].tolist(), np.repeat(np.arange(20_000), 4)
    )
    assert faithful["group_accuracy"].value == pytest.approx(0.25, abs=0.01)
    unparsed = metrics.circular_accuracy(["A", "hm"], ["A", "B"], [0, 0])
    assert unparsed["choice_unparsed"].value == 0.5
    assert unparsed["group_accuracy"].value == 0.0


def test_winograds_chance_levels():
    scores = np.random.default_rng(0).random((60_000, 2, 2))
    found = [one.value for one in metrics.winoground(scores).values()]
    assert found == pytest.approx([0.25, 0.25, 1 / 6], abs=0.006)


def test_winoground_ties_are_wrong_and_directions_are_told_apart():
    # s[caption, image]: caption 0 wins everywhere: each caption prefers its image, no image 1 prefers caption 1.
    found = metrics.winoground([[[0.9, 0.8], [0.1, 0.7]], [[1.0, 1.0], [1.0, 1.0]]])
    assert [one.value for one in found.values()] == [0.0, 0.5, 0.0]
    with pytest.raises(ValueError, match="row 1 holds a score that is NaN"):
        metrics.winoground([[[1, 0], [0, 1]], [[1, np.nan], [0, 1]]])
    with pytest.raises(ValueError, match="2 captions, 2 images"):
        metrics.winoground([[1, 0, 0, 1]])


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (["Yes", "No", "No", "Yes"], [1, 1, 1, 1, 0]),
        (["Yes", "No", "No", "hm"], [3 / 4, 1 / 2, 1 / 2, 0, 1 / 4]),
        (["Yes", "No", "Yes", "No"], [1 / 2, 1 / 2, 0, 0, 0]),
        (["yes", "yes", "no", "no"], [1 / 2, 0, 1 / 2, 0, 0]),
        (["well, yes and no", "nope, no", "know", "Yes!"], [3 / 4, 1 / 2, 1 / 2, 0, 1 / 4]),
    ],
)
def test_naturalbench_by_hand(answers, expected):
    true = ["yes", "no", "no", "yes"]
    found = [one.value for one in metrics.naturalbench([answers], [true]).values()]
    assert found == pytest.approx(expected)
    nested = metrics.naturalbench([[answers[:2], answers[2:]]], [[true[:2], true[2:]]])
    assert [one.value for one in nested.values()] == pytest.approx(expected)


def test_naturalbench_letters_missing_and_bad():
    found = metrics.naturalbench([["B", "(a)", "A.", "b"], ["A", None, "A", "B"]], [["B", "A", "A", "B"]] * 2)
    assert found["naturalbench_group"].value == 1.0
    assert (found["naturalbench_group"].n, found["naturalbench_group"].n_missing) == (1, 1)
    with pytest.raises(ValueError, match="row 0: four answers were expected"):
        metrics.naturalbench([["yes"] * 3], [["yes"] * 4])
    with pytest.raises(ValueError, match="row 0: yes, no, A or B was expected"):
        metrics.naturalbench([["yes"] * 4], [["yes", "no", "no", "perhaps"]])
    with pytest.raises(ValueError, match="1 and 0"):
        metrics.naturalbench([["yes"] * 4], [])
