import dataclasses
import html as stdlib_html
import math
import re
from html.parser import HTMLParser

import pytest
from report_hostile import HOSTILE, infested

from assay.reporting import html
from assay.reporting.content import Clip, ReportContent, Score
from assay.reporting.embed import embedded
from assay.types import Estimate

TAGS = frozenset(
    """html head meta title style body a header p h1 h2 h3 h4 div nav ol ul li main section footer bdi details summary span table
    caption thead tbody tr th td figure figcaption svg circle path line text g rect title desc article dl dt dd code pre img
    audio video blockquote strong em br wbr""".split()  # noqa: SIM905
)
VOID = {"meta", "img", "br", "wbr"}
ATTRIBUTES = frozenset(
    """lang charset http-equiv content name class href id aria-label aria-labelledby aria-hidden tabindex role scope colspan src alt
    decoding controls preload value style focusable viewbox fill stroke stroke-width stroke-miterlimit stroke-linecap
    stroke-dasharray transform d r x y x1 x2 y1 y2 cx cy width height opacity fill-opacity stroke-opacity text-anchor font-size
    open""".split()  # noqa: SIM905
)
STYLE = re.compile(r"(max-)?width:[\d.]+(px|%)|fill:var\(--[a-z0-9]+\)")


class Outline(HTMLParser):
    """What a browser would see: elements with attributes, text, whether all that was opened is closed."""

    def __init__(self, document):
        super().__init__(convert_charrefs=True)
        self.elements, self.words, self.open = [], [], []
        self.feed(document)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data):
        self.words.append(data)

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data[:80]}")

    @property
    def text(self):
        return "".join(self.words)

    def of(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def check(document):
    """Raises unless the document has only what the templates write: elements, attributes, addresses, styles."""
    outline = Outline(document)
    assert outline.open == []
    for tag, attributes in outline.elements:
        assert tag in TAGS, tag
        for name, value in attributes.items():
            assert name in ATTRIBUTES, (tag, name)
            if name == "href":
                assert re.fullmatch(r"#[a-z0-9-]+", value), value
            if name == "src":
                assert re.match(r"data:(image|audio|video)/[a-z0-9]+;base64,[A-Za-z0-9+/=]+$", value), value[:60]
            if name == "style":
                assert STYLE.fullmatch(value), value
    assert [t for t, _ in outline.elements].count("style") == 1
    return outline


def test_the_page_is_one_small_document(page):
    outline = check(page)
    assert page.startswith("<!doctype html>") and page.count("</html>") == 1
    assert len(page) < 400_000
    assert len(outline.of("main")) == len(outline.of("h1")) == 1


def test_nothing_may_run_or_be_fetched(page):
    policy = next(a["content"] for a in Outline(page).of("meta") if a.get("http-equiv"))
    assert policy.startswith("default-src 'none'") and "script-src" not in policy
    assert "<script" not in page and "@import" not in page and "url(" not in page and "<link" not in page


def test_light_and_dark_and_paper_and_still(page):
    for media in ("prefers-color-scheme: dark", "prefers-reduced-motion: reduce", "@media print", "max-width: 44rem"):
        assert media in page
    assert 'content="light dark"' in page and "focus-visible" in page


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_string_in_every_field_changes_nothing(name, report_content, monkeypatch):
    # The plots, which take time, have a test of their own with all these strings at once.
    monkeypatch.setattr("assay.reporting.figures.figures", lambda content: [])
    bad = HOSTILE[name]
    document = html.render(infested(report_content, bad))
    document.encode("utf-8")
    outline = check(document)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", outline.text)
    if name in ("script", "image", "svg", "entity", "jinja", "rich", "template token"):
        assert bad in outline.text, "what was in the data is shown as it is"
    assert len(document) < 2_500_000


def test_hostile_bytes_are_never_embedded(report_content):
    svg = Clip(b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "a picture")
    page_bytes = Clip(b"<html><script>alert(1)</script>", "a page")
    example = dataclasses.replace(report_content.examples[0], clips=(svg, page_bytes))
    document = html.render(ReportContent("t", examples=(example,)))
    check(document)
    assert document.count("not one that this page shows") == 2 and "svg+xml" not in document


def test_undefined_is_said_with_its_reason_and_never_zero(page):
    text = " ".join(Outline(page).text.split())
    assert "undefined all 4 planned samples failed" in text
    nan = Estimate("accuracy", math.nan, math.nan, math.nan, 9)
    document = html.render(
        ReportContent("t", scores=(Score("m", "k", "d", nan, headline=True, reason="one class only"),))
    )
    text = " ".join(Outline(document).text.split())
    assert "undefined one class only" in text and ".000" not in text and "nan" not in text.lower()


def test_a_value_without_interval_says_so():
    bare = Estimate("loss", 2.5, math.nan, math.nan, 9)
    document = html.render(
        ReportContent("t", scores=(Score("m", "k", "d", bare, headline=True, bounds=(0, math.inf)),))
    )
    assert "2.50" in document and "no interval" in document


def test_every_figure_has_interval_n_missing_and_signature(page, report_content):
    outline = Outline(page)
    text = " ".join(outline.text.split())
    for score in report_content.scores:
        if score.estimate.n:
            assert f"{score.estimate.n:,}" in text
    assert ".742 [.712, .772]" in text and "3 missing" in text
    for signature in {s.estimate.signature for s in report_content.scores}:
        assert signature in text
    targets = {a.get("id") for _, a in outline.elements}
    assert all(a["href"][1:] in targets for a in outline.of("a"))


def test_verdicts_come_first_and_both_splits_are_shown(page):
    text = " ".join(Outline(page).text.split())
    assert "emoji:test-concepts: inconclusive, needs about n = 8,400, −.023 [−.070, .030], p = .400, n = 228" in text
    main = page[page.index("<main") :]
    assert main.index("better than") < main.index('id="scorecard"')
    board = main[main.index('id="scorecard"') :]
    head = board[board.index("<thead>") : board.index("</thead>")]
    assert "test-concepts" in head and "<wbr>test<" in head


def test_baselines_are_marked(page):
    assert '<tr class="baseline"><th scope="row">' in page and "Baselines" in page


def test_incomplete_is_said_with_samples_and_reasons(page):
    text = "|".join(Outline(page).words)
    assert "Incomplete.| 3 of 640 planned answers of |aligned| (retrieval on |emoji|) are missing" in text
    assert "1f4a9|" in text and "|audio alone|" in text and "|media: a broken file|" in text


def test_examples_have_their_media(page):
    outline = Outline(page)
    assert all(a["alt"] for a in outline.of("img"))
    assert any(a["src"].startswith("data:image/webp") for a in outline.of("img"))
    sounds = outline.of("audio")
    assert sounds and all(a["preload"] == "none" and a["aria-label"] and "controls" in a for a in sounds)
    assert "the animation" in page, "an animation moves only when asked to"


def test_media_beyond_the_budget_are_named_not_shown(report_content):
    clips = tuple(Clip(report_content.examples[0].clips[0].data + bytes([i]), f"picture {i}") for i in range(5))
    shown = embedded(clips, items=3)
    assert [bool(shown[clip].uri) for clip in clips] == [True] * 3 + [False] * 2
    assert "small" in shown[clips[-1]].why
    assert not embedded(clips, size_bytes=10)[clips[0]].uri
    assert len(embedded([clips[0]] * 3, items=2)) == 1 and not embedded([clips[0]] * 3, items=2)[clips[0]].uri


def test_text_is_not_cut_inside_an_address(page):
    assert all("…" not in a["src"] for tag in ("img", "audio") for a in Outline(page).of(tag))


def test_ids_are_unique_and_tables_have_captions(page):
    outline = Outline(page)
    ids = [a["id"] for _, a in outline.elements if "id" in a]
    assert len(ids) == len(set(ids))
    assert len(outline.of("table")) == len(outline.of("caption")) > 5
    assert all("scope" in a for a in outline.of("th"))
    assert all(a.get("aria-label") for a in outline.of("div") if a.get("role") == "region")


def test_an_empty_report_is_a_page():
    outline = check(html.render(ReportContent("nothing yet")))
    assert "There are no figures." in outline.text


def test_writing_is_whole_or_not_at_all(tmp_path, report_content, monkeypatch):
    target = tmp_path / "new" / "report.html"
    small = ReportContent("first")
    assert html.write(small, target) == target
    before = target.read_bytes()
    assert stdlib_html.unescape(before.decode()).count("first") >= 2

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        html.write(ReportContent("second"), target)
    assert target.read_bytes() == before
    assert [p.name for p in target.parent.iterdir()] == ["report.html"]


def test_the_same_content_gives_the_same_page(report_content, page):
    small = dataclasses.replace(report_content, scores=report_content.scores[:6])
    assert html.render(small) == html.render(small)


def test_a_grouping_with_thousands_of_values_is_cut_and_says_so():
    found = [
        Score("m", "k", "d", Estimate("accuracy", 0.5, 0.4, 0.6, 9, slice=f"id={i}"), headline=True)
        for i in range(5000)
    ]
    document = html.render(ReportContent("t", scores=tuple(found)))
    assert "the first 200 of 5,000" in document and len(document) < 300_000


def test_a_place_that_can_be_no_file_is_told_to_the_user(tmp_path, report_content):
    (tmp_path / "file").write_text("mine")
    for target, told in ((tmp_path, "that is a folder"), (tmp_path / "file" / "page.html", "is no folder")):
        with pytest.raises(ValueError, match=told):
            html.write(report_content, target)
    assert (tmp_path / "file").read_text() == "mine"
