"""Caption metrics: golden values, quirks of coco-caption, Chinese, frozen frequencies, what is refused."""

import math

import numpy as np
import pytest

from assay import metrics

REFERENCES = [
    [
        "A man is riding a horse on the beach.",
        "A person rides a brown horse near the ocean.",
        "Someone on horseback at the seashore.",
    ],
    [
        "Two dogs are playing with a red ball in the park.",
        "A pair of dogs chase a ball on the grass.",
        "Dogs playing fetch outside.",
    ],
    [
        "A plate of pasta with tomato sauce and basil.",
        "Spaghetti topped with fresh basil leaves.",
        "A white plate holding a pasta dish.",
    ],
]
PREDICTIONS = [
    "A man riding a horse on a beach.",
    "Two dogs play with a ball in a park.",
    "A plate of food on a table.",
]
GOLDEN = {
    "bleu_1": 0.7283684948541834,
    "bleu_2": 0.5648983749408575,
    "bleu_3": 0.365762685873116,
    "bleu_4": 0.2340609330229151,
    "rouge_l": 0.6436858562923392,
    "cider_d": 1.296212047259037,
}
ITEMS = {
    "bleu_4": [0.37707946, 9.08e-9, 5.56e-5],
    "rouge_l": [0.8148855, 0.68760064, 0.42857143],
    "cider_d": [1.78538312, 1.33873239, 0.76452063],
}
ALL = (
    "bleu_1",
    "bleu_2",
    "bleu_3",
    "bleu_4",
    "rouge_l",
    "cider",
    "cider_d",
    "distinct_1",
    "distinct_2",
    "caption_length",
)


def test_golden_values():
    found = metrics.score(list(GOLDEN), PREDICTIONS, REFERENCES)
    for name, value in GOLDEN.items():
        assert found[name].value == pytest.approx(value, abs=1e-9)
        assert found[name].low <= found[name].value <= found[name].high


@pytest.mark.parametrize("name", ITEMS)
def test_golden_items(name):
    found = getattr(metrics, name)(PREDICTIONS, REFERENCES)
    assert found.items == pytest.approx(ITEMS[name], rel=1e-3 if name == "bleu_4" else 1e-7)
    assert found.value == pytest.approx(GOLDEN[name], abs=1e-9)


def test_golden_counts():
    rows = metrics.measure([metrics.get("bleu_4")], PREDICTIONS, REFERENCES)
    total = {name: column.sum(axis=0).tolist() for name, column in rows.items()}
    assert [total[f"bleu_matched_{n}:ptb-py"] for n in (1, 2, 3, 4)] == [19, 10, 3, 1]
    assert [total[f"bleu_guessed_{n}:ptb-py"] for n in (1, 2, 3, 4)] == [24, 21, 18, 15]
    assert total["bleu_closest:ptb-py"] == 26
    brevity = math.exp(1 - total["bleu_closest:ptb-py"] / total["bleu_guessed_1:ptb-py"])
    assert brevity == pytest.approx(0.92004441, abs=5e-9)
    precisions = [total[f"bleu_matched_{n}:ptb-py"] / total[f"bleu_guessed_{n}:ptb-py"] for n in (1, 2, 3, 4)]
    assert brevity * math.prod(precisions) ** 0.25 == pytest.approx(GOLDEN["bleu_4"], abs=1e-9)


@pytest.mark.parametrize("name", ALL)
def test_functions_and_names_agree(name):
    alone = getattr(metrics, name)(PREDICTIONS, REFERENCES, seed=3)
    together = metrics.score(ALL, PREDICTIONS, REFERENCES, seed=3)[name]
    assert alone == together
    assert alone.signature.startswith(f"{name}|tok:ptb-py|")
    assert "|refs:3|" in alone.signature


def test_references_are_ragged_or_one_text():
    ragged = metrics.score(["bleu_4", "cider_d"], ["a b", "c d e"], ["a b", ["c d e", "f"]])
    listed = metrics.score(["bleu_4", "cider_d"], ["a b", "c d e"], [["a b"], ["c d e", "f"]])
    assert ragged["bleu_4"].value == listed["bleu_4"].value
    assert "|refs:1-2|" in ragged["cider_d"].signature


def test_one_image_has_no_rare_words():
    assert metrics.cider_d(["a red dog"], [["a red dog"]]).value == 0
    assert metrics.cider_d(["a dog", "a dog"], [["a dog"], ["a dog"]]).value == 0
    assert "one image" in metrics.get("cider_d").edge


def test_short_captions_have_a_precision_of_a_millionth():
    """As coco-caption: nothing of three words was said, so its precision is 1e-15 / 1e-9."""
    found = metrics.score(["bleu_2", "bleu_3", "bleu_4"], ["a dog"], [["a dog"]])
    assert [found[f"bleu_{n}"].value for n in (2, 3, 4)] == pytest.approx([1, 0.01, 1e-3])


def test_no_match_of_an_order_is_a_quadrillionth_of_a_match():
    assert metrics.bleu_2(["a b c"], [["c b a"]]).value == pytest.approx((1 * 1e-15 / 2) ** 0.5)


def test_of_two_references_as_close_the_shorter_counts():
    rows = metrics.measure([metrics.get("bleu_1")], ["a b c d"], [["a b c d e", "a b c"]])
    assert rows["bleu_closest:ptb-py"].tolist() == [3]


@pytest.mark.parametrize(("said", "bleu", "rouge", "cider"), [("", 0, 0, 0), ("...", 0, 0, 0), ("zebra", 1e-15, 0, 0)])
def test_an_empty_caption_is_a_bad_one(said, bleu, rouge, cider):
    found = metrics.score(["bleu_1", "rouge_l", "cider_d", "caption_length"], [said, "a cat"], [["a dog"], ["a cat"]])
    assert found["rouge_l"].items[0] == rouge
    assert found["cider_d"].items[0] == cider
    assert found["bleu_1"].items[0] == pytest.approx(bleu)
    assert found["caption_length"].items[0] == (said == "zebra")


def test_two_empty_captions_agree_as_in_coco_caption():
    assert metrics.rouge_l(["!", "a"], [["?"], ["a", ""]]).items.tolist() == [1, 1]


@pytest.mark.parametrize("name", ALL)
def test_a_missing_caption_is_left_out_and_counted(name):
    found = metrics.score([name], [*PREDICTIONS, None], [*REFERENCES, ["a dog"]])[name]
    assert (found.n, found.n_missing) == (3, 1)
    if not name.startswith("cider"):
        assert found.value == metrics.score([name], PREDICTIONS, REFERENCES)[name].value
    none = metrics.score([name], [None], [["a dog"]])[name]
    assert math.isnan(none.value)
    assert (none.n, none.n_missing) == (0, 1)


@pytest.mark.parametrize("name", ALL)
def test_nothing_at_all_is_nan(name):
    found = metrics.score([name], [], [])[name]
    assert math.isnan(found.value)
    assert found.n == 0


@pytest.mark.parametrize(
    ("predictions", "references", "words"),
    [
        (["a"], [["a"], ["b"]], "1 predictions, 2 references"),
        ("a dog", [["a dog"]], "a list of texts"),
        (None, [["a dog"]], "predictions: a list of texts was expected, not None"),
        (["a dog"], None, "references: a list of texts was expected, not None"),
        (["a", "b"], [["a"], []], "row 1 has no reference"),
        (["a", "b"], [["a"], ["b", None]], "row 1: a text was expected as reference, not None"),
        (["a", 3], [["a"], ["b"]], "row 1: a text was expected as prediction, not 3"),
        (["a", float("nan")], [["a"], ["b"]], "row 1: a text was expected as prediction, not nan"),
        (["a"], [["x" * 10_000_000]], "row 0: a caption of at most 1,000,000 characters"),
    ],
)
@pytest.mark.parametrize("name", ["bleu_4", "rouge_l", "cider_d", "distinct_2"])
def test_what_is_refused(name, predictions, references, words):
    with pytest.raises(ValueError, match=words):
        metrics.score([name], predictions, references)


def test_strange_characters_are_in_no_token():
    odd = metrics.score(ALL, ["a dog\ud800 runs", "cats"], [["a\ud83d dog runs"], ["\udc00cats"]])
    plain = metrics.score(ALL, ["a dog runs", "cats"], [["a dog runs"], ["cats"]])
    assert {name: one.value for name, one in odd.items()} == {name: one.value for name, one in plain.items()}


def test_the_longest_caption_there_may_be():
    long = "dog " * 240_000
    found = metrics.score(["bleu_4", "rouge_l", "cider_d"], [long, "a cat"], [["a dog", "dogs"], ["a cat"]])
    assert found["rouge_l"].items[1] == 1
    assert 0 < found["rouge_l"].items[0] < 1e-2


def test_more_distinct_words_than_there_are_characters(monkeypatch):
    from assay.metrics import subsequence

    expected = metrics.rouge_l(PREDICTIONS, REFERENCES)
    monkeypatch.setattr(subsequence, "CHARACTERS", 3)
    assert metrics.rouge_l(PREDICTIONS, REFERENCES) == expected


def test_chinese_by_characters_and_by_words():
    predictions, references = (
        ["一个男人骑着马。", "两只狗在玩球"],
        [["一个人骑马", "男人骑着一匹马"], ["两只狗在公园里玩"]],
    )
    found = metrics.score(["bleu_4:chars", "rouge_l:chars", "cider_d:chars", "bleu_4"], predictions, references)
    assert found["bleu_4:chars"].signature.startswith("bleu_4:chars|tok:chars|")
    assert found["bleu_4:chars"].value > found["bleu_4"].value
    assert metrics.cider_d(predictions, references, tokenizer="chars") == found["cider_d:chars"]
    pytest.importorskip("jieba")
    by_words = metrics.score(["rouge_l:jieba"], predictions, references)["rouge_l:jieba"]
    assert by_words.signature.startswith("rouge_l:jieba|tok:jieba|")
    assert by_words.value != found["rouge_l:chars"].value


def test_what_is_missing_says_the_command_that_installs_it(monkeypatch):
    import sys

    from assay.metrics import captions

    captions._jieba.cache_clear()
    monkeypatch.setitem(sys.modules, "jieba", None)
    with pytest.raises(ValueError, match=r"pip install 'assay\[chinese\]'"):
        metrics.bleu_4(["狗"], [["狗"]], tokenizer="jieba")
    captions._jieba.cache_clear()


def test_an_unknown_tokenizer_is_told_its_neighbours():
    with pytest.raises(ValueError, match="did you mean jieba"):
        metrics.bleu_4(["a"], [["a"]], tokenizer="jiebaa")
    with pytest.raises(ValueError, match="bleu_4"):
        metrics.get("bleu_4:words")


def test_the_frequencies_of_the_same_corpus_give_the_same():
    own, given = (metrics.cider_d(PREDICTIONS, REFERENCES, idf=idf) for idf in (None, REFERENCES))
    assert given.items == pytest.approx(own.items, abs=1e-12)
    assert "|idf:frozen|" in own.signature
    assert "|idf:given(3)|" in given.signature


def test_frequencies_of_another_corpus_by_hand():
    """Two images: ``a`` is in both (idf 0), ``dog`` in one (log 2), ``sits`` in none (log 2 as well)."""
    corpus = metrics.document_frequencies([["a dog"], ["a cat"]])
    found = metrics.cider(["a dog sits"], [["a dog"]], idf=corpus)
    one = 1 / math.sqrt(2)  # (dog) against (dog, sits), each of log 2; pairs: (a dog) against (a dog, dog sits)
    assert found.value == pytest.approx(10 * (one + one) / 4)


def test_every_order_is_looked_up_in_another_vocabulary():
    rng = np.random.default_rng(0)
    words = np.array(["a", "the", "dog", "cat", "runs", "sits", "on", "red", "mat", "fast"])
    corpus = [[" ".join(rng.choice(words, 7)) for _ in range(3)] for _ in range(40)]
    predictions, references = [" ".join(rng.choice(words, 6)) for _ in corpus], corpus
    joined = metrics.cider_d(predictions, references).items
    reordered = metrics.document_frequencies(corpus[::-1])
    assert metrics.cider_d(predictions, references, idf=reordered).items == pytest.approx(joined, abs=1e-12)
    for row in (0, 7):
        alone = metrics.cider_d([predictions[row]], [references[row]], idf=reordered).value
        assert alone == pytest.approx(joined[row], abs=1e-12)


def test_frequencies_have_a_tokenizer():
    corpus = metrics.document_frequencies([["狗"], ["猫"]], tokenizer="chars")
    with pytest.raises(ValueError, match="by ptb-py were expected, not by chars"):
        metrics.cider_d(["a"], [["a"]], idf=corpus)
    assert metrics.cider_d(["狗"], [["狗"]], idf=corpus, tokenizer="chars").value == pytest.approx(2.5)


def test_n_grams_that_do_not_fit_into_one_number_are_ranked_first():
    from assay.metrics.ngrams import counted

    gram, caption = np.array([1 << 60, 3, 1 << 60, 3]), np.array([0, 0, 0, 5])
    found = counted(gram, caption, 6)
    assert found.grams.tolist() == [3, 1 << 60]
    assert found.gram.tolist() == [0, 0, 1]
    assert found.caption.tolist() == [0, 5, 0]
    assert found.count.tolist() == [1, 1, 2]


def test_distinct_n_by_hand():
    found = metrics.score(["distinct_1", "distinct_2", "distinct_3"], ["a dog runs", "a dog", "x"], ["", "", ""])
    assert found["distinct_1"].value == pytest.approx(4 / 6)
    assert found["distinct_2"].value == pytest.approx(2 / 3)
    assert found["distinct_3"].value == 1
    assert math.isnan(metrics.distinct_2(["x", ""]).value)
    twice = metrics.distinct_1(["a dog"] * 2)
    assert (twice.value, metrics.distinct_1(["a dog"]).value) == (0.5, 1)


def test_units_are_resampled_together():
    found = metrics.score(["bleu_4", "cider_d"], PREDICTIONS * 2, REFERENCES * 2, unit=[0, 1, 2] * 2)
    assert found["bleu_4"].n == found["cider_d"].n == 3
    assert found["bleu_4"].items[0] == pytest.approx(ITEMS["bleu_4"][0])
    assert len(found["cider_d"].items) == 3
    assert found["bleu_4"].value == pytest.approx(GOLDEN["bleu_4"])
