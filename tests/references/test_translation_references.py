"""BLEU, chrF and chrF++ against sacrebleu: random, natural and adversarial texts, several references."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import metrics
from assay.metrics import translation

PIECES = [
    *["the", "cat's", "sat", "(hi)", "3.5", "1,000", "a-b", "10-12", "end.", "..", ".", ",", "-", "x.5", ".5", "5.", "a.,b"],
    *["naïve", "猫", "在2024年，", "$5", "50%", "e.g.,", "&quot;hi&amp;", "&lt;b&gt;", "U.S.", "…", "—", "′", "→", "\u2028", "ｶ", "\t"],
    *["<skipped>", "Ünïcode", "𠀀", "①", "'tis", '"q"', "don't", "A", "a", " ", "\n", "-\n", "\u3000"],
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES), max_size=9).map(" ".join) | st.lists(st.sampled_from(PIECES), max_size=5).map(
    "".join
)


def both(sacrebleu, predictions, references, name):
    streams = [list(stream) for stream in zip(*references, strict=True)]
    if name.startswith("chrf"):
        words = 2 if name == "chrf++" else 0
        return sacrebleu.corpus_chrf(predictions, streams, word_order=words).score
    tokens = name.partition(":")[2] or "13a"
    return sacrebleu.corpus_bleu(predictions, streams, tokenize=tokens, force=True).score


NAMES = ["bleu", "bleu:zh", "bleu:char", "bleu:none", "chrf", "chrf++"]


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS), min_size=1, max_size=6))
def test_equal_to_sacrebleu_on_adversarial_texts(name, rows):
    sacrebleu = pytest.importorskip("sacrebleu")
    predictions, references = [row[0] for row in rows], [list(row[1:]) for row in rows]
    expected = both(sacrebleu, predictions, references, name)
    assert metrics.score([name], predictions, references)[name].value == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_equal_to_sacrebleu_on_many_sentences(name):
    sacrebleu = pytest.importorskip("sacrebleu")
    rng = random.Random(1)
    words = [f"{rng.choice(PIECES[:20])}{rng.randrange(99)}" for _ in range(900)]
    references = [[" ".join(rng.choices(words, k=rng.randrange(4, 30))) for _ in range(3)] for _ in range(300)]
    predictions = [
        " ".join(word if rng.random() > 0.3 else rng.choice(words) for word in line[0].split(" "))
        for line in references
    ]
    expected = both(sacrebleu, predictions, references, name)
    assert metrics.score([name], predictions, references)[name].value == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("name", ["13a", "zh", "char"])
@settings(max_examples=100, deadline=None)
@given(st.lists(TEXTS | st.text(st.characters(max_codepoint=0x2FFFF), max_size=12), max_size=5))
def test_tokens_equal_sacrebleus(name, texts):
    pytest.importorskip("sacrebleu")
    from sacrebleu.metrics.bleu import _get_tokenizer

    theirs = _get_tokenizer(name)()
    found = translation.TOKENISERS[name](texts)
    assert found == [theirs(text.rstrip()).split() for text in texts]
