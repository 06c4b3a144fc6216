"""BLEU and chrF: golden values, smoothing, undefined cases, n-grams counted exactly."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import metrics
from assay.metrics import grams

CORPUS = [
    (
        "a man riding a horse on a beach",
        [
            "a man is riding a horse on the beach",
            "a person rides a brown horse near the ocean",
            "someone on horseback at the seashore",
        ],
    ),
    (
        "two dogs play with a ball in a park",
        [
            "two dogs are playing with a red ball in the park",
            "a pair of dogs chase a ball on the grass",
            "dogs playing fetch outside",
        ],
    ),
    (
        "a plate of food on a table",
        [
            "a plate of pasta with tomato sauce and basil",
            "spaghetti topped with fresh basil leaves",
            "a white plate holding a pasta dish",
        ],
    ),
]


@pytest.mark.parametrize("tokens", ["13a", "none"])
def test_golden_bleu(tokens):
    predictions, references = map(list, zip(*CORPUS, strict=True))
    found = metrics.bleu(predictions, references, tokens=tokens)
    assert found.value == pytest.approx(23.406093304504406, abs=1e-9)
    assert found.items is None
    assert f"|tok:{tokens}|smooth:exp|eff:no|refs:3|" in found.signature


def test_what_is_0_and_what_is_undefined():
    for call in (metrics.bleu, metrics.chrf):
        assert call(["x"], ["a b c d"]).value == 0.0
        assert call([""], ["a b c d"]).value == 0.0
        assert call(["a b c d"], [""]).value == 0.0
        assert call([""], [""]).value == 0.0
        assert math.isnan(call([], []).value)
        found = call(["a b c d", None], ["a b c d", "x"])
        assert (found.value, found.n, found.n_missing) == (pytest.approx(100.0), 1, 1)
    assert metrics.bleu(["a b c"], ["a b c"]).value == 0.0  # there is no 4-gram
    assert metrics.chrf(["a"], ["a"]).value == pytest.approx(100.0)


def test_refused():
    with pytest.raises(ValueError, match="13a, zh, char, none"):
        metrics.bleu(["a"], ["a"], tokens="intl")
    with pytest.raises(ValueError, match="word order of 0"):
        metrics.chrf(["a"], ["a"], word_order=1)


LETTERS = st.text(st.sampled_from("aaaaaaaabbbbbb  cdefghijklmnopqrstuvwxyz0123456789ABC"), max_size=12)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(LETTERS, st.lists(LETTERS, min_size=1, max_size=3)), min_size=1, max_size=6),
    st.sampled_from([7, 1 << 17]),
    st.sampled_from([22, 62]),
)
def test_matches_are_counted_exactly(rows, block, bits):
    texts, row, side = [], [], []
    for place, (prediction, references) in enumerate(rows):
        texts += [prediction, *references]
        row += [place] * (1 + len(references))
        side += range(1 + len(references))
    corpus = grams.of_characters(texts, np.array(row), np.array(side), len(rows))
    kept = grams.BLOCK, grams.BITS
    try:
        grams.BLOCK, grams.BITS = block, bits
        found = grams.matches(corpus, 5)
    finally:
        grams.BLOCK, grams.BITS = kept
    for place, (prediction, references) in enumerate(rows):
        for n in range(1, 6):
            bags = [Counter(t[i : i + n] for i in range(len(t) - n + 1)) for t in (prediction, *references)]
            best = Counter()
            for bag in bags[1:]:
                best |= bag
            assert found.predicted[place, n - 1] == bags[0].total()
            assert found.references[place, n - 1] == sum(bag.total() for bag in bags[1:])
            assert found.matched[place, n - 1] == (bags[0] & best).total()


def test_very_many_kinds_do_not_overflow():
    rng = np.random.default_rng(0)
    chosen = ["".join(map(chr, rng.integers(0x100, 0xD000, 3000))) for _ in range(4)]
    found = metrics.chrf(chosen, chosen)
    assert found.value == pytest.approx(100.0)


def test_hostile_texts():
    hostile = ["\ud800 \udfff", "\0", "x" * 300_000, "a\u0301" * 5000, "‮ abc", "🧑‍🚀 👩🏽‍🔬 x y", "。。。 ...,,,"]
    for name, found in metrics.score(["bleu", "bleu:zh", "bleu:char", "chrf", "chrf++"], hostile, hostile).items():
        assert found.value == pytest.approx(100.0), name
