"""CHAIR: which objects captions mention, and how many of them are not there."""

import numpy as np
import pytest

from assay import metrics
from assay.metrics.hallucination import ObjectTable

OBJECTS = {
    "person": ["man", "woman", "people", "kid"],
    "dog": ["puppy"],
    "hot dog": [],
    "cell phone": ["mobile phone", "phone"],
    "bus": [],
    "knife": ["knives"],
    "teddy bear": ["stuffed toy"],
    "bear": [],
}


@pytest.mark.parametrize(
    ("caption", "mentioned"),
    [
        ("Two MEN with puppies", ["person", "dog"]),
        ("a hot dog and a dog", ["hot dog", "dog"]),
        ("hot-dogs, dogs' phones; a phone", ["hot dog", "dog", "cell phone", "cell phone"]),
        ("buses and a bus", ["bus", "bus"]),
        ("a glass of grass", []),
        ("the teddy bears and three bears", ["teddy bear", "bear"]),
        ("dogma", []),
        ("kid's mobile phone", ["person", "cell phone"]),
        ("knives", ["knife"]),
        ("", []),
        ("\ud800 ... 狗", []),
    ],
)
def test_the_longest_phrase_is_mentioned(caption, mentioned):
    assert ObjectTable.of(OBJECTS).mentioned(caption) == mentioned


CAPTIONS = ["a man and a dog and a dog", "a bus with a phone", "nothing here", "a man"]
PRESENT = [["man"], ["bus", "cell phone", "dog"], ["bear"], ["person"]]


def test_mentions_are_pooled_and_captions_counted():
    found = metrics.chair(CAPTIONS, PRESENT, OBJECTS)
    assert found["chair_i"].value == pytest.approx(2 / 6)
    assert found["chair_s"].value == pytest.approx(1 / 4)
    assert found["chair_recall"].value == pytest.approx(4 / 6)
    assert found["caption_length"].value == pytest.approx((8 + 5 + 2 + 2) / 4)
    assert "|objects:8|" in found["chair_i"].signature


def test_the_pooled_value_is_not_the_mean_of_the_captions():
    found = metrics.chair_i(CAPTIONS, PRESENT, OBJECTS)
    np.testing.assert_allclose(found.items, [2 / 3, 0, np.nan, 0])
    assert found.value != pytest.approx(np.nanmean(found.items))
    assert metrics.chair_s(CAPTIONS, PRESENT, OBJECTS).items.tolist() == [1, 0, 0, 0]


def test_lists_of_objects_do_as_well_as_captions():
    lists = [["man", "dog", "puppy"], ["bus", "phone"], [], ["kid"]]
    found = metrics.chair(lists, PRESENT, OBJECTS)
    assert found["chair_i"].value == pytest.approx(2 / 6)
    assert "caption_length" not in found
    by_name = metrics.score(["chair_i", "chair_s"], [["a", "a", "b"], []], [["b"], ["a"]])
    assert by_name["chair_i"].value == pytest.approx(2 / 3)
    assert by_name["chair_s"].value == pytest.approx(1 / 2)


def test_silence_hallucinates_nothing_and_recalls_nothing():
    found = metrics.chair(["", " "], [["dog"], ["bear"]], list(OBJECTS))
    assert np.isnan(found["chair_i"].value)
    assert found["chair_s"].value == 0
    assert found["chair_recall"].value == 0


def test_a_missing_caption_is_counted():
    found = metrics.chair([None, "a dog"], [["dog"], ["bear"]], OBJECTS)
    assert found["chair_s"].value == 1
    assert {name: one.n_missing for name, one in found.items()} == dict.fromkeys(found, 1)
    assert np.isnan(metrics.chair_s([], [], OBJECTS).value)


def test_less_is_better():
    assert {name: metrics.get(name).better for name in ("chair_i", "chair_s", "chair_recall")} == {
        "chair_i": "lower",
        "chair_s": "lower",
        "chair_recall": "higher",
    }


@pytest.mark.parametrize(
    ("captions", "present", "synonyms", "message"),
    [
        (["a"], [], OBJECTS, "1 captions, 0 lists"),
        ("a", [["dog"]], OBJECTS, "captions: a list, one a row, was expected"),
        (["a"], "dog", OBJECTS, "present: a list, one a row, was expected"),
        (["a", "b"], [[], "dog"], OBJECTS, "row 1: a list of present objects was expected, not 'dog'"),
        (["a"], [["zebra"]], OBJECTS, r"row 0: 'zebra' \(present\) is no object"),
        ([["zebra"]], [[]], OBJECTS, r"row 0: 'zebra' \(mentioned\) is no object"),
        ([3], [[]], OBJECTS, "row 0: a list of mentioned objects was expected, not 3"),
        ([["dog", None]], [[]], OBJECTS, "row 0: a text was expected as a mentioned object, not None"),
        (["a"], [[]], {"dog": "puppy"}, "a list of synonyms was expected for 'dog', not one text"),
        (["a"], [[]], {"dog": ["pet"], "cat": ["pet"]}, "'pet' is a name of both 'dog' and 'cat'"),
        (["a"], [[]], {"dog": ["!"]}, "'!', a name of 'dog', has no letter or digit"),
        (["a"], [[]], "dog", "a mapping from objects to their synonyms"),
        (["a"], [[]], [1], "a text was expected as the name of an object, not 1"),
    ],
)
def test_bad_input_is_said(captions, present, synonyms, message):
    with pytest.raises(ValueError, match=message):
        metrics.chair(captions, present, synonyms)


@pytest.mark.parametrize(
    ("mentioned", "present", "message"),
    [
        ("dog", [["dog"]], "predictions: a list, one a row, was expected"),
        ([["dog"]], [None], "row 0: a list of present objects was expected, not None"),
    ],
)
def test_bad_lists_of_objects_are_said(mentioned, present, message):
    with pytest.raises(ValueError, match=message):
        metrics.score(["chair_i"], mentioned, present)
