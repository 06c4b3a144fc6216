"""WER and CER: pooling, empty references, normalisers, what is refused."""

import math

import pytest

from assay import metrics
from assay.metrics import speech


def test_golden():
    assert metrics.wer(["the cat sit on mat"], ["the cat sat on the mat"]).value == pytest.approx(2 / 6, abs=1e-12)
    assert metrics.cer(["the cat sit on mat"], ["the cat sat on the mat"]).value == pytest.approx(5 / 22, abs=1e-12)
    pooled = metrics.wer(["a b c", "x y z"], ["a b c d", "x y"])
    assert pooled.value == pytest.approx(2 / 6, abs=1e-12)  # the mean of the two would be .375
    assert pooled.items is None
    assert pooled.unit == "utterance"


def test_empty_references_add_insertions_only():
    assert metrics.wer(["a b", "x"], ["", "x y"]).value == pytest.approx(3 / 2)
    assert metrics.wer(["", "x"], ["", "x"]).value == 0.0
    assert math.isnan(metrics.wer(["a b"], [""]).value)
    assert metrics.wer(["", ""], ["a b", "c"]).value == 1.0


def test_a_rate_may_exceed_1():
    found = metrics.wer(["a b c d e"], ["x"])
    assert found.value == 5.0
    assert found.high >= 5.0


def test_the_best_of_several_references_counts():
    assert metrics.wer(["a b c"], [["x y", "a b d", "a b"]]).value == pytest.approx(1 / 3)
    assert metrics.wer(["a", "b"], [["", "a b c"], ["b"]]).value == pytest.approx(2 / 4)


def test_words_are_what_whitespace_parts():
    assert metrics.wer(["a\tb\n c"], ["a b c"]).value == 0.0


@pytest.mark.parametrize(
    ("norm", "text", "expected"),
    [
        ("none", " A, b ", "A, b"),
        ("lower_punct", "Don't -- STOP! $5 (o’clock)", "don't stop 5 o'clock"),
        ("lower_punct", "'quoted' e-mail", "quoted e mail"),
        ("english", "It's <noise> colour (aside) naïve!", "it is colour naive"),
        ("english", "I'm gonna pay 1,000.50% of $3.", "i am going to pay 1000.50% of $3"),
        ("english", "he’s", "he s"),
        ("zh", "你 好，ＡＩ。①", "你好ai1"),
        ("zh", "ｶﾞ", "ガ"),
    ],
)
def test_norms(norm, text, expected):
    assert speech.NORMS[norm](text) == expected


def test_norms_are_in_the_signature():
    assert metrics.wer(["Hi!"], ["hi"], norm="lower_punct").signature.startswith(
        "wer:lower_punct|norm:lower_punct|pooled|refs:1|"
    )
    assert metrics.cer(["你好世 界"], ["你好，世间"], norm="zh").value == pytest.approx(1 / 4)
    with pytest.raises(ValueError, match="wer: a norm of none, lower_punct, english"):
        metrics.wer(["a"], ["a"], norm="zh")


def test_speakers_are_resampled_together():
    found = metrics.wer(["a b", "a x", "c"], ["a b", "a b", "d"], unit=["s1", "s1", "s2"])
    assert found.n == 2
    assert found.value == pytest.approx(2 / 5)


def test_missing_is_counted():
    found = metrics.wer(["a b", None], ["a b", "c"])
    assert (found.value, found.n, found.n_missing) == (0.0, 1, 1)


# Quadratic work on any of these would run into the test's time limit.
HOSTILE = {
    "one long word": "a" * 2_000_000,
    "as many words": "w " * 500_000,
    "open brackets": "[(<" * 500_000,
    "spaces": " " * 5_000_000,
    "marks": "a" + "\u0301\u0316" * 200_000,
    "surrogates": "\ud800 " * 100_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_run_away_answer_costs_linear_time(name):
    for norm in ("none", "lower_punct", "english"):
        found = metrics.wer([HOSTILE[name]], ["the cat sat"], norm=norm)
        assert found.value >= 1.0
    for norm in ("none", "zh"):
        assert metrics.cer([HOSTILE[name]], ["猫坐着"], norm=norm).value >= 1.0


def test_more_words_than_characters_exist():
    words = " ".join(map(str, range(1_200_000)))
    assert metrics.wer([words], ["7 8 9"]).value == pytest.approx((1_200_000 - 3) / 3)
    with pytest.raises(ValueError, match="different words"):
        metrics.wer(["7"], [words])
