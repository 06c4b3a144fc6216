"""The Penn Treebank tokeniser by itself: golden values, hostile text, and that cutting at spaces changes nothing."""

import numpy as np
import pytest

from assay.metrics.captions import characters, jieba_words, tokenized
from assay.metrics.ptb import lex, tokenize
from assay.metrics.ptb_corpus import encode

GOLDEN = {
    "A man's dog (brown) cannot run, don't you know...": "a man 's dog -lrb- brown -rrb- can not run do n't you know",
    '"Gonna" get a t-shirt & 1/2 price $5.00!': "gon na get a t-shirt & 1/2 price $ 5.00",
    "it's 10:30 p.m. in St. Louis": "it 's 10:30 p.m. in st. louis",
    "red/blue; green - yellow -- black": "red/blue green yellow black",
    "50% of the e-mail": "50 % of the e-mail",
    "He said: “hello” – wow…": "he said hello wow",
    "U.S. flag's colours": "u.s. flag 's colours",
}

HARD = (
    "dog dog. Dogs' can't cannot GONNA 'tis it's I’m n't 5 12 345 6789 1 1/2 3/4 (555) 123-4567 Fig. no. pp. C. The A X.Y. In etc. "
    "Mr. <b> <a href='x y'> a>b < Co. pty. Ltd. limited . .. ... .net . . ½ 1,000 -5 #tag @me a@b.com www.a.com/x http://a.b/c? "
    "日本 é ☀ 😀 \ud800 ’90s :) -- – “x” \u00a0 \u00a0www.a.com \t 3\u00a01/2 \u2009x \x0b !? - state-of-the-art Sino-U.S. \u00ad"
)
PIECES = HARD.split(" ")


def drawn(rng, longest=8):
    return "".join(
        rng.choice(PIECES) + rng.choice([" ", " ", " ", "", "  ", "\n"]) for _ in range(rng.integers(longest))
    )


@pytest.mark.parametrize("text", GOLDEN)
def test_golden_values(text):
    assert " ".join(tokenize(text)) == GOLDEN[text]


def test_a_corpus_gives_the_tokens_of_each_caption_by_itself():
    rng = np.random.default_rng(0)
    captions = [drawn(rng) for _ in range(3_000)]
    encoded = encode(captions)
    assert len(encoded) == len(captions)
    for place, caption in enumerate(captions):
        assert encoded.words(place) == tokenize(caption), caption


@pytest.mark.parametrize("text", ["", " ", "\n\t\u00a0", "...", "\ud800", "😀", "\x00"])
def test_nothing_to_read_is_no_token(text):
    assert tokenize(text) == []
    assert encode([text, "a"]).words(1) == ["a"]


@pytest.mark.timeout(30)
@pytest.mark.parametrize("unit", ["a.1.", "%.", "a,", "<!a", "www.%."])
def test_long_text_takes_linear_time(unit):
    """A rule that reads on without end would take longer than the limit; all of them take about a second."""
    assert isinstance(tokenize(unit * (50_000 // len(unit))), list)
    assert tokenize("<a" + " " * 10_000) == ["<", "a"]


def test_line_breaks_are_spaces():
    assert tokenize("a dog\nruns\r\nfast\u2028now") == ["a", "dog", "runs", "fast", "now"]


def test_punctuation_is_there_before_it_is_dropped():
    assert lex("Mr. Smith (left) ran!! ") == ["Mr.", "Smith", "-LRB-", "left", "-RRB-", "ran", "!!"]


def test_captions_lie_row_after_row():
    captions = tokenized("ptb-py", ["A dog.", None, ""], [["Dogs", "a dog runs"], "one", ["x"]])
    assert captions.head.tolist() == [0, 3, 5]
    assert captions.row.tolist() == [0, 0, 0, 1, 1, 2, 2]
    assert [captions.encoded.words(i) for i in range(7)] == [
        ["a", "dog"],
        ["dogs"],
        ["a", "dog", "runs"],
        [],
        ["one"],
        [],
        ["x"],
    ]
    assert captions.texts.missing.tolist() == [False, True, False]


def test_a_file_is_no_caption():
    with pytest.raises(ValueError, match="row 1: a caption of at most 1,000,000"):
        tokenized("ptb-py", ["a", "b"], [["a"], ["x" * 10_000_000]])


def test_white_space_inside_a_token_splits_it_for_n_grams():
    captions = tokenized("ptb-py", ["a 1 1/2 mile"], [["a mile"]])
    assert captions.encoded.words(0) == ["a", "1\u00a01/2", "mile"]
    assert captions.split.words(0) == ["a", "1", "1/2", "mile"]
    assert captions.split.words(1) == ["a", "mile"]


def test_chinese_by_characters():
    assert characters("两只狗在公园里玩 Frisbee，2 只！\ud800") == [*"两只狗在公园里玩", "frisbee", "2", "只"]
    assert characters("ｗ、カタカナ한글 𠀀") == ["ｗ", *"カタカナ한글", "𠀀"]


def test_chinese_by_words():
    pytest.importorskip("jieba")
    assert jieba_words("一个男人骑着马，在海滩上。A DOG!") == ["一个", "男人", "骑着马", "在", "海滩", "上", "a", "dog"]
