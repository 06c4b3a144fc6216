"""WER and CER against jiwer, the English norm against Whisper's normaliser."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from assay import metrics
from assay.metrics.speech import english

WORDS = st.lists(st.sampled_from(["the", "cat", "The", "sat.", "café", "猫", "a"]), max_size=12).map(" ".join)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=8))
def test_equal_to_jiwer(pairs):
    jiwer = pytest.importorskip("jiwer")
    predictions, references = map(list, zip(*pairs, strict=True))
    assume(any(references))  # else jiwer gives the number of insertions, assay NaN
    assert metrics.wer(predictions, references).value == pytest.approx(jiwer.wer(references, predictions), abs=1e-12)
    assert metrics.cer(predictions, references).value == pytest.approx(jiwer.cer(references, predictions), abs=1e-12)


def test_equal_to_jiwer_on_many_utterances():
    jiwer = pytest.importorskip("jiwer")
    rng = np.random.default_rng(5)
    words = np.array([f"word{i}" for i in range(3000)])
    references = [" ".join(rng.choice(words, rng.integers(1, 30))) for _ in range(500)]
    predictions = [
        " ".join(str(rng.choice(words)) if rng.random() < 0.2 else w for w in line.split() if rng.random() > 0.1)
        for line in references
    ]
    assert metrics.wer(predictions, references).value == pytest.approx(jiwer.wer(references, predictions), abs=1e-12)
    assert metrics.cer(predictions, references).value == pytest.approx(jiwer.cer(references, predictions), abs=1e-12)


SPOKEN = [
    "Mr. Smith won't, um, go to St. John's",
    "Dr. Who's been  'ere; y'all ain't",
    "I'd've  gone... hmm, mhm (laughs) [music] <unk> away",
    "naïve café œuvre straße Łódź",
    "you'd been 's had; she's got it, we'd done so",
    "imma, gonna, wanna, gotta, woulda, coulda, shoulda, ma'am",
    "the rev. and the hon. gov. of the assoc., esq.",
    "c'est la vie — “quoted” ‘so’ …",
    "it 's 'tis 'twas",
    "isn't can't don't they're they'll they've I'm",
]
WHISPERED = st.lists(
    st.sampled_from(
        ["mr.", "can't", "it's", "um", "(", ")", "[x]", "'s", "café", "been", "-", "go,", "st", ".", "rep"]
    ),
    max_size=10,
).map(" ".join)


@pytest.fixture(scope="module")
def whisper():
    module = pytest.importorskip("transformers.models.whisper.english_normalizer")
    return module.EnglishTextNormalizer({})


@pytest.mark.parametrize("text", SPOKEN)
def test_english_is_whispers_normaliser_without_numbers(whisper, text):
    assert english(text) == " ".join(whisper(text).split())


@settings(max_examples=100, deadline=None)
@given(WHISPERED)
def test_english_is_whispers_on_adversarial_texts(whisper, text):
    assert english(text) == " ".join(whisper(text).split())
