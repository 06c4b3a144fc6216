import io
import math
import re

import pytest
from report_hostile import HOSTILE, infested

from assay.evaluation.compare import Compared, Comparison
from assay.reporting import terminal
from assay.reporting.content import ReportContent, Score
from assay.types import Estimate


class Stream(io.StringIO):
    """A stream that may be a terminal, with an encoding."""

    def __init__(self, is_terminal=False, encoding="utf-8"):
        super().__init__()
        self.is_terminal, self.named = is_terminal, encoding

    def isatty(self):
        return self.is_terminal

    @property
    def encoding(self):
        return self.named


def compared(**changes):
    given = {
        "metric": "accuracy",
        "slice": "all",
        "condition": "clean",
        "a": 0.742,
        "b": 0.701,
        "difference": 0.041,
        "low": 0.01,
        "high": 0.07,
        "p": 0.01,
        "p_holm": 0.02,
        "n": 812,
        "n_missing": 0,
        "verdict": "better",
        "n_needed": None,
        "margin": None,
        "better": "higher",
        "unit": "concept",
        "signature": "s",
    }
    return Compared(**{**given, **changes})


def test_the_scorecard_has_models_baselines_and_both_splits(report_content):
    lines = terminal.render(report_content).splitlines()
    head = next(line for line in lines if "emoji:test-concepts" in line)
    assert "emoji:test " in head
    assert any(line.split() == ["joint", ".742", "[.712,", ".772]", ".611", "[.581,", ".641]"] for line in lines)
    assert lines.index("Models") < lines.index("Baselines")
    assert any(line.split()[:2] == ["baseline:chance", ".111"] for line in lines)


def test_conditions_verdicts_costs_and_what_is_missing(report_content):
    text = terminal.render(report_content)
    assert "image alone" in text and "without audio" in text
    assert "+ joint is better than aligned in accuracy on emoji:test." in text
    assert "inconclusive, needs about n = 8,400" in text
    assert "12.0 ms" in text and "2.4 M" in text and "unknown" in text
    assert text.startswith("INCOMPLETE aligned, retrieval on emoji: 3 of 640 planned answers are missing.")
    assert "1f4a9 (only:audio): media: a broken file" in text and "and 2 more" in text
    assert "12.0 [9.00, 15.5]" in text or "12.0 [9.0, 15.5]" in text
    assert "3 missing" in text and "(lower is better)" in text


def test_plain_text_has_no_escape_and_no_drawn_line(report_content):
    text = terminal.render(report_content)
    assert "\x1b" not in text and not re.search("[\u2500-\u257f]", text)
    assert text.endswith("\n") and all(line == line.rstrip() for line in text.split("\n"))


@pytest.mark.parametrize("width", [40, 72, 100, 200])
def test_no_line_is_wider_than_asked(report_content, width):
    for colour in (False, True):
        shown = re.sub(r"\x1b\[[\d;]*m", "", terminal.render(report_content, width=width, colour=colour))
        assert max(map(len, shown.splitlines())) <= width
        words = ("4.9", "612.0", ".634", ".742") if width > 40 else ("4.9", "612.0")
        assert all(word in shown for word in words), "no column is left out"


def test_the_same_everywhere(report_content, monkeypatch):
    plain = terminal.render(report_content)
    for name, value in {"COLUMNS": "33", "FORCE_COLOR": "1", "TERM": "xterm-256color"}.items():
        monkeypatch.setenv(name, value)
    stream = Stream()
    assert terminal.render(report_content) == plain
    monkeypatch.delenv("FORCE_COLOR")
    terminal.show(report_content, stream)
    assert stream.getvalue() == plain


def test_a_terminal_gets_colour(report_content, monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    stream = Stream(is_terminal=True)
    terminal.show(report_content, stream)
    assert "\x1b[1m" in stream.getvalue()


def test_a_terminal_without_unicode_is_served(report_content):
    stream = Stream(encoding="ascii")
    terminal.show(report_content, stream)
    assert "[-.070, .030]" in stream.getvalue()
    stream.getvalue().encode("ascii")


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_from_data_acts_on_a_terminal(name, report_content):
    bad = infested(report_content, HOSTILE[name])
    text = terminal.render(bad) + re.sub(r"\x1b\[[\d;]*m", "", terminal.render(bad, colour=True))
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]", text)
    if name == "rich":
        assert "[red]x[/red]" in text.replace("\n", "")
    assert len(text) < 200_000


def test_undefined_is_said_with_its_reason():
    nothing = Estimate("accuracy", math.nan, math.nan, math.nan, 0, 4)
    text = terminal.render(ReportContent("t", scores=(Score("m", "k", "d", nothing, headline=True),)))
    assert "undefined: all 4 planned samples failed" in " ".join(text.split()) and ".000" not in text
    assert "undefined: all 4" in terminal.estimates([nothing])


def test_estimates_by_themselves():
    found = [
        Estimate("accuracy", 0.642, 0.617, 0.667, 1400, 2),
        Estimate("median_rank", 12, 9, 15.5, 80, slice="style=noto"),
    ]
    rows = [line.split() for line in terminal.estimates(found).splitlines()]
    assert rows[1] == ["accuracy", ".642", "[.617,", ".667]", "1,400", "2", "all", "clean"]
    assert rows[2][:2] == ["median_rank", "12.0"] and "style=noto" in rows[2]


def test_a_comparison_by_itself():
    rows = (
        compared(),
        compared(metric="macro_f1", verdict="inconclusive", n_needed=9000, p_holm=0.4),
        compared(metric="nll", a=1.2, b=1.4, difference=-0.2, low=-0.3, high=-0.1, slice="split=test"),
        compared(metric="hit@1", verdict="equivalent", margin=0.05),
    )
    text = terminal.comparison(
        Comparison("joint", "aligned", "classification", "emoji", rows, ("a note",)), colour=False
    )
    lines = text.splitlines()
    assert lines[1].split()[:6] == ["accuracy", "all", ".742", ".701", "+.041", "[.010,"]
    assert "inconclusive, needs about n = 9,000" in " ".join(text.split())
    assert "−.200" not in text and "−0.20 [−0.30, −0.10]" in " ".join(text.split())
    assert "alike" in text and "+ joint is better than aligned in accuracy on emoji." in text and "a note" in lines[-1]


def test_an_empty_report_prints_nothing_of_substance():
    assert terminal.render(ReportContent("nothing")).strip() == ""
