"""The alignment of a whole corpus in step beside the plain one, pair by pair, over small tables."""

import meteor_oracle
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from meteor_fakes import FUNCTION_WORDS, IRREGULAR, PARAPHRASES, SYNSETS, WORDS, make
from meteor_oracle import Match, PlainTables, matches, statistics

from assay.metrics.meteor15 import beam, candidates, index, relations
from assay.metrics.meteor15 import segments as meteor_segments
from assay.metrics.meteor15.segments import MOST_WORDS, score, segments
from assay.metrics.meteor15.vocabulary import look_up
from assay.metrics.vocabulary import encode_with

PLAIN = PlainTables(
    {word: frozenset(map(int, ids.split())) for word, ids in SYNSETS.items()},
    {form: [base] for base, forms in IRREGULAR.items() for form in forms.split()},
    {},
    frozenset(FUNCTION_WORDS),
)
for phrase, other in PARAPHRASES:
    PLAIN.paraphrases.setdefault(tuple(phrase.split()), []).append(tuple(other.split()))


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    folder = tmp_path_factory.mktemp("meteor")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        return index.opened(make(folder / "package"))


def compared(pairs, tables):
    """The statistics of pairs of word lists, each a row."""
    captions = encode_with(str.split, [" ".join(words) for pair in pairs for words in pair])
    place = np.arange(len(pairs))
    return segments(captions, 2 * place, 2 * place + 1, place, tables)


def assert_same(pairs, tables, plain):
    found = compared(pairs, tables)
    for row, (prediction, reference) in enumerate(pairs):
        matched, length, chunks, words = statistics(prediction, reference, plain)
        ours = (found.matched[row], found.length[row], found.chunks[row], found.words[row])
        for one, other in zip(ours, (matched, length, chunks, words), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12, err_msg=f"{prediction} / {reference}")


def drawn(rng, longest, words=WORDS):
    """Two captions that often share words and phrases."""
    few = rng.choice(words, rng.integers(1, len(words) + 1), replace=False)
    return [rng.choice(few, rng.integers(0, longest + 1)).tolist() for _ in range(2)]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_every_pair_is_aligned_as_one_by_one(seed, tables):
    rng = np.random.default_rng(seed)
    pairs = [drawn(rng, 9) for _ in range(25)]
    assert_same(pairs, tables, PLAIN)
    assert_same(pairs, None, None)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_candidates_come_in_the_order_of_the_reference(seed, tables):
    rng = np.random.default_rng(seed)
    pairs = [drawn(rng, 8) for _ in range(20)]
    pairs += [[prediction, list(prediction)] for prediction, _ in pairs]
    start = np.cumsum([0, *(len(words) for pair in pairs for words in pair)])
    place = {word: number for number, word in enumerate(WORDS)}
    words = np.array([place[word] for pair in pairs for side in pair for word in side], dtype=np.int64)
    odd = np.arange(2 * len(pairs)) % 2 == 1
    corpus = relations.Corpus(words, start, ~odd, odd)
    found, predicted, referred = relations.related(corpus, look_up(WORDS, tables.arrays), tables.arrays)
    sides = np.flatnonzero(~odd), np.flatnonzero(odd)
    is_same = np.array([prediction == reference for prediction, reference in pairs])
    ours = candidates.matches(candidates.Finder.of(found), predicted, referred, sides, is_same)
    for row, (prediction, reference) in enumerate(pairs):
        here = ours.pair == row
        columns = (np.minimum(ours.kind, 3), ours.place, ours.length, ours.own_place, ours.own_length)
        theirs = [match for at in matches(prediction, reference, PLAIN) for match in at]
        assert [Match(*map(int, one)) for one in zip(*(column[here] for column in columns), strict=True)] == theirs


@pytest.mark.parametrize("width", [1, 2, 5])
def test_narrow_beams_are_cut_alike(width, tables, monkeypatch):
    monkeypatch.setattr(beam, "WIDTH", width)
    monkeypatch.setattr(meteor_oracle, "BEAM", width)
    rng = np.random.default_rng(width)
    assert_same([drawn(rng, 12, ["a", "the", "dog", "cat", "of", "sits", "on"]) for _ in range(150)], tables, PLAIN)


def test_beams_that_overflow_are_cut_alike(tables):
    rng = np.random.default_rng(0)
    assert_same([drawn(rng, 25, ["a", "the", "dog", "cat", "of"]) for _ in range(40)], tables, PLAIN)


def test_long_captions_need_several_words_of_bits(tables):
    rng = np.random.default_rng(1)
    others = [f"w{i}" for i in range(60)]
    pairs = []
    for _ in range(6):
        text = rng.choice([*others, *WORDS], rng.integers(60, 150)).tolist()
        other = [word for word in text if rng.random() < 0.8]
        pairs.append([text, other])
    assert_same([*pairs, *([b, a] for a, b in pairs)], tables, PLAIN)


def test_blocks_do_not_matter(tables, monkeypatch):
    rng = np.random.default_rng(2)
    pairs = [drawn(rng, 12) for _ in range(60)]
    whole = compared(pairs, tables)
    monkeypatch.setattr(beam, "BLOCK", 7)
    monkeypatch.setattr(candidates, "BLOCK", 100)
    monkeypatch.setattr(meteor_segments, "BLOCK", 500)
    monkeypatch.setattr(beam, "MOST_PACKED_BITS", 0)
    parts = compared(pairs, tables)
    np.testing.assert_array_equal(whole.matched, parts.matched)
    np.testing.assert_array_equal(whole.chunks, parts.chunks)


def test_words_are_compared_by_javas_hash(tables):
    assert_same([[["c0", "dog"], ["an", "dog"]], [["an"], ["c0"]]], tables, PLAIN)
    assert compared([[["c0"], ["an"]]], tables).words[0] == 1


def test_the_best_reference_counts_and_the_first_of_equals(tables):
    captions = encode_with(str.split, ["a dog", "a cat", "the dog", "a dog", "dog a"])
    found = segments(captions, np.zeros(4, np.int64), np.arange(1, 5), np.zeros(4, np.int64), tables)
    assert found.score.tolist() == [1.0]
    assert found.length[0].tolist() == [1.0, 1.0]


def test_a_full_match_in_one_chunk_has_no_penalty(tables):
    found = compared([[["big", "dogs"], ["large", "dog"]], [["dog", "big"], ["big", "dog"]]], tables)
    assert found.chunks.tolist() == [0, 2]


def test_nothing_matched_scores_nothing(tables):
    pairs = [[[], []], [[], ["dog"]], [["dog"], []], [["man"], ["cat"]]]
    assert compared(pairs, tables).score.tolist() == [0, 0, 0, 0]
    assert len(compared([], tables).score) == 0


def test_a_caption_that_is_too_long_names_its_row(tables):
    pairs = [[["dog"], ["dog"]], [["dog"], ["dog"] * (MOST_WORDS + 1)]]
    with pytest.raises(ValueError, match=r"row 1: METEOR aligns captions of at most 1,000 words, not 1,001"):
        compared(pairs, tables)


def test_the_formula_at_the_worked_example():
    found = score(np.array([[2.45, 2.6]]), np.array([[3.0, 3.25]]), np.array([1.0]), np.array([5.5]))
    assert found[0] == pytest.approx(0.46008294516606457, abs=1e-12)
