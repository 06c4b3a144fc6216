import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.reporting.text import ACTIVE, FLAG, clean, distinct, one_line, visible

SCOTLAND = FLAG + "".join(chr(0xE0000 + ord(c)) for c in "gbsct") + "\U000e007f"


@pytest.mark.parametrize(
    ("given_", "shown"),
    [
        ("\x1b[2J\x1b]0;title\x07", "⟨U+001B⟩[2J⟨U+001B⟩]0;title⟨U+0007⟩"),
        ("a\0b", "a⟨U+0000⟩b"),
        ("\u202egnp.exe", "⟨U+202E⟩gnp.exe"),
        ("\u2066x", "⟨U+2066⟩x"),
        ("\ud800", "⟨U+D800⟩"),
        ("a\ufeffb", "a⟨U+FEFF⟩b"),
        ("\uffff\U0001ffff"[:1], "⟨U+FFFF⟩"),
        ("x\U000e0041\U000e0042", "x⟨U+E0041⟩⟨U+E0042⟩"),
        ("one\r\ntwo\rthree\tfour", "one\ntwo\nthree\tfour"),
        ("\u200b", "⟨U+200B⟩"),
    ],
)
def test_what_acts_is_written_out(given_, shown):
    assert clean(given_) == shown


@pytest.mark.parametrize(
    "text",
    ["naïve", "🧑‍🧑‍🧒", "👍🏽", "🇺🇳", SCOTLAND, "نمونه‌ها", "e\u0301", "中文名字", "0️⃣", "ﬁ ß ẞ ½ ∞ -0", "<b>&amp;"],
)
def test_living_text_stays_as_it_is(text):
    assert clean(text) == text


def test_tag_letters_show_unless_they_follow_a_black_flag():
    hidden = "".join(chr(0xE0000 + ord(c)) for c in "ignore this")
    assert "⟨U+E0069⟩" in clean("hello" + hidden)
    assert "⟨U+" in clean(FLAG + hidden)


def test_combining_marks_do_not_pile_up():
    shown = clean("a" + "\u0301" * 1_000_000)
    assert shown.startswith("a" + "\u0301" * 6 + "⟨more marks⟩") and len(shown) < 100


def test_long_text_is_cut_and_says_how_long_it_was():
    shown = clean("a" * 10_000_000)
    assert shown.endswith("… (10,000,000 characters)") and len(shown) < 2100


@given(st.text(alphabet=st.characters(codec=None), max_size=200))
def test_nothing_that_acts_survives(text):
    shown = clean(text).replace(SCOTLAND, "")
    assert all(c in "\n\t" or unicodedata.category(c) not in {"Cc", "Cs", "Zl", "Zp"} for c in shown)
    assert not any(0x202A <= ord(c) <= 0x202E or 0x2066 <= ord(c) <= 0x2069 for c in shown)
    assert ACTIVE.search(shown) is None or FLAG in shown
    shown.encode("utf-8")


@given(st.text(max_size=300))
def test_one_line_is_one_line(text):
    assert len(one_line(text).splitlines()) <= 1


@pytest.mark.parametrize(
    ("text", "shown"), [("", "(empty)"), (" ", "(1 invisible character)"), ("\u200d", "(1 invisible")]
)
def test_nothing_to_see_is_said(text, shown):
    assert visible(text).startswith(shown)


def test_labels_stay_distinct_when_cleaning_makes_them_equal():
    assert len(set(distinct(["x" * 100, "x" * 101, "x" * 100, "", "(empty)"]))) == 5
