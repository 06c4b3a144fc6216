"""METEOR's normalisation, stems and word tables, at figures that the reference gives."""

import pytest
from meteor_fakes import make

from assay.metrics.meteor15 import index
from assay.metrics.meteor15.normalise import ALWAYS, BEFORE_DIGITS, normalised, words_of
from assay.metrics.meteor15.stem import stem
from assay.metrics.meteor15.vocabulary import java_hash, look_up
from assay.metrics.meteor15.wordtables import all_synsets

ABBREVIATIONS = {"Dr": ALWAYS, "v": ALWAYS, "pp": BEFORE_DIGITS}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("a man 's dog -lrb- brown -rrb-", "a man ' s dog -lrb- brown -rrb-"),
        ("gon na get a t-shirt & 1/2 price $ 5.00", "gon na get a t shirt & 1 / 2 price $ 5.00"),
        ("10:30 p.m. in st. louis", "10 : 30 pm in st. louis"),
        ("the u.s. flag", "the us flag"),
        ("it ends here.", "it ends here ."),
        ("Dr. Who pp. 7 pp. x v. 3 no. 4 No. A", "dr. who pp. 7 pp. x v. 3 no . 4 no . a"),
        ("wait... what.. .a", "wait ... what .. .a"),
        ("“quoted” ''twice'' `once’", '" quoted " " twice " \' once \''),
        ("a–b--c 5'6 5's don't", "a - b c 5 ' 6 5 's don 't"),
        ("1,000 dogs, 3,b c,4", "1,000 dogs , 3 , b c , 4"),
        ("naïve café\u00a0Ｘ 😀x", "naïve café ｘ 😀 x"),
        ("a\u3000b", "a b"),
        ("_a_ <b>", "_ a _ < b >"),
        ("", ""),
        (" \t ", ""),
    ],
)
def test_a_line_is_normalised_as_by_the_reference(line, words):
    assert words_of(line, ABBREVIATIONS) == words.split(" ") if words else words_of(line, ABBREVIATIONS) == []


def test_plain_lines_are_not_changed():
    assert normalised("two dogs 7", {}) == "two dogs 7"


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        *[("skies", "sky"), ("dying", "die"), ("news", "news"), ("herring", "herring"), ("herrings", "herring")],
        *[("by", "by"), ("ties", "tie"), ("cries", "cri"), ("gas", "gas"), ("gaps", "gap"), ("kiwis", "kiwi")],
        *[("luxuriated", "luxuri"), ("hopping", "hop"), ("hoping", "hope"), ("agreed", "agre"), ("feed", "feed")],
        *[("boy's", "boy"), ("'em", "em"), ("say", "say"), ("youth", "youth"), ("enjoy", "enjoy"), ("cry", "cri")],
        *[("generously", "generous"), ("arsenal", "arsenal"), ("communism", "communism"), ("rational", "ration")],
        *[("conditional", "condit"), ("relational", "relat"), ("valenci", "valenc"), ("adoption", "adopt")],
        *[("rolle", "roll"), ("controll", "control"), ("knee", "knee"), ("rate", "rate"), ("geologi", "geolog")],
    ],
)
def test_stems_are_snowballs(word, expected):
    assert stem(word) == expected


def test_words_beyond_the_basic_plane_are_two_units():
    assert java_hash("😀") == 31 * 0xD83D + 0xDE00


def test_a_word_that_the_tables_do_not_hold_has_its_bases_synsets(cache, tmp_path):
    arrays = index.opened(make(tmp_path)).arrays
    words = ["hounds", "houndss", "bigs", "zebra", "x" * 99, "dog\0", "", "dog", "larger", "menses"]
    found = look_up(words, arrays)
    sets = [found.synset[a:b].tolist() for a, b in zip(found.synset_start[:-1], found.synset_start[1:], strict=True)]
    assert sets == [[2, 3], [], [4], [], [], [], [], [1, 2], [4], []]


def test_bases_are_looked_up_once():
    own = {"sit": frozenset({1}), "sits": frozenset({2})}
    assert all_synsets("sits", own, {}) == {1, 2}
    assert all_synsets("sat", own, {"sat": ["sit", "sits"]}) == {1, 2}
    assert all_synsets("sitss", own, {}) == set()
