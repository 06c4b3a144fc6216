import math
import re
import time

import pytest
from report_hostile import HOSTILE

from assay.reporting import charts, figures, svg
from assay.reporting.charts import Mark, Plot, Series
from assay.reporting.content import ReportContent

LOOK = (Series("joint", "var(--c0)", "circle"), Series("aligned", "var(--c1)", "square"))
COLOUR = re.compile(r'(?:fill|stroke)="([^"]*)"')


def plot(**changes) -> Plot:
    marks = tuple(
        Mark(row, panel, row, 0.5, 0.4, 0.6, ".500", x=12.0)
        for row in ("joint", "aligned")
        for panel in ("emoji:test", "emoji:test-concepts")
    )
    given = {
        "marks": marks,
        "rows": ("joint", "aligned"),
        "panels": ("emoji:test", "emoji:test-concepts"),
        "axis": "accuracy",
    }
    return Plot(**{**given, "series": LOOK, **changes})


def drawn(one: Plot) -> list[str]:
    return [
        str(svg.inline(svg.draw(s), f"f{i}", "a title", "a description"))
        for i, s in enumerate(charts.specifications(one))
    ]


def test_both_drawings_are_named_and_hold_the_values():
    wide, narrow = drawn(plot(labelled=True))
    for one in (wide, narrow):
        assert one.count("<svg") == 1 and 'role="img"' in one
        assert "<title id=" in one and "a description</desc>" in one
        assert ".500" in one and "emoji:test-concepts" in one
    assert float(re.search(r"max-width:(\d+)px", narrow)[1]) < 420 < float(re.search(r"max-width:(\d+)px", wide)[1])


@pytest.mark.parametrize("cost_axis", ["", "milliseconds"])
def test_colours_follow_the_page(cost_axis):
    for one in drawn(plot(cost_axis=cost_axis, labelled=True, rows=() if cost_axis else ("joint", "aligned"))):
        colours = set(COLOUR.findall(one))
        assert colours >= {"var(--c0)", "var(--c1)", "var(--ink)", "var(--muted)", "var(--line)"}
        assert all(c in {"none", "transparent"} or c.startswith("var(--") for c in colours), colours
        assert "font-family" not in one and "http" not in one


def test_series_differ_in_shape_as_well_as_in_colour():
    (wide, _) = drawn(plot())
    shapes = {d for d, colour in re.findall(r'<path transform="[^"]*" d="([^"]*)" fill="(var\(--c\d\))"', wide)}
    assert len(shapes) == 2


def test_undefined_is_written_not_drawn():
    nothing = Mark("joint", "emoji:test", "joint", math.nan, math.nan, math.nan)
    wide, _ = drawn(plot(marks=(nothing, Mark("aligned", "emoji:test", "aligned", 0.5, math.nan, math.nan))))
    assert wide.count("undefined") == 1
    assert len(re.findall(r'fill="var\(--c\d\)"', wide)) == 1
    assert not re.search(r'<line[^>]*stroke="var\(--c\d\)"', wide), "no interval, no line"


def test_hostile_labels_stay_text():
    bad = list(HOSTILE.values())
    names = tuple(f"{text}{i}" for i, text in enumerate(bad))
    marks = tuple(Mark(name, names[i % 2], "joint", 0.5, 0.4, 0.6, name[:50]) for i, name in enumerate(names))
    for one in drawn(plot(marks=marks, rows=names, panels=names[:2], labelled=True, axis=bad[0])):
        assert not re.search(r"<(?!/?(?:svg|g|path|line|text|title|desc|rect)\b)", one)
        assert "onload=alert(1)&gt;" in one and "alert(1)</script" not in one
        assert not re.search("[\x00-\x08\x0b-\x1f]", one)


def test_words_of_a_figure_are_escaped():
    one = str(svg.inline(svg.draw(charts.specifications(plot())[0]), "f", "<b>", "</desc><script>"))
    assert "&lt;b&gt;" in one and "<script>" not in one


def test_an_address_in_a_specification_is_not_fetched():
    with pytest.raises(ValueError, match="127.0.0.1"):
        svg.draw({"data": {"url": "http://127.0.0.1:9/x.json"}, "mark": "point", "encoding": {"x": {"field": "a"}}})


def test_the_report_draws_what_it_has(report_content):
    found = list(figures.figures(report_content))
    assert [(f.kind, f.task) for f in found] == [
        ("headline", "classification"),
        ("conditions", "classification"),
        ("slices", "classification"),
        ("cost", "classification"),
        ("contrasts", "classification"),
    ]
    headline, conditions, slices, cost, differences = (f.plot for f in found)
    assert headline.panels == ("emoji:test", "emoji:test-concepts") and len(headline.marks) == 6
    assert conditions.rows == ("all together", "image alone", "without audio")
    assert {mark.series for mark in slices.marks} == {"joint", "aligned"}, "baselines are not drawn by slice"
    assert all(mark.x > 0 for mark in cost.marks)
    assert {mark.series for mark in differences.marks} == {"decided", "open"}
    assert list(figures.figures(ReportContent("nothing"))) == []


def test_a_model_keeps_its_look_and_baselines_are_quiet(report_content):
    looks = figures.looks(report_content)
    assert looks["joint"].colour == "var(--c0)" and looks["aligned"].colour == "var(--c1)"
    assert looks["joint"].shape != looks["aligned"].shape
    assert looks["baseline:chance"].colour == "var(--muted)"


def test_drawing_a_figure_is_quick():
    specification = charts.specifications(plot())[0]
    svg.draw(specification)
    begun = time.process_time()
    for _ in range(5):
        svg.draw(specification)
    assert (time.process_time() - begun) / 5 < 0.5
