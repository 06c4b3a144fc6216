"""Caption metrics beside pycocoevalcap's Python scorers, sacrebleu, NLTK and rouge_score."""

import shutil
import subprocess
import sys

import numpy as np
import pytest
from caption_texts import bundled_texts, hostile
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import metrics
from assay.metrics.ptb import tokenize

NAMES = ["bleu_1", "bleu_2", "bleu_3", "bleu_4", "rouge_l", "cider_d"]
WORDS = st.sampled_from(
    ["a", "the", "dog", "dogs", "cat", "runs", "runs.", "on", "red", "Red", "mat", "(mat)", "1", "1/2", "don't"]
)
CAPTION = st.lists(WORDS, max_size=9).map(" ".join)
ROWS = st.lists(st.tuples(CAPTION, st.lists(CAPTION, min_size=1, max_size=4)), min_size=1, max_size=8)


def coco(predictions, references):
    """The value and the items of every metric by pycocoevalcap, over captions as our tokeniser leaves them."""
    bleu = pytest.importorskip("pycocoevalcap.bleu.bleu").Bleu(4)
    rouge = pytest.importorskip("pycocoevalcap.rouge.rouge").Rouge()
    cider = pytest.importorskip("pycocoevalcap.cider.cider").Cider()
    said = {row: [" ".join(tokenize(one))] for row, one in enumerate(predictions)}
    there = {row: [" ".join(tokenize(one)) for one in several] for row, several in enumerate(references)}
    values, items = bleu.compute_score(there, said, verbose=0)
    found = {f"bleu_{n + 1}": (values[n], items[n]) for n in range(4)}
    return found | {"rouge_l": rouge.compute_score(there, said), "cider_d": cider.compute_score(there, said)}


def same_as_coco(predictions, references):
    ours, theirs = metrics.score(NAMES, predictions, references), coco(predictions, references)
    for name in NAMES:
        value, items = theirs[name]
        assert ours[name].value == pytest.approx(value, abs=1e-6, rel=1e-6), name
        assert ours[name].items == pytest.approx(np.array(items), abs=1e-6, rel=1e-6), name


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_equal_to_pycocoevalcap_on_random_captions(rows):
    predictions, references = map(list, zip(("a dog", ["dogs"]), *rows, strict=True))  # theirs needs one word
    same_as_coco(predictions, references)


@pytest.mark.parametrize("seed", range(3))
def test_equal_to_pycocoevalcap_on_hostile_captions(seed):
    rng = np.random.default_rng(seed)
    texts = hostile(600, seed=seed + 100)
    rows = [[texts[place] for place in rng.integers(0, 600, rng.integers(1, 6))] for _ in range(80)]
    same_as_coco([row[0] + " " + texts[place] for place, row in enumerate(rows)], rows)


def test_equal_to_pycocoevalcap_on_real_text():
    rng, texts = np.random.default_rng(0), bundled_texts()
    rows = [[texts[place] for place in rng.integers(0, len(texts), 3)] for _ in range(1_000)]
    predictions = [" ".join(np.array(" ".join(row).split(" "))[: rng.integers(1, 12)]) for row in rows]
    same_as_coco(predictions, rows)


def test_equal_to_the_whole_of_pycocoevalcap_with_its_jar(tmp_path):
    pytest.importorskip("pycocoevalcap.tokenizer.ptbtokenizer")
    if shutil.which("java") is None:
        pytest.skip("Java is not installed")
    predictions = [
        "A man's dog (brown) cannot run, don't you know...",
        "Two dogs – playing!",
        "It's 10:30 p.m. in St. Louis.",
    ]
    references = [
        ["The man's (big) dog can't run", "A brown dog"],
        ["two dogs play", "Dogs; playing."],
        ["It's late in St. Louis"],
    ]
    code = (
        "import json, sys\n"
        "from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer\n"
        "from pycocoevalcap.cider.cider import Cider\n"
        "said, there = ({i: [{'caption': t} for t in ts] for i, ts in enumerate(one)} for one in json.load(sys.stdin))\n"
        "said, there = (PTBTokenizer().tokenize(one) for one in (said, there))\n"
        "print(json.dumps(Cider().compute_score(there, said)[1].tolist()))\n"
    )
    import json

    given_in = json.dumps([[[one] for one in predictions], references])
    done = subprocess.run(
        [sys.executable, "-c", code], input=given_in, capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert metrics.cider_d(predictions, references).items == pytest.approx(json.loads(done.stdout), abs=1e-6)


LONG = st.lists(WORDS, min_size=4, max_size=9).map(lambda words: " ".join(tokenize(" ".join(words))))
LONG_ROWS = st.lists(st.tuples(LONG, st.lists(LONG, min_size=1, max_size=4)), max_size=8)


@settings(max_examples=40, deadline=None)
@given(LONG_ROWS)
def test_bleu_4_equals_sacrebleu_and_nltk_where_every_order_matches(rows):
    """NLTK counts a missing n-gram as one in captions that are too short for it, so there are none."""
    sacrebleu = pytest.importorskip("sacrebleu")
    corpus_bleu = pytest.importorskip("nltk.translate.bleu_score").corpus_bleu
    rows = [*rows, ("a red dog runs on the mat", ["a red dog runs on a mat"])]
    texts = [[text.replace("\u00a0", " ") for text in (one, *several)] for one, several in rows]
    predictions, references = [row[0] for row in texts], [row[1:] for row in texts]
    streams = [[row[k] if k < len(row) else None for row in references] for k in range(max(map(len, references)))]
    ours = metrics.bleu_4(predictions, references).value
    theirs = sacrebleu.corpus_bleu(predictions, streams, tokenize="none", smooth_method="none", force=True).score / 100
    assert ours == pytest.approx(theirs, abs=1e-9)
    theirs = corpus_bleu([[text.split() for text in row] for row in references], [text.split() for text in predictions])
    assert ours == pytest.approx(theirs, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(WORDS.filter(str.isalpha), min_size=1, max_size=9),
    st.lists(WORDS.filter(str.isalpha), min_size=1, max_size=9),
)
def test_rouge_l_is_googles_up_to_its_beta(said, there):
    """rouge_score takes β = 1; with one reference precision and recall are the same."""
    scorer = pytest.importorskip("rouge_score.rouge_scorer").RougeScorer(["rougeL"])
    theirs = scorer.score(" ".join(there), " ".join(said))["rougeL"]
    p, r = theirs.precision, theirs.recall
    expected = 0 if p == 0 else (1 + 1.2**2) * p * r / (r + 1.2**2 * p)
    assert metrics.rouge_l([" ".join(said)], [" ".join(there)]).value == pytest.approx(expected, abs=1e-9)
