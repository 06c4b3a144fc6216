"""Exact match, token F1, ANLS, relaxed accuracy: values by hand, several references, hostile texts."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from assay import metrics
from assay.metrics.matching import relaxed


def test_exact_match_strips_and_no_more():
    found = metrics.exact_match([" cat", "Cat", "", "the cat."], ["cat", "cat", " ", "cat"])
    assert found.items.tolist() == [1, 0, 1, 0]
    assert metrics.exact_match(["the Cat."], ["cat"], norm="squad").value == 1.0


@pytest.mark.parametrize(
    ("prediction", "references", "expected"),
    [
        ("cat", ["a cat"], 1.0),
        ("red car", ["blue car"], 0.5),
        ("the the", ["the"], 1.0),
        ("", ["cat"], 0.0),
        ("cat cat", ["cat"], 2 / 3),
        ("x", ["a b x", "x y"], 2 / 3),
        ("it's", ["its"], 1.0),
    ],
)
def test_token_f1(prediction, references, expected):
    assert metrics.token_f1([prediction], [references]).value == pytest.approx(expected, abs=1e-12)


def test_token_f1_of_chinese_counts_characters():
    found = metrics.token_f1(["红色的车"], ["红色汽车。"], tokens="zh")
    assert found.value == pytest.approx(2 * 3 / (4 + 4))
    assert "tok:cjk-characters" in found.signature


@pytest.mark.parametrize(
    ("prediction", "references", "below", "half"),
    [
        ("hello", ["hello"], 1.0, 1.0),
        (" HELLO ", ["hello"], 1.0, 1.0),
        ("hallo", ["hello"], 0.8, 0.8),
        ("ab", ["ac"], 0.0, 0.5),
        ("ab", ["abcd"], 0.0, 0.5),
        ("a", ["abcd"], 0.0, 0.0),
        ("", [""], 1.0, 1.0),
        ("", ["a"], 0.0, 0.0),
        ("abcx", ["zzzz", "abcd"], 0.75, 0.75),
    ],
)
def test_anls_at_the_threshold(prediction, references, below, half):
    assert metrics.anls([prediction], [references]).value == pytest.approx(below, abs=1e-12)
    assert metrics.anls([prediction], [references], keep="half").value == pytest.approx(half, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.text("ab c", max_size=9), st.lists(st.text("ab c", max_size=9), min_size=1)), max_size=6))
def test_anls_equals_its_definition(rows):
    def similarity(a, b):
        a, b = a.lower().strip(), b.lower().strip()
        share = Levenshtein.distance(a, b) / max(len(a), len(b)) if a or b else 0
        return 1 - share if share < 0.5 else 0.0

    found = metrics.anls([p for p, _ in rows], [r for _, r in rows])
    expected = [max(similarity(p, one) for one in several) for p, several in rows]
    np.testing.assert_allclose(found.items, expected, atol=1e-12)


@pytest.mark.parametrize(
    ("prediction", "reference", "right"),
    [
        ("105", "100", True),
        ("95", "100", True),
        ("105.1", "100", False),
        ("-105", "-100", True),
        ("5%", "0.05", True),
        ("5%", "5", False),
        ("0", "0", True),
        ("0.0", "0", False),
        ("0.001", "0", False),
        ("1,000", "1000", False),
        ("nan", "nan", True),
        ("inf", "1e400", False),
        ("Blue", "blue ", True),
        ("blue car", "blue", False),
        ("1" * 10_000, "1" * 10_000, True),
    ],
)
def test_relaxed_accuracy(prediction, reference, right):
    assert relaxed(prediction, reference) is right
    assert metrics.relaxed_accuracy([prediction], [["other", reference]]).value == float(right)


NAMES = ("exact_match", "exact_match:squad", "token_f1", "token_f1:zh", "anls", "anls:mmf", "relaxed_accuracy")


def test_hostile_texts_are_measured():
    hostile = ["\ud800", "", "\0", "a\u0301" * 1000, "x" * 2_000_000, "‮abc", "٤٢"]
    for name, found in metrics.score(NAMES, hostile, hostile).items():
        assert found.value == 1.0, name


def test_what_cannot_be_aligned_is_refused_by_row():
    long = ["ok", "ab" * 2_000_000]
    with pytest.raises(ValueError, match=r"row 1: texts of 4,000,000 and 4,000,000 units are too long"):
        metrics.anls(long, ["ok", "ba" * 1_999_999 + "xy"])
    assert metrics.anls(["ab" * 2_000_000], ["cat"]).value == 0.0


def test_missing_and_nothing():
    for name, found in metrics.score(NAMES, ["a b", None], ["a b", "c"]).items():
        assert (found.value, found.n, found.n_missing) == (1.0, 1, 1), name
    assert all(math.isnan(found.value) for found in metrics.score(NAMES, [], []).values())


@pytest.mark.parametrize(
    "call",
    [
        lambda: metrics.exact_match(["a"], ["a"], norm="loose"),
        lambda: metrics.token_f1(["a"], ["a"], tokens="bpe"),
        lambda: metrics.anls(["a"], ["a"], keep="all"),
    ],
)
def test_unknown_variants_are_refused(call):
    with pytest.raises(ValueError, match="was expected, not"):
        call()
